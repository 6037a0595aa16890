"""What breaks below HTTP, or in the middle of a stream, as clients meet it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest

from sparekey.simulator import Simulator

Ask = Callable[..., Any]

PATIENCE = 0.2
"""Seconds until a client gives up on a key that hangs."""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_hanging_key_never_answers(ask: Ask, stream: bool) -> None:
    """The client runs into its own timeout, and the request is counted all the same."""
    with Simulator({"sk-a": "hang"}) as sim:
        error = ask(sim, "sk-a", stream=stream, timeout=PATIENCE).error

        assert sim.count("sk-a") == 1
        assert sim.requests[0].status is None
    assert isinstance(error, openai.APITimeoutError)


def test_a_reset_is_a_reset(ask: Ask) -> None:
    """The client sees its connection reset, and no HTTP response."""
    with Simulator({"sk-a": "reset"}) as sim:
        error = ask(sim, "sk-a").error

        assert sim.requests[0].status is None
    assert isinstance(error, openai.APIConnectionError)
    assert not isinstance(error, openai.APITimeoutError)
    assert "reset" in _chain(error).lower()


def _chain(error: BaseException | None) -> str:
    texts = []
    while error is not None:
        texts.append(f"{error!r}")
        error = error.__cause__ or error.__context__
    return " ".join(texts)


def test_a_slow_key_answers_late_and_well(ask: Ask) -> None:
    """The delay is handed to the sleep, and then the answer comes."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    with Simulator({"sk-a": {"kind": "slow", "delay": 60}}, sleep=sleep) as sim:
        assert ask(sim, "sk-a").error is None
    assert slept == [60]


def test_a_slow_key_outlasts_an_impatient_client(ask: Ask) -> None:
    """A delay beyond the client's timeout is a timeout."""
    with Simulator({"sk-a": {"kind": "server_error", "delay": 60}}) as sim:
        assert isinstance(ask(sim, "sk-a", timeout=PATIENCE).error, openai.APITimeoutError)


BREAKS = [
    ({"opening": False}, 0, 0),
    ({}, 1, 0),
    ({"after": 1}, 2, 1),
    ({"after": 3}, 4, 3),
    ({"after": 99}, 10, 9),
]


@pytest.mark.parametrize(("settings", "chunks", "tokens"), BREAKS)
def test_a_stream_is_cut_where_told(ask: Ask, settings: dict[str, int], chunks: int, tokens: int) -> None:
    """Exactly so many tokens arrive, then the connection is gone; never a finish, never the end mark."""
    with Simulator({"sk-a": {"kind": "stream_cut", **settings}}) as sim:
        seen = ask(sim, "sk-a", stream=True)

        assert sim.requests[0].status == 200
    assert (len(seen.chunks), len(seen.tokens)) == (chunks, tokens)
    # openai 2 lets httpx's own error through here, openai 3 wraps it.
    assert isinstance(seen.error, httpx.RemoteProtocolError | openai.APIConnectionError)


@pytest.mark.parametrize(("settings", "chunks", "tokens"), BREAKS)
def test_an_error_event_comes_where_told(ask: Ask, settings: dict[str, int], chunks: int, tokens: int) -> None:
    """Inside a stream of status 200 an error has no status, only words."""
    with Simulator({"sk-a": {"kind": "stream_error", "error": "overloaded", **settings}}) as sim:
        seen = ask(sim, "sk-a", stream=True)

    assert (len(seen.chunks), len(seen.tokens)) == (chunks, tokens)
    assert type(seen.error) is openai.APIError
    assert seen.error.code == "overloaded"


def test_a_stream_that_falls_silent_is_a_timeout(ask: Ask) -> None:
    """After its first token nothing more comes, and the connection stays open."""
    with Simulator({"sk-a": {"kind": "stream_hang", "after": 1}}) as sim:
        seen = ask(sim, "sk-a", stream=True, timeout=3 * PATIENCE)  # it has to see the token first

    assert len(seen.tokens) == 1
    assert "Timeout" in type(seen.error).__name__


@pytest.mark.parametrize("kind", ["stream_cut", "stream_error", "stream_hang"])
def test_breaking_streams_leaves_whole_answers_alone(ask: Ask, kind: str) -> None:
    """Who asks for no stream gets an answer."""
    with Simulator({"sk-a": kind}) as sim:
        assert ask(sim, "sk-a").error is None


def test_stopping_drops_hanging_clients_at_once(ask_sync: Ask) -> None:
    """A hanging request keeps nobody waiting when the simulator stops."""
    asked = threading.Event()
    seen = []
    with Simulator({"sk-a": "hang"}, on_request=lambda record: asked.set()) as sim:
        waiting = threading.Thread(target=lambda: seen.append(ask_sync(sim, "sk-a", timeout=30)))
        waiting.start()
        assert asked.wait(5)
        began = time.monotonic()
    took = time.monotonic() - began
    waiting.join(5)

    assert took < 1
    assert isinstance(seen[0].error, openai.APIConnectionError)
