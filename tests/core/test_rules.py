"""The rules of the default policy that need more than three keys and one request to see."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

import sparekey as sk


def keys(n, name="m", model="openai/gpt-4o", **settings):
    """An entry of ``n`` keys."""
    return {"model_name": name, "model": model, "api_keys": [f"{name}-key-{i}" for i in range(n)], **settings}


def chain_of(clock, **policy):
    return sk.FallbackChain(sk.CooldownTracker(sk.Policy(**policy), clock=clock))


FAULTS = {"overloaded": 503, "server_error": 500}


@pytest.fixture
def fail(provider_error):
    """Raises the error of a reason."""

    def raise_it(reason):
        if reason in FAULTS:
            raise provider_error(FAULTS[reason])
        raise {"timeout": TimeoutError, "network": ConnectionResetError}[reason]("no")

    return raise_it


# -- whose fault it is -----------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["overloaded", "server_error", "timeout", "network"])
def test_a_dead_endpoint_costs_two_calls_when_there_is_a_healthy_model_elsewhere(drive, clock, fail, reason):
    """Ten keys of it are not burnt: two failures in a row put it behind the second model."""
    rows = [keys(10, fallbacks=["n"]), keys(1, "n", "anthropic/claude")]
    asked = []

    def fn(candidate):
        asked.append(candidate.provider)
        if candidate.provider == "openai":
            fail(reason)
        return "ok"

    outcome = drive(chain_of(clock), sk.candidates_for("m", rows), fn)

    assert asked == ["openai", "openai", "anthropic"]
    assert [a.skipped for a in outcome.attempts] == [False, False] + [True] * 8


@pytest.mark.parametrize("reason", ["overloaded", "server_error", "timeout", "network"])
def test_a_sick_endpoint_is_put_last_but_never_left_out(drive, clock, fail, reason):
    """With nothing else configured the tenth key still serves, on the first request."""
    candidates = sk.candidates_for("m", [keys(10)])

    def fn(candidate):
        if candidate != candidates[-1]:
            fail(reason)
        return "ok"

    outcome = drive(chain_of(clock), candidates, fn)

    assert outcome.candidate == candidates[-1]
    assert len([a for a in outcome.attempts if not a.skipped]) == 9
    assert not any(a.skipped for a in outcome.attempts)


def test_a_sick_model_does_not_taint_the_endpoints_other_models_unless_it_is_unreachable(clock, fail):
    """An overloaded model is that model's trouble; a refused connection is everybody's there."""
    rows = [keys(2), keys(1, "n", "openai/gpt-4o-mini"), keys(1, "o", "anthropic/claude")]
    both = [*sk.candidates_for("n", rows), *sk.candidates_for("o", rows)]
    for reason, first in (("overloaded", "openai"), ("network", "anthropic")):
        chain = chain_of(clock)
        with pytest.raises(sk.FallbackExhaustedError):
            chain.execute(sk.candidates_for("m", rows), lambda _, reason=reason: fail(reason))

        assert chain.execute(both, lambda candidate: candidate.provider).response == first


def test_a_success_clears_the_endpoint(clock, fail):
    """It was not sick after all."""
    candidates = sk.candidates_for("m", [keys(4)])
    chain = chain_of(clock)

    def fn(candidate):
        if candidate in candidates[:2]:
            fail("overloaded")
        return "ok"

    chain.execute(candidates, fn)

    assert not [key for key in chain.tracker.snapshot() if key.startswith("endpoint:")]


def test_two_failures_of_one_credential_do_not_condemn_the_endpoint(clock, fail):
    """One key's trouble on two models is one key's trouble."""
    rows = [keys(1), {**keys(1, "n", "openai/gpt-4o-mini"), "api_keys": ["m-key-0"]}]
    chain = chain_of(clock)
    with pytest.raises(sk.FallbackExhaustedError):
        chain.execute([*sk.candidates_for("m", rows), *sk.candidates_for("n", rows)], lambda _: fail("network"))

    assert not [key for key in chain.tracker.snapshot() if key.startswith("endpoint:")]


def test_a_dead_credential_costs_one_call_for_all_its_models(drive, clock, provider_error):
    """Three models through one revoked key: one wasted call, then the other key."""
    rows = [
        {"model_name": name, "model": f"openai/{name}", "api_keys": ["dead", "alive"], "fallbacks": list(fallbacks)}
        for name, fallbacks in (("a", "bc"), ("b", ""), ("c", ""))
    ]
    dead = sk.fingerprint("dead")
    chain = chain_of(clock)
    asked = []

    def fn(candidate):
        asked.append(candidate.credential == dead)
        if candidate.credential == dead:
            raise provider_error(401)
        return "ok"

    for name in "abc":
        assert drive(chain, sk.candidates_for(name, rows), fn).response == "ok"
    assert asked == [True, False, False, False]


def test_a_throttled_account_costs_one_call_for_all_its_keys(drive, clock, provider_error):
    """Three keys that share a quota are throttled together; the other account serves."""
    rows = [keys(3, account="acme", fallbacks=["n"]), keys(1, "n", account="other")]
    asked = []

    def fn(candidate):
        asked.append(candidate.account)
        if candidate.account == "acme":
            raise provider_error(429)
        return "ok"

    outcome = drive(chain_of(clock), sk.candidates_for("m", rows), fn)

    assert asked == ["acme", "other"]
    assert outcome.attempts[0].scope is sk.Scope.ACCOUNT


# -- coming back -----------------------------------------------------------------------------


async def test_after_a_cooldown_one_request_probes_while_the_others_use_what_is_well(clock, candidates):
    """200 concurrent requests at expiry: one probe."""
    chain = chain_of(clock)
    chain.tracker.mark_failure(candidates[0], "rate_limit")
    clock.advance(30)
    asked = []

    async def fn(candidate):
        asked.append(candidate)
        await asyncio.sleep(0)
        if candidate == candidates[0]:
            raise ConnectionResetError
        return "ok"

    results = await asyncio.gather(*(chain.aexecute(candidates, fn) for _ in range(200)))

    assert asked.count(candidates[0]) == 1
    assert {result.candidate for result in results} == {candidates[1]}


async def test_a_single_recovering_key_serves_everybody(clock):
    """Claims change the order, never who may be asked."""
    (only,) = sk.candidates_for("m", [keys(1)])
    chain = chain_of(clock)
    chain.tracker.mark_failure(only, "rate_limit")
    clock.advance(30)

    async def fn(_candidate):
        await asyncio.sleep(0)
        return "ok"

    results = await asyncio.gather(*(chain.aexecute([only], fn) for _ in range(10)))

    assert [result.response for result in results] == ["ok"] * 10


async def test_a_cancelled_probe_is_given_back(clock, candidates):
    """The next request may probe at once."""
    chain = chain_of(clock)
    chain.tracker.mark_failure(candidates[0], "rate_limit")
    clock.advance(30)

    async def hangs(_candidate):
        await asyncio.Event().wait()

    task = asyncio.create_task(chain.aexecute(candidates, hangs))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert chain.execute(candidates, lambda candidate: candidate).response == candidates[0]


def test_a_claim_ends_by_itself(clock, candidates):
    """A host that never reports an outcome does not keep a key from being probed."""
    chain = chain_of(clock)
    chain.tracker.mark_failure(candidates[0], "rate_limit")
    clock.advance(30)
    forgotten = chain.begin(candidates)
    assert forgotten.next(chain.now()) == candidates[0]

    assert chain.execute(candidates, lambda candidate: candidate).response == candidates[1]
    clock.advance(30)
    assert chain.execute(candidates, lambda candidate: candidate).response == candidates[0]


def test_asking_never_takes_a_probe(clock, candidates):
    """Looking is free."""
    chain = chain_of(clock)
    chain.tracker.mark_failure(candidates[0], "rate_limit")
    clock.advance(30)
    chain.tracker.is_available(candidates[0])
    chain.tracker.remaining(candidates[0])

    assert chain.execute(candidates, lambda candidate: candidate).response == candidates[0]


@pytest.mark.parametrize("failure", [("server_error", None), ("rate_limit", None)])
def test_a_single_key_is_not_locked_out_by_one_hiccup(drive, clock, failure):
    """A 500, or a 429 without a time, does not fail the next request without a try."""
    (only,) = sk.candidates_for("m", [keys(1)])
    chain = chain_of(clock)
    reason, hint = failure
    chain.tracker.mark_failure(only, reason, retry_after=hint)

    assert drive(chain, [only], lambda _: "ok").response == "ok"


def test_a_time_the_provider_named_is_kept_even_by_a_single_key(drive, clock):
    """It said when it would answer, and not before."""
    (only,) = sk.candidates_for("m", [keys(1)])
    chain = chain_of(clock)
    chain.tracker.mark_failure(only, "rate_limit", retry_after=9)

    outcome = drive(chain, [only], lambda _: pytest.fail("asked"))

    assert isinstance(outcome.error, sk.FallbackExhaustedError)
    assert outcome.error.retry_after == 9


# -- waiting ---------------------------------------------------------------------------------


@pytest.mark.parametrize("max_wait", [3, 10])
def test_a_request_waits_for_a_recovery_within_max_wait(drive, clock, candidates, max_wait):
    """All cool for 3 s by the provider's word: served just after."""
    chain = chain_of(clock, max_wait=max_wait)
    for candidate in candidates:
        chain.tracker.mark_failure(candidate, "rate_limit", retry_after=3)
    began = clock()

    assert drive(chain, candidates, lambda _: "ok").response == "ok"
    assert clock() - began == 3


@pytest.mark.parametrize(("max_wait", "deadline"), [(2, None), (0, None), (10, 2)])
def test_a_request_that_cannot_wait_long_enough_fails_at_once(drive, clock, candidates, max_wait, deadline):
    """And says when to come back; max_wait and the deadline both bound it."""
    chain = chain_of(clock, max_wait=max_wait)
    for candidate in candidates:
        chain.tracker.mark_failure(candidate, "rate_limit", retry_after=3)
    began = clock()

    error = drive(chain, candidates, lambda _: pytest.fail("asked"), deadline=deadline).error

    assert isinstance(error, sk.FallbackExhaustedError)
    assert (clock() - began, error.retry_after) == (0, 3)


def test_who_failed_in_this_request_gets_another_turn_after_the_wait(drive, clock):
    """A single key that is throttled for a moment serves the same request."""
    (only,) = sk.candidates_for("m", [keys(1)])
    answers = iter([TimeoutError("slow"), TimeoutError("slow"), "ok"])

    def fn(_candidate):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    outcome = drive(chain_of(clock, max_wait=60), [only], fn)

    assert outcome.response == "ok"
    assert [a.cooldown for a in outcome.attempts] == [5, 10]


def test_max_wait_is_a_requests_total(drive, clock):
    """Not each pause's."""
    (only,) = sk.candidates_for("m", [keys(1)])
    asked = []

    def fn(_candidate):
        asked.append(clock())
        raise TimeoutError("slow")

    outcome = drive(chain_of(clock, max_wait=12), [only], fn)

    assert isinstance(outcome.error, sk.FallbackExhaustedError)
    assert [at - asked[0] for at in asked] == [0, 5]


# -- whose turn it is ------------------------------------------------------------------------


def serve(chain, candidates, n, **options):
    """The numbers of the keys that served ``n`` requests."""
    number = {candidate: i for i, candidate in enumerate(candidates)}
    return [number[chain.execute(candidates, lambda c: c, **options).response] for _ in range(n)]


def test_ordered_keeps_to_the_first(clock, candidates):
    """Prompt caches stay warm."""
    assert serve(chain_of(clock), candidates, 4) == [0, 0, 0, 0]


def test_round_robin_takes_turns(clock, candidates):
    """And never crosses from one model's keys to the next model."""
    extra = sk.candidates_for("n", [keys(2, "n", "anthropic/claude")])

    assert serve(chain_of(clock, selection="round_robin"), [*candidates, *extra], 5) == [0, 1, 2, 0, 1]


def test_least_recently_used_prefers_the_rested(clock, candidates):
    """Whoever served last comes last; one that cooled meanwhile is first when it is back."""
    chain = chain_of(clock, selection="least_recently_used")

    assert serve(chain, candidates, 2) == [0, 1]
    chain.tracker.mark_failure(candidates[2], "rate_limit")
    assert serve(chain, candidates, 2) == [0, 1]
    clock.advance(30)
    assert serve(chain, candidates, 2) == [2, 0]


def test_affinity_pins_a_conversation_to_a_key(clock):
    """The same key in every process; other conversations spread over all of them."""
    candidates = sk.candidates_for("m", [keys(5)])
    homes = {f"chat-{i}": serve(chain_of(clock), candidates, 2, affinity=f"chat-{i}") for i in range(200)}

    assert all(first == second for first, second in homes.values())
    assert {first for first, _ in homes.values()} == {0, 1, 2, 3, 4}


def test_losing_a_key_moves_only_its_own_conversations(clock):
    """One of five keys lost: a fifth of the conversations move, the others stay where their cache is."""
    candidates = sk.candidates_for("m", [keys(5)])
    chain = chain_of(clock)
    names = [f"chat-{i}" for i in range(200)]
    before = {name: serve(chain, candidates, 1, affinity=name)[0] for name in names}
    chain.tracker.mark_failure(candidates[3], "auth")
    after = {name: serve(chain, candidates, 1, affinity=name)[0] for name in names}

    moved = [name for name in names if before[name] != after[name]]
    assert all(before[name] == 3 for name in moved)
    assert 20 < len(moved) < 60


def test_a_spent_budget_passes_the_key_over_before_the_provider_has_to_say_no(drive, clock):
    """Two requests a minute each: the third goes to the second key, and a minute later the first is back."""
    candidates = sk.candidates_for("m", [keys(2, rpm=2)])
    chain = chain_of(clock)

    served = [drive(chain, candidates, lambda c: c) for _ in range(3)]
    clock.advance(60)
    served.append(drive(chain, candidates, lambda c: c))

    assert [candidates.index(outcome.candidate) for outcome in served] == [0, 0, 1, 0]
    (skip,) = served[2].attempts
    assert (skip.reason, skip.cooldown, skip.cooldown_from) == (sk.Reason.RATE_LIMIT, 60, "budget")
    assert "its requests-per-minute budget is spent, 1m remaining" in str(skip.error)


def test_a_budget_is_a_sliding_window(clock):
    """In no 60 seconds are there more requests than it says."""
    (one, two) = sk.candidates_for("m", [keys(2, rpm=2)])
    chain = chain_of(clock)
    served = []
    for _ in range(6):
        served.append(serve(chain, [one, two], 1)[0])
        clock.advance(20)

    assert served == [0, 0, 1, 0, 0, 1]


def test_a_budget_below_one_a_minute_is_a_longer_window(clock):
    """Half a request a minute is one in two."""
    (one, two) = sk.candidates_for("m", [keys(2, rpm=0.5)])
    chain = chain_of(clock)

    assert serve(chain, [one, two], 1) == [0]
    clock.advance(60)
    assert serve(chain, [one, two], 1) == [1]
    clock.advance(60)
    assert serve(chain, [one, two], 1) == [0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"max_wait": -1}, "max_wait must be a number of seconds, 0 or more, not -1"),
        ({"selection": "random"}, "there is no selection 'random'; there are ordered, round_robin"),
    ],
)
def test_a_setting_that_cannot_work_is_one_clear_error(change, says):
    """When the policy is made."""
    with pytest.raises(sk.ConfigError, match=says):
        replace(sk.Policy(), **change)


def test_a_budget_may_be_changed_while_it_is_counted(clock):
    """A model built anew with another rpm shares the memory of the one before."""
    chain = chain_of(clock)
    fewer, more = (sk.candidates_for("m", [keys(2, rpm=rpm)]) for rpm in (2, 5))

    assert serve(chain, fewer, 4) == [0, 0, 1, 1]
    assert serve(chain, more, 4) == [0, 0, 0, 1]


def test_threads_do_not_overdraw_a_budget(clock):
    """Looking and taking are one step."""
    candidates = sk.candidates_for("m", [keys(2, rpm=1)])
    chain = chain_of(clock)
    served = []
    threads = [threading.Thread(target=lambda: served.extend(serve(chain, candidates, 1))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(served) == [0, 1]
