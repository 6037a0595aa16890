"""The end of the process: what is not saved yet is saved, within a second."""

from __future__ import annotations

import atexit
import sys
import time
from typing import Any, Protocol
from weakref import WeakSet

_PATIENCE = 1.0
"""Seconds the end of the process waits, for all together."""


class Leaver(Protocol):
    """Something that has work left at the end."""

    def leave(self) -> None:
        """Begin to finish it."""

    def wait_for_end(self, timeout: float) -> None:
        """Wait until it is finished, ``timeout`` seconds at most."""


_leavers: WeakSet[Leaver] = WeakSet()
_finalizers: list[Any] = []
"""The one that multiprocessing has of us, if any."""


def finish_at_exit(leaver: Leaver) -> None:
    """Let ``leaver`` finish before this process ends; called when it begins, in a forked child when it begins there."""
    _leavers.add(leaver)
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        # Its workers end without the interpreter's exit, but with finalizers of their own. When one begins, it drops
        # those there are (it may have unpickled a tracker by then) and does what is registered for after a fork.
        # What is no worker gets none: it would wait there once, and once more at the interpreter's exit.
        util.register_after_fork(leaver, finish_at_exit)
        is_worker = sys.modules["multiprocessing.process"].parent_process() is not None
        if is_worker and not any(finalizer.still_active() for finalizer in _finalizers):
            _finalizers[:] = [util.Finalize(None, _leave, exitpriority=0)]


def _leave() -> None:
    ends = time.monotonic() + _PATIENCE
    leaving = list(_leavers)
    for leaver in leaving:
        leaver.leave()
    for leaver in leaving:
        leaver.wait_for_end(max(0.0, ends - time.monotonic()))


atexit.register(_leave)
