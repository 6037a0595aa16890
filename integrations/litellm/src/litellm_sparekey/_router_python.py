"""LiteLLM's router while it is written in Python, up to 1.109; with or without a facade before it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper

from litellm_sparekey._current import Current, current
from litellm_sparekey._fallbacks import guarded, story
from litellm_sparekey._host import Host
from litellm_sparekey._stream import Resumed, drawn_first

if TYPE_CHECKING:
    from litellm.router import Router

_FACADES = "_core_async_get_available_deployment"


class PythonRouter(Host):
    """A router whose methods, or whose core's, call each other and can be wrapped one by one."""

    needs = (
        "get_available_deployment",
        "make_call",
        "async_function_with_retries",
        "async_function_with_fallbacks_common_utils",
        "_acompletion_streaming_iterator",
        "_completion_streaming_iterator",
    )

    @property
    def native_async(self) -> Callable[..., Any]:
        newer = getattr(self.inside, _FACADES, None)
        if newer is None:
            self.check(self.inside, ["async_get_available_deployment"])
        chosen: Callable[..., Any] = self.inside.async_get_available_deployment if newer is None else newer
        return chosen

    @property
    def native_sync(self) -> Callable[..., Any]:
        chosen: Callable[..., Any] = self.inside.get_available_deployment
        return chosen

    def lost(self) -> bool:
        return not {name for _, name, _, _ in self._changed} <= vars(self.inside).keys()

    def hear(self) -> None:
        wrappers: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
            "make_call": self._one_walk,
            "async_function_with_retries": self._one_round,
            "async_function_with_fallbacks_common_utils": lambda inner: guarded(inner, self._active),
            "_acompletion_streaming_iterator": lambda inner: drawn_first(inner, self._active),
            "_completion_streaming_iterator": lambda inner: drawn_first(inner, self._active),
        }
        for name, wrapper in wrappers.items():
            self.put(name, wrapper(getattr(self.inside, name)))

    def _active(self) -> bool:
        return self.strategy is not None

    def _one_walk(self, make_call: Callable[..., Any]) -> Callable[..., Any]:
        """LiteLLM's call of one group becomes the walk over its keys.

        It is the one place that first attempts, retries and fallbacks pass, sync and async, in SDK and
        proxy; the outcome of each attempt is known here before the next selection.
        """

        async def walk_the_group(original_function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            strategy = self.strategy
            if strategy is None:
                return await make_call(original_function, *args, **kwargs)
            if (told := story.get()) is not None and told.stop is not None:
                raise told.stop
            if self.lost():
                self.register()
            walk = strategy.begin(told.log if told is not None else None)
            under_way = Current(strategy, walk)
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
                        walk.tell(response)
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
            if self.strategy is not None:
                kwargs["num_retries"] = 0
            return await with_retries(*args, **kwargs)

        return without_retries


def make(router: Router, inside: Any) -> PythonRouter:
    """The host of such a router."""
    return PythonRouter(router, inside)
