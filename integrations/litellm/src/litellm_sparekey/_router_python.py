"""LiteLLM's router while it is written in Python, up to 1.109; with or without a facade before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from litellm_sparekey._attempts import walked, walked_async
from litellm_sparekey._fallbacks import guarded, story
from litellm_sparekey._host import Host
from litellm_sparekey._private import PYTHON_FACADES, PYTHON_ROUTER
from litellm_sparekey._stream import drawn, drawn_first

if TYPE_CHECKING:
    from litellm.router import Router

    from litellm_sparekey._strategy import SparekeyRoutingStrategy
    from litellm_sparekey._walk import Walk


class PythonRouter(Host):
    """A router whose methods, or whose core's, call each other and can be wrapped one by one."""

    needs = PYTHON_ROUTER

    @property
    def native_async(self) -> Callable[..., Any]:
        newer = getattr(self.inside, PYTHON_FACADES, None)
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
            # The one place that first attempts, retries and fallbacks pass, sync and async, in SDK and proxy.
            "make_call": lambda inner: walked_async(inner, self._begin),
            "async_function_with_retries": self._one_round,
            "async_function_with_fallbacks_common_utils": lambda inner: guarded(inner, self._active),
            "_acompletion_streaming_iterator": lambda inner: drawn_first(inner, self._active),
            "_completion_streaming_iterator": lambda inner: drawn_first(inner, self._active),
            "_ageneric_api_call_with_fallbacks_helper": drawn,
            "_atext_completion": drawn,
            "_atranscription": drawn,
            # These make one attempt, by a way of their own.
            "_generic_api_call_with_fallbacks": lambda inner: walked(inner, self._begin),
            "text_completion": lambda inner: walked(inner, self._begin),
        }
        for name, wrapper in wrappers.items():
            self.put(name, wrapper(getattr(self.inside, name)))

    def _active(self) -> bool:
        return self.strategy is not None

    def _begin(self) -> tuple[SparekeyRoutingStrategy, Walk] | None:
        """A walk over the keys of a group that LiteLLM is about to call."""
        strategy = self.strategy
        if strategy is None:
            return None
        if (told := story.get()) is not None and told.stop is not None:
            raise told.stop
        if self.lost():
            self.register()
        return strategy, strategy.begin(told.log if told is not None else None)

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
