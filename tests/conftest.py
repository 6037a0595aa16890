"""What every test may use: a clock that moves only when told, and errors as the OpenAI SDK raises them."""

from __future__ import annotations

import os

# Before anything imports litellm, which would otherwise fetch a price map from the network.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import httpx
import openai
import pytest

import sparekey as sk
from sparekey import _secrets


@pytest.fixture(autouse=True)
def _short_secrets_are_forgotten():
    """A key of a few letters, as tests like them, would be scrubbed from the next test's sentences."""
    before = set(_secrets._known)
    yield
    for secret in [each for each in _secrets._known if each not in before and len(each) < _secrets._LONG]:
        del _secrets._known[secret]
    _secrets._by_length.clear()


class FakeClock:
    """Epoch seconds that stand still until somebody moves them."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    sleep = advance

    async def asleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def candidates():
    """Three keys of one model."""
    return sk.candidates_for(
        "m", [{"model_name": "m", "model": "openai/gpt-4o", "api_keys": ["key-a", "key-b", "key-c"]}]
    )


_CLASSES = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
}


@pytest.fixture
def provider_error():
    """Builds the exception the OpenAI SDK raises for a status, a code and headers."""

    def build(status, *, code=None, message="no", headers=None, kind=None):
        body = {"message": message, "type": kind, "param": None, "code": code}
        request = httpx.Request("POST", "https://api.openai.com/v1/chat/completions")
        response = httpx.Response(status, headers=headers or {}, json={"error": body}, request=request)
        return _CLASSES.get(status, openai.APIStatusError)(
            f"Error code: {status} - {message}", response=response, body=body
        )

    return build
