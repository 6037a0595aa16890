"""A walk whose host may pick: it is told who may be tried, and says whom it took.

LiteLLM's router is such a host. It knows tags, teams, weights and more, so it chooses among equals, and
the walk keeps the score.
"""

from __future__ import annotations

from sparekey._log import Why
from sparekey._rank import COOLING, PASSING, READY, standing
from sparekey._types import Candidate
from sparekey._walk import Walk, why_passed


class Run(Walk):
    """One request's walk. Ask :meth:`next` whose turn it is; or :meth:`rank` each, and say whom you :meth:`take`."""

    def rank(self, candidate: Candidate, now: float) -> int | None:
        """How gladly ``candidate`` is tried now, 0 first, for a host that picks one of equals; None: not at all."""
        if self._deadline_at is not None and (self._late or now >= self._deadline_at):
            self._late = True
            return None
        if candidate in self._taken or candidate.group in self._closed:
            return None
        rank = standing(candidate, self._memory, now).rank
        resorted = self._bench is not None and self._bench.resorted
        if rank == COOLING or (rank == PASSING and (resorted or not self._policy.last_resort)):
            return None
        return rank

    def pass_over(self, candidate: Candidate, now: float) -> None:
        """The host leaves out ``candidate``, which was not tried: its skip is noted, with what cools it."""
        found = standing(candidate, self._memory, now)
        self._bench_of().add(candidate, found.until)
        useless = found.rank == READY or candidate.group in self._closed
        self._note((candidate, Why.USELESS if useless else why_passed(found), found.until, now))

    def take(self, candidate: Candidate, now: float) -> Candidate:
        """The host chose ``candidate``: its attempt begins."""
        self._taken.add(candidate)
        if standing(candidate, self._memory, now).rank == PASSING:
            self._bench_of().resorted = True
        if self._bench is not None:
            self._bench.remove(candidate)
        return self._begin_from_bench(candidate, now)
