"""Know an exception by its class: nothing is imported to recognise it, names over the MRO are enough.

A subclass is what its nearest known ancestor is. The tables are in :mod:`.classes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from sparekey._classify.classes import ANYWHERE, BUGS, CANCELLED, MADE_UP, PACKAGES, STRANGERS, Says


@dataclass(frozen=True, slots=True)
class Typed:
    """What a class says before its instance is looked at."""

    says: Says | None
    package: str
    cancelled: bool = False
    bug: bool = False
    """A mistake in a program."""
    stranger: bool = False
    """Of a package that is no provider's."""
    system: bool = False
    """Of the operating system: its number says what it is."""
    made_up_status: bool = False
    """LiteLLM gives a 500 to what had no status, and to statuses it does not know."""


@lru_cache(maxsize=1024)
def typed(cls: type[object]) -> Typed:
    """Read a class by the names in its MRO."""
    package = _package(cls)
    names = [c.__name__ for c in cls.__mro__]
    if not CANCELLED.isdisjoint(names):
        return Typed(None, package, cancelled=True)
    # Where a status came, it says more than a base class would: urllib's HTTPError is a URLError.
    telling = takewhile(lambda c: c.__name__ != "HTTPError", cls.__mro__)
    says = next((found for c in telling if (found := _known(c)) is not None), None)
    if says is None and package in STRANGERS:
        return Typed(None, package, stranger=True)
    bug = says is None and not BUGS.isdisjoint(names)
    system = says is None and package == "builtins" and "OSError" in names
    made_up = package == "litellm" and cls.__name__ in MADE_UP
    return Typed(says, package, bug=bug, system=system, made_up_status=made_up)


def _known(cls: type[object]) -> Says | None:
    package, name = _package(cls), cls.__name__
    found = PACKAGES.get(package, {}).get(name)
    if found is None and package not in STRANGERS:
        found = ANYWHERE.get(name)
        if found is None and name.startswith("Ark"):  # volcenginesdkarkruntime prefixes Stainless' names
            found = ANYWHERE.get(name[3:])
    return found


def _package(cls: type[object]) -> str:
    module: object = cls.__module__
    return module.partition(".")[0].lstrip("_") if isinstance(module, str) else ""
