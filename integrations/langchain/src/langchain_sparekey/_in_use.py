"""Which clients a model asks, and others in their place while it is used."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, Self, TypeVar

import sparekey as sk
from langchain_sparekey._entries import Entry, written_policy
from langchain_sparekey._pool import Pool

P = TypeVar("P", bound=Pool[Any])


class InUse(Generic[P]):
    """The clients of a model and of all its copies.

    They are exchanged in one step. Whoever makes a request takes :attr:`now` once, and ends with it.
    """

    def __init__(self, clients: P, name: str) -> None:
        self.now = clients
        self.before: P | None = None
        """Those that were exchanged last: what they answered is read by them."""
        self._name = name
        self._lock = threading.Lock()

    def reload(self, models: Iterable[Entry]) -> None:
        """Ask the keys of another list from now on.

        Raises:
            ConfigError: the list cannot work, or there was none; nothing has changed.
        """
        with self._lock:
            fresh = self.now.renewed(self._name, models)
            self.before = self.now
            self.now = fresh

    def __deepcopy__(self, _memo: object) -> Self:
        """A copy of what asks them goes on with the same list."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return InUse, (self.now, self._name)


class UsesThem(Protocol):
    """A model of either kind."""

    in_use: InUse[Any]


U = TypeVar("U", bound=UsesThem)


def from_file(
    make: Callable[..., U],
    path: str | os.PathLike[str],
    model: str | None,
    options: Mapping[str, Any],
    *,
    watch: bool | float,
) -> U:
    """What ``make`` makes of the list in a file; by its ``sparekey_settings``, unless ``options`` have a policy.

    Args:
        make: the class.
        path: the file.
        model: the name in it.
        options: the class's others.
        watch: seconds between two looks at the file; True for the usual ones, False for none.

    Raises:
        ConfigError: the file, or what it says, cannot work.
    """
    entries = sk.load_config(path)
    policy = options.get("policy") or written_policy(path)
    try:
        made = make(model, model_list=entries, **{**options, "policy": policy})
    except sk.ConfigError as error:
        text = str(error)
    else:
        if watch is not False:
            every = 1.0 if watch is True else watch
            sk.ConfigWatch(path, made.in_use.reload, entries=entries, every=every)
        return made
    raise sk.ConfigError(f"{os.fspath(path)}: {text}")
