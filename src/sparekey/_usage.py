"""Which key is preferred among those of one model, and which has been asked enough for now.

Keys before models: no selection crosses from one model's keys to another's.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby

from sparekey._policy import Selection
from sparekey._types import Candidate


class Usage:
    """When each candidate was used. Not thread-safe: the tracker has the lock."""

    def __init__(self) -> None:
        self._uses = 0
        self._last_used: dict[str, int] = {}
        self._turns: dict[str, int] = {}
        self._windows: dict[str, deque[float]] = {}

    def spend(self, candidate: Candidate, now: float, *, forced: bool) -> float | None:
        """Note one request; when the budget is spent, only if ``forced``, and say when there is room again."""
        room_at = self.saturated_until(candidate, now)
        if room_at is None or forced:
            self._uses += 1
            self._last_used[candidate.id] = self._uses
            if candidate.rpm is not None:
                self._windows.setdefault(candidate.id, deque()).append(now)
        return room_at

    def saturated_until(self, candidate: Candidate, now: float) -> float | None:
        """When the oldest request of a full window leaves it, in epoch seconds; None when there is room.

        A sliding window: in no 60 seconds are there more than ``rpm`` requests.
        """
        asked = self._windows.get(candidate.id)
        if candidate.rpm is None or asked is None:
            return None
        requests, seconds = _window(candidate.rpm)
        while asked and asked[0] + seconds <= now:
            asked.popleft()
        return asked[-requests] + seconds if len(asked) >= requests else None

    def arranged(self, candidates: Sequence[Candidate], selection: Selection) -> Sequence[Candidate]:
        """The candidates in the order ``selection`` asks for."""
        match selection:
            case "round_robin":
                return _by_group(candidates, self._rotated)
            case "least_recently_used":
                return _by_group(candidates, self._rested)
            case _:
                return candidates

    def _rotated(self, keys: list[Candidate]) -> list[Candidate]:
        turn = self._turns.get(keys[0].group, 0)
        self._turns[keys[0].group] = turn + 1
        start = turn % len(keys)
        return keys[start:] + keys[:start]

    def _rested(self, keys: list[Candidate]) -> list[Candidate]:
        return sorted(keys, key=lambda candidate: self._last_used.get(candidate.id, 0))


def pinned(candidates: Sequence[Candidate], affinity: str) -> list[Candidate]:
    """Rendezvous hashing: each conversation has its own order of the keys, the same in every process.

    It needs no shared state, and losing one of n keys moves only the conversations that were on it.
    """

    def score(candidate: Candidate) -> bytes:
        return hashlib.blake2b(f"{affinity}\0{candidate.id}".encode(), digest_size=8).digest()

    return _by_group(candidates, lambda keys: sorted(keys, key=score, reverse=True))


def _by_group(
    candidates: Sequence[Candidate], arrange: Callable[[list[Candidate]], list[Candidate]]
) -> list[Candidate]:
    """``arrange`` applied to each run of neighbours that are keys of one model."""
    groups = groupby(candidates, key=lambda candidate: candidate.group)
    return [candidate for _, keys in groups for candidate in arrange(list(keys))]


def _window(rpm: float) -> tuple[int, float]:
    """Whole requests and the seconds they belong to: 60 per 60 s; 0.5 a minute is 1 per 120 s."""
    requests = max(1, math.floor(rpm))
    return requests, 60.0 * requests / rpm
