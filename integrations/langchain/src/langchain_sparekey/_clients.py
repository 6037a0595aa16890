"""The candidates of a :class:`ChatSparekey` and the chat models behind them.

What embeddings have in common with them is in :class:`Pool` and its two kinds.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeVar

from langchain_core.language_models import BaseChatModel
from pydantic import BaseModel

import sparekey as sk
from langchain_sparekey._entries import CHAT, Kind, check_mode, without
from langchain_sparekey._given import candidate_of, prepared, settings_of
from langchain_sparekey._loops import survives_loops
from langchain_sparekey._markers import family_named
from langchain_sparekey._providers import build, check_provider, from_factory, langchain_name

Factory: TypeAlias = Callable[[sk.ModelConfig], BaseChatModel]

_TRACED = ("temperature", "max_tokens")


_MOST_TOLD = 1_000
"""Problems that are told; a text that is another each time would fill the memory, and the log."""

M = TypeVar("M")


class Pool(ABC, Generic[M]):
    """Who can be asked, and through which model; shared by reference among all copies of a model.

    A candidate's model is built when its turn first comes: 1,000 keys cost 1,000 entries, not
    1,000 HTTP clients.
    """

    def __init__(self) -> None:
        self._chains: dict[str, tuple[sk.Candidate, ...]] = {}
        self._models: dict[tuple[str, str], M] = {}
        self._building: dict[tuple[str, str], threading.RLock] = {}
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def candidates(self, name: str) -> tuple[sk.Candidate, ...]:
        """The chain of ``name``, in order.

        Raises:
            ConfigError: nothing is called so, or who is cannot be asked.
        """
        if (chain := self._chains.get(name)) is None:
            chain = self._chains[name] = tuple(self._find(name))
        return chain

    def model(self, candidate: sk.Candidate) -> M:
        """The model of ``candidate``, built once.

        Raises:
            ConfigError: it cannot be built from its settings.
        """
        key = candidate.name, candidate.id
        if (model := self._models.get(key)) is None:
            with self._lock:
                building = self._building.setdefault(key, threading.RLock())
            # Importing a package may take longer than a call may, and is no key's fault.
            with sk.off_the_clock(), building:
                if (model := self._models.get(key)) is None:
                    model = self._models[key] = self._make(candidate)
            self._building.pop(key, None)
        return model

    def is_news(self, problem: str) -> bool:
        """Whether nobody was told of ``problem`` yet; it is told now."""
        if problem in self._told or len(self._told) >= _MOST_TOLD:
            return False
        self._told.add(problem)
        return True

    def __deepcopy__(self, _memo: object) -> Self:
        """A copy of what asks them goes on with the same connections."""
        return self

    @abstractmethod
    def _find(self, name: str) -> Sequence[sk.Candidate]: ...

    @abstractmethod
    def _make(self, candidate: sk.Candidate) -> M: ...


class ListedPool(Pool[M]):
    """Those of an expanded model list."""

    kind: ClassVar[Kind]

    def __init__(self, entries: Sequence[sk.ModelConfig], factory: Callable[[sk.ModelConfig], M] | None) -> None:
        super().__init__()
        self._entries = entries
        self._factory = factory
        self._named: dict[str, list[sk.ModelConfig]] = {}
        for entry in entries:
            self._named.setdefault(entry.model_name, []).append(entry)

    def _find(self, name: str) -> Sequence[sk.Candidate]:
        chain = sk.candidates_for(name, self._entries)
        for entry in self._behind(chain):
            check_mode(entry, self.kind)
        if self._factory is None:
            for candidate in {(c.provider, c.endpoint): c for c in reversed(chain)}.values():
                self._check(candidate)
        return chain

    def _behind(self, chain: Sequence[sk.Candidate]) -> list[sk.ModelConfig]:
        """All entries of the names in a chain."""
        return [entry for name in dict.fromkeys(who.name for who in chain) for entry in self._named[name]]

    def _make(self, candidate: sk.Candidate) -> M:
        entry = self._entry(candidate)
        return self._build(candidate, entry) if self._factory is None else self._adopt(self._factory(entry), entry)

    def _entry(self, candidate: sk.Candidate) -> sk.ModelConfig:
        entry = sk.config_for(candidate, self._named[candidate.name])
        return without(entry, "mode") if "mode" in entry.settings else entry  # said to us, not to the provider

    @abstractmethod
    def _check(self, candidate: sk.Candidate) -> None: ...

    @abstractmethod
    def _build(self, candidate: sk.Candidate, entry: sk.ModelConfig) -> M: ...

    @abstractmethod
    def _adopt(self, made: Any, entry: sk.ModelConfig) -> M: ...

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._entries, self._factory)  # entries leave their keys behind

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._entries)} entries, {len(self._models)} built)"


class GivenPool(Pool[M]):
    """Models that the user has built."""

    def __init__(self, models: Sequence[M]) -> None:
        super().__init__()
        self._given: dict[sk.Candidate, M] = {}
        for position, model in enumerate(models):
            self._given.setdefault(self._identify(model, position), model)

    def _find(self, name: str) -> Sequence[sk.Candidate]:  # noqa: ARG002 - they have no names to choose by
        return list(self._given)

    @abstractmethod
    def _identify(self, model: M, position: int) -> sk.Candidate: ...

    def __reduce__(self) -> tuple[Any, ...]:
        # LangChain's classes hold locks, connections and keys; what they were built from can go without those.
        written = []
        for model in self._given.values():
            if not isinstance(model, BaseModel):
                raise TypeError(
                    f"a {type(model).__name__} cannot be pickled without its keys: give a list, or a factory"
                )
            written.append((type(model), sk.seal(settings_of(model))))
        return _built_again, (type(self), written)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._given)} models)"


def _built_again(kind: Callable[[list[Any]], GivenPool[Any]], written: Sequence[tuple[type, Any]]) -> GivenPool[Any]:
    return kind([cls(**sk.unseal(settings)) for cls, settings in written])


class Clients(Pool[BaseChatModel]):
    """Chat models, and what LangChain's caches and traces want to know of them."""

    def __init__(self) -> None:
        super().__init__()
        self._identities: dict[str, dict[str, Any]] = {}
        self._traces: dict[tuple[str, str], dict[str, Any]] = {}
        self._primaries: dict[str, str | None] = {}

    def identity(self, name: str) -> dict[str, Any]:
        """What the answers of ``name`` depend on, keys left out: LangChain's caches and traces go by it."""
        if (identity := self._identities.get(name)) is None:
            models = {str(description): description for description in map(self._describe, self.candidates(name))}
            identity = self._identities[name] = {"model": name, "models": list(models.values())}
        return identity

    def traced(self, candidate: sk.Candidate) -> dict[str, Any]:
        """The parameters by which LangSmith knows the model of ``candidate``."""
        key = candidate.name, candidate.id
        if (trace := self._traces.get(key)) is None:
            trace = self._traces[key] = self._trace(candidate)
        return trace

    def primary(self, name: str) -> str | None:
        """The provider of the first of ``name``, when the chain has others too; None when all are of one."""
        if name not in self._primaries:
            different = {(who.provider, who.endpoint): who for who in reversed(self.candidates(name))}
            providers = [family_named(self.traced(who).get("ls_provider", "")) for who in different.values()]
            self._primaries[name] = providers[-1] if len(set(providers)) > 1 else None
        return self._primaries[name]

    @abstractmethod
    def _describe(self, candidate: sk.Candidate) -> dict[str, Any]: ...

    @abstractmethod
    def _trace(self, candidate: sk.Candidate) -> dict[str, Any]: ...


class ListedClients(ListedPool[BaseChatModel], Clients):
    """Chat models of an expanded model list."""

    kind = CHAT

    def _check(self, candidate: sk.Candidate) -> None:
        check_provider(candidate)

    def _build(self, candidate: sk.Candidate, entry: sk.ModelConfig) -> BaseChatModel:
        return survives_loops(build(candidate, entry))

    def _adopt(self, made: Any, entry: sk.ModelConfig) -> BaseChatModel:
        return prepared(from_factory(made, entry))

    def _describe(self, candidate: sk.Candidate) -> dict[str, Any]:
        entry = self._entry(candidate)
        # An entry shows its settings with everything masked that may bear a credential.
        shown = {name: value for name, value in entry.__repr_args__() if name in entry.settings}
        return _described(candidate, shown)

    def _trace(self, candidate: sk.Candidate) -> dict[str, Any]:
        # From the entry, so that nothing has to be built, or imported, for a trace.
        settings = self._entry(candidate).settings
        said = {f"ls_{name}": settings[name] for name in _TRACED if settings.get(name) is not None}
        return {"ls_provider": langchain_name(candidate), "ls_model_name": candidate.model, **said}


class GivenClients(GivenPool[BaseChatModel], Clients):
    """Chat models that the user has built."""

    def _identify(self, model: BaseChatModel, position: int) -> sk.Candidate:
        return candidate_of(model, position)

    def _make(self, candidate: sk.Candidate) -> BaseChatModel:
        return prepared(self._given[candidate])

    def _describe(self, candidate: sk.Candidate) -> dict[str, Any]:
        model = self._given[candidate]
        said: Mapping[str, Any] = model._identifying_params  # noqa: SLF001 - what LangChain tells models apart by
        return _described(candidate, said)

    def _trace(self, candidate: sk.Candidate) -> dict[str, Any]:
        return dict(self._given[candidate]._get_ls_params())  # noqa: SLF001


def _described(candidate: sk.Candidate, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "provider": candidate.provider,
        "model": candidate.model,
        "endpoint": candidate.endpoint,
        "settings": dict(settings),
    }
