"""The candidates of a :class:`SparekeyEmbeddings`, the embedding models behind them, and their one vector space."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self

from langchain_core.embeddings import Embeddings
from pydantic import BaseModel

import sparekey as sk
from langchain_sparekey._embedding_classes import known
from langchain_sparekey._embedding_providers import adopted, build, check_provider, prepared
from langchain_sparekey._embedding_space import (
    Space,
    check_settings,
    common,
    deployment,
    space_of_entry,
    space_of_model,
)
from langchain_sparekey._entries import EMBEDDING
from langchain_sparekey._errors import OUTAGES, CannotServeError
from langchain_sparekey._pool import GivenPool, ListedPool, Pool
from langchain_sparekey._provider_fields import ADDRESSES, secrets_of, text_of

_ADDRESSES = (*ADDRESSES, "openai_api_base", "together_api_base")
"""Fields for an address, whatever their constructors call them."""
_OWN_ADDRESSES = ("https://api.openai.com/v1", "https://api.mistral.ai/v1", "https://api.together.xyz/v1")
"""Addresses that fields hold although nobody set them."""

_log = logging.getLogger("langchain_sparekey")

_OWNERS = ("openai_organization", "organization", "project")
"""Whose credential it is: the same key in two of them has two quotas."""


class EmbeddingClients(Pool[Embeddings]):
    """Embedding models, all of one vector space."""

    names_it: ClassVar[str]
    """Where a model that is deployed under a name of its own says which it is."""

    def __init__(self) -> None:
        super().__init__()
        self._learned: dict[str, int] = {}
        self._found: dict[tuple[str, int | None], Space] = {}

    def space(self, name: str, dimensions: int | None, before: Space | None = None) -> Space:
        """The space of all candidates of ``name``, as far as was said, found once.

        Raises:
            ConfigError: they are of different ones, not of ``dimensions``, or not of the one before; or as for
                :meth:`candidates`.
        """
        if (space := self._found.get((name, dimensions))) is None:
            was = [("the list before", before)] if before is not None else []
            space = common([*was, *self._spaces(self.candidates(name))], dimensions, self.names_it)
            self._found[name, dimensions] = space
        return space

    def ready(self, candidate: sk.Candidate) -> Any:
        """The model of ``candidate``, as :meth:`model`.

        Raises:
            CannotServeError: it cannot be built.
        """
        try:
            return self.model(candidate)
        except Exception as error:
            verdict = sk.classify(error)
            if verdict is not None and verdict.reason in OUTAGES:
                raise  # some classes call their provider when they are constructed: an attempt like any other
            problem = CannotServeError(sk.scrub(f"cannot make this call: {type(error).__name__}: {error}"))
            if self.is_news(f"{candidate.id} {problem}"):
                _log.warning("%s is passed over: it %s", candidate, problem)
            raise problem from error

    def learned(self, name: str) -> int | None:
        """How long the first vectors of ``name`` were; None before there were any."""
        return self._learned.get(name)

    def learn(self, name: str, length: int) -> int:
        """How long vectors of ``name`` are: ``length``, if these are the first."""
        return self._learned.setdefault(name, length)

    @abstractmethod
    def _spaces(self, chain: Sequence[sk.Candidate]) -> Iterable[tuple[str, Space]]: ...


class ListedEmbeddings(ListedPool[Embeddings], EmbeddingClients):
    """Those of an expanded model list."""

    kind = EMBEDDING
    names_it = "base_model"

    def _check(self, candidate: sk.Candidate) -> None:
        check_provider(candidate)

    def _build(self, candidate: sk.Candidate, entry: sk.ModelConfig) -> Embeddings:
        return build(candidate, entry)

    def _adopt(self, made: Any, entry: sk.ModelConfig) -> Embeddings:
        return adopted(made, entry)

    def _spaces(self, chain: Sequence[sk.Candidate]) -> Iterable[tuple[str, Space]]:
        for entry in self._behind(chain):
            check_settings(entry.settings.get, entry.model_name)
            yield entry.model_name, space_of_entry(entry)

    def inherit(self, before: Self, name: str) -> None:
        """The same, and the space: vectors are kept, so it has to be the one they are of.

        Raises:
            ConfigError: it is another; or as for all lists.
        """
        super().inherit(before, name)
        # By reference: what a request under way will learn of the list before binds this one, too.
        self._learned = before._learned
        for (asked, dimensions), space in before._found.copy().items():
            was = Space(space.model, space.dimensions or self.learned(asked))
            self.space(asked, dimensions, was)
            if was.dimensions is not None:
                self.learn(asked, was.dimensions)

    def __reduce__(self) -> tuple[Any, ...]:
        return *super().__reduce__(), {"_learned": self._learned}


class GivenEmbeddings(GivenPool[Embeddings], EmbeddingClients):
    """Embedding models that the user has built."""

    names_it = "model"

    def __init__(self, models: Sequence[Embeddings]) -> None:
        super().__init__(models)
        self._in_order = models

    def _identify(self, model: Embeddings, position: int) -> sk.Candidate:
        return candidate_of(model, position)

    def _make(self, candidate: sk.Candidate) -> Embeddings:
        return prepared(self._given[candidate])

    def _spaces(self, chain: Sequence[sk.Candidate]) -> Iterable[tuple[str, Space]]:  # noqa: ARG002 - see below
        # A second model with the key of the first is not in the chain, but may be of another space.
        for position, model in enumerate(self._in_order):
            who = str(candidate_of(model, position))
            check_settings(partial(_field, model), who)
            yield who, space_of_model(model)


def _field(model: Embeddings, name: str) -> Any:
    return getattr(model, name, None)


def candidate_of(model: Embeddings, position: int) -> sk.Candidate:
    """Who ``model`` is: its provider, model, address and credential, or its position where it shows no credential.

    The same key at the same address is the same credential as a chat model's.
    """
    provider, _ = known(model)
    name = f"{provider}/{deployment(model) or space_of_model(model).model}" if provider else model.model  # type: ignore[attr-defined]  # LiteLLM's
    said = {field: text_of(getattr(model, field, None)) for field in (*_ADDRESSES, *_OWNERS)}
    addresses = [said[field] for field in _ADDRESSES if said[field] and said[field].rstrip("/") not in _OWN_ADDRESSES]
    settings: dict[str, Any] = {"model_name": name, "model": name, "api_base": next(iter(addresses), None)}
    secrets = secrets_of(model) if isinstance(model, BaseModel) else _plain_key(model)
    settings |= {"api_key": next(iter(secrets.values()))} if len(secrets) == 1 else secrets
    settings |= {field: said[field] for field in _OWNERS if said[field]}
    entry = sk.ModelConfig.model_validate(settings)
    (candidate,) = sk.resolve_candidates(name, lookup=lambda _: entry)
    return candidate if candidate.credential else replace(candidate, position=position)


def _plain_key(model: Embeddings) -> dict[str, str]:
    key = text_of(getattr(model, "api_key", None))
    return {"api_key": key} if key else {}
