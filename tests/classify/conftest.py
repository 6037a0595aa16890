"""Errors as the SDKs raise them, and a short way to say what is expected of a verdict."""

from __future__ import annotations

import anthropic
import httpx
import httpx2
import openai
import pytest

from sparekey._classify import classify, classify_response

NOW = 1_764_000_000.0
"""2025-11-24 16:00:00 UTC."""


def said(verdict):
    """A verdict in a word: its reason, with a minus where no other key helps."""
    if verdict is None:
        return None
    return f"{verdict.reason}{'' if verdict.other_key_helps else ' -'}"


@pytest.fixture
def read():
    """What a response says, in a word."""

    def read(status, body=None, *, headers=None, message=None, provider=None):
        return said(classify_response(status, headers, body, message, provider=provider, now=NOW))

    return read


@pytest.fixture
def understood():
    """What an exception says, in a word."""
    return lambda error: said(classify(error, now=NOW))


@pytest.fixture
def wait():
    """The seconds that an error says to wait."""

    def wait(status=429, body=None, *, headers=None, message=None, provider=None):
        verdict = classify_response(status, headers, body, message, provider=provider, now=NOW)
        return verdict.retry_after if verdict else None

    return wait


_OPENAI = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    409: openai.ConflictError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
}


@pytest.fixture
def openai_error():
    """The exception `openai` raises for a response; `host` is whose compatible endpoint it was."""

    def make(status, body=None, *, headers=None, host="api.openai.com"):
        request = httpx.Request("POST", f"https://{host}/v1/chat/completions")
        response = httpx.Response(status, request=request, headers=headers or {}, json=body or {})
        inner = body.get("error", body) if isinstance(body, dict) else body
        cls = _OPENAI.get(status, openai.APIStatusError)
        return cls(f"Error code: {status} - {body}", response=response, body=inner)

    return make


@pytest.fixture
def anthropic_error():
    """The exception `anthropic` raises for an error of a type."""

    def make(status, kind, message, *, headers=None, details=None):
        error = {"type": kind, "message": message} | ({"details": details} if details else {})
        body = {"type": "error", "error": error, "request_id": "req_1"}
        request = httpx2.Request("POST", "https://api.anthropic.com/v1/messages")
        response = httpx2.Response(status, request=request, headers=headers or {}, json=body)
        client = anthropic.Anthropic(api_key="k", max_retries=0)
        return client._make_status_error(f"Error code: {status} - {body}", body=body, response=response)

    return make
