"""What happened in one request, kept cheaply and told when somebody asks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TypeAlias

from sparekey._cooldown import Record
from sparekey._types import Attempt, Candidate, Reason, Source
from sparekey.errors import CoolingError, FallbackExhaustedError


class Why(StrEnum):
    """Why a candidate that nothing cools was passed over."""

    BUDGET = "its requests-per-minute budget is spent"
    PROBED = "recovering, another request is trying it"
    USELESS = "no key of this model can serve the request"


Skip: TypeAlias = tuple[Candidate, Record | Why, float, float]
"""A candidate passed over: what cools it or why else, until when, and when that was.

A bare tuple, turned into an :class:`Attempt` only when somebody reads the attempts: with a
thousand candidates cooling, this is what passing one over costs.
"""

Entry: TypeAlias = Attempt | Skip


def told(log: Iterable[Entry]) -> list[Attempt]:
    """The entries as attempts."""
    return [entry if isinstance(entry, Attempt) else skipped(entry) for entry in log]


def skipped(skip: Skip) -> Attempt:
    """One skip as an attempt."""
    candidate, why, until, now = skip
    left = until - now if until > now else None
    if isinstance(why, Record):
        by: Source = "provider" if why.hinted else "ladder"
        return Attempt(candidate, CoolingError(why.reason, left), why.reason, 0.0, True, None, left, by)
    if why is Why.BUDGET:
        return Attempt(candidate, CoolingError(why.value, left), Reason.RATE_LIMIT, 0.0, True, None, left, "budget")
    return Attempt(candidate, CoolingError(why.value, left), None, 0.0, True, None, left)


def summary(log: Sequence[Entry], candidates: int, *, late: bool) -> str:
    """The first words of the exhausted error."""
    attempts = [entry for entry in log if isinstance(entry, Attempt)]
    tried = [attempt.candidate for attempt in attempts if not attempt.skipped]
    if late:
        return f"the deadline was spent after {len(tried)} attempt{'' if len(tried) == 1 else 's'}"
    unfit = {attempt.candidate for attempt in attempts if attempt.skipped}
    skips = (unfit | {entry[0] for entry in log if not isinstance(entry, Attempt)}) - set(tried)
    if candidates == 1:
        return "the only candidate " + ("failed" if tried else "cannot make this call" if unfit else "is cooling down")
    if tried:
        return f"all {candidates} candidates failed" + (f", {len(skips)} of them skipped" if skips else "")
    if unfit:
        return f"none of the {len(skips)} candidates can make this call now"
    return f"all {len(skips)} candidates are cooling down"


def exhausted(
    log: Sequence[Entry], candidates: int, ready_at: float, now: float, *, late: bool
) -> FallbackExhaustedError:
    """The error when nobody is left; ``ready_at`` is infinity when nobody knows when somebody will be."""
    entries = tuple(log)
    known = ready_at < math.inf
    return FallbackExhaustedError(
        lambda: told(entries),
        retry_at=ready_at if known else None,
        retry_after=max(0.0, ready_at - now) if known else None,
        because=summary(log, candidates, late=late),
    )


def explain(error: BaseException, candidate: Candidate, reason: Reason | None, more: str) -> None:
    """Note on ``error`` whose it is, what it was read as, and what came of it."""
    what = f"read as {reason.value}" if reason else "nothing is known of this error"
    note = f"sparekey: raised by {candidate}; {what}; {more}"
    if note not in getattr(error, "__notes__", ()):  # a client may raise the same object again and again
        error.add_note(note)
