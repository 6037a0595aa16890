"""The engine: one request walking down its candidates.

Ask ``next``, make the call, report ``failed`` or ``succeeded``, ask again. No I/O, no clock and
no await: the caller does those and says what time it is, so the same object serves the sync
and the async driver, and a host (LiteLLM's router) that picks in one hook and hears the outcome
in another.

The candidates are walked in order and the first that is ready is tried. Who is not is passed
over; when the walk is at its end, the best of those is looked for, by rank (:mod:`sparekey._rank`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from sparekey._bench import Bench, soonest_recovery
from sparekey._cooldown import Record
from sparekey._judge import judge, sickened
from sparekey._limits import Limit, is_the_callers, limit_of
from sparekey._log import Entry, Skip, Why, exhausted, explain, skipped, told
from sparekey._memory import Memory
from sparekey._policy import Action, Policy
from sparekey._rank import PASSING, PROBED, READY, SICK, Standing, recovering_keys, standing
from sparekey._secrets import scrub_error
from sparekey._types import Attempt, Candidate, Classify, Reason, Verdict
from sparekey.errors import FallbackExhaustedError

OnAttempt: TypeAlias = Callable[[Attempt], object]

_PROBE_SECONDS = 30.0
"""How long a probe is claimed for at most, where nothing limits the attempt."""


class Walk:
    """One request's walk. Not thread-safe: a request belongs to one thread or task."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        memory: Memory,
        policy: Policy,
        classify: Classify,
        *,
        deadline_at: float | None = None,
        on_attempt: OnAttempt | None = None,
    ) -> None:
        self._candidates = candidates
        self._memory = memory
        self._records: Mapping[str, Record] = memory.records if policy.remembers else {}
        self._policy = policy
        self._classify = classify
        self._deadline_at = deadline_at
        self._on_attempt = on_attempt
        self._cursor = 0
        self._current: Candidate | None = None
        self._started_at = 0.0
        self._log: list[Entry] = []
        self._bench: Bench | None = None
        self._tried: list[Candidate] = []
        self._closed: set[str] = set()
        self._taken: set[Candidate] = set()
        self._claimed: list[str] = []
        self._claimed_until = 0.0
        self._began_at: float | None = None
        self._before: tuple[Reason, Candidate] | None = None
        self._late = False
        self.keeps: object = None
        """Whatever has to live as long as the walk, such as the model list its candidates are of."""
        self.pause = 0.0
        """Seconds to wait before asking ``next`` again, when it returned None; 0 when nobody is left."""
        self.last_error: BaseException | None = None

    # -- asking ---------------------------------------------------------------------------

    def next(self, now: float) -> Candidate | None:
        """The candidate to try now; None when one has to wait (:attr:`pause`), or nobody is left."""
        self._current, self.pause = None, 0.0
        if self._deadline_at is not None and (self._late or now >= self._deadline_at):
            self._late = True
            return None
        bench = self._bench
        if bench is not None and now >= bench.soonest and (recovered := bench.recovered(now)) is not None:
            return self._begin_from_bench(recovered, now)
        candidates, records = self._candidates, self._records
        while self._cursor < len(candidates):
            candidate = candidates[self._cursor]
            self._cursor += 1
            if self._taken and candidate in self._taken:
                continue
            worst: Record | None = None
            if records:
                for key in candidate.scopes:
                    record = records.get(key)
                    if record is not None and record.until > now and (worst is None or record.until > worst.until):
                        worst = record
            if worst is not None:
                self._bench_of().add(candidate, worst.until)
                self._note((candidate, worst, worst.until, now))
            elif self._may_begin(candidate, now):
                return self._begin(candidate, now)
        return self._second_look(now)

    def wait(self, now: float) -> float:
        """Seconds worth waiting for somebody to recover, within the policy's ``max_wait``; 0 when nobody does.

        Who was tried before may be tried again after it.
        """
        if not self._policy.max_wait:
            return 0.0
        ends = math.inf if self._deadline_at is None else self._deadline_at
        pause = self._bench_of().pause(self._candidates, self._tried, now, ends)
        if pause:
            self._tried, self._taken = [], set()
        return pause

    def limit(self) -> Limit | None:
        """How long the attempt under way may take; None when nothing limits it."""
        assert self._current is not None, "limit() before next()"
        return limit_of(self._current, self._policy, self._started_at, self._deadline_at)

    # -- reporting ------------------------------------------------------------------------

    def succeeded(self, now: float) -> None:
        """The attempt under way answered: all that cooled its candidate, or its endpoint, is forgiven."""
        candidate = self._current
        assert candidate is not None, "succeeded() before next()"
        if self._records:
            started_at = self._started_at if self._policy.incident_once else None
            self._memory.clear((*candidate.scopes, *candidate.endpoints), started_at, now)
            self.abandoned()
        self._note_put_off()
        if self._on_attempt is not None:
            self._on_attempt(Attempt(candidate, duration=max(0.0, now - self._started_at)))

    def failed(self, error: Exception, now: float) -> BaseException | None:
        """The attempt under way raised ``error``. Returns what to raise, or None to go on with ``next``."""
        candidate = self._current
        assert candidate is not None, "failed() before next()"
        clean, verdict = self._read(error)
        self.last_error = clean
        if is_the_callers(error, verdict, self.limit(), self._deadline_at, now):
            self._late = True
            self.abandoned()
            self._note(Attempt(candidate, clean, Reason.TIMEOUT, max(0.0, now - self._started_at)))
            return None
        action, attempt = self._judge(candidate, clean, verdict, now)
        self._suspect_endpoint(candidate, attempt, now)
        if action is Action.STOP:
            self._note_put_off()
            explain(clean, candidate, attempt.reason, "so no other candidate was tried")
            return clean
        if action is Action.NEXT_MODEL:
            self._closed.add(candidate.group)
        return None

    def broke(self, candidate: Candidate, started_at: float, error: Exception, now: float) -> BaseException:
        """A stream that had committed raised ``error``: record it; there is no going back to another candidate."""
        self._current, self._started_at = candidate, started_at
        clean, verdict = self._read(error)
        if is_the_callers(error, verdict, self.limit(), self._deadline_at, now):
            return clean
        _, attempt = self._judge(candidate, clean, verdict, now)
        explain(clean, candidate, attempt.reason, "its stream had begun, so no other candidate could take over")
        return clean

    def abandoned(self) -> None:
        """The attempt under way has no outcome, because its caller went away: nobody is blamed."""
        if self._claimed:
            self._memory.release(self._claimed, self._claimed_until)
            self._claimed = []

    # -- telling --------------------------------------------------------------------------

    @property
    def candidates(self) -> Sequence[Candidate]:
        """Everybody, in the order of the selection."""
        return self._candidates

    @property
    def started_at(self) -> float:
        """When the attempt under way began, in epoch seconds."""
        return self._started_at

    def attempts(self) -> list[Attempt]:
        """Failures and skips so far, oldest first."""
        return told((*self._log, *self._put_off()))

    def exhausted(self, now: float) -> FallbackExhaustedError:
        """The error that says what was tried, and when to come back."""
        self._note_put_off()
        return exhausted(self._log, len(self._candidates), self._ready_at(now), now, late=self._late)

    # -- inside ---------------------------------------------------------------------------

    def _may_begin(self, candidate: Candidate, now: float) -> bool:
        """Whether a candidate that nothing cools is to be tried at once; if not, it is passed over."""
        if self._closed and candidate.group in self._closed:
            self._note((candidate, Why.USELESS, now, now))
            return False
        if not self._policy.remembers:
            return True
        if not self._records and candidate.rpm is None and self._policy.selection != "least_recently_used":
            return True  # what nearly every request of a healthy program takes
        found = standing(candidate, self._memory, now)
        if found.rank == READY:
            found = self._secure(candidate, now)
        if found.rank == READY:
            return True
        bench = self._bench_of()
        bench.add(candidate, found.until)
        skip = (candidate, why_passed(found), found.until, now)
        if found.rank in (PROBED, SICK):
            bench.put_off[candidate] = skip
        else:
            self._note(skip)
        return False

    def _secure(self, candidate: Candidate, now: float, *, forced: bool = False) -> Standing:
        """Take what the attempt needs, its probe and its place in the budget; somebody may be quicker."""
        self._current, self._started_at = candidate, now
        if self._records and self._policy.half_open and (keys := recovering_keys(candidate, self._memory, now)):
            limit = self.limit()
            until = now + (limit.seconds if limit else _PROBE_SECONDS)
            if self._memory.claim(keys, now, until):
                self._claimed, self._claimed_until = keys, until
            elif not forced:
                return Standing(PROBED, until)
        if candidate.rpm is not None or self._policy.selection == "least_recently_used":
            room_at = self._memory.spend(candidate, now, forced=forced)
            if room_at is not None and not forced:
                self.abandoned()
                return Standing(PASSING, room_at)
        return Standing(READY)

    def _begin(self, candidate: Candidate, now: float) -> Candidate:
        self._current, self._started_at = candidate, now
        if self._began_at is None:
            self._began_at = now
        self._tried.append(candidate)
        return candidate

    def _begin_from_bench(self, candidate: Candidate, now: float) -> Candidate:
        if self._policy.remembers:
            self._secure(candidate, now, forced=True)
        return self._begin(candidate, now)

    def _note(self, entry: Entry) -> None:
        self._log.append(entry)
        if self._on_attempt is not None:
            self._on_attempt(entry if isinstance(entry, Attempt) else skipped(entry))

    def _bench_of(self) -> Bench:
        if self._bench is None:
            self._bench = Bench(self._memory, self._policy, self._closed)
        return self._bench

    def _put_off(self) -> Sequence[Skip]:
        return () if self._bench is None else tuple(self._bench.put_off.values())

    def _note_put_off(self) -> None:
        """The request ends without those who were only put last: they were skipped."""
        for skip in self._put_off():
            self._note(skip)
        if self._bench is not None:
            self._bench.put_off.clear()

    def _second_look(self, now: float) -> Candidate | None:
        """At the end of the walk: the best of who was passed over, unless it is better to wait."""
        self.pause = self.wait(now)
        if self.pause or self._bench is None or not self._policy.revisits:
            return None
        best = self._bench.best(now)
        return None if best is None else self._begin_from_bench(best, now)

    def _ready_at(self, now: float) -> float:
        """When somebody will be worth trying again, in epoch seconds; infinity when nobody knows."""
        if not self._policy.remembers:
            return math.inf
        if self._late and any(standing(c, self._memory, now).rank < PASSING for c in self._untried()):
            return now  # the deadline came before their turn did
        return soonest_recovery(self._candidates, self._memory, now)

    def _untried(self) -> list[Candidate]:
        tried = {entry.candidate for entry in self._log if isinstance(entry, Attempt)}
        return [c for c in self._candidates if c not in tried and c.group not in self._closed]

    def _read(self, error: Exception) -> tuple[BaseException, Verdict | None]:
        """The error without keys, and what it says; cleaned first, so that a classifier that fails shows none."""
        clean = scrub_error(error)
        try:
            verdict = self._classify(error)
        except BaseException:
            self.abandoned()
            raise
        # Reason(...) because a user's classifier may say it as text.
        return clean, verdict and replace(verdict, reason=Reason(verdict.reason))

    def _judge(
        self, candidate: Candidate, error: BaseException, verdict: Verdict | None, now: float
    ) -> tuple[Action, Attempt]:
        action, attempt = judge(
            verdict, candidate, error, self._policy, self._memory, started_at=self._started_at, now=now
        )
        self.abandoned()
        self._note(attempt)
        return action, attempt

    def _suspect_endpoint(self, candidate: Candidate, attempt: Attempt, now: float) -> None:
        if attempt.cooldown is None or attempt.reason is None or not self._policy.spares_sick_endpoints:
            return
        sick = sickened(attempt.reason, candidate, self._before)
        self._before = attempt.reason, candidate
        if sick is not None:
            # One request is one witness: however many keys it loses there, the endpoint's ladder takes one step.
            began = self._began_at if self._began_at is not None else self._started_at
            self._memory.open(sick, attempt.reason, self._policy, now=now, started_at=began, retry_after=None)


def why_passed(found: Standing) -> Record | Why:
    """What its skip is told as."""
    return found.record or (Why.PROBED if found.rank == PROBED else Why.BUDGET)
