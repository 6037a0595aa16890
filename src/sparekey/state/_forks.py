"""What survives a fork. A child has the memory of its parent and none of its other threads.

So what those held at the fork nobody will let go, and what they did nobody goes on with.
"""

from __future__ import annotations

import os
import threading
from typing import Protocol
from weakref import WeakValueDictionary


class Survivor(Protocol):
    """Something that has to be put right in a forked child."""

    def forked(self) -> None:
        """This process is a child now, and there is no other thread."""


_survivors: WeakValueDictionary[int, Survivor] = WeakValueDictionary()


def survive(thing: Survivor) -> None:
    """Call ``thing.forked()`` in every forked child in which it lives."""
    _survivors[id(thing)] = thing


def _after_fork_in_child() -> None:
    for found in _survivors.valuerefs():
        if (thing := found()) is not None:
            thing.forked()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork_in_child)


class Lock:
    """A lock of a module, which nobody holds in a forked child."""

    def __init__(self) -> None:
        self.forked()
        survive(self)

    def forked(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
