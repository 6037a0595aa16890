"""One state, replicated between this process and a store by a thread in the background.

Requests read and write this process's records and never wait for a store. The thread opens it,
takes in all it has, saves what it lacks, and from then on saves what changes here and takes in what
changes there. When anything goes wrong, it closes the store, tries again a little later, and begins
from the start, so that nothing depends on what got through before.

There is one thread for each state and process. It ends a moment after the last tracker of that state is
gone, and begins anew in a forked child when it is first needed there.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from weakref import WeakSet

from sparekey._cooldown import Record, merged
from sparekey._policy import DAY, Policy
from sparekey._secrets import scrub, text_of
from sparekey.state import _book, _codec
from sparekey.state._exit import finish_at_exit
from sparekey.state._store import Kept, Store

_log = logging.getLogger("sparekey")

_FIRST_LOAD = 0.25
"""Seconds the first trackers of a state wait at most for what others know, so that a restart wastes no call."""
_ROUND = 1.0
"""Seconds between two looks at whether anybody still needs the state, while nothing happens."""
_LINGER = 1.0
"""Seconds that a state is kept when its last tracker is gone: where one is made per request, the next comes soon."""
_RESYNC = 30.0
"""Seconds between two comparisons of all that is known with all there is, in case something went by unnoticed."""
_PAUSE, _LONGEST_PAUSE = 0.05, 0.5
"""Seconds to the next attempt after trouble, doubling; short, so that all know the same within 2 s of its end."""


_dice = random.SystemRandom()
"""Keeps machines apart. Not the module's own, whose state a program may have seeded, and forks have in common."""


class Replicator(_book.Book):
    """A state's records in this process, and the thread that keeps them equal to a store's."""

    def __init__(self, store: Store, left: Callable[[], bool]) -> None:
        super().__init__()
        self.asleep = True
        self._store = store
        self._left = left
        """Asked when nobody seems to need the state: whether that is so, and this one is therefore given up."""
        self._name = store.name
        self._users: WeakSet[object] = WeakSet()
        self._forget_after = self._longest = DAY
        self._changed: set[str] = set()
        self._troubled = self._doubted = False
        self._resync_at = self._needed_until = 0.0
        self._load_by: float | None = None
        self._make_locks()

    def _make_locks(self) -> None:
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loaded = threading.Event()
        self._leaving = threading.Event()
        self._synced = threading.Condition()
        self._asked = self._answered = 0

    # -- for trackers ----------------------------------------------------------------------

    def join(self, user: object, policy: Policy) -> None:
        """``user`` reads and writes here, by ``policy``, for as long as it lives."""
        self._users.add(user)
        self._forget_after = max(self._forget_after, policy.forget_after)
        self._longest = max(self._longest, _codec.longest(policy))

    def ready(self) -> None:
        self.stir()
        now = time.monotonic()
        if self._load_by is None:
            self._load_by = now + _FIRST_LOAD
        if now < self._load_by:
            self._loaded.wait(self._load_by - now)

    def put(self, key: str, record: Record) -> None:
        self.records[key] = record
        self._changed.add(key)

    def stir(self) -> None:
        if self.asleep:
            self._start()
        with suppress(Exception):  # a store of the user's own must not fail a request
            self._store.wake()

    def sync(self, timeout: float) -> bool:
        with self._synced:
            self._asked += 1
            mine = self._asked
        self.stir()
        with self._synced:
            return self._synced.wait_for(lambda: self._answered >= mine, timeout)

    def forked(self) -> None:
        super().forked()
        self.asleep = True
        self._make_locks()
        with suppress(Exception):
            self._store.forsake()

    # -- for the process -------------------------------------------------------------------

    @property
    def is_needed(self) -> bool:
        """Whether a tracker of this state lives, or did a moment ago, and the process is not about to end."""
        now = time.monotonic()
        if self._users:
            self._needed_until = now + _LINGER
        return now < self._needed_until and not self._leaving.is_set()

    def leave(self) -> None:
        """Save what is not saved, and end."""
        self._leaving.set()
        with suppress(Exception):
            self._store.wake()

    def wait_for_end(self, timeout: float) -> None:
        """Wait for the thread, if there is one, for ``timeout`` seconds at most."""
        if self._thread is not None:
            self._thread.join(timeout)

    # -- the thread ------------------------------------------------------------------------

    def _start(self) -> None:
        with self._starting:
            if not self.asleep:
                return
            thread = threading.Thread(target=self._replicate, name=f"sparekey {self._name}", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # the interpreter is at its end, or the system has no more threads to give
                self._trouble(error)
                return
            self._thread, self.asleep = thread, False
            finish_at_exit(self)

    def _replicate(self) -> None:
        pause = _PAUSE
        while True:
            failed = False
            try:
                self._store.open()
                self._resync()
                well_at = time.monotonic() + _ROUND
                while self.is_needed:
                    self._round()
                    if time.monotonic() >= well_at:
                        pause = _PAUSE
                        self._well()
                self._save(self._taken())
            except BaseException as error:  # a cancelled coroutine of a store's is no Exception, and this thread stays
                self._trouble(error)
                failed = True
            with suppress(BaseException):
                self._store.close()
            if self._left():
                return
            if failed:
                self._leaving.wait(pause * _dice.uniform(0.5, 1.0))
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _round(self) -> None:
        if time.monotonic() >= self._resync_at or self._answered < self._asked:
            self._resync()
        else:
            self._save(self._taken())
        found = self._store.changes(_ROUND)
        if found is None:
            self._resync()
        else:
            self._take_in(found)

    def _resync(self) -> None:
        """Take in all there is, and save what the store lacks of all that is known here."""
        asked = self._asked
        self._taken()  # it is among what is compared below
        there = self._take_in(self._store.load())
        self._forget()
        self._save(key for key, record in self.records.copy().items() if there.get(key) != record)
        self._resync_at = time.monotonic() + _RESYNC * _dice.uniform(0.9, 1.1)
        self._loaded.set()
        with self._synced:
            self._answered = asked
            self._synced.notify_all()

    def _taken(self) -> set[str]:
        """What changed here since the last call, by id."""
        with self.lock:
            changed, self._changed = self._changed, set()
        return changed

    def _take_in(self, found: Iterable[Kept]) -> dict[str, Record]:
        """Merge what the store gave; it is returned as it was there."""
        there = {}
        for each in found:
            other, doubt = _codec.read(each, time.time(), self._longest)
            if doubt is not None:
                self._doubt(each.id, doubt)
            there[each.id] = other
            with self.lock:
                mine = self.records.get(each.id)
                if mine is None:
                    self.records[each.id] = other
                elif (both := merged(mine, other)) != mine:
                    self.records[each.id] = both
        return there

    def _save(self, keys: Iterable[str]) -> None:
        records = [_codec.kept(key, self.records[key], self._forget_after) for key in keys if key in self.records]
        if records:
            self._store.save(records)

    def _forget(self) -> None:
        """Drop what the store no longer keeps either."""
        for key, record in self.records.copy().items():
            if _codec.ends(record) + self._forget_after < time.time():
                with self.lock:
                    if self.records[key] is record:
                        del self.records[key]

    # -- what people are told --------------------------------------------------------------

    def _trouble(self, error: BaseException) -> None:
        self._loaded.set()  # nobody waits longer for the first load
        if not self._troubled:
            self._troubled = True
            _log.warning("state %s: %s; until it can be used, this process remembers alone", self._name, _shown(error))

    def _well(self) -> None:
        if self._troubled:
            self._troubled = False
            _log.info("state %s: it can be used again", self._name)

    def _doubt(self, key: str, doubt: str) -> None:
        if not self._doubted:
            self._doubted = True
            _log.warning("state %s: what it has for %s is not believed: %s", self._name, _line(key), _line(doubt))


def _shown(error: BaseException) -> str:
    return _line(f"{type(error).__name__}: {text_of(error)}")


def _line(text: str) -> str:
    return scrub(" ".join(text.split()))[:300]
