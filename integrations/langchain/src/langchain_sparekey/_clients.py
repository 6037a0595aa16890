"""The candidates of a :class:`ChatSparekey` and the chat models behind them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from langchain_core.language_models import BaseChatModel

import sparekey as sk
from langchain_sparekey._entries import CHAT
from langchain_sparekey._given import candidate_of, prepared
from langchain_sparekey._loops import survives_loops
from langchain_sparekey._markers import family_named
from langchain_sparekey._pool import GivenPool, ListedPool, Pool
from langchain_sparekey._providers import build, check_provider, from_factory, langchain_name

Factory: TypeAlias = Callable[[sk.ModelConfig], BaseChatModel]

_TRACED = ("temperature", "max_tokens")


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
