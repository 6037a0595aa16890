"""Who can be asked, and through which models: what chat models and embeddings have in common."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel

import sparekey as sk
from langchain_sparekey._entries import Defaults, Entry, Kind, check_mode, without
from langchain_sparekey._given import settings_of

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
    def renewed(self, name: str, models: Iterable[Entry]) -> Self:
        """Those of another list, for whoever asks for ``name``.

        Raises:
            ConfigError: the list cannot work, or these are of none.
        """

    @abstractmethod
    def _find(self, name: str) -> Sequence[sk.Candidate]: ...

    @abstractmethod
    def _make(self, candidate: sk.Candidate) -> M: ...


class ListedPool(Pool[M]):
    """Those of an expanded model list."""

    kind: ClassVar[Kind]

    def __init__(
        self,
        entries: Sequence[sk.ModelConfig],
        factory: Callable[[sk.ModelConfig], M] | None,
        defaults: Defaults,
    ) -> None:
        super().__init__()
        self._entries = entries
        self._factory = factory
        self._defaults = defaults
        self._named: dict[str, list[sk.ModelConfig]] = {}
        for entry in entries:
            self._named.setdefault(entry.model_name, []).append(entry)

    def renewed(self, name: str, models: Iterable[Entry]) -> Self:
        """Those of another list; models whose entries are as they were are not built again."""
        fresh = type(self)(self._defaults.complete(models), self._factory, self._defaults)
        fresh.inherit(self, name)
        return fresh

    def inherit(self, before: Self, name: str) -> None:
        """Take over the built models of ``name`` whose entries are the same here.

        Raises:
            ConfigError: nothing is called so here, or who is cannot be asked.
        """
        there = {(who.name, who.id): who for who in self.candidates(name)}
        for key, model in before._models.copy().items():
            who = there.get(key)
            if who is not None and _alike(self._entry(who), before._entry(who)):
                self._models[key] = model

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
        return type(self), (self._entries, self._factory, self._defaults)  # entries leave their keys behind

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._entries)} entries, {len(self._models)} built)"


def _alike(one: sk.ModelConfig, other: sk.ModelConfig) -> bool:
    """Whether the same model would be built from both; the first key of a name lists the others."""
    return one == other.model_copy(update={"fallbacks": one.fallbacks})


class GivenPool(Pool[M]):
    """Models that the user has built."""

    def __init__(self, models: Sequence[M]) -> None:
        super().__init__()
        self._given: dict[sk.Candidate, M] = {}
        for position, model in enumerate(models):
            self._given.setdefault(self._identify(model, position), model)

    def renewed(self, name: str, models: Iterable[Entry]) -> Self:  # noqa: ARG002 - there is no list
        """Nothing: a list of keys says nothing of models that were built elsewhere."""
        raise sk.ConfigError("reload: the models were given as they are, and there is no list to exchange")

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
