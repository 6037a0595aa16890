"""Records as a store keeps them, and back.

A record is kept as a field ``t``, its ``cleared_at``, and one field for each reason, named as the
reason: ``opened_at until failures hinted step``. What a later version may add, another field or
another number behind these, is passed over when read, and left where it is when written.

Times are epoch seconds of the clock of whoever wrote them, and clocks differ. A cooldown from a clock that
is s seconds ahead ends s seconds late here, and for s seconds a success here does not end it; one that is
behind ends it early, and the key is asked once more. Up to :data:`SKEW` that is borne, since an opening is
always placed after what has been forgiven, whichever clock said so. What lies further ahead is from a clock
that is wrong, and is not believed until its time has come.
"""

from __future__ import annotations

import math

from sparekey._cooldown import Mark, Record
from sparekey._policy import DAY, Policy
from sparekey._types import Reason
from sparekey.state._store import Kept

SKEW = 300.0
"""Seconds another machine's clock may be ahead; what Kerberos allows (RFC 4120, 'acceptable clock skew')."""

_CLEARED = "t"
_MOST = 1e9
"""No count of failures is greater."""


def longest(policy: Policy) -> float:
    """Seconds that no cooldown exceeds: a month, or more where ``policy`` has it so. Others may have other policies."""
    ladders = [policy.rule(reason).ladder for reason in Reason]
    return max(31 * DAY, policy.hint_cap, *(ladder.cap for ladder in ladders if ladder is not None))


def kept(key: str, record: Record, forget_after: float) -> Kept:
    """``record`` for a store, which keeps it for ``forget_after`` seconds after the last of its times."""
    fields = {reason.value: " ".join(map(_text, mark)) for reason, mark in record.marks.items()}
    if record.cleared_at > -math.inf:
        fields[_CLEARED] = _text(record.cleared_at)
    return Kept(key, fields, ends(record) + forget_after)


def ends(record: Record) -> float:
    """The last of the times in a record."""
    return max(record.cleared_at, *(max(mark.opened_at, mark.until) for mark in record.marks.values()), -math.inf)


def read(found: Kept, now: float, at_most: float) -> tuple[Record, str | None]:
    """The record that a store gave, and a word on what in it is not believed, if anything.

    ``at_most`` is the longest that a cooldown lasts, in seconds.
    """
    cleared_at, marks, doubt = -math.inf, {}, None
    for name, text in found.fields.items():
        try:
            if name == _CLEARED:
                cleared_at = _cleared(text, now)
            elif name in _REASONS:
                marks[_REASONS[name]] = _mark(text, now, at_most)
        except (ValueError, TypeError, AttributeError) as error:
            doubt = f"{name}: {error}"
    return Record(cleared_at, marks), doubt


_REASONS = {reason.value: reason for reason in Reason}


def _cleared(text: str, now: float) -> float:
    return _past(_numbers(text, at_least=1)[0], now)


def _mark(text: str, now: float, at_most: float) -> Mark:
    opened_at, until, failures, hinted, step, *_ = (*_numbers(text, at_least=3), 0.0, 1.0)[:5]
    if until > now + at_most + SKEW:
        raise ValueError(f"lasts for another {until - now:.0f} s")
    if not (1 <= failures <= _MOST and 1 <= step <= _MOST):
        raise ValueError(f"{failures:g} failures, step {step:g}")
    return Mark(_past(opened_at, now), until, int(failures), bool(hinted), int(step))


def _past(when: float, now: float) -> float:
    if when > now + SKEW:
        raise ValueError(f"happens in {when - now:.0f} s")
    return when


def _numbers(text: str, *, at_least: int) -> list[float]:
    numbers = [float(word) for word in text.split()]
    if len(numbers) < at_least or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{text[:60]!r} is not what is kept here")
    return numbers


def _text(number: float) -> str:
    return repr(int(number)) if isinstance(number, int) else repr(float(number))
