"""A record as people look at it."""

from __future__ import annotations

from typing import Literal, TypedDict

from sparekey._cooldown import Record


class RecordView(TypedDict):
    """One record, as :meth:`sparekey.CooldownTracker.snapshot` shows it."""

    reason: str | None
    """Why it cools, or last cooled."""
    since: float
    """Epoch seconds at which that began; of the clock of the process that saw it."""
    until: float
    """Epoch seconds at which it is available again; may lie in the past."""
    remaining: float
    """Seconds until then, 0 when it is available."""
    said_by: Literal["provider", "ladder"]
    """Whether the provider named that time, or the policy's ladder."""
    counts: dict[str, int]
    """Failures by reason since the last success."""


def view(record: Record, now: float) -> RecordView:
    """``record`` as it is ``now``; it has a mark that is not void."""
    return RecordView(
        reason=record.reason.value if record.reason else None,
        since=record.live[record.reason].opened_at if record.reason else record.until,
        until=record.until,
        remaining=max(0.0, record.until - now),
        said_by="provider" if record.hinted else "ladder",
        counts={reason.value: mark.failures for reason, mark in record.live.items()},
    )
