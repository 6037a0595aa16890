"""Exceptions as the SDKs raise them: known by class, attributes and body, with nothing imported to know them."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import ssl
import urllib.error
from email.message import Message

import aiohttp
import botocore.exceptions
import httpx
import httpx2
import litellm
import openai
import pytest
import requests
import urllib3
from langchain_core import exceptions as lc

from sparekey._classify import classify
from sparekey._types import Reason

REQUEST = httpx.Request("POST", "https://api.openai.com/v1/chat/completions")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (openai.APIConnectionError(request=REQUEST), "network -"),
        (openai.APITimeoutError(request=REQUEST), "timeout -"),
        (httpx.ConnectError("[Errno -2] Name or service not known"), "network -"),
        (httpx.ReadTimeout(""), "timeout -"),
        (httpx.PoolTimeout(""), "timeout -"),
        (httpx.RemoteProtocolError("peer closed connection"), "network -"),
        (httpx2.ConnectError("refused"), "network -"),
        (httpx2.ReadTimeout(""), "timeout -"),
        (httpx.InvalidURL("no"), "format -"),
        (aiohttp.ServerDisconnectedError(), "network -"),
        (aiohttp.ServerTimeoutError(), "timeout -"),
        (aiohttp.ClientPayloadError("not completed"), "network -"),
        (requests.exceptions.ConnectTimeout(), "timeout -"),
        (requests.exceptions.SSLError("bad"), "network -"),
        (requests.exceptions.ChunkedEncodingError(), "network -"),
        (urllib3.exceptions.ProtocolError("Connection aborted."), "network -"),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="https://x"), "network -"),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="https://x"), "timeout -"),
        (botocore.exceptions.NoCredentialsError(), "auth"),
        (ConnectionResetError(104, "Connection reset by peer"), "network -"),
        (BrokenPipeError(), "network -"),
        (OSError(113, "No route to host"), "network -"),
        (OSError(110, "Connection timed out"), "timeout -"),
        (socket.gaierror(-2, "Name or service not known"), "network -"),
        (ssl.SSLCertVerificationError("self-signed"), "network -"),
        (TimeoutError(), "timeout -"),
        (asyncio.IncompleteReadError(b"", 5), "network -"),
        (urllib.error.URLError(ConnectionRefusedError(111, "refused")), "network -"),
        (json.JSONDecodeError("Expecting value", "<html>", 0), "server_error -"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_the_road_to_a_provider_fails_in_many_libraries(error, expected, understood):
    """Connections, time-outs and garbage are recognised whoever raises them."""
    assert understood(error) == expected


@pytest.mark.parametrize(
    "error",
    [
        asyncio.CancelledError(),
        KeyboardInterrupt(),
        GeneratorExit(),
        SystemExit(1),
        type("GraphInterrupt", (type("GraphBubbleUp", (Exception,), {}),), {})(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_caller_who_gives_up_blames_nobody(error):
    """Cancellation in all its forms is no verdict."""
    assert classify(error) is None


@pytest.mark.parametrize(
    "error",
    [
        ValueError("invalid literal for int() with base 10: 'x'"),
        KeyError("rate_limit"),
        TypeError("f() got an unexpected keyword argument 'timeout'"),
        AttributeError("module 'app' has no attribute 'rate_limit'"),
        AssertionError("timeout"),
        PermissionError(13, "Permission denied: '/etc/shadow'"),
        FileNotFoundError(2, "No such file or directory"),
        BlockingIOError(11, "Resource temporarily unavailable"),
        RuntimeError("Event loop is closed"),
        type("ConnectionError", (Exception,), {"__module__": "redis.exceptions"})("Connection refused"),
        Exception("boom"),
        Exception(),
    ],
    ids=lambda error: f"{type(error).__name__}-{error}"[:40],
)
def test_a_bug_is_nobody_elses_fault(error):
    """Mistakes in a program, files and databases say nothing about a provider, whatever their words."""
    assert classify(error) is None


def test_status_and_reason_come_from_the_response(openai_error):
    """A verdict carries the HTTP status it was read under."""
    verdict = classify(openai_error(429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}))

    assert verdict is not None
    assert (verdict.reason, verdict.status) == (Reason.RATE_LIMIT, 429)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (429, "insufficient_quota", "billing"),
        (429, "rate_limit_exceeded", "rate_limit"),
        (401, "invalid_api_key", "auth"),
        (403, "unsupported_country_region_territory", "auth -"),
        (404, "model_not_found", "model_not_found -"),
        (400, "context_length_exceeded", "context_overflow -"),
        (400, "content_policy_violation", "content_policy -"),
        (400, "billing_hard_limit_reached", "billing"),
        (503, None, "overloaded -"),
        (500, None, "server_error -"),
        (400, None, "format -"),
    ],
)
def test_openai(status, code, expected, openai_error, understood):
    """OpenAI's documented codes, raised as its SDK raises them."""
    error = openai_error(status, {"error": {"message": "", "type": "x", "param": None, "code": code}})

    assert understood(error) == expected


def test_an_error_event_inside_a_stream_has_no_status_and_is_read_all_the_same(understood):
    """The OpenAI SDK raises a bare APIError for it."""
    body = {"message": "The server is overloaded", "type": "server_error", "code": None}
    quota = {"message": "", "type": "insufficient_quota", "code": "insufficient_quota"}

    assert understood(openai.APIError("The server is overloaded", REQUEST, body=body)) == "overloaded -"
    assert understood(openai.APIError("", REQUEST, body=quota)) == "billing"


@pytest.mark.parametrize(
    ("status", "kind", "message", "expected"),
    [
        (401, "authentication_error", "invalid x-api-key", "auth"),
        (402, "billing_error", "payment required", "billing"),
        (403, "permission_error", "no permission for this resource", "auth"),
        (404, "not_found_error", "model: claude-nope", "model_not_found -"),
        (413, "request_too_large", "Request exceeds the maximum size", "context_overflow -"),
        (429, "rate_limit_error", "would exceed the limit of 40,000 input tokens per minute", "rate_limit"),
        (500, "api_error", "Internal server error", "server_error -"),
        (504, "timeout_error", "took too long", "timeout -"),
        (529, "overloaded_error", "Overloaded", "overloaded -"),
        (400, "invalid_request_error", "Your credit balance is too low", "billing"),
        (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", "context_overflow -"),
        (400, "invalid_request_error", "Output blocked by content filtering policy", "content_policy -"),
        (400, "invalid_request_error", "messages: roles must alternate", "format -"),
    ],
)
def test_anthropic(status, kind, message, expected, anthropic_error, understood):
    """Anthropic's documented types, and the sentences that decide within invalid_request_error."""
    assert understood(anthropic_error(status, kind, message)) == expected


def test_anthropics_finer_error_code_decides_over_its_type(anthropic_error, understood):
    """A spend limit under a 429 is money, a ramp limit under a 429 is not."""
    spent = {"error_code": "enforced_spend_limit_reached"}
    ramp = {"error_code": "ramp_limit_exceeded"}

    assert understood(anthropic_error(429, "rate_limit_error", "limit", details=spent)) == "billing"
    assert understood(anthropic_error(429, "rate_limit_error", "limit", details=ramp)) == "rate_limit"


def aws(code, message, status=400):
    """The exception botocore raises for an error of a service."""
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(response, "Converse")


@pytest.mark.parametrize(
    ("code", "status", "message", "expected"),
    [
        ("ThrottlingException", 429, "Too many requests", "rate_limit"),
        ("ServiceQuotaExceededException", 400, "quota", "rate_limit"),
        ("ExpiredTokenException", 403, "The security token is expired", "auth"),
        ("AccessDeniedException", 403, "User is not authorized to perform: bedrock:InvokeModel", "auth"),
        ("AccessDeniedException", 403, "You don't have access to the model", "model_not_found"),
        ("ModelTimeoutException", 408, "", "timeout -"),
        ("ModelNotReadyException", 429, "", "overloaded -"),
        ("InternalServerException", 500, "", "server_error -"),
        ("ModelErrorException", 424, "", "server_error -"),
        ("ServiceUnavailableException", 503, "", "overloaded -"),
        ("ValidationException", 400, "The input is too long for this model.", "context_overflow -"),
        ("ValidationException", 400, "The provided model identifier is invalid.", "model_not_found -"),
        ("ValidationException", 400, "messages: text must be non-empty", "format -"),
        ("ResourceNotFoundException", 404, "", "model_not_found -"),
    ],
)
def test_bedrock(code, status, message, expected, understood):
    """The exceptions of Amazon Bedrock's runtime, from botocore's dict."""
    assert understood(aws(code, message, status)) == expected


def made(name, module, *args, **attributes):
    """An exception of a package that is not installed here, alike in name, module and attributes."""
    error = type(name, (Exception,), {"__module__": module})(*args)
    for attribute, value in attributes.items():
        setattr(error, attribute, value)
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (made("ResourceExhausted", "google.api_core.exceptions", "429 quota"), "rate_limit"),
        (made("DeadlineExceeded", "google.api_core.exceptions", "504"), "timeout -"),
        (made("Unauthenticated", "google.api_core.exceptions", "x"), "auth"),
        (made("RefreshError", "google.auth.exceptions", "invalid_grant"), "auth"),
        (
            made(
                "ClientError",
                "google.genai.errors",
                "400 INVALID_ARGUMENT",
                code=400,
                status="INVALID_ARGUMENT",
                details={"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}},
            ),
            "auth",
        ),
        (made("TooManyRequestsError", "cohere.errors", status_code=429, body={"message": "trial"}), "rate_limit"),
        (made("SDKError", "mistralai.models", "x", status_code=401, body='{"detail": "Unauthorized"}'), "auth"),
        (made("ResponseError", "ollama", "model 'x' not found", status_code=404), "model_not_found -"),
        (made("ArkRateLimitError", "volcenginesdkarkruntime._exceptions", ""), "rate_limit"),
        (made("APIReachLimitError", "zhipuai.core._errors", ""), "rate_limit"),
        (made("TencentCloudSDKException", "tencentcloud.common", "", code="AuthFailure.SecretIdNotFound"), "auth"),
        (made("ServiceUnavailableError", "openai.error", "overloaded", http_status=503), "overloaded -"),
        (made("BlockedPromptException", "google.generativeai.types", ""), "content_policy -"),
        (made("RateLimitError", "some.new.sdk", "", status_code=429), "rate_limit"),
    ],
    ids=lambda value: f"{type(value).__module__}.{type(value).__name__}" if isinstance(value, Exception) else None,
)
def test_sdks_are_known_by_name_alone(error, expected, understood):
    """Class names over the MRO, the defining package and plain attributes are enough."""
    assert understood(error) == expected


def test_grpc_names_its_code_in_a_method(understood):
    """What google.generativeai and xai_sdk raise over gRPC."""
    code = type("StatusCode", (), {"name": "RESOURCE_EXHAUSTED"})
    error = made("_InactiveRpcError", "grpc._channel", code=lambda: code, details=lambda: "Quota exceeded")

    assert understood(error) == "rate_limit"


LITELLM = {"llm_provider": "openai", "model": "gpt-4o"}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (litellm.RateLimitError("OpenAIException - Rate limit reached", **LITELLM), "rate_limit"),
        (litellm.AuthenticationError("OpenAIException - Incorrect API key", **LITELLM), "auth"),
        (litellm.Timeout("Request timed out", "gpt-4o", "openai"), "timeout -"),
        (litellm.ContextWindowExceededError("too long", "gpt-4o", "openai"), "context_overflow -"),
        (litellm.ContentPolicyViolationError("no", "gpt-4o", "azure"), "content_policy -"),
        (litellm.BadRequestError("messages is malformed", "gpt-4o", "openai"), "format -"),
        (litellm.BudgetExceededError(2.0, 1.0), "billing"),
        (litellm.APIError(402, "OpenAIException - Payment Required", **LITELLM), "billing"),
        (litellm.APIError(403, "OpenAIException - Forbidden", **LITELLM), "auth"),
        (litellm.APIError(529, "OpenAIException - Overloaded", **LITELLM), "overloaded -"),
        (litellm.InternalServerError("AnthropicException - Overloaded", **LITELLM), "overloaded -"),
        (litellm.InternalServerError("OpenAIException - Connection error.", **LITELLM), "network -"),
        (litellm.InternalServerError("OpenAIException - oops", **LITELLM), "server_error -"),
        (litellm.ServiceUnavailableError("x", **LITELLM), "overloaded -"),
        (litellm.NotFoundError("The model `x` does not exist", "x", "openai"), "model_not_found -"),
    ],
    ids=lambda value: f"{type(value).__name__}-{value}"[:60] if isinstance(value, Exception) else None,
)
def test_litellm(error, expected, understood):
    """LiteLLM's classes and made-up statuses: the text it keeps decides where the class is a wrapper."""
    assert understood(error) == expected


def test_litellm_keeps_the_servers_headers_apart():
    """Retry-After is read from litellm_response_headers; those of the response it makes up are empty."""
    error = litellm.RateLimitError("slow down", **LITELLM)
    error.litellm_response_headers = httpx.Headers({"retry-after": "17"})

    assert classify(error).retry_after == 17


def test_litellm_says_who_spoke(understood):
    """DashScope's insufficient_quota is a throttle, as its provider name tells."""
    text = 'DashscopeException - {"error": {"code": "insufficient_quota", "message": "limit"}}'

    assert understood(litellm.RateLimitError(text, "dashscope", "qwen-max")) == "rate_limit"
    assert understood(litellm.RateLimitError(text, "openai", "gpt-4o")) == "billing"


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        (lc.ModelAuthenticationError, "auth"),
        (lc.ModelPermissionDeniedError, "auth"),
        (lc.ModelInvalidRequestError, "format -"),
        (lc.ModelNotFoundError, "model_not_found -"),
        (lc.ModelRateLimitError, "rate_limit"),
        (lc.ModelConnectionError, "network -"),
        (lc.ModelTimeoutError, "timeout -"),
        (lc.ContextOverflowError, "context_overflow -"),
    ],
)
def test_langchain_core(cls, expected, understood):
    """LangChain's own typed errors, which some integrations raise without a status."""
    assert understood(cls("")) == expected


def test_http_client_errors_bring_what_was_already_read_of_the_body(understood):
    """An httpx.HTTPStatusError has no body attribute, its response does; an unread stream is left alone."""
    body = {"error": {"code": 1113, "message": "arrears"}}
    request = httpx.Request("POST", "https://open.bigmodel.cn/api/paas/v4/chat/completions")
    read = httpx.Response(429, request=request, json=body)
    unread = httpx.Response(429, request=request, stream=httpx.ByteStream(b"never read"))

    assert understood(httpx.HTTPStatusError("429", request=request, response=read)) == "billing"
    assert understood(httpx.HTTPStatusError("429", request=request, response=unread)) == "rate_limit"


def test_a_response_may_be_a_plain_dict(understood):
    """Not every dict is botocore's; the status beside it still counts."""
    error = made("OddError", "some.sdk", "", status_code=400, response={"error": {"code": "insufficient_balance"}})

    assert understood(error) == "billing"


def test_arguments_may_be_bodies(understood):
    """Code that raises what it received is understood without a string being made of it."""
    assert understood(Exception({"error": {"code": "insufficient_quota"}})) == "billing"
    assert understood(RuntimeError(b'{"error": {"code": "invalid_api_key"}}')) == "auth"


@pytest.mark.parametrize(("status", "reason"), [(400, "format"), (401, "auth"), (422, "format"), (500, "server_error")])
def test_an_http_error_of_urllib_is_read_by_its_status(status, reason):
    """Though its class derives from the one for unreachable hosts."""
    error = urllib.error.HTTPError("http://x", status, "no", Message(), io.BytesIO(b"{}"))

    assert classify(error).reason == reason
