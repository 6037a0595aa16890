"""The request under way, for whoever is called in the midst of it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from litellm_sparekey._strategy import SparekeyRoutingStrategy
    from litellm_sparekey._walk import Walk


class Current:
    """The walk of the request under way, until it is over.

    Contexts are copied, and copies live on in tasks and connections: they keep this, and not the walk.
    """

    def __init__(self, strategy: SparekeyRoutingStrategy, walk: Walk | None = None) -> None:
        self.strategy = strategy
        self.walk = walk


current: ContextVar[Current | None] = ContextVar("litellm_sparekey_current", default=None)
"""A context belongs to one task or thread, so requests that share their metadata do not share this."""
