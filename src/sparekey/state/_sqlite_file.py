"""The file that state is kept in: made, told from other programs' files, and brought up to date."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

from sparekey.errors import SparekeyError
from sparekey.state._forks import Lock

PATIENCE = 0.5
"""Seconds another process's transaction is waited for."""

_OURS = 0x73706B79
"""``spky``: what SQLite's header has for the program a file belongs to."""

# Each brings a file of the version before up to its own; the number of those done is the file's version.
# AUTOINCREMENT never gives a number twice, not even that of a row that was deleted.
_STEPS = (
    """
    CREATE TABLE records (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        fields TEXT NOT NULL,
        expires REAL NOT NULL
    )
    """,
)


class Identity(NamedTuple):
    """Which files a state is in."""

    main: tuple[int, int]
    log: int
    """The one beside it that is written first; another when all had closed it meanwhile. 0 when there is none."""


_making = Lock()
"""Held while a file is made: closing it again would undo the locks of a connection opened in between."""


class UnusableFileError(SparekeyError):
    """The file is not what it has to be."""


def identity(path: Path) -> Identity | None:
    """What is at ``path``, which somebody uses; None when nothing is, or somebody emptied it."""
    try:
        main = path.stat()
    except FileNotFoundError:
        return None
    try:
        log = os.stat(f"{path}-wal").st_ino
    except FileNotFoundError:
        log = 0
    return Identity((main.st_dev, main.st_ino), log) if main.st_size else None


def connected(path: Path) -> sqlite3.Connection:
    """A connection to the file at ``path``, which is made when there is none.

    Raises:
        UnusableFileError: it is another program's, or a later version's. Nothing was written to it.
        sqlite3.Error: SQLite cannot use it.
        OSError: it cannot be made.
    """
    with _making:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=rw", uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
    try:
        _patiently(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def number(connection: sqlite3.Connection, query: str) -> int:
    """The one number a query gives; 0 when it gives none."""
    row = connection.execute(query).fetchone()
    return row[0] if row else 0


def _patiently(connection: sqlite3.Connection) -> None:
    """Prepare the file. While others do so SQLite may say at once that it is busy, however long it may wait."""
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            return _prepare(connection)
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() >= ends:
                raise
            time.sleep(0.01)


def _prepare(connection: sqlite3.Connection) -> None:
    with connection:
        connection.execute("BEGIN")  # somebody may be making it just now: all is read as of one moment
        version = _version(connection)
    if version < len(_STEPS):
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for step in _STEPS[_version(connection) :]:
                connection.execute(step)
            connection.execute(f"PRAGMA application_id = {_OURS}")
            connection.execute(f"PRAGMA user_version = {len(_STEPS)}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    number(connection, "SELECT count(*) FROM records")  # from now on there is a log, too


def _version(connection: sqlite3.Connection) -> int:
    program, version = number(connection, "PRAGMA application_id"), number(connection, "PRAGMA user_version")
    if program == 0 and version == 0 and number(connection, "SELECT count(*) FROM sqlite_master") == 0:
        return 0
    if program != _OURS:
        raise UnusableFileError("the file is another program's database")
    if version > len(_STEPS):
        raise UnusableFileError(f"the file is of version {version}, and this sparekey knows only {len(_STEPS)}")
    return version
