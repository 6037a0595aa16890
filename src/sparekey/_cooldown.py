"""The memory of one record, as pure functions of it and ``now``.

A record belongs to one scope: a candidate, a credential, an account. It holds the instant up
to which all is forgiven and, for each reason, one value of when a cooldown for it last opened,
until when it lasts and how many failures led to it. Both only ever grow, so two processes'
copies of a record merge by taking the greater of each, in any order, with repeats and losses.

    cleared_at      the latest start of a success, or a reset
    marks[reason]   (opened_at, until, failures, …), compared in that order

A mark opened at or before ``cleared_at`` is void when read, and so an opening is placed
strictly after it. Reasons that share a ladder are counted together; each keeps its own mark,
so that a skip can say why, and a billing cooldown outlives a late 429.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from sparekey._policy import Ladder, Policy
from sparekey._types import Reason


class Mark(NamedTuple):
    """One reason's cooldown in a record; times in epoch seconds."""

    opened_at: float
    until: float
    failures: int
    hinted: bool = False
    """Whether the provider named the time. Compared after the three, which is what decides a merge."""
    step: int = 1
    """How far up its ladder it opened, other reasons' steps on the same ladder included."""


class Record:
    """Immutable; every change makes another."""

    __slots__ = ("cleared_at", "hinted", "live", "marks", "reason", "until")

    cleared_at: float
    marks: Mapping[Reason, Mark]
    live: Mapping[Reason, Mark]
    """The marks that are not void."""
    until: float
    """When the last of the live cooldowns ends; minus infinity when there is none."""
    reason: Reason | None
    """What that one is for."""
    hinted: bool
    """Whether the provider named its end."""

    def __init__(self, cleared_at: float = -math.inf, marks: Mapping[Reason, Mark] | None = None) -> None:
        self.cleared_at = cleared_at
        self.marks = marks or {}
        self.live = {reason: mark for reason, mark in self.marks.items() if mark.opened_at > cleared_at}
        self.until, self.reason, self.hinted = -math.inf, None, False
        for reason, mark in self.live.items():
            if mark.until > self.until:
                self.until, self.reason, self.hinted = mark.until, reason, mark.hinted

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and (other.cleared_at, other.marks) == (self.cleared_at, self.marks)

    __hash__ = None  # type: ignore[assignment]  # it holds a dict; nothing keeps records in sets

    def __repr__(self) -> str:
        return f"Record(cleared_at={self.cleared_at!r}, marks={dict(self.marks)!r})"


NOTHING = Record()


class Opened(NamedTuple):
    """What a failure did to a record."""

    record: Record
    until: float
    """When the cooldown it belongs to ends, in epoch seconds."""
    hinted: bool
    """Whether the provider named that time."""


def after_failure(
    record: Record,
    reason: Reason,
    policy: Policy,
    *,
    now: float,
    started_at: float | None = None,
    retry_after: float | None = None,
) -> Opened:
    """``record`` after a call begun at ``started_at`` failed at ``now``.

    ``started_at=None`` is a failure that stands for itself and always counts. A reason without a
    ladder changes nothing.
    """
    ladder = policy.rule(reason).ladder
    if ladder is None:
        return Opened(record, record.until, hinted=False)
    hint = _hint(retry_after, policy)
    if policy.incident_once and started_at is not None:
        late = _latest(record, ladder, policy)
        # Equal counts as before: nobody picks a candidate in the instant it cools, so the two were under way together.
        # Placed after what a clock ahead of ours forgave, a cooldown may end before it opens; then its end counts.
        if late is not None and started_at <= min(record.live[late].opened_at, record.live[late].until):
            return _lengthen(record, late, now, hint)

    newest = max((mark.opened_at for mark in record.live.values()), default=-math.inf)
    if now - newest > policy.forget_after:
        record = Record(max(record.cleared_at, newest), record.marks)
    if ladder.counts_all:
        n = sum(mark.failures for mark in record.live.values())
    else:
        n = max((mark.step for r, mark in record.live.items() if _shares(r, ladder, policy)), default=0)
    until = now + (ladder.seconds(n) if hint is None else hint)
    opened_at = now if now > record.cleared_at else math.nextafter(record.cleared_at, math.inf)
    before = record.live.get(reason)
    failures = 1 if before is None else before.failures + 1
    mark = Mark(opened_at, until, failures, hint is not None, n + 1)
    if before is not None and before >= mark:
        # The clock stood still or went back; the mark must still win a merge with its older self.
        mark = mark._replace(opened_at=math.nextafter(before.opened_at, math.inf))
    marks = {**record.marks, reason: mark}
    return Opened(Record(record.cleared_at, marks), until, hint is not None)


def after_success(record: Record, started_at: float | None, now: float) -> Record:
    """``record`` after a call begun at ``started_at`` succeeded: what opened later is not forgiven.

    ``started_at=None`` is a success that stands for itself and forgives everything.
    """
    if started_at is None:
        started_at = max((now, *(mark.opened_at for mark in record.live.values())))
    return record if started_at <= record.cleared_at else Record(started_at, record.marks)


def merged(one: Record, other: Record) -> Record:
    """The join of two copies of a record: associative, commutative, idempotent."""
    marks = dict(one.marks)
    for reason, mark in other.marks.items():
        marks[reason] = max(marks.get(reason, mark), mark)
    return Record(max(one.cleared_at, other.cleared_at), marks)


def _hint(retry_after: float | None, policy: Policy) -> float | None:
    if retry_after is None or not policy.believes_provider or not math.isfinite(retry_after):
        return None
    return min(max(retry_after, policy.hint_floor), policy.hint_cap)


def _shares(reason: Reason, ladder: Ladder, policy: Policy) -> bool:
    own = policy.rule(reason).ladder
    return own is not None and own.name == ladder.name


def _latest(record: Record, ladder: Ladder, policy: Policy) -> Reason | None:
    """The reason on ``ladder`` whose live cooldown opened last."""
    mine = [reason for reason in record.live if _shares(reason, ladder, policy)]
    return max(mine, key=lambda reason: record.live[reason].opened_at, default=None)


def _lengthen(record: Record, reason: Reason, now: float, hint: float | None) -> Opened:
    mark = record.live[reason]
    if hint is None or now + hint <= mark.until:
        return Opened(record, mark.until, mark.hinted)
    marks = {**record.marks, reason: mark._replace(until=now + hint, hinted=True)}
    return Opened(Record(record.cleared_at, marks), now + hint, hinted=True)
