"""The retries that LiteLLM makes below its router, of one key and by itself: off for what sparekey walks.

Two settings make them. ``litellm.DEFAULT_MAX_RETRIES`` is what LiteLLM tells its clients for
embeddings, whatever the router says; it is zero while a router has sparekey. Where LiteLLM tells
them nothing, or something else (images in releases before 1.109, the chats of some providers),
OpenAI's SDK has a default of its own, of two; that is not asked in the midst of a walk, and goes on
for every other call in the process.
"""

from __future__ import annotations

import functools
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any

import litellm
import openai

from litellm_sparekey._current import current
from litellm_sparekey._private import SDK_RETRIES

_log = logging.getLogger("litellm_sparekey")
_SETTING = "DEFAULT_MAX_RETRIES"


class _Zero(int):
    """A zero that is ours, and not the user's."""


_ZERO = _Zero(0)


class InnerRetries:
    """LiteLLM's inner retries, off from the first router that has sparekey to the last."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a router may be collected just while another one is counted
        self._routers = 0
        self._default: Any = None
        self._sdk: tuple[type, Callable[..., int], Callable[..., int]] | None = None
        """The SDK's class, what it did, and what we made of it."""

    def off_for(self, router: object) -> Callable[[], object]:
        """Switch them off until what is returned is called, or ``router`` is no more."""
        with self._lock:
            self._routers += 1
            if self._routers == 1:
                self._switch_off()
        let_go = weakref.finalize(router, self._let_go)
        let_go.atexit = False
        return let_go

    def _let_go(self) -> None:
        with self._lock:
            self._routers -= 1
            if self._routers == 0:
                self._switch_on()

    def _switch_off(self) -> None:
        if getattr(litellm, _SETTING) is not _ZERO:
            self._default = getattr(litellm, _SETTING)
            setattr(litellm, _SETTING, _ZERO)
        options: Any = SDK_RETRIES.owner()
        theirs = getattr(options, SDK_RETRIES.name, None)
        if not callable(theirs):
            _log.warning(
                "OpenAI's SDK %s has no %s: it may call a key again that has just failed", openai.VERSION, SDK_RETRIES
            )
            return
        ours = _not_in_a_walk(theirs)
        self._sdk = options, theirs, ours
        setattr(options, SDK_RETRIES.name, ours)

    def _switch_on(self) -> None:
        if getattr(litellm, _SETTING) is _ZERO:  # or somebody has said something else meanwhile
            setattr(litellm, _SETTING, self._default)
        if self._sdk is None:
            return
        options, theirs, ours = self._sdk
        if getattr(options, SDK_RETRIES.name) is ours:
            setattr(options, SDK_RETRIES.name, theirs)
        self._sdk = None


def _not_in_a_walk(theirs: Callable[..., int]) -> Callable[..., int]:
    """How often the SDK tries a request again."""

    @functools.wraps(theirs)
    def get_max_retries(*args: Any, **named: Any) -> int:
        under_way = current()
        if under_way is not None and under_way.walk is not None:
            return 0
        return theirs(*args, **named)

    return get_max_retries


inner_retries = InnerRetries()
