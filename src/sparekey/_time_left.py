"""How much time the call under way has left, for whoever makes it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from sparekey._limits import Limit
from sparekey.errors import AttemptTimeoutError

T = TypeVar("T")
Clock = Callable[[], float]


class _Attempt:
    """How long the attempt under way may go on."""

    __slots__ = ("clock", "ends", "limit", "scope")

    def __init__(self, limit: Limit, clock: Clock) -> None:
        self.limit, self.clock = limit, clock
        self.ends = clock() + limit.seconds
        self.scope: asyncio.Timeout | None = None

    def end_at(self, when: float) -> None:
        """Let it end at ``when``, in epoch seconds, or at the caller's deadline if that is sooner."""
        deadline = self.limit.deadline_at
        self.ends = when if deadline is None else min(when, deadline)
        if self.scope is not None:
            left = self.ends - self.clock()
            self.scope.reschedule(None if left == math.inf else asyncio.get_running_loop().time() + left)


_current: ContextVar[_Attempt | None] = ContextVar("sparekey_attempt", default=None)


def time_left() -> float | None:
    """Seconds the attempt under way may still take, of its own timeout and of the request's deadline.

    Call it inside ``fn`` and pass it to the client, so that a hanging key is given up in time.
    None outside an attempt, and in one that nothing limits; never negative.
    """
    attempt = _current.get()
    if attempt is None or attempt.ends == math.inf:
        return None
    return max(0.0, attempt.ends - attempt.clock())


@contextmanager
def off_the_clock() -> Iterator[None]:
    """What happens within, inside ``fn``, is not the candidate's: its attempt's timeout stands still meanwhile.

    For importing and building a client, or waiting for a limiter of one's own, which would otherwise cool a
    healthy key. The request's deadline goes on.
    """
    attempt = _current.get()
    if attempt is None or attempt.limit.by_deadline:
        yield
        return
    began, ends = attempt.clock(), attempt.ends
    attempt.end_at(math.inf)
    try:
        yield
    finally:
        attempt.end_at(ends + attempt.clock() - began)


def call_within(limit: Limit, clock: Clock, call: Callable[[], T]) -> T:
    """Make ``call`` with :func:`time_left` set. Nothing here can stop it: the client has to."""
    token = _current.set(_Attempt(limit, clock))
    try:
        return call()
    finally:
        _current.reset(token)


async def await_within(limit: Limit, clock: Clock, call: Callable[[], Awaitable[T]]) -> T:
    """Make ``call`` with :func:`time_left` set, and end it when the time is up.

    Raises:
        AttemptTimeoutError: the time was up first.
    """
    attempt = _Attempt(limit, clock)
    token = _current.set(attempt)
    try:
        async with asyncio.timeout(limit.seconds) as attempt.scope:
            return await call()
    except Exception as error:
        # Whatever the call made of being ended (a client may turn it into an error of its own), time ended it.
        if attempt.scope is not None and attempt.scope.expired():
            by_deadline = limit.by_deadline or attempt.ends == limit.deadline_at
            raise AttemptTimeoutError(limit.seconds, by_deadline=by_deadline) from error
        raise
    finally:
        _current.reset(token)
