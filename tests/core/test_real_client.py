"""The core with the real OpenAI client over real HTTP: what a user of the plain library gets."""

from __future__ import annotations

import asyncio
import traceback

import httpx
import openai
import pytest

import sparekey as sk
from sparekey.simulator import Simulator

THROTTLED, REVOKED, UNPAID, GOOD = KEYS = [
    "sk-throttled-0123456789abcdef",
    "sk-revoked-0123456789abcdef",
    "sk-unpaid-0123456789abcdef",
    "sk-good-0123456789abcdef",
]
HELLO = [{"role": "user", "content": "Hello"}]


def spoken(chunk):
    """OpenAI's first chunk names a role and says nothing yet."""
    return bool(chunk.choices and chunk.choices[0].delta.content)


@pytest.fixture
def sim():
    """Keys that answer 429, 401, 402 and 200."""
    behaviours = {
        THROTTLED: {"kind": "rate_limited", "retry_after": 20},
        REVOKED: "revoked",
        UNPAID: "no_credit",
        GOOD: "healthy",
    }
    with Simulator(behaviours) as simulator:
        yield simulator


@pytest.fixture
def models(sim):
    return sk.expand_model_list(
        [{"model_name": "m", "model": "openai/gpt-4o", "api_keys": KEYS, "api_base": sim.base_url}]
    )


@pytest.fixture
def ask(models, sim):
    """A function of a chain: one request, in the colour and shape the test is about; returns the text."""

    def client_of(candidate, kind):
        entry = sk.config_for(candidate, models)
        return kind(api_key=entry.api_key.get_secret_value(), base_url=entry.api_base, max_retries=0, timeout=5)

    def sync(chain, candidates, **extra):
        def fn(candidate):
            with client_of(candidate, openai.OpenAI) as client:
                return client.chat.completions.create(model=candidate.model, messages=HELLO, **extra)

        return chain.execute(candidates, fn).response.choices[0].message.content

    def stream(chain, candidates, **extra):
        def fn(candidate):
            client = client_of(candidate, openai.OpenAI)
            return client.chat.completions.create(model=candidate.model, messages=HELLO, stream=True, **extra)

        with chain.stream(candidates, fn, commit=spoken).response as chunks:
            return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)

    async def async_(chain, candidates, **extra):
        async def fn(candidate):
            async with client_of(candidate, openai.AsyncOpenAI) as client:
                return await client.chat.completions.create(model=candidate.model, messages=HELLO, **extra)

        return (await chain.aexecute(candidates, fn)).response.choices[0].message.content

    async def astream(chain, candidates, **extra):
        def fn(candidate):
            client = client_of(candidate, openai.AsyncOpenAI)
            return client.chat.completions.create(model=candidate.model, messages=HELLO, stream=True, **extra)

        async with (await chain.astream(candidates, fn, commit=spoken)).response as chunks:
            return "".join([c.choices[0].delta.content or "" async for c in chunks if c.choices])

    return {
        "execute": sync,
        "stream": stream,
        "aexecute": lambda *args, **extra: asyncio.run(async_(*args, **extra)),
        "astream": lambda *args, **extra: asyncio.run(astream(*args, **extra)),
    }


SHAPES = ["execute", "aexecute", "stream", "astream"]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_first_request_wastes_three_calls_and_the_next_none(shape, ask, sim, models):
    """429, 401 and 402 are each learned once; the good key serves both."""
    chain, candidates = sk.FallbackChain(), sk.candidates_for("m", models)

    assert "Hello" in ask[shape](chain, candidates)
    assert [sim.count(key) for key in KEYS] == [1, 1, 1, 1]
    assert "Hello" in ask[shape](chain, candidates)
    assert [sim.count(key) for key in KEYS] == [1, 1, 1, 2]
    assert 19 < chain.tracker.remaining(candidates[0]) <= 20


@pytest.mark.parametrize("shape", SHAPES)
def test_a_wrong_request_reaches_one_key_and_leaves_as_the_sdks_own_error(shape, ask, sim, models):
    """Nothing cools, and no other key is burnt."""
    chain, candidates = sk.FallbackChain(), sk.candidates_for("m", models)[::-1]

    with pytest.raises(openai.BadRequestError) as caught:
        ask[shape](chain, candidates, temperature=9)

    assert sum(sim.counts.values()) == 1
    assert chain.tracker.snapshot() == {}
    assert "sparekey" in caught.value.__notes__[0]


@pytest.mark.parametrize("shape", SHAPES)
def test_all_dead_is_one_error_that_lists_all_and_shows_no_key(shape, ask, sim, models):
    """Though the 401 echoes the key it was asked with."""
    sim.set(GOOD, "revoked")
    chain, candidates = sk.FallbackChain(), sk.candidates_for("m", models)

    with pytest.raises(sk.FallbackExhaustedError) as caught:
        ask[shape](chain, candidates)

    error = caught.value
    assert [a.reason for a in error.attempts] == ["rate_limit", "auth", "billing", "auth"]
    assert 19 < error.retry_after <= 20
    assert isinstance(error.__cause__, openai.AuthenticationError)
    shown = "".join(traceback.format_exception(error)) + repr(error.attempts)
    assert not any(key in shown for key in KEYS)
    assert sk.fingerprint(REVOKED) in shown


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("overloaded", "overloaded"),
        ("server_error", "server_error"),
        ("reset", "network"),
        ("insufficient_quota", "billing"),
        ("forbidden", "auth"),
    ],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_each_way_to_fail_is_read_and_failed_over(shape, behaviour, reason, ask, sim, models):
    """As the real client raises it."""
    sim.set(THROTTLED, behaviour)
    sim.set(REVOKED, "healthy")
    chain, candidates = sk.FallbackChain(), sk.candidates_for("m", models)

    assert "Hello" in ask[shape](chain, candidates)
    assert chain.tracker.failure_count(candidates[0], reason) == 1


@pytest.mark.parametrize("shape", ["stream", "astream"])
def test_a_stream_cut_before_the_first_token_fails_over(shape, ask, sim, models):
    """The user sees one whole answer."""
    sim.set(THROTTLED, {"kind": "stream_cut", "after": 0})
    sim.set(REVOKED, "healthy")
    chain, candidates = sk.FallbackChain(), sk.candidates_for("m", models)

    text = ask[shape](chain, candidates)

    assert text == "Hello from key-2 (gpt-4o): you said 'Hello'"
    assert (sim.count(THROTTLED), sim.count(REVOKED)) == (1, 1)


@pytest.mark.parametrize("shape", ["stream", "astream"])
def test_a_stream_cut_in_the_middle_raises_and_is_learned(shape, ask, sim, models):
    """The key that broke off is cooling for the next request."""
    sim.set(THROTTLED, {"kind": "stream_cut", "after": 2})
    sim.set(REVOKED, "healthy")
    chain, candidates = sk.FallbackChain(), sk.candidates_for("m", models)

    with pytest.raises(Exception, match=r"(?i)peer closed|incomplete|connection"):
        ask[shape](chain, candidates)
    assert chain.tracker.failure_count(candidates[0], "network") == 1
    assert "Hello" in ask[shape](chain, candidates)
    assert sim.count(THROTTLED) == 1


TEN = [f"sk-number-{i}-0123456789abcdef" for i in range(10)]


@pytest.mark.parametrize("behaviour", ["server_error", "overloaded", "hang", "reset"])
@pytest.mark.parametrize("second_model", [False, True])
async def test_ten_keys_of_a_dead_endpoint(behaviour, second_model):
    """Two wasted calls when a second model is well; without one, the tenth key still serves the request."""
    with (
        Simulator({**dict.fromkeys(TEN[:9], behaviour), TEN[9]: "healthy"}) as sick,
        Simulator({"sk-w": "healthy"}) as well,
    ):
        rows = [{"model_name": "m", "model": "openai/gpt-4o", "api_keys": TEN, "api_base": sick.base_url}]
        if second_model:
            rows[0]["fallbacks"] = ["n"]
            rows.append({"model_name": "n", "model": "other/gpt-4o", "api_key": "sk-w", "api_base": well.base_url})
        models = sk.expand_model_list(rows)
        # Long enough for a busy machine, short enough for nine of them.
        chain = sk.FallbackChain(policy=sk.Policy(attempt_timeout=0.4 if behaviour == "hang" else None))

        async with httpx.AsyncClient() as connections:

            async def fn(candidate):
                entry = sk.config_for(candidate, models)
                key = entry.api_key.get_secret_value()
                client = openai.AsyncOpenAI(
                    api_key=key, base_url=entry.api_base, max_retries=0, http_client=connections
                )
                return await client.chat.completions.create(model=candidate.model, messages=HELLO)

            result = await chain.aexecute(sk.candidates_for("m", models), fn)

        assert result.response.choices[0].message.content
        assert [sick.count(key) for key in TEN] == ([1, 1] + [0] * 8 if second_model else [1] * 10)
        assert sum(well.counts.values()) == second_model


async def test_a_key_that_hangs_is_learned_and_passed_over(models, sim):
    """attempt_timeout ends the call; the next request does not wait for that key again."""
    sim.set(THROTTLED, "hang")
    sim.set(REVOKED, "healthy")
    candidates = sk.candidates_for("m", models)
    chain = sk.FallbackChain(policy=sk.Policy(attempt_timeout=0.5))

    async def fn(candidate):
        entry = sk.config_for(candidate, models)
        key = entry.api_key.get_secret_value()
        async with openai.AsyncOpenAI(api_key=key, base_url=entry.api_base, max_retries=0) as client:
            return await client.chat.completions.create(model=candidate.model, messages=HELLO)

    for _ in range(2):
        assert (await chain.aexecute(candidates, fn)).candidate == candidates[1]
    assert sim.count(THROTTLED) == 1


def test_a_sync_client_is_told_how_much_time_is_left(models, sim):
    """A hang is given up at the deadline, and is nobody's fault."""
    sim.set(THROTTLED, "hang")
    candidates = sk.candidates_for("m", models)
    chain = sk.FallbackChain()

    def fn(candidate):
        entry = sk.config_for(candidate, models)
        key = entry.api_key.get_secret_value()
        with openai.OpenAI(api_key=key, base_url=entry.api_base, max_retries=0, timeout=sk.time_left()) as client:
            return client.chat.completions.create(model=candidate.model, messages=HELLO)

    with pytest.raises(sk.FallbackExhaustedError, match="the deadline was spent after 1 attempt"):
        chain.execute(candidates, fn, deadline=0.2)
    assert chain.tracker.snapshot() == {}
