"""What is not the candidate's does not use up its time."""

from __future__ import annotations

import asyncio

import pytest

import sparekey as sk


def chain_of(clock, **options):
    return sk.FallbackChain(sk.CooldownTracker(sk.Policy(**options), clock=clock))


@pytest.fixture
def left(clock):
    """What ``fn`` is told of its time, during seven seconds off the clock and after them."""
    told = []

    def fn(_candidate):
        with sk.off_the_clock():
            told.append(sk.time_left())
            clock.advance(7)
        told.append(sk.time_left())

    fn.told = told
    return fn


def test_a_sync_attempt_has_its_time_afterwards(clock, candidates, left):
    """Building a client took longer than a call may, and the call still has all its time."""
    chain_of(clock, attempt_timeout=5).execute(candidates, left)

    assert left.told == [None, 5]


@pytest.mark.parametrize("attempt_timeout", [5, 60])
def test_the_deadline_goes_on(clock, candidates, left, attempt_timeout):
    """It is the caller's, who waits for all of it."""
    chain_of(clock, attempt_timeout=attempt_timeout).execute(candidates, left, deadline=10)

    assert left.told == [10, 3]


async def test_an_async_attempt_is_not_ended_meanwhile(candidates):
    """The engine's own timer stands still, too."""
    chain = sk.FallbackChain(policy=sk.Policy(attempt_timeout=0.05))

    async def fn(_candidate):
        with sk.off_the_clock():
            await asyncio.sleep(0.15)
        return "ok"

    assert (await chain.aexecute(candidates, fn)).candidate is candidates[0]
    assert chain.tracker.snapshot() == {}


async def test_afterwards_it_is_ended_as_ever(candidates):
    """A key that hangs then is learned."""
    chain = sk.FallbackChain(policy=sk.Policy(attempt_timeout=0.05))

    async def fn(candidate):
        with sk.off_the_clock():
            pass
        if candidate is candidates[0]:
            await asyncio.sleep(60)
        return "ok"

    assert (await chain.aexecute(candidates, fn)).candidate is candidates[1]
    assert chain.tracker.failure_count(candidates[0], "timeout") == 1


async def test_the_deadline_ends_it_and_blames_nobody(candidates):
    """Also when it comes while the attempt's timer stands still."""
    chain = sk.FallbackChain(policy=sk.Policy(attempt_timeout=0.05))

    async def fn(_candidate):
        with sk.off_the_clock():
            await asyncio.sleep(60)

    with pytest.raises(sk.FallbackExhaustedError, match="the deadline was spent"):
        await chain.aexecute(candidates, fn, deadline=0.1)
    assert chain.tracker.snapshot() == {}


def test_outside_an_attempt_it_does_nothing():
    """A helper may use it wherever it is called."""
    with sk.off_the_clock():
        assert sk.time_left() is None
