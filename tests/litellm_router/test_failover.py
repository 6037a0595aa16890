"""What a client of the router sees when keys die, in each of the four ways to ask."""

from __future__ import annotations

import asyncio
import pickle
import time

import litellm
import pytest

import sparekey as sk

DEAD = {
    "sk-throttled-1": {"kind": "rate_limited", "retry_after": 20},
    "sk-revoked-2": "revoked",
    "sk-unpaid-3": "no_credit",
}
KEYS = [*DEAD, "sk-working-4"]
THROTTLED = {"sk-a": {"kind": "rate_limited", "retry_after": 20}, "sk-b": {"kind": "rate_limited", "retry_after": 9}}


def test_each_dead_key_costs_one_call_and_is_skipped_afterwards(ask, provider, entry, router_of, attempts):
    """429, 401 and 402 lead to the next key at once, and nobody pays for them twice."""
    sim = provider({**DEAD, "sk-working-4": "healthy"}, reply="Hi")
    router = router_of(entry(sim, KEYS))

    assert ask(router) == "Hi"
    assert sim.counts == dict.fromkeys(KEYS, 1)
    assert [a.reason for a in attempts] == ["rate_limit", "auth", "billing", None]

    sim.clear()
    attempts.clear()
    assert ask(router) == "Hi"
    assert sim.counts == {**dict.fromkeys(DEAD, 0), "sk-working-4": 1}
    assert [a.skipped for a in attempts] == [True, True, True, False]


def test_a_key_is_asked_again_when_its_provider_said_it_would_answer(ask, provider, entry, router_of, clock):
    """Not before, and not after LiteLLM's own few seconds."""
    sim = provider({"sk-a": [{"kind": "rate_limited", "retry_after": 20}, "healthy"], "sk-b": "healthy"})
    router = router_of(entry(sim, ["sk-a", "sk-b"]))

    ask(router)
    clock.advance(19)
    ask(router)
    assert sim.count("sk-a") == 1

    clock.advance(1)
    ask(router)
    assert sim.count("sk-a") == 2
    assert router.strategy.tracker.snapshot() == {}


@pytest.mark.parametrize("fault", ["server_error", "overloaded", "reset", "forbidden", "malformed"])
def test_other_faults_reach_the_next_key_too(aask, provider, entry, router_of, fault):
    """LiteLLM by itself gives up on some of them."""
    sim = provider({"sk-a": fault, "sk-b": "healthy"}, reply="Hi")
    router = router_of(entry(sim, ["sk-a", "sk-b"]))

    assert aask(router) == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-b": 1}


@pytest.mark.parametrize("fault", ["rate_limited", "revoked", "no_credit", "overloaded", "server_error"])
def test_another_providers_dialect_fails_over_too(ask, provider, entry, router_of, fault):
    """Anthropic has no credit with a 400, and is overloaded with a 529."""
    sim = provider({"sk-a": fault, "sk-b": "healthy"}, reply="Hi")
    row = entry(sim, ["sk-a", "sk-b"], model="anthropic/claude-sonnet-4-5")
    row["litellm_params"]["api_base"] = sim.url
    router = router_of(row)

    assert ask(router) == "Hi"
    assert ask(router) == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-b": 2}


def test_a_malformed_request_reaches_one_key_and_no_fallback_group(ask, provider, entry, router_of):
    """The error is LiteLLM's own class, and says who raised it."""
    sim = provider({"sk-one": "bad_request", "sk-two": "healthy", "sk-spare": "healthy"})
    router = router_of(
        entry(sim, ["sk-one", "sk-two"]), entry(sim, ["sk-spare"], name="backup"), fallbacks=[{"chat": ["backup"]}]
    )

    with pytest.raises(litellm.BadRequestError) as caught:
        ask(router)

    assert type(caught.value) is litellm.BadRequestError
    assert any("sparekey: raised by chat__key_0" in note for note in caught.value.__notes__)
    assert sim.counts == {"sk-one": 1, "sk-two": 0, "sk-spare": 0}
    assert router.strategy.tracker.snapshot() == {}


def test_a_malformed_request_that_a_fallback_group_finds_ends_there(ask, provider, entry, router_of):
    """No third group is asked, and the client hears of the mistake, not of the dead keys."""
    sim = provider({"sk-dead": "revoked", "sk-two": "bad_request", "sk-three": "healthy"})
    router = router_of(
        entry(sim, ["sk-dead"]),
        entry(sim, ["sk-two"], name="second"),
        entry(sim, ["sk-three"], name="third"),
        fallbacks=[{"chat": ["second", "third"]}],
    )

    with pytest.raises(litellm.BadRequestError):
        ask(router)

    assert sim.counts == {"sk-dead": 1, "sk-two": 1, "sk-three": 0}


def test_fallbacks_for_just_this_kind_of_error_are_still_taken(ask, provider, entry, router_of):
    """A longer context window elsewhere is what the user asked for."""
    sim = provider({"sk-short": "context_overflow", "sk-other": "healthy", "sk-long": "healthy"}, reply="Hi")
    router = router_of(
        entry(sim, ["sk-short", "sk-other"]),
        entry(sim, ["sk-long"], name="long"),
        context_window_fallbacks=[{"chat": ["long"]}],
    )

    assert ask(router) == "Hi"
    assert sim.counts == {"sk-short": 1, "sk-other": 0, "sk-long": 1}


def test_another_group_s_fallbacks_for_this_kind_of_error_are_no_way_out(ask, provider, entry, router_of):
    """Nor are the group's own for all kinds: the request is too long for any of them, as far as anybody said."""
    sim = provider({"sk-short": "context_overflow", "sk-long": "healthy", "sk-spare": "healthy"})
    router = router_of(
        entry(sim, ["sk-short"]),
        entry(sim, ["sk-long"], name="long"),
        entry(sim, ["sk-spare"], name="backup"),
        context_window_fallbacks=[{"other": ["long"]}],
        fallbacks=[{"chat": ["backup"]}],
    )

    with pytest.raises(litellm.ContextWindowExceededError):
        ask(router)

    assert sim.counts == {"sk-short": 1, "sk-long": 0, "sk-spare": 0}


def test_when_every_key_is_dead_one_error_lists_what_was_tried(ask, provider, entry, router_of):
    """It is sparekey's error and LiteLLM's, and says when to come back."""
    sim = provider(THROTTLED)
    router = router_of(entry(sim, ["sk-a", "sk-b"]))

    with pytest.raises(sk.FallbackExhaustedError) as caught:
        ask(router)

    error = caught.value
    assert isinstance(error, litellm.RateLimitError)
    assert error.status_code == 429
    assert [a.candidate.name for a in error.attempts] == ["chat__key_0", "chat__key_1"]
    assert error.retry_after == 9
    assert error.headers == {"retry-after": "9"}
    assert "chat__key_0" in str(error)
    assert "chat__key_1" in str(error)
    assert isinstance(error.__cause__, litellm.RateLimitError)

    with pytest.raises(sk.FallbackExhaustedError) as caught:
        ask(router)

    assert [a.skipped for a in caught.value.attempts] == [True, True]
    assert sim.counts == {"sk-a": 1, "sk-b": 1}


def test_when_every_key_is_dead_the_fallback_group_answers(ask, provider, entry, router_of):
    """By the same walk over its own keys."""
    sim = provider({**THROTTLED, "sk-c": "revoked", "sk-d": "healthy"}, reply="Hi")
    router = router_of(
        entry(sim, ["sk-a", "sk-b"]), entry(sim, ["sk-c", "sk-d"], name="backup"), fallbacks=[{"chat": ["backup"]}]
    )

    assert ask(router) == "Hi"
    assert ask(router) == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-b": 1, "sk-c": 1, "sk-d": 2}


def test_when_the_fallback_groups_are_dead_too_the_error_tells_of_all(ask, provider, entry, router_of):
    """In the order they were tried."""
    sim = provider({**THROTTLED, "sk-c": "revoked"})
    router = router_of(
        entry(sim, ["sk-a", "sk-b"]), entry(sim, ["sk-c"], name="backup"), fallbacks=[{"chat": ["backup"]}]
    )

    with pytest.raises(sk.FallbackExhaustedError) as caught:
        ask(router)

    assert [a.candidate.name for a in caught.value.attempts] == ["chat__key_0", "chat__key_1", "backup__key_0"]
    assert caught.value.retry_after == 9
    assert isinstance(caught.value, litellm.RateLimitError)
    assert str(caught.value).count("__key_") >= 3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("revoked", litellm.AuthenticationError),
        ("no_credit", litellm.RateLimitError),
        ("server_error", litellm.InternalServerError),
        ("model_not_found", litellm.NotFoundError),
    ],
)
def test_the_exhausted_error_is_of_the_kind_most_failed_for(aask, provider, entry, router_of, fault, kind):
    """So that what catches LiteLLM's errors goes on doing so; it survives pickling as itself."""
    sim = provider({"sk-a": fault})
    router = router_of(entry(sim, ["sk-a"]))

    with pytest.raises(kind) as caught:
        aask(router)

    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value)
    assert again.attempts[0].reason == caught.value.attempts[0].reason
    assert again.retry_after == caught.value.retry_after


def test_a_request_waits_for_a_key_if_the_policy_says_so(ask, provider, entry, router_of, clock):
    """Within ``max_wait``, instead of failing."""
    sim = provider({"sk-a": [{"kind": "rate_limited", "retry_after": 3}, "healthy"]}, reply="Hi")
    router = router_of(entry(sim, ["sk-a"]), policy=sk.Policy(max_wait=5))
    began = clock()

    assert ask(router) == "Hi"
    assert clock() - began == 3
    assert sim.counts == {"sk-a": 2}


@pytest.mark.parametrize("where", ["entry", "policy"])
def test_a_hanging_key_is_given_up_and_remembered(ask, provider, entry, router_of, where, attempts):
    """The entry's ``timeout`` is LiteLLM's; the policy's ``attempt_timeout`` holds where none is given."""
    sim = provider({"sk-a": "hang", "sk-b": "healthy"}, reply="Hi")
    settings = {"timeout": 0.2} if where == "entry" else {}
    router = router_of(entry(sim, ["sk-a", "sk-b"], **settings), policy=sk.Policy(attempt_timeout=0.2))

    assert ask(router) == "Hi"
    assert ask(router) == "Hi"
    assert attempts[0].reason == "timeout"
    assert sim.counts == {"sk-a": 1, "sk-b": 2}


def test_a_limit_of_one_attempt_is_not_the_next_one_s(ask, provider, entry, router_of):
    """An entry's own ``timeout`` holds, though the attempt before it was given less."""
    sim = provider({"sk-a": "hang", "sk-b": {"kind": "healthy", "delay": 0.5}}, reply="Hi")
    router = router_of(
        entry(sim, ["sk-a"], order=1),
        entry(sim, ["sk-b"], order=2, timeout=20),
        policy=sk.Policy(attempt_timeout=0.2),
    )

    assert ask(router) == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-b": 1}


@pytest.mark.parametrize("options", [{}, {"retry_policy": {"InternalServerErrorRetries": 3, "DefaultRetries": 3}}])
def test_retries_of_litellms_do_not_come_on_top(ask, provider, entry, router_of, options):
    """Neither its default ones, which would sleep between them, nor those of a policy or the request."""
    sim = provider({"sk-a": "server_error"})
    router = router_of(entry(sim, ["sk-a"]), num_retries=3, **options)

    with pytest.raises(litellm.InternalServerError):
        ask(router, num_retries=3)

    assert sim.counts == {"sk-a": 1}


def test_litellm_does_not_sleep_before_the_only_key_is_asked_again(ask, provider, entry, router_of, monkeypatch):
    """It would for a minute, if the provider said twenty seconds; the waiting is sparekey's."""
    sim = provider({"sk-a": [{"kind": "rate_limited", "retry_after": 3}, "healthy"]}, reply="Hi")
    router = router_of(entry(sim, ["sk-a"]), policy=sk.Policy(max_wait=5))
    slept, asleep = [], asyncio.sleep

    async def asleep_noted(seconds, *result):
        slept.append(seconds)
        await asleep(0, *result)

    monkeypatch.setattr(asyncio, "sleep", asleep_noted)
    monkeypatch.setattr(time, "sleep", slept.append)

    assert ask(router) == "Hi"
    assert not [seconds for seconds in slept if seconds > 0.1]


def test_a_failure_before_any_key_is_asked_is_not_tried_again(aask, provider, entry, router_of):
    """LiteLLM can be told to fail by itself, to see what a program does then."""
    sim = provider({"sk-a": "healthy"})
    router = router_of(entry(sim, ["sk-a"]))

    with pytest.raises(litellm.RateLimitError, match="mock"):
        aask(router, mock_testing_rate_limit_error=True)

    assert sim.counts == {"sk-a": 0}


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({"num_retries": 0}, {}),
        ({}, {"num_retries": 0}),
        ({"retry_policy": {"AuthenticationErrorRetries": 0, "DefaultRetries": 0}}, {}),
        ({}, {"model_group_retry_policy": {"chat": {"DefaultRetries": 0, "InternalServerErrorRetries": 0}}}),
        ({}, {"model_group_retry_policy": {"chat": {"AuthenticationErrorRetries": "none"}}}),
    ],
    ids=["router", "request", "policy", "policy of the request", "policy that cannot be read"],
)
def test_no_retries_of_litellms_are_no_end_of_the_walk(ask, provider, entry, router_of, options, settings):
    """It would ask the same key again, and sparekey never does."""
    sim = provider({"sk-a": "revoked", "sk-b": "no_credit", "sk-c": "healthy"}, reply="Hi")
    router = router_of(entry(sim, ["sk-a", "sk-b", "sk-c"]), **options)

    assert ask(router, **settings) == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-b": 1, "sk-c": 1}


@pytest.mark.parametrize("where", ["router", "request", "default"])
def test_nor_are_they_in_a_group_that_it_falls_back_to(ask, provider, entry, router_of, where):
    """A retry policy ends no walk there either, whoever named the group."""
    keys = {"sk-b": "revoked", "sk-c": "no_credit", "sk-d": "healthy"}
    sim = provider({"sk-a": "revoked", **keys}, reply="Hi")
    named = {"router": {"fallbacks": [{"chat": ["spare"]}]}, "default": {"default_fallbacks": ["spare"]}}
    policy = {"DefaultRetries": 0, "InternalServerErrorRetries": 0, "AuthenticationErrorRetries": 0}
    router = router_of(
        entry(sim, ["sk-a"]),
        entry(sim, list(keys), name="spare"),
        retry_policy=policy,
        model_group_retry_policy={"spare": policy},
        **named.get(where, {}),
    )

    assert ask(router, **({"fallbacks": ["spare"]} if where == "request" else {})) == "Hi"
    assert sim.counts == {"sk-a": 1, **dict.fromkeys(keys, 1)}


def test_what_litellm_tells_of_retries_is_of_this_group(aask, provider, entry, router_of):
    """Not the number that sparekey may have given it to be left alone."""
    sim = provider({"sk-a": "revoked", "sk-b": "healthy"})
    metadata = {"mine": 1}

    aask(router_of(entry(sim, ["sk-a", "sk-b"])), metadata=metadata)

    assert metadata["max_retries"] <= 1
    assert metadata["attempted_retries"] <= metadata["max_retries"]


def test_round_robin_takes_the_keys_in_turn(aask, provider, entry, router_of):
    """The policy's selection goes for the keys of an entry."""
    sim = provider({"sk-a": "healthy", "sk-b": "healthy", "sk-c": "healthy"})
    router = router_of(entry(sim, ["sk-a", "sk-b", "sk-c"]), policy=sk.Policy(selection="round_robin"))

    for _ in range(6):
        aask(router)

    assert sim.counts == {"sk-a": 2, "sk-b": 2, "sk-c": 2}


@pytest.mark.parametrize("way", ["embedding", "aembedding"])
def test_embeddings_fail_over(loop, provider, entry, router_of, way):
    """The same walk, for another endpoint."""
    sim = provider({"sk-a": "revoked", "sk-b": "healthy"})
    router = router_of(entry(sim, ["sk-a", "sk-b"], model="openai/text-embedding-3-small"))

    answer = getattr(router, way)(model="chat", input=["Hello"])
    answer = loop.run(answer) if way == "aembedding" else answer

    assert len(answer.data) == 1
    assert sim.counts == {"sk-a": 1, "sk-b": 1}
