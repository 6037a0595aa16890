"""What tests of shared state use: a store in memory that can fail, other processes, and patience."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import threading
import time

import pytest

from sparekey import _tracker
from sparekey.state import Kept, Store
from sparekey.state._store import merged

PATIENCE = 20.0
"""Seconds after which what should have happened has not."""


def _until(condition):
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.005)


@pytest.fixture
def until():
    """Waits for a condition to become true, and fails when it does not."""
    return _until


@pytest.fixture(autouse=True)
def _shared_trackers_are_left():
    """A process keeps those for as long as it lives, and its tests are many."""
    before = set(_tracker._shared)
    yield
    for key in set(_tracker._shared) - before:
        del _tracker._shared[key]


class Shelf:
    """Where stores in memory keep records: the server, so to speak."""

    def __init__(self):
        self.records = {}
        self.log = []
        self.lock = threading.Lock()
        self.broken = None
        """What every method of a store raises, when it is set."""
        self.stuck = threading.Event()
        """Cleared, every method hangs until it is set."""
        self.stuck.set()
        self.calls = []
        """The names of the threads that called, by method."""

    def empty(self):
        with self.lock:
            self.records.clear()
            self.log.append(None)


class ShelfStore(Store):
    """A store on a shelf."""

    name = "shelf"

    def __init__(self, shelf):
        self.shelf = shelf
        self.is_open = False
        self.heard = 0
        self.woken = threading.Event()

    def _called(self, method):
        self.shelf.calls.append((method, threading.current_thread().name))
        self.shelf.stuck.wait()
        if self.shelf.broken is not None:
            raise self.shelf.broken

    def open(self):
        self._called("open")
        self.is_open = True
        self.heard = len(self.shelf.log)

    def load(self):
        self._called("load")
        return list(self.shelf.records.values())

    def save(self, records):
        self._called("save")
        with self.shelf.lock:
            for record in records:
                before = self.shelf.records.get(record.id, Kept(record.id, {}, 0.0))
                after = Kept(record.id, merged(before.fields, record.fields), max(before.expires, record.expires))
                self.shelf.records[record.id] = after
                self.shelf.log.append(after)

    def changes(self, seconds):
        self._called("changes")
        ends = time.monotonic() + seconds
        while self.heard == len(self.shelf.log) and time.monotonic() < ends and not self.woken.is_set():
            self.woken.wait(0.01)
        self.woken.clear()
        self._called("changes")
        found, self.heard = self.shelf.log[self.heard :], len(self.shelf.log)
        return None if None in found else found

    def wake(self):
        self.woken.set()

    def close(self):
        self.shelf.calls.append(("close", threading.current_thread().name))
        self.is_open = False

    def forsake(self):
        self.is_open = False


@pytest.fixture
def shelf():
    """The place that :class:`ShelfStore` keeps records in."""
    shelf = Shelf()
    yield shelf
    shelf.broken = None
    shelf.stuck.set()


@pytest.fixture
def shelf_store(shelf):
    """Makes a store on the shelf."""
    return lambda: ShelfStore(shelf)


@pytest.fixture
def told(caplog):
    """What was logged, as (level, text)."""
    caplog.set_level(logging.INFO, "sparekey")
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "sparekey"]


@pytest.fixture
def program(tmp_path):
    """Starts a Python program in another process; its arguments are in ``sys.argv``."""
    started = []

    def start(text, *arguments):
        path = tmp_path / f"program_{len(started)}.py"
        path.write_text(text, encoding="utf-8")
        command = [sys.executable, "-W", "error", str(path), *map(str, arguments)]
        started.append(
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def finished():
    """What a program printed; it must have ended well."""

    def wait(process, text=None):
        out, err = process.communicate(text, timeout=PATIENCE)
        assert process.returncode == 0, err
        return out

    return wait


@pytest.fixture
def replicators():
    """The threads that replicate states with this in their names; a test's neighbours may have left others."""

    def names(part):
        gc.collect()
        return [name for name in (thread.name for thread in threading.enumerate()) if part in name]

    return names
