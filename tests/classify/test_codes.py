"""Codes as each provider documents them: the same word, number or status means what its speaker means."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("1002", "auth"),
        ("1112", "auth"),
        ("1113", "billing"),
        ("1211", "model_not_found -"),
        ("1261", "context_overflow -"),
        ("1301", "content_policy -"),
        ("1302", "rate_limit"),
        ("1305", "overloaded -"),
        ("1308", "rate_limit"),
        ("1311", "model_not_found"),
    ],
)
def test_zhipu_numbers_say_what_the_status_hides(code, expected, read):
    """Zhipu answers 429 to a dozen different troubles; its business code tells them apart."""
    assert read(429, {"error": {"code": code, "message": ""}}, provider="zhipu") == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (1001, "timeout -"),
        (1002, "rate_limit"),
        (1004, "auth"),
        (1008, "billing"),
        (1024, "server_error -"),
        (1026, "content_policy -"),
        (1039, "rate_limit"),
        (2013, "format -"),
        (2056, "rate_limit"),
        (2061, "model_not_found"),
    ],
)
def test_minimax_answers_200_and_a_number(code, expected, read):
    """The envelope alone gives the speaker away: base_resp is nobody else's."""
    assert read(200, {"base_resp": {"status_code": code, "status_msg": ""}}) == expected


def test_one_number_two_meanings(read):
    """1002 is a bad key at Zhipu and a rate limit at MiniMax; nobody's 1002 is nothing."""
    body = {"code": 1002, "message": ""}

    assert read(200, body, provider="zhipu") == "auth"
    assert read(200, body, provider="minimax") == "rate_limit"
    assert read(200, body) is None


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (2, "server_error -"),
        (4, "overloaded -"),
        (6, "auth"),
        (17, "rate_limit"),
        (18, "rate_limit"),
        (110, "auth"),
        (336003, "format -"),
        (336007, "context_overflow -"),
        (336501, "rate_limit"),
    ],
)
def test_qianfan_answers_200_and_an_error_code(code, expected, read):
    """Baidu's first API: the number is the whole error."""
    assert read(200, {"error_code": code, "error_msg": ""}) == expected


@pytest.mark.parametrize(
    ("provider", "code", "expected"),
    [
        ("qianfan", "account_overdue", "billing"),
        ("qianfan", "tpm_rate_limit_exceeded", "rate_limit"),
        ("qianfan", "invalid_iam_token", "auth"),
        ("qianfan", "server_high_load", "overloaded -"),
        ("dashscope", "Throttling.AllocationQuota", "rate_limit"),
        ("dashscope", "Arrearage", "billing"),
        ("dashscope", "DataInspectionFailed", "content_policy -"),
        ("dashscope", "InvalidApiKey", "auth"),
        ("dashscope", "AccessDenied.Unpurchased", "model_not_found"),
        ("dashscope", "AllocationQuota.FreeTierOnly", "billing"),
        ("dashscope", "RequestTimeOut", "timeout -"),
        ("volcengine", "AccountOverdueError", "billing"),
        ("volcengine", "ModelNotOpen", "model_not_found"),
        ("volcengine", "InvalidEndpointOrModel.NotFound", "model_not_found -"),
        ("volcengine", "RateLimitExceeded.EndpointTPMExceeded", "rate_limit"),
        ("volcengine", "ServerOverloaded", "overloaded -"),
        ("volcengine", "SensitiveContentDetected", "content_policy -"),
        ("volcengine", "OutofContextError", "context_overflow -"),
        ("moonshot", "exceeded_current_quota_error", "billing"),
        ("moonshot", "rate_limit_reached_error", "rate_limit"),
        ("moonshot", "engine_overloaded_error", "overloaded -"),
        ("moonshot", "incorrect_api_key_error", "auth"),
        ("hunyuan", "FailedOperation.ServiceStopArrears", "billing"),
        ("hunyuan", "RequestLimitExceeded", "rate_limit"),
        ("hunyuan", "FailedOperation.EngineServerLimitExceeded", "overloaded -"),
        ("huawei", "ModelArts.81003", "auth"),
        ("huawei", "ModelArts.81005", "billing"),
        ("huawei", "ModelArts.81101", "rate_limit"),
        ("groq", "model_decommissioned", "model_not_found -"),
        ("groq", "tool_use_failed", "format -"),
        ("azure", "DeploymentNotFound", "model_not_found -"),
        ("azure", "content_filter", "content_policy -"),
        ("azure", "AuthenticationTypeDisabled", "auth"),
        ("google", "API_KEY_INVALID", "auth"),
        ("google", "BILLING_DISABLED", "billing"),
        ("google", "RATE_LIMIT_EXCEEDED", "rate_limit"),
        ("google", "MODEL_CAPACITY_EXHAUSTED", "overloaded -"),
        ("litellm_proxy", "key_model_access_denied", "model_not_found"),
        ("litellm_proxy", "budget_exceeded", "billing"),
        ("litellm_proxy", "token_not_found_in_db", "auth"),
        ("new-api", "insufficient_user_quota", "billing"),
        ("new-api", "sensitive_words_detected", "content_policy -"),
        ("new-api", "get_channel_failed", "rate_limit -"),
    ],
)
def test_code_words(provider, code, expected, read):
    """Documented words, whether or not anybody says whose they are: most have one meaning."""
    assert read(400, {"error": {"code": code, "message": ""}}, provider=provider) == expected
    assert read(400, {"error": {"code": code, "message": ""}}) == expected


@pytest.mark.parametrize("spelled", ["INVALID_API_KEY", "InvalidApiKey", "invalid-api-key", "invalid_api_key"])
def test_spelling_does_not_matter(spelled, read):
    """A code is its letters."""
    assert read(400, {"error": {"type": spelled}}) == "auth"


def test_one_word_two_meanings(read, openai_error, understood):
    """insufficient_quota is an empty purse at OpenAI and a one-minute throttle at DashScope."""
    body = {"error": {"message": "", "type": "insufficient_quota", "code": "insufficient_quota"}}

    assert read(429, body, provider="openai") == "billing"
    assert read(429, body, provider="dashscope") == "rate_limit"
    assert understood(openai_error(429, body)) == "billing"
    assert understood(openai_error(429, body, host="dashscope.aliyuncs.com")) == "rate_limit"


def test_the_speaker_is_known_by_the_pages_it_links_to(read):
    """Without a name, a message's own link to the provider's documentation will do."""
    body = {"error": {"message": "See https://help.aliyun.com/zh/error-code", "code": "insufficient_quota"}}

    assert read(429, body) == "rate_limit"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"message": "", "code": "insufficient_quota"}}, "billing"),
        ([{"error": {"code": 429, "message": "", "status": "RESOURCE_EXHAUSTED"}}], "rate_limit"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": ""}}, "overloaded -"),
        ({"Response": {"Error": {"Code": "AuthFailure.SignatureExpire", "Message": ""}}}, "auth"),
        ({"success": False, "errors": [{"code": 3036, "message": ""}]}, "rate_limit"),
        ({"success": False, "errors": [{"code": 3040, "message": ""}]}, "overloaded -"),
        ({"detail": {"error": {"code": "invalid_api_key"}}}, "auth"),
        ({"error": {"message": '{"error": {"code": "insufficient_quota", "message": "x"}}'}}, "billing"),
        ({"error": {"metadata": {"raw": '{"error": {"code": "context_length_exceeded"}}'}}}, "context_overflow -"),
        ({"response": {"status": "failed", "error": {"code": "rate_limit_exceeded"}}}, "rate_limit"),
        ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, "content_policy -"),
        ('event: error\ndata: {"type": "error", "error": {"type": "overloaded_error"}}\n\n', "overloaded -"),
        ("Error code: 401 - {'error': {'code': 'invalid_api_key', 'message': 'it\\'s wrong'}}", "auth"),
        (b'{"error": {"code": "insufficient_quota"}}', "billing"),
        ('upstream said: "{\\"error\\": {\\"code\\": \\"insufficient_quota\\"}}"', "billing"),
        ({"header": {"code": 11202, "message": "", "sid": "x"}}, "rate_limit"),
        ({"error": {"details": [{"reason": "API_KEY_INVALID", "domain": "googleapis.com"}]}}, "auth"),
    ],
    ids=str,
)
def test_envelopes(body, expected, read):
    """Lists, nesting, JSON in strings, Python in strings, streams and bytes, all under HTTP 200."""
    assert read(200, body) == expected


def test_an_echoed_request_is_not_evidence(read):
    """FastAPI repeats the input in its complaint; what the user wrote there is not what went wrong."""
    body = {"detail": [{"msg": "field required", "input": {"content": "my credit balance is too low, rate limit"}}]}

    assert read(422, body) == "format -"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, "format -"),
        (401, "auth"),
        (402, "billing"),
        (403, "auth"),
        (404, "model_not_found -"),
        (408, "timeout -"),
        (413, "context_overflow -"),
        (422, "format -"),
        (429, "rate_limit"),
        (500, "server_error -"),
        (502, "server_error -"),
        (503, "overloaded -"),
        (504, "timeout -"),
        (520, "server_error -"),
        (521, "server_error -"),
        (522, "timeout -"),
        (524, "timeout -"),
        (529, "overloaded -"),
        (418, "format -"),
        (599, "timeout -"),
        (200, None),
        (None, None),
    ],
)
def test_a_bare_status(status, expected, read):
    """Where nothing else is said, the status speaks."""
    assert read(status) == expected
