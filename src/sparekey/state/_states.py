"""The states that this process has a part in, each once."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

from sparekey._policy import Policy
from sparekey.state._book import Book
from sparekey.state._forks import Lock
from sparekey.state._places import place_of
from sparekey.state._replica import Replicator
from sparekey.state._store import Store

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
    return found


def _left(key: Hashable) -> bool:
    with _lock:
        if _replicators[key].is_needed:
            return False
        del _replicators[key]
        return True
