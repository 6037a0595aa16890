"""What the simulator's tests share: one chat request through OpenAI's real clients, in both colours."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import openai
import pytest

from sparekey.simulator import Simulator

DEFAULTS: dict[str, Any] = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "are you there?"}],
    "timeout": 5,
}
TLS = ssl.create_default_context()  # never used, but a client takes 20 ms to make its own


@dataclass
class Seen:
    """What a client got: an answer or chunks, and the error that ended it."""

    answer: Any = None
    chunks: list[Any] = field(default_factory=list)
    error: Any = None

    @property
    def tokens(self) -> list[str]:
        deltas = [chunk.choices[0].delta.content for chunk in self.chunks if chunk.choices]
        return [delta for delta in deltas if delta]


Ask = Callable[..., Seen]


def _ask_sync(sim: Simulator, key: str, **options: Any) -> Seen:
    seen = Seen()
    http = openai.DefaultHttpxClient(verify=TLS)
    with openai.OpenAI(base_url=sim.base_url, api_key=key, max_retries=0, http_client=http) as client:
        try:
            seen.answer = client.chat.completions.create(**DEFAULTS | options)
            if options.get("stream"):
                for chunk in seen.answer:
                    seen.chunks.append(chunk)
        except Exception as error:
            seen.error = error
    return seen


async def _ask_async(sim: Simulator, key: str, **options: Any) -> Seen:
    seen = Seen()
    http = openai.DefaultAsyncHttpxClient(verify=TLS)
    async with openai.AsyncOpenAI(base_url=sim.base_url, api_key=key, max_retries=0, http_client=http) as client:
        try:
            seen.answer = await client.chat.completions.create(**DEFAULTS | options)
            if options.get("stream"):
                async for chunk in seen.answer:
                    seen.chunks.append(chunk)
        except Exception as error:
            seen.error = error
    return seen


def _ask_in_loop(sim: Simulator, key: str, **options: Any) -> Seen:
    return asyncio.run(_ask_async(sim, key, **options))


@pytest.fixture(params=[_ask_sync, _ask_in_loop], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Ask in each colour; errors are returned, not raised."""
    return request.param


@pytest.fixture
def ask_sync() -> Ask:
    """Ask in the colour that does not matter."""
    return _ask_sync


@pytest.fixture
def ask_async() -> Ask:
    """Ask through the async client."""
    return _ask_in_loop
