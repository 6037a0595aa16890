"""What the engine needs to be remembered between requests. The tracker is the one that does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from sparekey._cooldown import Opened, Record
from sparekey._policy import Policy, Selection
from sparekey._types import Candidate, Reason


class Memory(Protocol):
    """Reads take no lock and do no I/O; neither does any write."""

    @property
    def records(self) -> Mapping[str, Record]:
        """What cools, by id; immutable records in a mapping that changes."""

    @property
    def claims(self) -> Mapping[str, float]:
        """Until when somebody probes a recovering record, by its id, in epoch seconds."""

    def open(
        self,
        key: str,
        reason: Reason,
        policy: Policy,
        *,
        now: float,
        started_at: float | None,
        retry_after: float | None,
    ) -> Opened:
        """Record one failure."""

    def clear(self, keys: Iterable[str], started_at: float | None, now: float) -> None:
        """Record one success under each of ``keys`` that has something to forgive; None stands for itself."""

    def claim(self, keys: Iterable[str], now: float, until: float) -> bool:
        """Take the probe of all ``keys`` up to ``until``; False, and nothing taken, when one is taken."""

    def release(self, keys: Iterable[str], until: float) -> None:
        """Give the probes back that were claimed up to ``until``, and no other request's."""

    def spend(self, candidate: Candidate, now: float, *, forced: bool) -> float | None:
        """Take one request from the candidate's budget, and note its use.

        When the budget is spent, nothing is taken unless ``forced``, and the answer is when there is room again.
        """

    def saturated_until(self, candidate: Candidate, now: float) -> float | None:
        """When the candidate's budget has room again, in epoch seconds; None when it has now."""

    def arranged(self, candidates: Sequence[Candidate], selection: Selection) -> Sequence[Candidate]:
        """The candidates in the order the selection asks for; moves the rotation on."""
