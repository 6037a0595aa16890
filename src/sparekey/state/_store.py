"""What a place that keeps state for several processes has to do. Nothing here knows of cooldowns.

What is kept is a number of records, each under an id. A record is a few fields, and a field's value
is a few numbers, as text with a space between them. Of two values of one field the greater holds,
compared number by number; so records merge field by field, in any order, with repeats and losses.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

Fields: TypeAlias = Mapping[str, str]
"""A record as it is kept: the value of each field, by its name. Which fields there are is not a store's business."""


class Kept(NamedTuple):
    """A record on its way to a store, or from it."""

    id: str
    """Up to a few hundred characters; holds fingerprints, never a key."""
    fields: Fields
    expires: float
    """Epoch seconds after which nobody misses the record. Merging keeps the later."""


class Store(ABC):
    """Keeps records for several processes. Subclass it for a place of your own.

    All methods but :meth:`wake` are called by one background thread of the process, one at a time,
    between :meth:`open` and :meth:`close`. None is called by a request. Each may raise anything and
    may block for a while: the store is then closed, and opened anew a little later.
    ``sparekey.testing`` has the tests that an implementation must pass.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Where this is, for a log: without a password."""

    @abstractmethod
    def open(self) -> None:
        """Connect. From now on no change may be missed: what others save after this is found by :meth:`changes`."""

    @abstractmethod
    def load(self) -> Iterable[Kept]:
        """Every record there is that has not expired."""

    @abstractmethod
    def save(self, records: Iterable[Kept]) -> None:
        """Merge the records into those there are, each atomically, and let every other process find the change.

        :func:`merged` says what two copies of a record's fields come to.
        """

    @abstractmethod
    def changes(self, seconds: float) -> Iterable[Kept] | None:
        """What others saved since the last call, after waiting for it up to ``seconds``; one's own may be among it.

        A record may come as it is now, in whole, or with only the fields that changed. None means that changes may
        have been lost (the place was emptied, say): everything is loaded and saved again. Returns early after
        :meth:`wake`.
        """

    @abstractmethod
    def wake(self) -> None:
        """Let a :meth:`changes` that waits, or the next one that would, return at once. Called by any thread."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what :meth:`open` took. May be called twice, and after any of the others failed."""

    @abstractmethod
    def forsake(self) -> None:
        """Forget what :meth:`open` took without touching it: called in a forked child, to whom it does not belong."""


def greater(one: str | None, other: str) -> str:
    """Of two values of a field, the one that holds."""
    return other if one is None or _numbers(other) > _numbers(one) else one


def merged(one: Fields, other: Fields) -> dict[str, str]:
    """The join of two copies of a record."""
    joined = dict(one)
    for name, value in other.items():
        joined[name] = greater(joined.get(name), value)
    return joined


def _numbers(value: str) -> tuple[float, ...]:
    """What is no number is less than any, so that rubbish gives way to what is written next."""
    try:
        numbers = tuple(map(float, value.split()))
    except ValueError:
        return ()
    return () if any(map(math.isnan, numbers)) else numbers
