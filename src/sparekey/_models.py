"""A model list that can be exchanged while requests are under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import ref

from sparekey._candidates import candidate_of, candidates_for, check_fallbacks
from sparekey._config import ModelConfig, parse
from sparekey._keys import Entry, expand_model_list
from sparekey._types import Candidate
from sparekey.errors import ConfigError
from sparekey.state._forks import Lock


class ModelList:
    """One list, expanded: who is tried for a name, and what is behind each of them. It never changes.

    Raises:
        ConfigError: the list cannot work.
    """

    __slots__ = ("__weakref__", "_behind", "_chains", "entries")

    def __init__(self, models: Iterable[Entry]) -> None:
        parsed = _parsed(models)
        self.entries = expand_model_list(parsed)
        check_fallbacks(parsed, self.entries, "model_list")
        self._behind: dict[tuple[str, str], ModelConfig] = {}
        for entry in self.entries:
            self._behind.setdefault((entry.model_name, candidate_of(entry).id), entry)
        self._chains: dict[str, tuple[Candidate, ...]] = {}

    def candidates(self, name: str) -> Sequence[Candidate]:
        """The chain of ``name``, found once."""
        if (chain := self._chains.get(name)) is None:
            chain = self._chains[name] = tuple(candidates_for(name, self.entries))
        return chain

    def behind(self, candidate: Candidate) -> ModelConfig | None:
        """Its entry, if it has one here."""
        return self._behind.get((candidate.name, candidate.id))


def _parsed(models: Any) -> list[ModelConfig]:
    given = list(models) if isinstance(models, Iterable) and not isinstance(models, (str, Mapping)) else []
    if not given:
        raise ConfigError("model_list: must be a list of entries with at least one in it")
    return [parse(entry, f"model_list[{i}]") for i, entry in enumerate(given)]


_exchanging = Lock()  # held for an instant; a chain, which may be made for one request, needs none of its own


class Models:
    """The list that is in use, and those before it for as long as a request lives that began with them.

    Thread-safe: a list is exchanged in one step, and reading takes no lock.
    """

    def __init__(self, models: Iterable[Entry] | None = None) -> None:
        self.current: ModelList | None = None if models is None else ModelList(models)
        self._before: tuple[ref[ModelList], ...] = ()

    @property
    def now(self) -> ModelList:
        """The list in use.

        Raises:
            ConfigError: there is none.
        """
        if self.current is None:
            raise ConfigError("the chain has no model list: give it one with models=, reload() or watch()")
        return self.current

    def exchange(self, models: Iterable[Entry]) -> None:
        """Put another list in its place.

        Raises:
            ConfigError: it cannot work; the one there is stays.
        """
        fresh = ModelList(models)
        with _exchanging:
            before = self.current
            # What a request sees in between is the old list twice, and never none.
            self._before = (*(each for each in self._before if each() is not None), *([ref(before)] if before else []))
            self.current = fresh

    def config_for(self, candidate: Candidate) -> ModelConfig:
        """What is behind ``candidate``: as it is now, or as it was when a request began that still lives.

        Raises:
            ConfigError: no entry is its.
        """
        for models in (self.now, *(each() for each in reversed(self._before))):
            if models is not None and (entry := models.behind(candidate)) is not None:
                return entry
        raise ConfigError(f"no entry of the model list is {candidate}")

    def __reduce__(self) -> tuple[object, ...]:
        return Models, (None if self.current is None else self.current.entries,)
