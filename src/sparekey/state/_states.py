"""The states this process has a part in: found by a URL or a store, kept through forks, left at exit."""

from __future__ import annotations

import atexit
import sys
import time
from collections.abc import Hashable
from functools import partial

from sparekey._policy import Policy
from sparekey.state._book import Book
from sparekey.state._forks import Lock
from sparekey.state._places import place_of
from sparekey.state._replica import Replicator
from sparekey.state._store import Store

_AT_EXIT = 1.0
"""Seconds the interpreter waits, at its exit, for what is not saved yet."""

_replicators: dict[Hashable, Replicator] = {}
_lock = Lock()


def book_of(state: str | Store, user: object, policy: Policy) -> Book:
    """The book of ``state``, which ``user`` reads and writes by ``policy`` for as long as it lives.

    Raises:
        ConfigError: ``state`` is none, or cannot work.
    """
    place = place_of(state)
    if place is None:
        return Book()
    with _lock:
        if place.key not in _replicators:
            _replicators[place.key] = Replicator(place.store(), partial(_left, place.key))
        found = _replicators[place.key]
        found.join(user, policy)
    _leave_with_worker()
    return found


def _left(key: Hashable) -> bool:
    with _lock:
        if _replicators[key].is_needed:
            return False
        del _replicators[key]
        return True


def _leave() -> None:
    ends = time.monotonic() + _AT_EXIT
    leaving = list(_replicators.values())
    for replicator in leaving:
        replicator.leave()
    for replicator in leaving:
        replicator.wait_for_end(max(0.0, ends - time.monotonic()))


def _leave_with_worker() -> None:
    """A worker of multiprocessing ends without the interpreter's exit, but with multiprocessing's own."""
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        multiprocessing.util.Finalize(None, _leave, exitpriority=0)


atexit.register(_leave)
