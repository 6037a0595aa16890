"""The candidates a request has passed over, and who of them gets another look."""

from __future__ import annotations

import math
from collections.abc import Iterable

from sparekey._log import Skip
from sparekey._memory import Memory
from sparekey._policy import Policy
from sparekey._rank import COOLING, PASSING, READY, standing
from sparekey._types import Candidate

_SLEEPS_SHORT = 0.05
"""Seconds a sleep may end early by the clock; the request that waited is not failed for them."""


class Bench:
    """Made when the first candidate is passed over: most requests never need one."""

    __slots__ = ("_closed", "_memory", "_policy", "_wait_left", "passed", "put_off", "resorted", "soonest")

    def __init__(self, memory: Memory, policy: Policy, closed: set[str]) -> None:
        self._memory = memory
        self._policy = policy
        self._closed = closed
        self._wait_left = policy.max_wait
        self.resorted = False
        """Whether the request's one last resort was taken."""
        self.passed: list[Candidate] = []
        self.soonest = math.inf
        """When it is worth looking again, in epoch seconds."""
        self.put_off: dict[Candidate, Skip] = {}
        """Those that are only put last. They count as skipped when the request ends without them."""

    def add(self, candidate: Candidate, until: float) -> None:
        """Pass ``candidate`` over; ``until`` is when its standing changes by itself."""
        self.passed.append(candidate)
        if until < self.soonest and self._policy.revisits:
            self.soonest = until

    def remove(self, candidate: Candidate) -> None:
        """The host took it."""
        self.passed = [passed for passed in self.passed if passed != candidate]
        self.put_off.pop(candidate, None)

    def recovered(self, now: float) -> Candidate | None:
        """The first that is ready meanwhile."""
        self.soonest = math.inf
        for i, candidate in enumerate(self.passed):
            found = standing(candidate, self._memory, now)
            if found.rank == READY and candidate.group not in self._closed:
                self.soonest = now  # there may be others
                return self._pick(i)
            if now < found.until < self.soonest:
                self.soonest = found.until
        return None

    def best(self, now: float) -> Candidate | None:
        """The best that nothing cools, and failing that, once a request, one that cools for a passing reason.

        Call :meth:`pause` before taking the second kind: waiting goes first.
        """
        best = self._best(now)
        if best is None or best[0] == COOLING:
            return None
        if best[0] == PASSING:
            if self.resorted or not self._policy.last_resort:
                return None
            self.resorted = True
        return self._pick(best[2])

    def pause(self, candidates: Iterable[Candidate], tried: Iterable[Candidate], now: float, ends: float) -> float:
        """Seconds to wait for somebody to recover, within the policy's ``max_wait`` and before ``ends``; 0 for none.

        Those tried before get another turn after it.
        """
        best = self._best(now)
        if self._policy.max_wait <= 0 or (best is not None and best[0] < PASSING):
            return 0.0
        pool = {*self.passed, *tried}
        cooling = [c for c in candidates if c in pool and c.group not in self._closed]
        cooling = [c for c in cooling if standing(c, self._memory, now).rank >= PASSING]
        soonest = soonest_recovery(cooling, self._memory, now)
        if soonest - now > self._wait_left + _SLEEPS_SHORT or soonest >= ends:
            return 0.0
        self._wait_left -= soonest - now
        self.passed, self.soonest = cooling, soonest
        return soonest - now

    def _best(self, now: float) -> tuple[int, float, int] | None:
        best: tuple[int, float, int] | None = None
        for i, candidate in enumerate(self.passed):
            if candidate.group not in self._closed:
                rank, until, _ = standing(candidate, self._memory, now)
                found = rank, until if rank == PASSING else 0.0, i
                best = found if best is None else min(best, found)
        return best

    def _pick(self, i: int) -> Candidate:
        candidate = self.passed.pop(i)
        self.put_off.pop(candidate, None)
        return candidate


def soonest_recovery(candidates: Iterable[Candidate], memory: Memory, now: float) -> float:
    """When the first of those that cool is available again, in epoch seconds; infinity when none does."""
    standings = (standing(candidate, memory, now) for candidate in candidates)
    return min((found.until for found in standings if found.rank >= PASSING), default=math.inf)
