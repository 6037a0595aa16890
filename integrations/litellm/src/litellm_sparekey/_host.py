"""LiteLLM's router as sparekey sees it, whichever generation it is of.

There is a module for each generation. What it goes by that LiteLLM does not document is looked for
before anything is changed: generations, and what they can do, are never concluded from a version.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import sparekey as sk
from litellm_sparekey._private import CORE, MODULES, lacking, lacking_in
from litellm_sparekey._retries import inner_retries
from litellm_sparekey._settings import warn

if TYPE_CHECKING:
    from litellm.router import Router

    from litellm_sparekey._strategy import SparekeyRoutingStrategy

Deployment = Mapping[str, Any]
_KNOWN = "1.102 to 1.110"
_NOTHING = object()
_INSTALLED = "_sparekey"


class Host(ABC):
    """A router, and how to read and change it.

    In older releases the router does the work; in newer ones it is a facade, and what its own
    calls go through are the attributes of a core inside.
    """

    needs: ClassVar[Mapping[str, str]]
    """Methods that the router, or its core, must have, and what for."""

    def __init__(self, router: Router, inside: Any) -> None:
        self.check_modules(MODULES)
        self.router: Any = router
        self.inside: Any = inside
        self.check(self.inside, self.needs)
        self.strategy: SparekeyRoutingStrategy | None = None
        """The one that is installed."""
        self._changed: list[tuple[Any, str, object, object]] = []
        """Owner, attribute, what it was, and what we made of it."""
        self._cooldowns: bool | None = None
        self._retry_again: Callable[[], object] = lambda: None
        newer = hasattr(self.inside, "register_plugin")
        self._registers = "register_plugin" if newer else "set_custom_routing_strategy"
        self._register: Callable[[Any], None] = getattr(self.inside, self._registers)

    # -- reading ---------------------------------------------------------------------------

    @property
    @abstractmethod
    def native_async(self) -> Callable[..., Any]:
        """The router's own selection, without any strategy of ours; ask before one takes its place."""

    @property
    @abstractmethod
    def native_sync(self) -> Callable[..., Any]:
        """:attr:`native_async` for sync calls."""

    def rows(self, model_name: str | None = None, team: str | None = None) -> Sequence[Deployment]:
        """The deployments behind a name, an alias, a routing group or a wildcard; all of them for None."""
        registry = getattr(self.router, "registry", None)
        ask = self.router.get_model_list if registry is None else registry().deployments
        rows: Sequence[Deployment] = ask(model_name=model_name, team_id=team) or ()
        return rows

    def setting(self, name: str) -> Any:
        """What the router was told; None for what it does not know."""
        settings = getattr(self.router, "settings", None)
        said = self.inside if settings is None else settings()
        return getattr(said, name, None) if hasattr(said, name) else getattr(self.inside, name, None)

    def check(self, owner: object, names: Iterable[str]) -> None:
        """Raise :class:`sparekey.ConfigError` when ``owner``, of the router's, lacks one of these."""
        if lacks := lacking(owner, names):
            raise unserved(f"has a router without {', '.join(lacks)}")

    def check_modules(self, modules: Mapping[str, Mapping[str, str]]) -> None:
        """Raise :class:`sparekey.ConfigError` when LiteLLM's own lack one of these names."""
        if lacks := lacking_in(modules):
            raise unserved(f"is without {', '.join(lacks)}")

    # -- changing --------------------------------------------------------------------------

    @abstractmethod
    def hear(self) -> None:
        """Put in what tells :attr:`strategy` how every call went, and lets it have the next one made."""

    @abstractmethod
    def lost(self) -> bool:
        """Whether the router dropped the strategy, as it does when its own one is set anew."""

    def expect(self, strategy: SparekeyRoutingStrategy) -> None:
        """Attach ``strategy`` once somebody registers it with the router, in the way LiteLLM documents."""

        def register_and_attach(plugin: object) -> None:
            if plugin is not strategy:
                self._register(plugin)
            elif self.strategy is None:
                self.attach(strategy)

        self.put(self._registers, register_and_attach)

    def refuse_another(self) -> None:
        """Raise :class:`sparekey.ConfigError` when a strategy of sparekey's is installed already."""
        if installed_in(self.router) is not None:
            raise sk.ConfigError("this router has another strategy of sparekey's; uninstall(router) first")

    def attach(self, strategy: SparekeyRoutingStrategy) -> None:
        """Let ``strategy`` select, and hear of what comes of it.

        Raises:
            sparekey.ConfigError: another one does already; two would walk over the same keys, one within the other.
        """
        self.refuse_another()
        self.strategy = strategy
        self.put(_INSTALLED, strategy)
        warn(self.setting, self.rows())
        self._cooldowns = self.setting("disable_cooldowns")
        self._disable_cooldowns(True)  # two memories of who is resting would contradict each other
        self._retry_again = inner_retries.off_for(self)
        self.register()
        self.hear()

    def register(self) -> None:
        """Make the strategy the router's."""
        before = dict(vars(self.inside))
        self._register(self.strategy)
        after = vars(self.inside)
        self._changed += [
            (self.inside, name, before.get(name, _NOTHING), after.get(name, _NOTHING))
            for name in {**before, **after}  # what the router drops for it comes back, too
            if after.get(name, _NOTHING) is not before.get(name, _NOTHING)
        ]

    def put(self, name: str, value: object, owner: Any = None) -> None:
        """Put ``value`` in the place of an attribute of the router's, or of ``owner``'s."""
        owner = self.inside if owner is None else owner
        self._changed.append((owner, name, vars(owner).get(name, _NOTHING), value))
        setattr(owner, name, value)

    def detach(self) -> None:
        """Undo everything, but for what somebody else has wrapped meanwhile: that passes everything on."""
        self.strategy = None
        for owner, name, before, ours in reversed(self._changed):
            if vars(owner).get(name, _NOTHING) is not ours:
                continue
            if before is _NOTHING:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
        self._changed.clear()
        self._disable_cooldowns(self._cooldowns)
        self._retry_again()

    def _disable_cooldowns(self, value: bool | None) -> None:
        if not hasattr(self.router, "apply"):
            self.router.disable_cooldowns = value
            return
        changes = importlib.import_module("litellm.router_api").ChangeSet
        self.router.apply(changes(assign={"disable_cooldowns": value}))


def host_of(router: Router) -> Host:
    """``router`` by the generation it is of.

    Raises:
        sparekey.ConfigError: it is of none that sparekey knows.
    """
    inside = vars(router).get(CORE, router)
    rust = type(inside).__module__.startswith("litellm.router_rust")
    module = "_router_rust" if rust else "_router_python"
    made: Host = importlib.import_module(f"litellm_sparekey.{module}").make(router, inside)
    return made


def installed_in(router: Router) -> SparekeyRoutingStrategy | None:
    """The strategy of sparekey's that ``router`` has."""
    found: SparekeyRoutingStrategy | None = vars(vars(router).get(CORE, router)).get(_INSTALLED)
    return found


def unserved(why: str) -> sk.ConfigError:
    """The error for a LiteLLM that is too old, or that has changed what sparekey goes by."""
    installed = importlib.metadata.version("litellm")
    return sk.ConfigError(f"LiteLLM {installed} {why}; litellm-sparekey knows {_KNOWN}")
