"""The candidates of a :class:`ChatSparekey` and the chat models behind them."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from langchain_core.language_models import BaseChatModel

import sparekey as sk
from langchain_sparekey._given import candidate_of, prepared
from langchain_sparekey._loops import survives_loops
from langchain_sparekey._markers import family_named
from langchain_sparekey._providers import build, check_provider, from_factory, langchain_name

Factory: TypeAlias = Callable[[sk.ModelConfig], BaseChatModel]

_TRACED = ("temperature", "max_tokens")


class Clients(ABC):
    """Who can be asked, and through which chat model; shared by reference among all copies of a model.

    A candidate's model is built when its turn first comes: 1,000 keys cost 1,000 entries, not
    1,000 HTTP clients.
    """

    def __init__(self) -> None:
        self._chains: dict[str, tuple[sk.Candidate, ...]] = {}
        self._models: dict[tuple[str, str], BaseChatModel] = {}
        self._identities: dict[str, dict[str, Any]] = {}
        self._traces: dict[tuple[str, str], dict[str, Any]] = {}
        self._primaries: dict[str, str | None] = {}
        self._lock = threading.Lock()

    def candidates(self, name: str) -> tuple[sk.Candidate, ...]:
        """The chain of ``name``, in order.

        Raises:
            ConfigError: nothing is called so.
        """
        if (chain := self._chains.get(name)) is None:
            chain = self._chains[name] = tuple(self._find(name))
        return chain

    def model(self, candidate: sk.Candidate) -> BaseChatModel:
        """The chat model of ``candidate``, built once.

        Raises:
            ConfigError: it cannot be built from its settings.
        """
        key = candidate.name, candidate.id
        if (model := self._models.get(key)) is None:
            with self._lock:
                if (model := self._models.get(key)) is None:
                    model = self._models[key] = self._make(candidate)
        return model

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
    def _find(self, name: str) -> Sequence[sk.Candidate]: ...

    @abstractmethod
    def _make(self, candidate: sk.Candidate) -> BaseChatModel: ...

    @abstractmethod
    def _describe(self, candidate: sk.Candidate) -> dict[str, Any]: ...

    @abstractmethod
    def _trace(self, candidate: sk.Candidate) -> dict[str, Any]: ...


class ListedClients(Clients):
    """Those of an expanded model list."""

    def __init__(self, entries: Sequence[sk.ModelConfig], factory: Factory | None) -> None:
        super().__init__()
        self._entries = entries
        self._factory = factory
        self._named: dict[str, list[sk.ModelConfig]] = {}
        for entry in entries:
            self._named.setdefault(entry.model_name, []).append(entry)

    def _find(self, name: str) -> Sequence[sk.Candidate]:
        chain = sk.candidates_for(name, self._entries)
        if self._factory is None:
            for candidate in {(c.provider, c.endpoint): c for c in reversed(chain)}.values():
                check_provider(candidate)
        return chain

    def _make(self, candidate: sk.Candidate) -> BaseChatModel:
        entry = self._entry(candidate)
        if self._factory is None:
            return survives_loops(build(candidate, entry))
        return prepared(from_factory(self._factory(entry), entry))

    def _entry(self, candidate: sk.Candidate) -> sk.ModelConfig:
        return sk.config_for(candidate, self._named[candidate.name])

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

    def __repr__(self) -> str:
        return f"ListedClients({len(self._entries)} entries, {len(self._models)} built)"


class GivenClients(Clients):
    """Chat models that the user has built."""

    def __init__(self, models: Sequence[BaseChatModel]) -> None:
        super().__init__()
        self._given: dict[sk.Candidate, BaseChatModel] = {}
        for position, model in enumerate(models):
            self._given.setdefault(candidate_of(model, position), model)

    def _find(self, name: str) -> Sequence[sk.Candidate]:  # noqa: ARG002 - they have no names to choose by
        return list(self._given)

    def _make(self, candidate: sk.Candidate) -> BaseChatModel:
        return prepared(self._given[candidate])

    def _describe(self, candidate: sk.Candidate) -> dict[str, Any]:
        model = self._given[candidate]
        said: Mapping[str, Any] = model._identifying_params  # noqa: SLF001 - what LangChain tells models apart by
        return _described(candidate, said)

    def _trace(self, candidate: sk.Candidate) -> dict[str, Any]:
        return dict(self._given[candidate]._get_ls_params())  # noqa: SLF001

    def __repr__(self) -> str:
        return f"GivenClients({len(self._given)} models)"


def _described(candidate: sk.Candidate, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "provider": candidate.provider,
        "model": candidate.model,
        "endpoint": candidate.endpoint,
        "settings": dict(settings),
    }
