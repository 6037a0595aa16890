"""How long one attempt may take, and whose doing it is when the time is up."""

from __future__ import annotations

from typing import NamedTuple

from sparekey._policy import Policy
from sparekey._types import Candidate, Reason, Verdict
from sparekey.errors import AttemptTimeoutError


class Limit(NamedTuple):
    """How long one attempt may take."""

    seconds: float
    by_deadline: bool
    """Whether it is the caller's deadline that ends it, and not the attempt's own timeout."""
    deadline_at: float | None = None
    """The caller's deadline in epoch seconds, where it is the later of the two."""


def limit_of(candidate: Candidate, policy: Policy, started_at: float, deadline_at: float | None) -> Limit | None:
    """The smaller of the attempt's own timeout (the entry's before the policy's) and what the deadline leaves."""
    cap = policy.attempt_timeout if candidate.timeout is None else candidate.timeout
    if deadline_at is None:
        return None if cap is None else Limit(cap, by_deadline=False)
    left = max(0.0, deadline_at - started_at)
    return Limit(left, by_deadline=True) if cap is None or left <= cap else Limit(cap, False, deadline_at)


def is_the_callers(
    error: Exception, verdict: Verdict | None, limit: Limit | None, deadline_at: float | None, now: float
) -> bool:
    """Whether ``error`` is the caller's own deadline running out, for which no candidate is to blame."""
    if isinstance(error, AttemptTimeoutError):
        return error.by_deadline
    if deadline_at is None or limit is None or not limit.by_deadline:
        return False
    # A client that was handed time_left() gives up a little before or after.
    gave_up = verdict is not None and verdict.reason is Reason.TIMEOUT
    return gave_up and now >= deadline_at - max(0.05, 0.02 * limit.seconds)
