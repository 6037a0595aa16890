"""What prose means, in English and in Chinese, and that digits in it mean nothing."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (400, "The API key is not valid, please pass another.", "auth"),
        (400, "Incorrect API key provided. You can obtain one from the console.", "auth"),
        (500, "invalid token", "auth"),
        (403, "Country, region, or territory not supported", "auth -"),
        (403, "Your IP address is not allowed to use this key", "auth -"),
        (429, "Your account has been suspended", "auth"),
        (400, "Your credit balance is too low to access the API", "billing"),
        (412, "Account suspended, possibly due to failure to pay past due invoices", "billing"),
        (500, "insufficient balance", "billing"),
        (403, "Key limit exceeded", "billing"),
        (429, "Your team has used all available credits", "billing"),
        (402, "usage limit reached, try again later", "rate_limit"),
        (402, "monthly quota of premium requests", "billing"),
        (400, "rate limit exceeded", "rate_limit"),
        (413, "Request too large on tokens per minute (TPM): Limit 6000, Requested 7000", "rate_limit"),
        (429, "Request too large on tokens per min (TPM): Limit 20000, Requested 20500", "rate_limit"),
        (413, "Request too large", "context_overflow -"),
        (413, "Request body too large for the model. Max size: 8000 tokens.", "context_overflow"),
        (429, "The engine is currently overloaded", "overloaded -"),
        (429, "model is temporarily rate-limited upstream", "rate_limit -"),
        (404, "The model `x` does not exist or you do not have access to it", "model_not_found -"),
        (403, "You do not have access to this model", "model_not_found"),
        (403, "This model is not available on your current plan", "model_not_found"),
        (400, "x is not a valid model ID", "model_not_found -"),
        (404, "No endpoints found matching your data policy", "model_not_found"),
        (400, "This model's maximum context length is 8192 tokens", "context_overflow -"),
        (400, "max_tokens is too large: 9000. At most 4096 completion tokens", "format -"),
        (400, "max_tokens must be less than or equal to 4096, well below the context window", "format -"),
        (400, "The response was filtered due to the content management policy", "content_policy -"),
        (400, "Timeout while downloading https://example.com/cat.png", "format -"),
        (400, "Streaming is required for operations that may take longer than 10 minutes", "format -"),
        (500, "connection reset by peer", "network -"),
        (502, "upstream timed out", "timeout -"),
        (500, "CUDA out of memory", "server_error -"),
        (None, "fetch failed", "network -"),
        (None, "request was aborted", "unknown -"),
        (None, "something unheard of", None),
    ],
)
def test_english(status, message, expected, read):
    """A sentence decides within the family its status names, and over a status that is only a cover."""
    assert read(status, {"error": {"message": message}}) == expected
    assert read(status, None, message=message) == expected


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (403, "账户余额不足,请充值", "billing"),
        (403, "該令牌額度已用盡", "billing"),
        (429, "今日免费额度已用完,请明天再试", "rate_limit"),
        (429, "请求过于频繁", "rate_limit"),
        (429, "当前分组上游负载已饱和,请稍后再试", "overloaded -"),
        (401, "无效的令牌", "auth"),
        (403, "您的账号已被封禁", "auth"),
        (403, "该令牌无权使用模型 gpt-5", "model_not_found"),
        (503, "当前分组下对于模型 gpt-5 无可用渠道", "model_not_found -"),
        (404, "模型不存在", "model_not_found -"),
        (400, "输入内容包含敏感信息", "content_policy -"),
        (400, "输入长度超过模型最大上下文", "context_overflow -"),
        (400, "参数错误", "format -"),
        (500, "请求超时,请稍后再试", "timeout -"),
        (500, "系统繁忙", "overloaded -"),
        (None, "网络连接失败", "network -"),
        (500, "系统内部错误", "server_error -"),
        (None, "请求失败: connection refused", "network -"),
    ],
)
def test_chinese(status, message, expected, read):
    """The same in Chinese, simplified or traditional; what only says "failed" lets English speak first."""
    assert read(status, {"error": {"message": message}}) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Limit 400, Used 402, Requested 50050. Please try again later", None),
        ("Please try again in 402 seconds", None),
        ("limit: 500 requests", None),
        ("request id req_14018 with 429 tokens", None),
        ("exit code: 4290000000", None),
        ("error at line 404 of the prompt", None),
        ("HTTP 429", "rate_limit"),
        ("HTTP/1.1 503 Service Unavailable", "overloaded -"),
        ("status code: 402", "billing"),
        ("Error code: 401 - unauthorized", "auth"),
        ("API error 404: gone", "model_not_found -"),
        ("402 Payment Required", "billing"),
        ("429 status code (no body)", "rate_limit"),
        ("last status: 429 Too Many Requests", "rate_limit"),
        ("Client error '401 Unauthorized' for url 'https://x'", "auth"),
        ("failed: 402 You have nothing left", "billing"),
        ("[429 Too Many Requests] x", "rate_limit"),
    ],
)
def test_a_number_is_a_status_only_where_it_is_called_one(message, expected, read):
    """Limits, ids, seconds and line numbers are prose."""
    found = read(None, None, message=message)

    assert found == expected or (expected is None and found not in {"billing", "format -", "model_not_found -"})


def test_a_wrapper_status_gives_way_to_the_one_it_wraps(read):
    """A gateway's 400 or 500 around an upstream's 429 is a 429; beside a code, a number in the story is not."""
    wrapped = "An error occurred: server responded with status 429."
    story = {"error": {"message": "Error while downloading. Upstream status code: 404.", "code": "invalid_value"}}

    assert read(400, None, message=wrapped) == "rate_limit"
    assert read(400, story) == "format -"


@pytest.mark.parametrize(
    ("page", "status", "expected"),
    [
        ("<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>", 502, "server_error -"),
        ("<!DOCTYPE html><html><title>api.x.com | 524: A timeout occurred</title></html>", None, "timeout -"),
        ("<!DOCTYPE html><title>Just a moment...</title>", 403, "auth -"),
        ("<html><title>413 Request Entity Too Large</title></html>", 413, "context_overflow -"),
        ("<html><div class='w-429 mb-402'>hello</div></html>", None, None),
    ],
)
def test_html(page, status, expected, read):
    """A proxy's page is read by its title and headings; numbers in its markup are decoration."""
    assert read(status, page) == expected


def test_gemini_speaks_of_billing_to_whoever_is_over_a_free_quota(read):
    """OpenAI's sentence for an empty purse is Google's for a quota that refills."""
    sentence = "You exceeded your current quota, please check your plan and billing details."

    assert read(429, {"error": {"code": 429, "message": sentence, "status": "RESOURCE_EXHAUSTED"}}) == "rate_limit"
    assert read(429, {"error": {"message": sentence, "type": "x", "param": None, "code": None}}) == "billing"
