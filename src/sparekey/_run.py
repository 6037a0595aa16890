"""The engine: one request walking down its candidates.

Ask ``next``, make the call, report ``failed`` or ``succeeded``, ask again. No I/O, no clock and
no await: the caller does those and says what time it is, so the same object serves the sync
and the async driver, and a host (LiteLLM's router) that picks in one hook and hears the outcome
in another.

Order of preference among candidates not yet tried in this request:

    0  ready
    3  cooling for a transient reason: one such candidate, the soonest to recover, as a last resort
    4  cooling for anything else: never

The ranks between are reserved for what the policy learns about recovery and sick endpoints.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple, Protocol, TypeAlias

from sparekey._cooldown import Opened, Record
from sparekey._policy import Action, Policy
from sparekey._secrets import scrub_error
from sparekey._types import Attempt, Candidate, Classify, Reason, Scope, Verdict
from sparekey.errors import AttemptTimeoutError, CoolingError, FallbackExhaustedError, duration

_TRANSIENT = frozenset({Reason.OVERLOADED, Reason.TIMEOUT, Reason.SERVER_ERROR, Reason.NETWORK})

OnAttempt: TypeAlias = Callable[[Attempt], object]


class Memory(Protocol):
    """What the engine needs of a tracker."""

    @property
    def records(self) -> Mapping[str, Record]: ...

    def open(
        self, key: str, reason: Reason, policy: Policy, *, now: float, started_at: float, retry_after: float | None
    ) -> Opened: ...

    def clear(self, keys: Iterable[str], started_at: float) -> None: ...


Skip: TypeAlias = tuple[Candidate, Record | None, float]
"""A candidate passed over, what cools it (None when its model is of no use to this request), and when.

A bare tuple, turned into an :class:`Attempt` only when somebody reads the attempts: with a
thousand candidates cooling, this is what passing one over costs.
"""


class Limit(NamedTuple):
    """How long one attempt may take."""

    seconds: float
    by_deadline: bool
    """Whether it is the caller's deadline that ends it, and not the attempt's own timeout."""


class Run:
    """One request's walk. Not thread-safe: a request belongs to one thread or task."""

    __slots__ = (
        "_candidates",
        "_classify",
        "_closed",
        "_current",
        "_cursor",
        "_deadline_at",
        "_late",
        "_log",
        "_memory",
        "_on_attempt",
        "_passed",
        "_policy",
        "_records",
        "_resorted",
        "_soonest",
        "_started_at",
        "_taken",
        "last_error",
    )

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
        self._log: list[Attempt | Skip] = []
        self._passed: list[Skip] = []
        self._soonest = math.inf
        self._closed: set[tuple[str, str, str]] = set()
        self._taken: set[Candidate] = set()
        self._resorted = False
        self._late = False
        self.last_error: BaseException | None = None

    # -- asking ---------------------------------------------------------------------------

    def next(self, now: float) -> Candidate | None:
        """The candidate to try now; None when nobody is left or the deadline is spent."""
        self._current = None
        if self._deadline_at is not None and (self._late or now >= self._deadline_at):
            self._late = True
            return None
        if now >= self._soonest and (recovered := self._recovered(now)) is not None:
            return self._begin(recovered, now)
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
            if worst is None and not (self._closed and _model(candidate) in self._closed):
                return self._begin(candidate, now)
            self._pass_over(candidate, worst, now)
        return self._last_resort(now)

    def ready(self, now: float) -> list[Candidate]:
        """Everybody who may be tried now and was not yet, for a host with a choice of its own among them."""
        if self._deadline_at is not None and (self._late or now >= self._deadline_at):
            return []
        untried = [*self._candidates[self._cursor :], *(skip[0] for skip in self._passed)]
        return [
            candidate
            for candidate in untried
            if candidate not in self._taken
            and _model(candidate) not in self._closed
            and self._cools_until(candidate, now) is None
        ]

    def take(self, candidate: Candidate, now: float) -> Candidate:
        """The host chose ``candidate``: its attempt begins."""
        self._taken.add(candidate)
        self._passed = [skip for skip in self._passed if skip[0] != candidate]
        return self._begin(candidate, now)

    def limit(self) -> Limit | None:
        """How long the attempt under way may take; None when nothing limits it."""
        own = self._current.timeout if self._current is not None else None
        cap = self._policy.attempt_timeout if own is None else own
        if self._deadline_at is None:
            return None if cap is None else Limit(cap, by_deadline=False)
        left = max(0.0, self._deadline_at - self._started_at)
        return Limit(left, by_deadline=True) if cap is None or left <= cap else Limit(cap, by_deadline=False)

    # -- reporting ------------------------------------------------------------------------

    def succeeded(self, now: float) -> None:
        """The attempt under way answered: all that cooled its candidate is forgiven."""
        candidate = self._current
        assert candidate is not None, "succeeded() before next()"
        if self._records:
            started_at = self._started_at if self._policy.incident_once else now
            self._memory.clear(candidate.scopes, started_at)
        if self._on_attempt is not None:
            self._on_attempt(Attempt(candidate, duration=max(0.0, now - self._started_at)))

    def failed(self, error: Exception, now: float) -> BaseException | None:
        """The attempt under way raised ``error``. Returns what to raise, or None to go on with ``next``."""
        candidate = self._current
        assert candidate is not None, "failed() before next()"
        verdict = self._classify(error)
        clean = scrub_error(error)
        self.last_error = clean
        if self._is_the_callers(error, verdict, now):
            self._late = True
            self._note(Attempt(candidate, clean, Reason.TIMEOUT, max(0.0, now - self._started_at)))
            return None
        action, attempt = self._judge(candidate, clean, verdict, now)
        self._note(attempt)
        if action is Action.STOP:
            _explain(clean, candidate, attempt.reason, "so no other candidate was tried")
            return clean
        if action is Action.NEXT_MODEL:
            self._closed.add(_model(candidate))
        return None

    def broke(self, candidate: Candidate, started_at: float, error: Exception, now: float) -> BaseException:
        """A stream that had committed raised ``error``: record it; there is no going back to another candidate."""
        self._current, self._started_at = candidate, started_at
        verdict = self._classify(error)
        clean = scrub_error(error)
        _, attempt = self._judge(candidate, clean, verdict, now)
        self._note(attempt)
        _explain(clean, candidate, attempt.reason, "its stream had begun, so no other candidate could take over")
        return clean

    # -- telling --------------------------------------------------------------------------

    @property
    def started_at(self) -> float:
        """When the attempt under way began, in epoch seconds."""
        return self._started_at

    def attempts(self) -> list[Attempt]:
        """Failures and skips so far, oldest first."""
        return _told(self._log)

    def exhausted(self, now: float) -> FallbackExhaustedError:
        """The error that says what was tried, and when to come back."""
        log = tuple(self._log)
        retry_at = None
        if self._policy.remembers:
            ends = (self._cools_until(candidate, now) for candidate in self._candidates)
            retry_at = min((end for end in ends if end is not None), default=None)
        return FallbackExhaustedError(
            lambda: _told(log),
            retry_at=retry_at,
            retry_after=None if retry_at is None else max(0.0, retry_at - now),
            because=self._because(),
        )

    # -- inside ---------------------------------------------------------------------------

    def _begin(self, candidate: Candidate, now: float) -> Candidate:
        self._current, self._started_at = candidate, now
        return candidate

    def _note(self, entry: Attempt | Skip) -> None:
        self._log.append(entry)
        if self._on_attempt is not None:
            self._on_attempt(entry if isinstance(entry, Attempt) else _skipped(entry))

    def _pass_over(self, candidate: Candidate, record: Record | None, now: float) -> None:
        skip = (candidate, record, now)
        if record is not None:
            self._passed.append(skip)
            if record.until < self._soonest and self._policy.last_resort:
                self._soonest = record.until
        self._note(skip)

    def _recovered(self, now: float) -> Candidate | None:
        """The first passed-over candidate whose cooldown has ended meanwhile."""
        for i, (candidate, _, _) in enumerate(self._passed):
            if self._cools_until(candidate, now) is None and _model(candidate) not in self._closed:
                del self._passed[i]
                return candidate
        ends = (self._cools_until(candidate, now) for candidate, _, _ in self._passed)
        self._soonest = min((end for end in ends if end is not None), default=math.inf)
        return None

    def _last_resort(self, now: float) -> Candidate | None:
        if not self._policy.last_resort or not self._passed:
            return None
        if (recovered := self._recovered(now)) is not None:
            return self._begin(recovered, now)
        if self._resorted:
            return None
        best: tuple[float, int] | None = None
        for i, (candidate, _, _) in enumerate(self._passed):
            until = self._transient_until(candidate, now)
            if until is not None and _model(candidate) not in self._closed and (best is None or until < best[0]):
                best = until, i
        if best is None:
            return None
        self._resorted = True
        return self._begin(self._passed.pop(best[1])[0], now)

    def _cools_until(self, candidate: Candidate, now: float) -> float | None:
        records = self._memory.records
        until = max((records[key].until for key in candidate.scopes if key in records), default=-math.inf)
        return until if until > now else None

    def _transient_until(self, candidate: Candidate, now: float) -> float | None:
        """When it recovers, if all that cools it is transient: nobody said it would not answer."""
        until = None
        for key in candidate.scopes:
            record = self._memory.records.get(key)
            for reason, mark in record.live.items() if record is not None else ():
                if mark.until <= now:
                    continue
                if reason not in _TRANSIENT and not (reason is Reason.RATE_LIMIT and not mark.hinted):
                    return None
                until = mark.until if until is None else max(until, mark.until)
        return until

    def _judge(
        self, candidate: Candidate, error: BaseException, verdict: Verdict | None, now: float
    ) -> tuple[Action, Attempt]:
        """What the failure does to the walk, and the record of it; what is to cool is cooled here."""
        took = max(0.0, now - self._started_at)
        if verdict is None:
            return self._policy.unclassified, Attempt(candidate, error, None, took)
        rule = self._policy.rule(verdict.reason)
        reason = rule.reads_as or verdict.reason
        plain = Attempt(candidate, error, reason, took)
        if rule.action is Action.STOP:
            return Action.STOP, plain
        if self._policy.believes_provider and verdict.reason in _ANOTHER_KEY and not verdict.other_key_helps:
            # The table says another key may help, the provider that none can: it is not this key's fault.
            return Action.NEXT_MODEL, plain
        if rule.ladder is None or not self._policy.remembers:
            return rule.action, plain
        scope = _scope(candidate, rule.scope)
        opened = self._memory.open(
            candidate.scope_id(scope),
            reason,
            self._policy,
            now=now,
            started_at=self._started_at,
            retry_after=verdict.retry_after,
        )
        source: Literal["provider", "ladder"] = "provider" if opened.hinted else "ladder"
        cooldown = max(0.0, opened.until - now)
        return rule.action, replace(plain, scope=scope, cooldown=cooldown, cooldown_from=source)

    def _is_the_callers(self, error: Exception, verdict: Verdict | None, now: float) -> bool:
        """Whether this is the caller's own deadline running out, for which no candidate is to blame."""
        if self._deadline_at is None:
            return False
        if isinstance(error, AttemptTimeoutError):
            return error.by_deadline
        # A client that was handed time_left() gives up a little before or after; a provider's 408 has a status.
        gave_up = verdict is not None and verdict.reason is Reason.TIMEOUT and verdict.status is None
        slack = max(0.05, 0.02 * (self._deadline_at - self._started_at))
        return gave_up and now >= self._deadline_at - slack

    def _because(self) -> str:
        tried = sum(isinstance(entry, Attempt) for entry in self._log)
        if self._late:
            return f"the deadline was spent after {tried} attempt{'' if tried == 1 else 's'}"
        skipped = len({entry[0] for entry in self._log if not isinstance(entry, Attempt)})
        if not tried:
            return f"all {skipped} candidates are cooling down"
        return f"all {len(self._candidates)} candidates failed" + (
            f", {skipped} of them before this request" if skipped else ""
        )


_ANOTHER_KEY = frozenset({Reason.AUTH, Reason.BILLING, Reason.RATE_LIMIT, Reason.MODEL_NOT_FOUND})
"""Reasons that other keys of a model usually survive, so that a verdict to the contrary is worth heeding."""


def _model(candidate: Candidate) -> tuple[str, str, str]:
    return candidate.provider.lower(), candidate.endpoint, candidate.model.lower()


def _scope(candidate: Candidate, scope: Scope) -> Scope:
    """The scope that is really cooled: without an account, or a credential, it is the candidate alone."""
    if (scope is Scope.ACCOUNT and not candidate.account) or (scope is Scope.CREDENTIAL and not candidate.credential):
        return Scope.CANDIDATE
    return scope


def _told(log: Iterable[Attempt | Skip]) -> list[Attempt]:
    return [entry if isinstance(entry, Attempt) else _skipped(entry) for entry in log]


def _skipped(skip: Skip) -> Attempt:
    candidate, record, now = skip
    if record is None or record.reason is None:
        nobody = CoolingError("passed over: no key of this model can serve the request")
        return Attempt(candidate, nobody, None, 0.0, True)
    left = record.until - now
    text = f"cooling down for {record.reason.value}, {duration(left)} remaining"
    source: Literal["provider", "ladder"] = "provider" if record.live[record.reason].hinted else "ladder"
    return Attempt(candidate, CoolingError(text), record.reason, 0.0, True, None, left, source)


def _explain(error: BaseException, candidate: Candidate, reason: Reason | None, more: str) -> None:
    what = f"read as {reason.value}" if reason else "nothing is known of this error"
    error.add_note(f"sparekey: raised by {candidate}; {what}; {more}")
