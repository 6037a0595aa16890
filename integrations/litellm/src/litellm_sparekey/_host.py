"""What differs between the generations of LiteLLM's Router, found by looking, not by version."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import litellm.utils

import sparekey as sk

if TYPE_CHECKING:
    from litellm.router import Router
    from litellm.types.router import CustomRoutingStrategyBase

Deployment = Mapping[str, Any]
_NOTHING = object()
_SERVED = "litellm>=1.102,<1.110"


class Host:
    """A router, and how to read and change it.

    In older releases the router does the work; in newer ones it is a facade, and what its own
    calls go through are the attributes of a core inside.
    """

    def __init__(self, router: Router) -> None:
        if not hasattr(litellm.utils, "get_excluded_filtered_deployments"):
            raise _unserved("cannot leave deployments out of one selection")
        self.router: Any = router
        self.inside: Any = vars(router).get("_core", router)
        self.check(["get_available_deployment"])
        if not hasattr(self.inside, "_core_async_get_available_deployment"):
            self.check(["async_get_available_deployment"])
        self._before: dict[str, object] = {}
        self._ours: dict[str, object] = {}
        self._cooldowns: bool | None = None

    # -- reading ---------------------------------------------------------------------------

    @property
    def native_async(self) -> Callable[..., Any]:
        """The router's own selection: take it before a strategy takes its place."""
        newer = getattr(self.inside, "_core_async_get_available_deployment", None)
        chosen: Callable[..., Any] = self.inside.async_get_available_deployment if newer is None else newer
        return chosen

    @property
    def native_sync(self) -> Callable[..., Any]:
        """:attr:`native_async` for sync calls."""
        chosen: Callable[..., Any] = self.inside.get_available_deployment
        return chosen

    def rows(self, model_name: str | None = None, team: str | None = None) -> Sequence[Deployment]:
        """The deployments behind a name, an alias, a routing group or a wildcard; all of them for None."""
        registry = getattr(self.router, "registry", None)
        ask = self.router.get_model_list if registry is None else registry().deployments
        rows: Sequence[Deployment] = ask(model_name=model_name, team_id=team) or ()
        return rows

    def check(self, names: Iterable[str]) -> None:
        """Raise :class:`sparekey.ConfigError` when the router lacks one of these methods."""
        lacks = [name for name in names if not callable(getattr(self.inside, name, None))]
        if lacks:
            raise _unserved(f"has a router without {', '.join(lacks)}")

    # -- changing --------------------------------------------------------------------------

    def register(self, strategy: CustomRoutingStrategyBase) -> None:
        """Let ``strategy`` select."""
        before = dict(vars(self.inside))
        register = getattr(self.router, "register_plugin", None) or self.router.set_custom_routing_strategy
        register(strategy)
        for name, value in vars(self.inside).items():
            if value is not before.get(name, _NOTHING):
                self._before.setdefault(name, before.get(name, _NOTHING))
                self._ours[name] = value

    def wrap(self, name: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Put ``wrapper(method)`` in the place of the router's ``method``."""
        ours = wrapper(getattr(self.inside, name))
        self._before[name] = vars(self.inside).get(name, _NOTHING)
        self._ours[name] = ours
        setattr(self.inside, name, ours)

    def lost(self) -> bool:
        """Whether the router dropped something of ours, as it does when its own strategy is set anew."""
        return not self._ours.keys() <= vars(self.inside).keys()

    def stop_cooldowns(self) -> None:
        """Two memories of who is resting would contradict each other: turn LiteLLM's off."""
        settings = getattr(self.router, "settings", None)
        self._cooldowns = self.router.disable_cooldowns if settings is None else settings().disable_cooldowns
        self._disable_cooldowns(True)

    def restore(self) -> None:
        """Undo everything, but for what somebody else has wrapped meanwhile."""
        for name, ours in self._ours.items():
            if vars(self.inside).get(name) is not ours:
                continue
            if (before := self._before[name]) is _NOTHING:
                delattr(self.inside, name)
            else:
                setattr(self.inside, name, before)
        self._before.clear()
        self._ours.clear()
        self._disable_cooldowns(self._cooldowns)

    def _disable_cooldowns(self, value: bool | None) -> None:
        if not hasattr(self.router, "apply"):
            self.router.disable_cooldowns = value
            return
        changes = importlib.import_module("litellm.router_api").ChangeSet
        self.router.apply(changes(assign={"disable_cooldowns": value}))


def _unserved(why: str) -> sk.ConfigError:
    """The error for a LiteLLM that is too old, or that has changed what sparekey goes by."""
    installed = importlib.metadata.version("litellm")
    return sk.ConfigError(f"LiteLLM {installed} {why}; litellm-sparekey serves {_SERVED}")
