"""Time, and waiting for it, injected together: a test whose clock stands still must not really sleep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the time comes from, and how it is waited for.

    Epoch seconds, because records are shared between processes and outlive them.
    """

    now: Callable[[], float] = time.time
    sleep: Callable[[float], object] = time.sleep
    asleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    def __call__(self) -> float:
        return self.now()

    @classmethod
    def of(cls, clock: Callable[[], float]) -> Clock:
        """``clock`` as a :class:`Clock`: its own ``sleep`` and ``asleep`` where it has them, else the real ones."""
        if isinstance(clock, cls):
            return clock
        return cls(clock, getattr(clock, "sleep", time.sleep), getattr(clock, "asleep", asyncio.sleep))
