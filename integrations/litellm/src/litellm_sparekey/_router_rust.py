"""LiteLLM's router with its core in Rust: 1.110.

A request is a call of the core's, whose steps pass through a :class:`~litellm_sparekey._trip.Trip`;
what the core counts for each deployment, it counts as ever.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from litellm_sparekey._attempts import walked
from litellm_sparekey._current import current
from litellm_sparekey._host import Host, unserved
from litellm_sparekey._private import PYTHON_FACADES, RUST_CORE, RUST_MODULE, RUST_MODULES, RUST_PARTS, RUST_STRATEGY
from litellm_sparekey._stream import drawn
from litellm_sparekey._trip import Trip, obeys, retried_as_told

if TYPE_CHECKING:
    from litellm.router import Router

    from litellm_sparekey._strategy import SparekeyRoutingStrategy
    from litellm_sparekey._walk import Walk


class RustRouter(Host):
    """A router whose core is called, and carries out steps."""

    needs = RUST_CORE

    def __init__(self, router: Router, inside: Any) -> None:
        super().__init__(router, inside)
        self.check_modules(RUST_MODULES)
        module = importlib.import_module(type(inside).__module__)
        for name, names in RUST_MODULE.items():
            self.check(getattr(module, name, None), names)
        for name, names in RUST_PARTS.items():
            self.check(vars(inside).get(name), names)
        handles: Any = type(vars(inside).get("_handle"))
        if RUST_STRATEGY not in vars(inside) or not obeys(handles):
            raise unserved("has a router that does not go on as it is told")
        self._selection: Any = module._Selection  # noqa: SLF001 - looked for above
        self._theirs = vars(inside)[RUST_STRATEGY]
        """The strategy that somebody else has registered: LiteLLM's own selection is by that one, then."""
        self._bare = self._without_ours(inside)

    @property
    def native_async(self) -> Callable[..., Any]:
        async def pick(**question: Any) -> Any:
            # Without the span and the read of usage that the pick around this one has.
            return await self._select("pick", **question)._run()  # noqa: SLF001 - looked for above

        return pick

    @property
    def native_sync(self) -> Callable[..., Any]:
        return lambda **question: self._select("sync_pick", **question).run_sync()

    def _select(
        self,
        kind: str,
        model: str,
        messages: Any,
        input: Any,  # noqa: A002 - LiteLLM's name for it
        specific_deployment: bool | None,
        request_kwargs: dict[str, Any],
    ) -> Any:
        return self._selection(self._bare, model, request_kwargs, kind, specific_deployment, messages, input)

    def lost(self) -> bool:
        return vars(self.inside)[RUST_STRATEGY] is None

    def register(self) -> None:
        self._theirs = vars(self.inside)[RUST_STRATEGY]
        super().register()

    def hear(self) -> None:
        core, endpoints = self.inside, vars(self.inside)["_endpoints"]
        self.put("_run", self._arun(core._run))  # noqa: SLF001
        self.put("_run_sync", self._run(core._run_sync))  # noqa: SLF001
        self.put("_pre_route", self._handed_over(core._pre_route))  # noqa: SLF001
        self.put("_group_policy_fields", self._unread(core._group_policy_fields))  # noqa: SLF001
        self.put("_selection_fields", self._retried_as_told(core._selection_fields))  # noqa: SLF001
        self.put("_retry_policy_raises", self._unread(core._retry_policy_raises))  # noqa: SLF001
        self.put("_call_sync", self._tried_again(core._call_sync))  # noqa: SLF001
        self.put("text_completion", walked(core.text_completion, self._begin))
        self.put("_host", _Drawing(core._host))  # noqa: SLF001
        self.put("attempt_failed", _telling(endpoints.attempt_failed), endpoints)

    def _arun(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """A request from its first step to its last, or what recovers one whose stream broke."""

        async def run_as_told(plan: Any, call: Any, request: dict[str, Any], *more: Any, **named: Any) -> Any:
            if self.strategy is None:
                return await run(plan, call, request, *more, **named)
            with self._trip(self.strategy, call, request) as trip:
                ended = await run(plan, trip, request, *more, **named)
                trip.tell(ended[0])
                return ended

        return run_as_told

    def _run(self, run: Callable[..., Any]) -> Callable[..., Any]:
        def run_as_told(plan: Any, call: Any, request: dict[str, Any], *more: Any, **named: Any) -> Any:
            if self.strategy is None:
                return run(plan, call, request, *more, **named)
            with self._trip(self.strategy, call, request) as trip:
                ended = run(plan, trip, request, *more, **named)
                trip.tell(ended[0])
                return ended

        return run_as_told

    def _tried_again(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Sync calls of which LiteLLM would make one attempt: their fallbacks stay off, their retries do not."""

        def call_as_told(plan: Any, request: Any, overrides: Mapping[str, Any] | None = None) -> Any:
            if self.strategy is not None and overrides is not None:
                overrides = {name: value for name, value in overrides.items() if name != "num_retries"}
            return call(plan, request, overrides)

        return call_as_told

    def _begin(self) -> tuple[SparekeyRoutingStrategy, Walk] | None:
        """A walk for a call that does not pass through the core."""
        if self.strategy is None:
            return None
        if self.lost():
            self.register()
        return self.strategy, self.strategy.begin()

    def _trip(self, strategy: SparekeyRoutingStrategy, call: Any, request: dict[str, Any]) -> Trip:
        if self.lost():
            self.register()
        return Trip(strategy, call, request)

    def _handed_over(self, pre_route: Callable[..., Any]) -> Callable[..., Any]:
        """The pick of a call, before it comes to our strategy's selection: the core may make it without that."""

        async def pick_as_told(step: Any, *asked: Any, **named: Any) -> Any:
            trip = current()
            if not isinstance(trip, Trip) or not self._selects(trip.strategy):
                return await pre_route(step, *asked, **named)
            if await trip.hand_over(self._bare._pre_route, step, *asked, **named):  # noqa: SLF001
                return None
            return await pre_route(step, *asked, **named)

        return pick_as_told

    def _selects(self, strategy: SparekeyRoutingStrategy) -> bool:
        """Whether it is ``strategy`` that selects, and LiteLLM by its own rules: nobody else has a hand in it."""
        has = vars(self.inside)
        return has[RUST_STRATEGY] is strategy and self._theirs is None and has.get(PYTHON_FACADES) is None

    def _retried_as_told(self, fields: Callable[..., Mapping[str, Any]]) -> Callable[..., Mapping[str, Any]]:
        """What the core is told of a call."""

        def fields_as_told(plan: Any, request: Mapping[str, Any]) -> Mapping[str, Any]:
            said = fields(plan, request)
            if self.strategy is None:
                return said
            settings = self.inside.settings()
            lists = [(getattr(settings, name), request.get(name)) for name in _FALLBACKS]
            return {**said, **retried_as_told({*_strings_in(request.get("model")), *_strings_in(lists)})}

        return fields_as_told

    def _unread(self, said: Callable[..., Mapping[str, Any]]) -> Callable[..., Mapping[str, Any]]:
        """What is said of LiteLLM's own retry policies, of which none is read while sparekey is there."""
        return lambda request: said(request) if self.strategy is None else {}

    def _without_ours(self, core: Any) -> Any:
        """``core`` itself, with all that it has and gets, but for our strategy: what it selects, LiteLLM does."""
        kind = type(core)

        async def pre_route(*given: Any, **named: Any) -> Any:
            trip = current()
            if isinstance(trip, Trip) and trip.prerouted is not None:
                routed, trip.prerouted = trip.prerouted, None
                return routed
            routed = await kind._pre_route(bare, *given, **named)  # noqa: SLF001
            if isinstance(trip, Trip):
                trip.routed = routed if isinstance(routed, (str, tuple)) else None
            return routed

        # Properties, which come before what is put on the core itself.
        own = {RUST_STRATEGY: property(lambda _: self._theirs), "_pre_route": property(lambda _: pre_route)}
        bare: Any = object.__new__(type(kind.__name__, (kind,), own))
        object.__setattr__(bare, "__dict__", core.__dict__)
        return bare


_FALLBACKS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")


def _strings_in(value: object) -> Iterator[str]:
    """All of them, at any depth: every group that a request may come to is among those of its lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _strings_in([*value, *value.values()])
    elif isinstance(value, (list, tuple)):
        for item in value:
            if item is not None:
                yield from _strings_in(item)


_STREAMS = frozenset(
    {
        "acompletion",
        "aanthropic_messages",
        "anthropic_messages",
        "aresponses",
        "atext_completion",
        "atranscription",
        "completion",
        "responses",
    }
)
"""LiteLLM's functions that open streams; the sync one for texts is drawn where it is called."""


_drawn = functools.lru_cache(maxsize=64)(drawn)
"""For each function once, and not for each call."""


class _Drawing:
    """The core's host, whose streams come with their first chunks drawn."""

    def __init__(self, host: Any) -> None:
        self._host = host

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    def invoke(self, op: str) -> Callable[..., Any]:
        """LiteLLM's function of that name."""
        called: Callable[..., Any] = self._host.invoke(op)
        return _drawn(called) if op in _STREAMS else called


def _telling(attempt_failed: Callable[..., None]) -> Callable[..., None]:
    """The core's note of an attempt's error, which the trip it happened on hears first."""

    def noted(plan: Any, error: BaseException, *more: Any) -> None:
        trip = current()
        if isinstance(trip, Trip) and isinstance(error, Exception):
            trip.failed(error)
        attempt_failed(plan, error, *more)

    return noted


def make(router: Router, inside: Any) -> RustRouter:
    """The host of such a router."""
    return RustRouter(router, inside)
