"""Putting the strategy into a router, and taking it out again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper

import sparekey as sk
from litellm_sparekey._fallbacks import guarded, story
from litellm_sparekey._strategy import Current, SparekeyRoutingStrategy, current
from litellm_sparekey._stream import Resumed, drawn_first

if TYPE_CHECKING:
    from litellm.router import Router

_INSTALLATION = "_sparekey_installation"
_DEFAULTS = (None, None, "memory://", None, None)


def install(
    router: Router,
    *,
    tracker: sk.CooldownTracker | None = None,
    policy: sk.Policy | None = None,
    state: str = "memory://",
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
        state: where the shared tracker keeps its records.
        on_attempt: hears of every attempt as it ends: failures, skips and the success.
        deadline: seconds that a request may take over all its keys and fallbacks (of a stream: until it begins).

    Raises:
        sparekey.ConfigError: this LiteLLM is too old or too new, a deployment still has ``api_keys``,
            or the router has a strategy of sparekey's with another tracker, policy or listener.
    """
    wanted = tracker, policy, state, on_attempt, deadline
    there = _installation(router)
    if there is not None:
        if wanted not in (there.wanted, _DEFAULTS):
            raise sk.ConfigError("this router has sparekey installed with other settings; uninstall(router) first")
        return there.strategy
    strategy = SparekeyRoutingStrategy(
        router, tracker=tracker, policy=policy, state=state, on_attempt=on_attempt, deadline=deadline
    )
    Installation(strategy, wanted)
    return strategy


def uninstall(router: Router) -> None:
    """Make ``router`` what it was. Does nothing when sparekey is not installed in it."""
    there = _installation(router)
    if there is not None:
        there.undo()


class Installation:
    """What was put into one router."""

    def __init__(self, strategy: SparekeyRoutingStrategy, wanted: tuple[object, ...]) -> None:
        self.strategy = strategy
        self.wanted = wanted
        self.active = True
        host = strategy.host
        wrappers: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
            "make_call": self._one_walk,
            "async_function_with_retries": self._one_round,
            "async_function_with_fallbacks_common_utils": lambda inner: guarded(inner, lambda: self.active),
            "_acompletion_streaming_iterator": lambda inner: drawn_first(inner, lambda: self.active),
            "_completion_streaming_iterator": lambda inner: drawn_first(inner, lambda: self.active),
        }
        host.check(wrappers)
        host.stop_cooldowns()
        host.register(strategy)
        for name, wrapper in wrappers.items():
            host.wrap(name, wrapper)
        setattr(host.inside, _INSTALLATION, self)

    def undo(self) -> None:
        self.active = False  # what somebody wrapped since stays in place, and passes everything on
        self.strategy.host.restore()
        delattr(self.strategy.host.inside, _INSTALLATION)

    def _one_walk(self, make_call: Callable[..., Any]) -> Callable[..., Any]:
        """LiteLLM's call of one group becomes the walk over its keys.

        It is the one place that first attempts, retries and fallbacks pass, sync and async, in SDK and
        proxy; the outcome of each attempt is known here before the next selection.
        """

        async def walk_the_group(original_function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            if not self.active:
                return await make_call(original_function, *args, **kwargs)
            if (told := story.get()) is not None and told.stop is not None:
                raise told.stop
            if self.strategy.host.lost():
                self.strategy.host.register(self.strategy)
            walk = self.strategy.begin(told.ends if told is not None else None)
            under_way = Current(self.strategy, walk)
            token = current.set(under_way)
            try:
                while True:
                    try:
                        response = await make_call(original_function, *args, **kwargs)
                        if isinstance(response, CustomStreamWrapper):
                            response = Resumed(response, broke=walk.watch())
                    except Exception as error:
                        final = walk.failed(error)
                        if final is error:
                            raise
                    except BaseException:
                        walk.abandoned()
                        raise
                    else:
                        walk.succeeded()
                        return response
                    if final is not None:
                        raise final
            finally:
                under_way.walk = None
                with suppress(ValueError):  # closed from another context, as an abandoned coroutine is
                    current.reset(token)

        return walk_the_group

    def _one_round(self, with_retries: Callable[..., Any]) -> Callable[..., Any]:
        """LiteLLM retries what its table says, sleeps in between, and knows no other key: a walk leaves it nothing."""

        async def without_retries(*args: Any, **kwargs: Any) -> Any:
            if self.active:
                kwargs["num_retries"] = 0
            return await with_retries(*args, **kwargs)

        return without_retries


def _installation(router: Router) -> Installation | None:
    inside = vars(router).get("_core", router)
    found: Installation | None = vars(inside).get(_INSTALLATION)
    return found
