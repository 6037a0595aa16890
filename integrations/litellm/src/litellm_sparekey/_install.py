"""Putting the strategy into a router, and taking it out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import sparekey as sk
from litellm_sparekey._host import installed_in
from litellm_sparekey._strategy import SparekeyRoutingStrategy

if TYPE_CHECKING:
    from litellm.router import Router

    from sparekey.state import Store

_DEFAULTS = (None, None, "memory://", None, None)


def install(
    router: Router,
    *,
    tracker: sk.CooldownTracker | None = None,
    policy: sk.Policy | None = None,
    state: str | Store = "memory://",
    on_attempt: Callable[[sk.Attempt], object] | None = None,
    deadline: float | None = None,
) -> SparekeyRoutingStrategy:
    """Let ``router`` try every key of a group before a request fails, and remember who is cooling.

    Installing again gives the strategy that is there. While installed, LiteLLM's own cooldowns and
    retries rest: a request is one walk over the keys of its group, each tried once, and then over
    those of its ``fallbacks``.

    Args:
        router: the router; its ``model_list`` comes from :func:`litellm_sparekey.expand_model_list`.
        tracker: the memory; ``sparekey.shared_tracker(policy, state)`` when None.
        policy: what each reason does; the tracker's when None.
        state: where the shared tracker keeps its records: a URL, or a ``sparekey.state.Store``. Not with ``tracker``.
        on_attempt: hears of every attempt as it ends: failures, skips and the success.
        deadline: seconds that a request may take over all its keys and fallbacks (of a stream: until it begins).

    Raises:
        sparekey.ConfigError: this LiteLLM is too old or too new, a deployment still has ``api_keys``,
            both ``tracker`` and ``state`` are given, or the router has a strategy of sparekey's with other settings.
    """
    there = installed_in(router)
    if there is not None:
        if (tracker, policy, state, on_attempt, deadline) not in (there.wanted, _DEFAULTS):
            raise sk.ConfigError("this router has sparekey installed with other settings; uninstall(router) first")
        return there
    strategy = SparekeyRoutingStrategy(
        router, tracker=tracker, policy=policy, state=state, on_attempt=on_attempt, deadline=deadline
    )
    strategy.host.attach(strategy)
    return strategy


def uninstall(router: Router) -> None:
    """Make ``router`` what it was. Does nothing when sparekey is not installed in it."""
    there = installed_in(router)
    if there is not None:
        there.host.detach()
