"""Who may be tried now, and who had better wait: pure readings of the memory.

0  ready
1  recovering, its probe taken by another request
2  its endpoint is sick
3  cooling for a transient reason, or its own budget is spent
4  cooling for anything else
"""

from __future__ import annotations

import math
from typing import NamedTuple

from sparekey._cooldown import Record
from sparekey._memory import Memory
from sparekey._types import Candidate, Reason

READY, PROBED, SICK, PASSING, COOLING = range(5)

TRANSIENT = frozenset({Reason.OVERLOADED, Reason.TIMEOUT, Reason.SERVER_ERROR, Reason.NETWORK})


class Standing(NamedTuple):
    """Where one candidate stands at one moment."""

    rank: int
    until: float = -math.inf
    """When that ends, in epoch seconds, where it is a matter of time."""
    record: Record | None = None
    """What cools it; None for a budget that is spent."""


_READY = Standing(READY)


def standing(candidate: Candidate, memory: Memory, now: float) -> Standing:
    """The rank of ``candidate``, with until when and why."""
    records = memory.records
    if not records and candidate.rpm is None:
        return _READY  # as in nearly every request of a healthy program
    worst: Record | None = None
    recovering = False
    for key in candidate.scopes:
        record = records.get(key)
        if record is None:
            continue
        if record.until > now:
            if worst is None or record.until > worst.until:
                worst = record
        elif record.live:
            recovering = True
    if worst is not None:
        return Standing(PASSING if _passing(candidate, memory, now) else COOLING, worst.until, worst)
    if candidate.rpm is not None and (room_at := memory.saturated_until(candidate, now)) is not None:
        return Standing(PASSING, room_at)
    for key in candidate.endpoints:
        record = records.get(key)
        if record is not None and record.until > now:
            return Standing(SICK, record.until, record)
    if recovering:
        taken = max((memory.claims.get(key, 0.0) for key in recovering_keys(candidate, memory, now)), default=0.0)
        if taken > now:
            return Standing(PROBED, taken)
    return _READY


def recovering_keys(candidate: Candidate, memory: Memory, now: float) -> list[str]:
    """The records of ``candidate`` whose cooldown has ended and whose trouble nobody has seen end."""
    found = ((key, memory.records.get(key)) for key in candidate.scopes)
    return [key for key, record in found if record is not None and record.live and record.until <= now]


def _passing(candidate: Candidate, memory: Memory, now: float) -> bool:
    """Whether all that cools it is transient, so that nobody said it would not answer."""
    for key in candidate.scopes:
        record = memory.records.get(key)
        for reason, mark in record.live.items() if record is not None else ():
            silent = reason in TRANSIENT or (reason is Reason.RATE_LIMIT and not mark.hinted)
            if mark.until > now and not silent:
                return False
    return True
