"""What one process knows of one state."""

from __future__ import annotations

import threading

from sparekey._cooldown import Record
from sparekey.state._forks import survive


class Book:
    """The records of one state in this process, behind one lock. Reading takes none: records are replaced whole.

    This one is shared with nobody; :class:`sparekey.state._replica.Replicator` is one that is.
    """

    asleep = False
    """Whether :meth:`stir` is due before reading: in a forked child, where threads do not go on."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.lock = threading.Lock()
        survive(self)

    def ready(self) -> None:
        """Give those who know more a moment to say so, once."""

    def put(self, key: str, record: Record) -> None:
        """Replace the record under ``key``. The caller has the lock, and calls :meth:`stir` when it has it no more."""
        self.records[key] = record

    def stir(self) -> None:
        """Something was put."""

    def sync(self, timeout: float) -> bool:  # noqa: ARG002 - there is nobody to wait for
        """Wait until others can read what is known here, and what they wrote is; whether that came about."""
        return True

    def forked(self) -> None:
        """This is a child now: what other threads held at the fork, nobody will let go."""
        self.lock = threading.Lock()
