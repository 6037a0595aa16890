"""State kept in a file, by SQLite: for the processes of one machine, and through restarts.

There is a row for each record, with a number that grows at every change, so that what changed is what
has a greater one than was seen. Whether anybody else has written at all SQLite says cheaply, and is
asked ten times a second.

SQLite does not survive a fork: a child that inherits an open connection takes for its own the locks
that are its parent's, and that damages files. So the connection is closed before a fork, and each
side opens one anew. A fork therefore waits for a transaction under way, for half a second at most.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from weakref import WeakValueDictionary

from sparekey.errors import ConfigError
from sparekey.state import _sqlite_file as file
from sparekey.state._forks import Lock, survive
from sparekey.state._store import Kept, Store, merged

_ROWS = "SELECT id, fields, expires, seq FROM records WHERE"
_LATEST = "SELECT seq FROM sqlite_sequence WHERE name = 'records'"
_GLANCE = 0.1
"""Seconds between two looks at whether somebody wrote."""
_AT_FORK = 1.0
"""Seconds a fork waits for transactions under way; they are given up after half of it."""


class SQLiteStore(Store):
    """State in one SQLite file, which is made when it is not there, for its owner only to read.

    On a disk of the machine: SQLite's locks do not work over a network.

    Args:
        path: the file; its folder must exist.

    Raises:
        ConfigError: the folder does not exist, or may not be looked into.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).absolute()
        if not os.path.isdir(self._path.parent):  # Path's own raises where it may not look
            raise ConfigError(f"state: the folder {self._path.parent} is not there, or may not be looked into")
        self._connection: sqlite3.Connection | None = None
        self._owner = 0
        """The process that the connection belongs to."""
        self._identity: file.Identity | None = None
        self._is_unsafe = False
        self._seen = self._latest = self._glanced = 0
        self._make_locks()
        _stores[id(self)] = self
        survive(self)

    def _make_locks(self) -> None:
        self._in_use = threading.Lock()
        """Held while SQLite does something; so a fork waits until it does not."""
        self._woken: SimpleQueue[None] = SimpleQueue()
        """No event: one that is set by a signal's handler while it is set hangs for good."""

    @property
    def name(self) -> str:
        return f"sqlite:///{self._path}"

    def __repr__(self) -> str:
        return f"SQLiteStore({str(self._path)!r})"

    def open(self) -> None:
        self._identity = None
        with self._used() as connection:
            self._seen = self._latest = file.number(connection, _LATEST)

    def load(self) -> Iterable[Kept]:
        now = time.time()
        with self._used() as connection:
            with contextlib.suppress(sqlite3.OperationalError):  # a full disk can still be read
                if connection.execute(f"{_ROWS} expires <= ? LIMIT 1", (now,)).fetchone():
                    connection.execute("DELETE FROM records WHERE expires <= ?", (now,))
            return _readable(connection.execute(f"{_ROWS} expires > ?", (now,)))

    def save(self, records: Iterable[Kept]) -> None:
        with self._used() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            for record in records:
                key = json.dumps(record.id)
                there = _readable(connection.execute(f"{_ROWS} id = ?", (key,)))
                after = _both(there[0], record) if there else record
                if not there or after != there[0]:
                    row = key, json.dumps(dict(after.fields)), after.expires
                    connection.execute("REPLACE INTO records (id, fields, expires) VALUES (?, ?, ?)", row)
            self._latest = file.number(connection, _LATEST)

    def changes(self, seconds: float) -> Iterable[Kept] | None:
        ends = time.monotonic() + seconds
        while True:
            found = self._glance()
            left = ends - time.monotonic()
            if found or found is None or left <= 0:
                return found
            with contextlib.suppress(Empty):
                self._woken.get(timeout=min(left, _GLANCE))
                return found

    def wake(self) -> None:
        if self._woken.empty():  # or else it is about to return
            self._woken.put(None)

    def close(self) -> None:
        with self._in_use:
            self._disconnect()

    def forsake(self) -> None:
        if self._connection is not None:
            _never_closed.append(self._connection)
            self._connection = None
            self._is_unsafe = self._owner != os.getpid()
        self._make_locks()

    forked = forsake

    def pause(self, timeout: float) -> bool:
        """Let go of the file until :meth:`go_on`; False when it was in use for ``timeout`` seconds."""
        held = self._in_use.acquire(timeout=timeout)
        if held:
            self._disconnect()
        return held

    def go_on(self) -> None:
        """Use the file again."""
        self._in_use.release()

    @contextlib.contextmanager
    def _used(self) -> Iterator[sqlite3.Connection]:
        """The connection, made when there is none: at first, and after a fork."""
        with self._in_use:
            if self._is_unsafe:
                raise file.UnusableFileError("SQLite was busy for too long when this process was forked")
            before, there = self._identity, file.identity(self._path)
            if self._connection is None:
                self._connection, self._owner, self._glanced = file.connected(self._path), os.getpid(), -1
                self._identity = there = file.identity(self._path)
            if there is None or (before is not None and there.main != before.main) or there != self._identity:
                raise file.UnusableFileError("the file was deleted, emptied or replaced")
            yield self._connection

    def _glance(self) -> list[Kept] | None:
        with self._used() as connection:
            glanced = file.number(connection, "PRAGMA data_version")
            if glanced == self._glanced:
                return []
            rows = connection.execute(f"{_ROWS} seq > ?", (self._seen,)).fetchall()
            latest, before = file.number(connection, _LATEST), self._latest
            self._glanced, self._latest = glanced, latest
            if latest < before:  # somebody emptied the file
                self._seen = latest
                return None
            self._seen = max([self._seen, *(row[-1] for row in rows)])
            return _readable(rows)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _readable(rows: Iterable[tuple[str, str, float, int]]) -> list[Kept]:
    """The rows that are whole; rubbish is not there, and gives way to what is written next."""
    found = []
    for key, text, expires, _ in rows:
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            fields = {str(name): str(value) for name, value in json.loads(text).items()}
            found.append(Kept(str(json.loads(key)), fields, float(expires)))
    return found


def _both(one: Kept, other: Kept) -> Kept:
    return Kept(one.id, merged(one.fields, other.fields), max(one.expires, other.expires))


# -- forks ---------------------------------------------------------------------------------

_stores: WeakValueDictionary[int, SQLiteStore] = WeakValueDictionary()
_never_closed: list[sqlite3.Connection] = []
"""What belongs to another process must not even be closed by this one."""
_forking = Lock()
_held: list[SQLiteStore] = []


def _before_fork() -> None:
    _forking.__enter__()
    ends = time.monotonic() + _AT_FORK
    for found in _stores.valuerefs():
        store = found()
        if store is not None and store.pause(max(0.0, ends - time.monotonic())):
            _held.append(store)


def _after_fork() -> None:
    while _held:
        _held.pop().go_on()
    _forking.__exit__()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_held.clear)
