"""How much time the call under way has left, for whoever makes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TypeVar

from sparekey._limits import Limit
from sparekey.errors import AttemptTimeoutError

T = TypeVar("T")
Clock = Callable[[], float]

_ends: ContextVar[tuple[float, Clock] | None] = ContextVar("sparekey_attempt_ends", default=None)


def time_left() -> float | None:
    """Seconds the attempt under way may still take, of its own timeout and of the request's deadline.

    Call it inside ``fn`` and pass it to the client, so that a hanging key is given up in time.
    None outside an attempt, and in one that nothing limits; never negative.
    """
    ends = _ends.get()
    if ends is None:
        return None
    at, clock = ends
    return max(0.0, at - clock())


def call_within(limit: Limit, clock: Clock, call: Callable[[], T]) -> T:
    """Make ``call`` with :func:`time_left` set. Nothing here can stop it: the client has to."""
    token = _ends.set((clock() + limit.seconds, clock))
    try:
        return call()
    finally:
        _ends.reset(token)


async def await_within(limit: Limit, clock: Clock, call: Callable[[], Awaitable[T]]) -> T:
    """Make ``call`` with :func:`time_left` set, and end it when the time is up.

    Raises:
        AttemptTimeoutError: the time was up first.
    """
    token = _ends.set((clock() + limit.seconds, clock))
    try:
        async with asyncio.timeout(limit.seconds) as scope:
            return await call()
    except Exception as error:
        # Whatever the call made of being ended (a client may turn it into an error of its own), time ended it.
        if scope.expired():
            raise AttemptTimeoutError(limit.seconds, by_deadline=limit.by_deadline) from error
        raise
    finally:
        _ends.reset(token)
