"""Eight kinds of fault in six ways of asking: the next key answers, and nobody outside notices."""

from __future__ import annotations

import asyncio

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler

import sparekey as sk

PATIENCE = 1.0
"""Seconds until a hanging key is given up; long beside what a healthy one needs here."""

FAULTS = {
    "rate_limit": "rate_limited",
    "quota": "insufficient_quota",
    "auth": "revoked",
    "billing": "no_credit",
    "overloaded": "overloaded",
    "server_error": "server_error",
    "timeout": "hang",
    "network": "reset",
}
BATCH = ["hello one", "hello two", "hello three"]


@pytest.fixture(params=FAULTS)
def faulty(request, simulate, chat, keys):
    """A model whose first key fails in one of eight ways and whose second is well; and its provider."""
    sim = simulate(FAULTS[request.param], "healthy")
    policy = sk.Policy(attempt_timeout=PATIENCE if request.param == "timeout" else None)
    return chat(sim, stream_usage=True, policy=policy), sim


def test_the_next_key_answers_in_one_run(faulty, ask, listener, keys, request):
    """One start and one end, each word once, the tokens of the one answer; the next request skips the dead key."""
    model, sim = faulty
    usage = UsageMetadataCallbackHandler()
    said = [ask(model.with_config(callbacks=[listener, usage]), "hello") for _ in range(2)]

    assert said == ["Hello from key-2 (gpt-4o): you said 'hello'"] * 2
    assert (listener.names.count("start"), listener.names.count("end")) == (2, 2)
    assert "error" not in listener.names
    streamed = "stream" in request.node.callspec.params["ask"]
    assert "".join(listener.tokens) == ("".join(said) if streamed else "")
    assert usage.usage_metadata["gpt-4o"]["total_tokens"] == 2 * 8
    assert sim.counts == {keys[0]: 1, keys[1]: 2}


@pytest.mark.parametrize("how", ["batch", "abatch"])
def test_a_batch_meets_the_dead_key_in_its_first_wave_at_most(faulty, how, listener, keys):
    """Every prompt has its answer and its run; afterwards nobody asks the dead key again."""
    model, sim = faulty
    heard = model.with_config(callbacks=[listener])
    for _ in range(2):
        answers = heard.batch(BATCH) if how == "batch" else asyncio.run(heard.abatch(BATCH))
        assert [answer.content for answer in answers] == [
            f"Hello from key-2 (gpt-4o): you said {prompt!r}" for prompt in BATCH
        ]

    assert 1 <= sim.counts[keys[0]] <= len(BATCH)
    assert sim.counts[keys[1]] == 2 * len(BATCH)
    assert (listener.names.count("start"), listener.names.count("end")) == (6, 6)
