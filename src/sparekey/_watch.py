"""A config file that is looked at now and then, so that a change of it needs no restart."""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Callable, Iterable
from inspect import ismethod
from pathlib import Path
from typing import Any, TypeAlias
from weakref import WeakMethod

from sparekey._config import ModelConfig
from sparekey._documents import read_document
from sparekey._load import load_config
from sparekey._references import files_in
from sparekey._secrets import scrub, text_of
from sparekey.errors import ConfigError
from sparekey.state._forks import survive

OnChange: TypeAlias = Callable[[list[ModelConfig]], object]
Look: TypeAlias = dict[Path, tuple[int, ...] | None]
"""By file what tells one state of it from another; None for one that cannot be seen."""

_log = logging.getLogger("sparekey")


class ConfigWatch:
    """Tells when a config file says something else, until it is closed.

    A thread looks at the file about once a second, and at every file that its ``file:///`` references
    name: at times, size and inode, through symbolic links. So it sees a file that is written, one that
    is replaced, and a link that is turned to another folder, as Kubernetes does with mounted ConfigMaps
    and Secrets. A change is read when two looks in a row see the same, because at the first it may be
    half written. A change of nothing but comments or ``sparekey_settings`` is none.

    A file that cannot be used is one warning. What was there before stays in use until it is mended.
    Nothing that is watched is held open, and a forked child goes on watching by itself.

    Args:
        path: the file, as :func:`sparekey.load_config` reads it.
        on_change: called with the entries when they are other ones, by one thread at a time. When it raises, that
            is a warning, and the entries count as not taken. If it is a bound method, its object is not kept
            alive, and the watch ends with it.
        entries: those that are in use; the file's own when None.
        every: seconds between two looks; None looks only when :meth:`check` is called.

    Raises:
        ConfigError: the file cannot be used now, or ``every`` is not a number of seconds.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        on_change: OnChange,
        *,
        entries: Iterable[ModelConfig] | None = None,
        every: float | None = 1.0,
    ) -> None:
        if every is not None and not _is_time(every):
            raise ConfigError(f"every: must be a number of seconds above 0, not {every!r}")
        self.path = Path(path).absolute()  # the program may go elsewhere
        self._on_change: Callable[[], OnChange | None]
        self._on_change = WeakMethod(on_change) if ismethod(on_change) else lambda: on_change
        self._entries = load_config(self.path) if entries is None else list(entries)
        self._files = self._named()
        self._seen: Look | None = None
        self._read: Look | None = None
        self._problem = ""
        self._every = every
        self._closed = False
        self._begin()
        survive(self)

    def check(self) -> bool:
        """Take one look; True when ``on_change`` was told of other entries, and took them."""
        with self._lock:
            if self._closed:
                return False
            before, self._seen = self._seen, self._look()
            if self._seen != before or self._seen == self._read:
                return False
            try:
                entries = load_config(self.path)
                files = self._named()
            except Exception as error:  # tried again at every look: not all that can be in the way is seen
                self._complain(error)
                return False
            if files != self._files:
                self._files, self._seen = files, None
                return False
            self._read = self._seen
            return self._tell(entries)

    def close(self) -> None:
        """Look no more; ``on_change`` is not called after this."""
        with self._lock:
            self._closed = True
            self._stop.set()

    def forked(self) -> None:
        """This is a child now, which has neither the thread nor anybody to let go of a lock."""
        self._begin()

    # -- inside ----------------------------------------------------------------------------

    def _tell(self, entries: list[ModelConfig]) -> bool:
        on_change = self._on_change()
        if on_change is None:
            return False
        changed = entries != self._entries
        if changed:
            try:
                on_change(entries)
            except Exception as error:
                self._complain(error)
                return False
        if changed or self._problem:
            _log.info("%s: was read again: %d entries", self.path, len(entries))
        self._entries, self._problem = entries, ""
        return changed

    def _complain(self, error: Exception) -> None:
        said = text_of(error) if isinstance(error, ConfigError) else f"{type(error).__name__}: {text_of(error)}"
        if said != self._problem:
            where = "" if said.startswith(str(self.path)) else f"{self.path}: "
            _log.warning("%s%s; the entries before it stay in use", where, scrub(" ".join(said.split())))
        self._problem = said

    def _named(self) -> set[Path]:
        return {self.path} | files_in(read_document(self.path))

    def _look(self) -> Look:
        return {file: _state_of(file) for file in self._files}

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._stop = threading.Event()
        if self._every is not None and not self._closed:
            threading.Thread(target=self._watch, args=(self._every,), name="sparekey-watch", daemon=True).start()

    def _watch(self, every: float) -> None:
        while not self._stop.wait(every) and self._on_change() is not None:
            self.check()

    def __repr__(self) -> str:
        return f"ConfigWatch({str(self.path)!r})"


def _state_of(file: Path) -> tuple[int, ...] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    # The last changes also when a program puts the time back that it found, as copying tools do.
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _is_time(every: Any) -> bool:
    return isinstance(every, (int, float)) and not isinstance(every, bool) and 0 < every < math.inf
