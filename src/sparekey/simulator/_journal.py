"""What was asked, and what was answered."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request. Its repr names the key, and never shows it."""

    at: float
    """Epoch seconds, by the simulator's clock."""
    name: str
    fingerprint: str
    path: str
    model: str | None
    stream: bool
    behaviour: str
    """What it met; ``invalid`` when the request itself was refused, ``unknown_key`` when its key was."""
    status: int | None
    """The HTTP status; None when there was no HTTP response."""
    key: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """Without those that carry the key."""
    body: Any = field(repr=False)
    """The JSON the client sent; None when there was none."""

    def public(self) -> dict[str, object]:
        """What may leave the process."""
        shown = ("at", "name", "fingerprint", "path", "model", "stream", "behaviour", "status")
        return {name: getattr(self, name) for name in shown}


class Journal:
    """Counts every request and keeps the latest ``keep`` of them; safe to read from another thread."""

    def __init__(self, keep: int) -> None:
        self._lock = threading.Lock()
        self._records: deque[RequestRecord] = deque(maxlen=keep)
        self._counts: Counter[tuple[str, str | None]] = Counter()

    def add(self, record: RequestRecord) -> None:
        with self._lock:
            self._records.append(record)
            self._counts[record.key, record.model] += 1

    def records(self) -> list[RequestRecord]:
        """The latest requests, oldest first."""
        with self._lock:
            return list(self._records)

    def counts(self, model: str | None = None) -> Counter[str]:
        """Requests per key, of one model or of all."""
        with self._lock:
            counts: Counter[str] = Counter()
            for (key, asked), number in self._counts.items():
                if model in (None, asked):
                    counts[key] += number
            return counts

    def clear(self) -> None:
        with self._lock:
            self._records.clear()
            self._counts.clear()
