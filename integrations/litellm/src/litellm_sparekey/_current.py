"""The request under way, for whoever is called in the midst of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from litellm_sparekey._strategy import SparekeyRoutingStrategy
    from litellm_sparekey._walk import Walk


class Current:
    """A strategy of sparekey's that is serving a request, and its walk, once there is one."""

    def __init__(self, strategy: SparekeyRoutingStrategy, walk: Walk | None = None) -> None:
        self.strategy = strategy
        self.walk = walk


class _Place:
    """Where it stands. Contexts are copied, and copies live on in tasks and connections: they keep this, emptied."""

    __slots__ = ("held",)

    def __init__(self, held: Current) -> None:
        self.held: Current | None = held


_place: ContextVar[_Place | None] = ContextVar("litellm_sparekey_current", default=None)
"""A context belongs to one task or thread, so requests that share their metadata do not share this."""


def current() -> Current | None:
    """The request that this is called in; None outside of any, and once it is over."""
    place = _place.get()
    return None if place is None else place.held


def enter(request: Current) -> Callable[[], None]:
    """Make ``request`` the current one, until what is returned is called."""
    place = _Place(request)
    token = _place.set(place)

    def end() -> None:
        place.held = None
        with suppress(ValueError):  # closed from another context, as an abandoned coroutine is
            _place.reset(token)

    return end
