"""A candidate that cannot make one call is skipped for that call, and is none the worse for it."""

from __future__ import annotations

import pytest

import sparekey as sk


class CannotServe(Exception):  # noqa: N818 - what it is, not what it does to the request
    """What ``fn`` raises when its candidate is not to blame."""


def read(error):
    return sk.Verdict(sk.Reason.RATE_LIMIT, blameless=True) if isinstance(error, CannotServe) else sk.classify(error)


def chain_of(clock, **options):
    return sk.FallbackChain(sk.CooldownTracker(sk.Policy(**options), clock=clock), classify=read)


def script(candidates, *errors):
    """``fn`` that raises an error for each candidate in turn, and answers where there is none."""
    told = dict(zip(candidates, errors, strict=False))

    def fn(candidate):
        if told.get(candidate) is not None:
            raise told[candidate]
        return candidate.name

    return fn


def test_the_next_candidate_is_tried_and_nothing_cools(clock, candidates):
    """Whatever the reason would do otherwise; the attempt is told as skipped."""
    chain = chain_of(clock)
    result = chain.execute(candidates, script(candidates, CannotServe("no tools")))

    assert result.candidate is candidates[1]
    assert chain.tracker.snapshot() == {}
    (attempt,) = result.attempts
    assert (attempt.candidate, attempt.skipped, str(attempt.error)) == (candidates[0], True, "no tools")


async def test_async_calls_too(clock, candidates):
    """The same walk in the other colour."""

    async def fn(candidate):
        return script(candidates, CannotServe("no tools"))(candidate)

    chain = chain_of(clock)
    assert (await chain.aexecute(candidates, fn)).candidate is candidates[1]
    assert chain.tracker.snapshot() == {}


def test_when_nobody_can_the_error_says_so_and_names_no_time(clock, candidates):
    """There is nothing to wait for."""
    chain = chain_of(clock)
    errors = [CannotServe("a"), CannotServe("b"), CannotServe("c")]
    with pytest.raises(sk.FallbackExhaustedError, match="none of the 3 candidates can make this call") as raised:
        chain.execute(candidates, script(candidates, *errors))

    assert raised.value.retry_after is None
    assert raised.value.__cause__ is errors[2]
    assert [attempt.skipped for attempt in raised.value.attempts] == [True, True, True]


def test_among_failures_it_is_counted_as_skipped(clock, candidates, provider_error):
    """The text tells apart who failed and who could not."""
    chain = chain_of(clock)
    fn = script(candidates, provider_error(401), CannotServe("b"), provider_error(429))
    with pytest.raises(sk.FallbackExhaustedError, match="all 3 candidates failed, 1 of them skipped"):
        chain.execute(candidates, fn)


def test_waiting_does_not_bring_it_back(clock, candidates, provider_error):
    """Only those that cool are asked again when their time has come."""
    chain = chain_of(clock, max_wait=10)
    asked = []

    def fn(candidate):
        asked.append(candidates.index(candidate))
        if candidate == candidates[0]:
            raise CannotServe("no tools")
        if len(asked) < 4:
            raise provider_error(429, headers={"retry-after": "5"})
        return "ok"

    assert chain.execute(candidates, fn).response == "ok"
    assert asked == [0, 1, 2, 1]


def test_a_probe_is_given_back(clock, candidates, provider_error):
    """A recovering key that could not make this call is probed by the next request."""
    chain = chain_of(clock)
    chain.tracker.mark_failure(candidates[0], "overloaded")
    clock.advance(6)

    assert chain.execute(candidates, script(candidates, CannotServe("no tools"))).candidate is candidates[1]
    assert chain.execute(candidates, script(candidates)).candidate is candidates[0]
    assert chain.tracker.claims == {}
