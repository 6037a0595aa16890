"""One table of scenarios through execute, aexecute, stream and astream: the same promises in each."""

from __future__ import annotations

from dataclasses import dataclass, field

import openai
import pytest

import sparekey as sk

DEFAULT, CLASSIC = sk.Policy(), sk.Policy.classic()


@dataclass(frozen=True)
class Scenario:
    """Three keys of one model; what each answers, and what must come of it."""

    name: str
    answers: tuple[object, object, object]
    """For each key: "ok", or the (status, more) of the provider's error."""
    called: str
    """The keys asked, by letter, in order."""
    served: str = ""
    """The key that answered; empty when the request failed."""
    raises: type[Exception] | None = None
    cools: dict[str, float] = field(default_factory=dict)
    """Seconds each key cools afterwards."""
    already: dict[str, str] = field(default_factory=dict)
    """Reasons for which keys cool before the request."""
    policy: sk.Policy = DEFAULT
    reasons: tuple[str, ...] = ()
    """Reasons of the attempts, skips included."""


OK, THROTTLED, REVOKED, UNPAID = "ok", (429, {}), (401, {"code": "invalid_api_key"}), (402, {})
NO_QUOTA = (429, {"code": "insufficient_quota"})
WRONG, BROKEN, BUSY = (400, {"kind": "invalid_request_error"}), (500, {}), (503, {})

SCENARIOS = [
    Scenario("the first answers", (OK, OK, OK), "a", "a"),
    Scenario("throttled, then served", (THROTTLED, OK, OK), "ab", "b", cools={"a": 30}, reasons=("rate_limit",)),
    Scenario(
        "revoked, unpaid, then served",
        (REVOKED, UNPAID, OK),
        "abc",
        "c",
        cools={"a": 600, "b": 600},
        reasons=("auth", "billing"),
    ),
    Scenario("an empty purse behind a 429", (NO_QUOTA, OK, OK), "ab", "b", cools={"a": 600}, reasons=("billing",)),
    Scenario(
        "server trouble", (BROKEN, BUSY, OK), "abc", "c", cools={"a": 5, "b": 5}, reasons=("server_error", "overloaded")
    ),
    Scenario(
        "the provider names the time",
        ((429, {"headers": {"retry-after": "12"}}), OK, OK),
        "ab",
        "b",
        cools={"a": 12},
        reasons=("rate_limit",),
    ),
    Scenario("a wrong request stops at once", (WRONG, OK, OK), "a", raises=openai.BadRequestError),
    Scenario(
        "a wrong request stops in the middle",
        (THROTTLED, WRONG, OK),
        "ab",
        raises=openai.BadRequestError,
        cools={"a": 30},
    ),
    Scenario(
        "an overflow stops at once",
        ((400, {"code": "context_length_exceeded"}), OK, OK),
        "a",
        raises=openai.BadRequestError,
    ),
    Scenario("an error nobody knows stops at once", (ZeroDivisionError("?"), OK, OK), "a", raises=ZeroDivisionError),
    Scenario(
        "all fail",
        (THROTTLED, REVOKED, UNPAID),
        "abc",
        raises=sk.FallbackExhaustedError,
        cools={"a": 30, "b": 600, "c": 600},
        reasons=("rate_limit", "auth", "billing"),
    ),
    Scenario(
        "a cooling key is skipped", (OK, OK, OK), "b", "b", already={"a": "auth"}, cools={"a": 600}, reasons=("auth",)
    ),
    Scenario(
        "all cool for good reasons: nobody is asked",
        (OK, OK, OK),
        "",
        raises=sk.FallbackExhaustedError,
        already={"a": "auth", "b": "billing", "c": "auth"},
        cools={"a": 600, "b": 600, "c": 600},
        reasons=("auth", "billing", "auth"),
    ),
    Scenario(
        "all cool, one for a passing reason: it is the last resort",
        (OK, OK, OK),
        "b",
        "b",
        already={"a": "auth", "b": "timeout", "c": "auth"},
        cools={"a": 600, "b": 0, "c": 600},
        reasons=("auth", "timeout", "auth"),
    ),
    Scenario(
        "classic: overloaded counts as throttled",
        (BUSY, OK, OK),
        "ab",
        "b",
        policy=CLASSIC,
        cools={"a": 60},
        reasons=("rate_limit",),
    ),
    Scenario(
        "classic: server trouble counts as a timeout",
        (BROKEN, OK, OK),
        "ab",
        "b",
        policy=CLASSIC,
        cools={"a": 60},
        reasons=("timeout",),
    ),
    Scenario(
        "classic: billing has its own ladder",
        (UNPAID, OK, OK),
        "ab",
        "b",
        policy=CLASSIC,
        cools={"a": 5 * 3600},
        reasons=("billing",),
    ),
    Scenario(
        "classic: the provider's time is ignored",
        ((429, {"headers": {"retry-after": "12"}}), OK, OK),
        "ab",
        "b",
        policy=CLASSIC,
        cools={"a": 60},
        reasons=("rate_limit",),
    ),
    Scenario(
        "classic: a wrong request stops at once",
        (THROTTLED, WRONG, OK),
        "ab",
        raises=openai.BadRequestError,
        policy=CLASSIC,
        cools={"a": 60},
    ),
    Scenario(
        "classic: an error nobody knows stops at once",
        (ZeroDivisionError("?"), OK, OK),
        "a",
        raises=ZeroDivisionError,
        policy=CLASSIC,
    ),
    Scenario(
        "classic: no such model stops at once", ((404, {}), OK, OK), "a", raises=openai.NotFoundError, policy=CLASSIC
    ),
    Scenario(
        "classic: cooling is never tried, whatever for",
        (OK, OK, OK),
        "",
        raises=sk.FallbackExhaustedError,
        policy=CLASSIC,
        already={"a": "timeout", "b": "timeout", "c": "timeout"},
        cools={"a": 60, "b": 60, "c": 60},
        reasons=("timeout",) * 3,
    ),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_scenario(scenario, drive, clock, candidates, provider_error):
    """Who is asked, who serves, what is raised, what cools and for how long."""
    tracker = sk.CooldownTracker(scenario.policy, clock=clock)
    letters = dict(zip(candidates, "abc", strict=True))
    for letter, reason in scenario.already.items():
        tracker.mark_failure(candidates["abc".index(letter)], reason)
    called = []

    def fn(candidate):
        called.append(letters[candidate])
        answer = scenario.answers["abc".index(letters[candidate])]
        if isinstance(answer, Exception):
            raise answer
        if answer != OK:
            raise provider_error(answer[0], **answer[1])
        return f"from {letters[candidate]}"

    outcome = drive(sk.FallbackChain(tracker), candidates, fn)

    assert "".join(called) == scenario.called
    if scenario.served:
        assert outcome.response == f"from {scenario.served}"
        assert letters[outcome.candidate] == scenario.served
    else:
        assert type(outcome.error) is scenario.raises
    assert {letters[c]: tracker.remaining(c) for c in candidates} == {"a": 0, "b": 0, "c": 0, **scenario.cools}
    if not scenario.raises or scenario.raises is sk.FallbackExhaustedError:
        assert tuple(a.reason for a in outcome.attempts) == scenario.reasons


def test_the_next_request_wastes_no_call(drive, clock, candidates, provider_error):
    """What the first request learned, the second knows."""
    chain = sk.FallbackChain(sk.CooldownTracker(clock=clock))
    called = []

    def fn(candidate):
        called.append(candidate)
        if candidate != candidates[-1]:
            raise provider_error(429)
        return "ok"

    assert len(drive(chain, candidates, fn).attempts) == 2
    called.clear()
    second = drive(chain, candidates, fn)

    assert called == [candidates[-1]]
    assert all(attempt.skipped and attempt.duration == 0 for attempt in second.attempts)


def test_a_recovered_key_is_tried_again_and_forgiven(drive, clock, candidates, provider_error):
    """After its cooldown the first key is the first choice again, and a success clears its record."""
    tracker = sk.CooldownTracker(clock=clock)
    chain = sk.FallbackChain(tracker)
    tracker.mark_failure(candidates[0], "rate_limit")
    clock.advance(30)

    outcome = drive(chain, candidates, lambda candidate: candidate)

    assert outcome.candidate == candidates[0]
    assert tracker.error_count(candidates[0]) == 0


def test_a_key_that_recovers_while_others_are_tried_gets_its_turn(drive, clock, candidates, provider_error):
    """Every eligible key is tried, also one that was not yet eligible when it was passed over."""
    tracker = sk.CooldownTracker(clock=clock)
    tracker.mark_failure(candidates[0], "rate_limit", retry_after=2)

    def fn(candidate):
        if candidate == candidates[0]:
            return "ok"
        clock.advance(5)
        raise provider_error(500)

    outcome = drive(sk.FallbackChain(tracker), candidates, fn)

    assert outcome.candidate == candidates[0]
    assert [a.candidate for a in outcome.attempts] == candidates[:2]


def test_a_region_block_spares_the_models_other_keys(drive, clock, provider_error):
    """Where the provider says no key can help, the next model is tried and nothing cools."""
    rows = [
        {"model_name": "m", "model": "openai/gpt-4o", "api_keys": ["a", "b"], "fallbacks": ["n"]},
        {"model_name": "n", "model": "anthropic/claude", "api_key": "c"},
    ]
    chain = sk.FallbackChain(
        sk.CooldownTracker(clock=clock),
        classify=lambda _: sk.Verdict(sk.Reason.AUTH, 403, other_key_helps=False),
    )
    called = []

    def fn(candidate):
        called.append(candidate.model)
        if candidate.provider == "openai":
            raise provider_error(403)
        return "ok"

    outcome = drive(chain, sk.candidates_for("m", rows), fn)

    assert called == ["gpt-4o", "claude"]
    assert outcome.response == "ok"
    assert [a.skipped for a in outcome.attempts] == [False, True]
    assert chain.tracker.snapshot() == {}


def test_the_exhausted_error_tells_all(drive, clock, candidates, provider_error):
    """Every attempt in its text, the soonest recovery over all candidates, the last error as its cause."""
    tracker = sk.CooldownTracker(clock=clock)
    tracker.mark_failure(candidates[0], "billing")
    statuses = {candidates[1]: 429, candidates[2]: 401}

    def fn(candidate):
        raise provider_error(statuses[candidate], message=f"says {statuses[candidate]}")

    error = drive(sk.FallbackChain(tracker), candidates, fn).error

    assert isinstance(error, sk.FallbackExhaustedError)
    assert isinstance(error, sk.SparekeyError)
    assert (error.retry_at, error.retry_after) == (clock() + 30, 30)
    assert isinstance(error.__cause__, openai.AuthenticationError)
    assert [a.candidate for a in error.attempts] == candidates
    text = str(error)
    assert "[1] openai/gpt-4o: skipped (cooldown)" in text
    assert "10m remaining" in text
    assert "[2] openai/gpt-4o: Error code: 429 - says 429 (reason=rate_limit, 0ms)" in text
    assert "[3] openai/gpt-4o: Error code: 401 - says 401 (reason=auth, 0ms)" in text
    assert all(candidate.credential in text for candidate in candidates)


def test_nothing_cooling_means_no_time_to_come_back(drive, clock, candidates):
    """A model that no key can reach has no recovery to wait for."""
    chain = sk.FallbackChain(
        sk.CooldownTracker(clock=clock),
        classify=lambda _: sk.Verdict(sk.Reason.MODEL_NOT_FOUND, 404, other_key_helps=False),
    )

    def fn(_candidate):
        raise LookupError("no such model")

    error = drive(chain, candidates, fn).error

    assert isinstance(error, sk.FallbackExhaustedError)
    assert (error.retry_at, error.retry_after) == (None, None)


def test_a_stopping_error_leaves_as_it_was_raised_with_a_note(drive, clock, candidates, provider_error):
    """The same object, so that existing except clauses and error handlers go on working."""
    original = provider_error(400)

    def fn(_candidate):
        raise original

    error = drive(sk.FallbackChain(sk.CooldownTracker(clock=clock)), candidates, fn).error

    assert error is original
    assert error.status_code == 400
    (note,) = error.__notes__
    assert candidates[0].id in note
    assert "format" in note


def test_no_candidates_is_an_error(drive):
    """And says so, instead of an exhausted error about nobody."""
    outcome = drive(sk.FallbackChain(), [], lambda candidate: candidate)

    assert isinstance(outcome.error, sk.NoCandidatesError)
    assert "no candidates configured" in str(outcome.error)


def test_a_generator_of_candidates_will_do(drive, candidates):
    """Any iterable is a list of candidates."""
    assert drive(sk.FallbackChain(), iter(candidates), lambda candidate: "ok").response == "ok"


def test_every_attempt_is_heard(drive, clock, candidates, provider_error):
    """Skips, failures and the success, as they end; who cools for how long and by whose word."""
    tracker = sk.CooldownTracker(clock=clock)
    tracker.mark_failure(candidates[0], "auth")
    heard = []

    def fn(candidate):
        clock.advance(0.25)
        if candidate == candidates[1]:
            raise provider_error(429, headers={"retry-after": "9"})
        return "ok"

    outcome = drive(sk.FallbackChain(tracker, on_attempt=heard.append), candidates, fn)

    assert [(a.candidate, a.skipped, a.reason, a.duration) for a in heard] == [
        (candidates[0], True, sk.Reason.AUTH, 0.0),
        (candidates[1], False, sk.Reason.RATE_LIMIT, 0.25),
        (candidates[2], False, None, 0.25),
    ]
    assert [a.cooldown for a in heard] == [600, 9, None]
    assert [a.cooldown_from for a in heard] == ["ladder", "provider", None]
    assert [a.scope for a in heard] == [None, sk.Scope.CANDIDATE, None]
    assert outcome.attempts[1].error is heard[1].error


@pytest.mark.parametrize("deadline", [-1, float("nan"), float("inf"), "soon"])
def test_a_deadline_that_is_none_is_one_clear_error(drive, candidates, deadline):
    """Before anybody is asked."""
    outcome = drive(sk.FallbackChain(), candidates, lambda candidate: pytest.fail("asked"), deadline=deadline)

    assert isinstance(outcome.error, sk.ConfigError)
    assert str(outcome.error) == f"deadline must be a number of seconds from now, 0 or more, not {deadline!r}"


def test_a_spent_deadline_ends_the_walk_and_says_so(drive, clock, candidates, provider_error):
    """The deadline covers all attempts, and what failed before it is still learned."""
    tracker = sk.CooldownTracker(clock=clock)

    def fn(_candidate):
        clock.advance(2)
        raise provider_error(500)

    error = drive(sk.FallbackChain(tracker), candidates, fn, deadline=3).error

    assert isinstance(error, sk.FallbackExhaustedError)
    assert "the deadline was spent after 2 attempts" in str(error)
    assert [tracker.is_available(c) for c in candidates] == [False, False, True]


def test_the_callers_deadline_blames_nobody(drive, clock, candidates):
    """A client that gave up because it was told how much time was left says nothing about the key."""
    tracker = sk.CooldownTracker(clock=clock)

    def fn(_candidate):
        clock.advance(sk.time_left())
        raise TimeoutError("the client gave up")

    error = drive(sk.FallbackChain(tracker), candidates, fn, deadline=3).error

    assert isinstance(error, sk.FallbackExhaustedError)
    assert "the deadline was spent after 1 attempt" in str(error)
    assert tracker.snapshot() == {}


def test_a_client_that_times_out_by_itself_is_learned(drive, clock, candidates):
    """Only the deadline is the caller's; a key that hangs long before it is the key's trouble."""
    tracker = sk.CooldownTracker(clock=clock)

    def fn(candidate):
        if candidate == candidates[0]:
            clock.advance(1)
            raise TimeoutError("the client gave up")
        return "ok"

    assert drive(sk.FallbackChain(tracker), candidates, fn, deadline=30).response == "ok"
    assert tracker.failure_count(candidates[0], "timeout") == 1


def test_time_left_is_the_smaller_of_attempt_and_deadline(drive, clock, candidates, provider_error):
    """An entry's own timeout goes before the policy's; outside an attempt there is none."""
    policy = sk.Policy(attempt_timeout=4)
    own = sk.candidates_for("m", [{"model_name": "m", "model": "p/m", "api_key": "k", "timeout": 2}])
    seen = []

    def fn(_candidate):
        seen.append(sk.time_left())
        clock.advance(7)
        raise provider_error(500)

    drive(sk.FallbackChain(sk.CooldownTracker(policy, clock=clock)), [*own, *candidates], fn, deadline=10)

    assert seen == [2, 3]
    assert sk.time_left() is None
