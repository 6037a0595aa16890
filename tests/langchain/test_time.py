"""Hanging keys, and how much time a request may take."""

from __future__ import annotations

import time

import httpx
import pytest
from langchain_openai import ChatOpenAI

import sparekey as sk
from langchain_sparekey import ChatSparekey, ModelsExhaustedError

PATIENCE = 0.15
"""Seconds until a hanging key is given up."""


@pytest.mark.parametrize("how", ["policy", "timeout"])
def test_a_hanging_key_is_learned_and_passed_over(simulate, chat, ask, keys, how):
    """The first request gives it up in time, the second does not ask it; in async and in sync."""
    sim = simulate("hang", "healthy")
    limit = {"policy": sk.Policy(attempt_timeout=PATIENCE)} if how == "policy" else {"timeout": PATIENCE}
    model = chat(sim, **limit)

    for _ in range(2):
        assert "key-2" in ask(model, "hello")
    assert sim.counts == {keys[0]: 1, keys[1]: 2}
    assert model.tracker.failure_count(model.candidates[0], "timeout") == 1


def test_anthropics_client_is_told_the_time_too(simulate, keys):
    """A sync call can only be ended by its client."""
    sim = simulate("hang", "healthy")
    model = ChatSparekey(
        model="anthropic/claude-next",
        api_keys=keys[:2],
        api_base=sim.url,
        max_tokens=9,
        policy=sk.Policy(attempt_timeout=PATIENCE),
        tracker=sk.CooldownTracker(),
    )

    assert "key-2" in model.invoke("hello").content


def test_a_spent_deadline_blames_no_key(simulate, chat, ask, keys):
    """It is the caller's own: the error says so, and is worth a retry."""
    sim = simulate("hang", "healthy")
    model = chat(sim, deadline=PATIENCE)
    began = time.monotonic()

    with pytest.raises(ModelsExhaustedError, match="the deadline was spent after 1 attempt") as raised:
        ask(model, "hello")

    assert time.monotonic() - began < 10 * PATIENCE
    assert raised.value.is_retryable
    assert model.tracker.snapshot() == {}
    assert sim.count(keys[1]) == 0


@pytest.mark.parametrize(
    ("own", "handed_on"),
    [
        (None, 5.0),
        (0.5, 0.5),
        (60, 5.0),
        ((0.5, None), (0.5, 5.0)),
        (httpx.Timeout(60, connect=0.5), httpx.Timeout(5.0, connect=0.5)),
    ],
)
def test_a_clients_own_timeout_stays_when_it_is_shorter(monkeypatch, clock, own, handed_on):
    """What is left of the deadline cuts it, and never lengthens it."""
    seen = []
    monkeypatch.setattr(ChatOpenAI, "_generate", lambda *_, **given: seen.append(given["timeout"]) or _boom())
    inner = ChatOpenAI(model="gpt-4o", api_key="sk-none", timeout=own, max_retries=0)
    model = ChatSparekey.from_models([inner], tracker=sk.CooldownTracker(clock=clock), deadline=5.0)

    with pytest.raises(ZeroDivisionError):
        model.invoke("hello")
    assert seen == [handed_on]


def _boom():
    raise ZeroDivisionError
