"""The embedding model."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Self, TypeAlias

from langchain_core.embeddings import Embeddings
from pydantic import SecretStr

import sparekey as sk
from langchain_sparekey._embedding_answers import (
    Vectors,
    check_length,
    checked_texts,
    length_of,
    portion,
    read,
)
from langchain_sparekey._embedding_clients import EmbeddingClients, GivenEmbeddings, ListedEmbeddings
from langchain_sparekey._embedding_space import Space
from langchain_sparekey._entries import EMBEDDING, Defaults, Entry, asked_for, check_deadline, memory, refuse
from langchain_sparekey._errors import leaving
from langchain_sparekey._in_use import InUse, from_file
from langchain_sparekey._loops import past_dead_loops
from langchain_sparekey._timeouts import time_for_embedding

EmbeddingFactory: TypeAlias = Callable[[sk.ModelConfig], Embeddings]


class SparekeyEmbeddings(Embeddings):
    """An embedding model with spare keys, that remembers which of them are cooling down.

    Give it a model and its keys, or a name and the list it stands in::

        SparekeyEmbeddings(model="openai/text-embedding-3-small", api_keys=[...])
        SparekeyEmbeddings(model="docs", model_list=[{"model_name": "docs", "model": "mistral/mistral-embed", ...}])

    It goes wherever LangChain takes embeddings. All candidates are of one model, at one provider or several, because
    vectors of two models cannot be compared; and an answer is checked before it is believed. A long list of texts is
    embedded in slices, each at whoever can, so a key that fails midway costs one slice.

    Args:
        model: the name in ``model_list``, or without one the model itself, ``provider/model``.
        model_list: entries as :class:`sparekey.ModelConfig` reads them, LiteLLM's nested form included.
        api_key: the key of ``model``, when there is no list.
        api_keys: its keys, tried in order after ``api_key``.
        api_base: its address; ``base_url`` is the same.
        dimensions: how long vectors are to be. Models that can be asked for it are; answers of another length are an
            error of whoever gave them. When None, the first answer decides.
        timeout: seconds one attempt may take, for entries that do not say.
        factory: makes the embedding model of one entry, instead of the class LangChain has for its provider.
        tracker: the memory of what is cooling down; by default the process's one for ``policy`` and ``state``.
        policy: what each kind of failure does; the tracker's when None.
        state: where the memory lives, as for :func:`sparekey.shared_tracker`.
        deadline: seconds that all attempts at one query, or at one slice of a list, may take together.
        on_attempt: hears of every attempt of every request as it ends.
        clients: the models of :meth:`from_models`, instead of a list.
        settings: all others (``chunk_size``, ``default_headers``, ...) go to the candidates' classes, unless an entry
            says otherwise.

    Raises:
        ConfigError: what is given cannot work, or is of two models; one line, in which no key is shown.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        model_list: Sequence[sk.ModelConfig | Mapping[str, Any]] | None = None,
        api_key: str | SecretStr | None = None,
        api_keys: Iterable[str | SecretStr | None] | None = None,
        api_base: str | None = None,
        base_url: str | None = None,
        dimensions: int | None = None,
        timeout: float | None = None,
        factory: EmbeddingFactory | None = None,
        tracker: sk.CooldownTracker | None = None,
        policy: sk.Policy | None = None,
        state: Any = None,
        deadline: float | None = None,
        on_attempt: Callable[[sk.Attempt], object] | None = None,
        clients: EmbeddingClients | None = None,
        **settings: Any,
    ) -> None:
        one = {"api_key": api_key, "api_keys": api_keys, "api_base": api_base, "base_url": base_url}
        if clients is not None:
            theirs = {
                "model": model,
                "model_list": model_list,
                **one,
                "timeout": timeout,
                "factory": factory,
                **settings,
            }
            refuse(theirs, "said by the models themselves, not here", EMBEDDING)
        else:
            model, entries = asked_for(model, model_list, one, EMBEDDING)
            if dimensions is not None:
                settings["dimensions"] = dimensions
            defaults = Defaults(settings, timeout, EMBEDDING)
            clients = ListedEmbeddings(defaults.complete(entries), factory, defaults)
        check_deadline(deadline)
        self._name = model or ""
        # Unknown names and providers, and a second model, are found out now, not at the first request.
        clients.space(self._name, dimensions)
        self._dimensions = dimensions
        self.tracker = memory(tracker, policy, state)
        self.policy = policy
        self.deadline = deadline
        self.on_attempt = on_attempt
        self.in_use: InUse[EmbeddingClients] = InUse(clients, self._name)

    @classmethod
    def from_config(
        cls,
        path: str | os.PathLike[str],
        model: str | None = None,
        *,
        watch: bool | float = False,
        **options: Any,
    ) -> Self:
        """The embeddings of a list in a YAML, JSON or TOML file.

        The file's ``sparekey_settings`` are the policy, unless ``policy`` is given.

        Args:
            path: the file, as :func:`sparekey.load_config` reads it.
            model: the name in it; may be left out when there is only one, or one whose entries say
                ``mode: embedding``, themselves or in LiteLLM's ``model_info``.
            watch: whether to :meth:`reload` it whenever it changes, as for :meth:`ChatSparekey.from_config`.
            options: as for the class.

        Raises:
            ConfigError: the file, or what it says, cannot work.
        """
        return from_file(cls, path, model, options, watch=watch)

    @classmethod
    def from_models(cls, models: Iterable[Embeddings], **options: Any) -> Self:
        """Embeddings that ask existing embedding models, in order.

        They stay as they are; copies without retries of their own are asked.

        Args:
            models: embedding models, all of one model.
            options: as for the class, but for what concerns lists, keys and settings.

        Raises:
            ConfigError: there are none, one is something else, or they are of two models.
        """
        given: list[Any] = list(models)
        if not given:
            raise sk.NoCandidatesError(f"{EMBEDDING.owner}.from_models: there is no model in the list")
        for i, each in enumerate(given):
            if not isinstance(each, Embeddings):
                where = f"{EMBEDDING.owner}.from_models: models[{i}]"
                raise sk.ConfigError(f"{where}: must be an embedding model, not {type(each).__name__}")
        return cls(clients=GivenEmbeddings(given), **options)

    def reload(self, model_list: Iterable[Entry]) -> None:
        """Ask the keys of another list from now on; as :meth:`ChatSparekey.reload`.

        A long list of texts goes on with it at its next slice.

        Args:
            model_list: as for the class; the name has to be in it, and to stand for the same model and dimensions.

        Raises:
            ConfigError: the list cannot work, is of another vector space, or there was none; nothing has changed.
        """
        self.in_use.reload(model_list)

    @property
    def clients(self) -> EmbeddingClients:
        """The candidates and the embedding models behind them, as they are now."""
        return self.in_use.now

    @property
    def _space(self) -> Space:
        return self.clients.space(self._name, self._dimensions)

    @property
    def model(self) -> str:
        """The name asked for; of models given as they are, what they call their model."""
        return self._name or self._space.model

    @property
    def dimensions(self) -> int | None:
        """How long vectors are: as was said, or else as the first answer was; None before it."""
        return self._space.dimensions or self.clients.learned(self._name)

    @property
    def candidates(self) -> tuple[sk.Candidate, ...]:
        """Who is tried, in order."""
        return self.clients.candidates(self._name)

    # -- calls -----------------------------------------------------------------------------

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The vectors of ``texts``, in their order.

        Raises:
            ModelsExhaustedError: nobody could serve a slice of them.
            TypeError: one is not a text.
            ValueError: one cannot be written as UTF-8.
        """
        given = checked_texts(texts)
        vectors: Vectors = []
        while len(vectors) < len(given):
            with self._asking(len(vectors), len(given)) as (clients, candidates):
                ask = partial(self._documents, clients, given, len(vectors))
                vectors += self._chain().execute(candidates, ask, deadline=self.deadline).response
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question.

        Raises:
            ModelsExhaustedError: nobody could serve it.
            TypeError: it is not a text.
            ValueError: it cannot be written as UTF-8.
        """
        (given,) = checked_texts([text])
        with self._asking() as (clients, candidates):
            ask = partial(self._query, clients, given)
            return self._chain().execute(candidates, ask, deadline=self.deadline).response

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """:meth:`embed_documents`, slice after slice: a throttled key is met once, not by many slices at a time."""
        given = checked_texts(texts)
        vectors: Vectors = []
        while len(vectors) < len(given):
            with self._asking(len(vectors), len(given)) as (clients, candidates):
                ask = partial(self._adocuments, clients, given, len(vectors))
                vectors += (await self._chain().aexecute(candidates, ask, deadline=self.deadline)).response
        return vectors

    async def aembed_query(self, text: str) -> list[float]:
        """:meth:`embed_query`."""
        (given,) = checked_texts([text])
        with self._asking() as (clients, candidates):
            ask = partial(self._aquery, clients, given)
            return (await self._chain().aexecute(candidates, ask, deadline=self.deadline)).response

    # -- one candidate's turn --------------------------------------------------------------

    def _documents(self, clients: EmbeddingClients, texts: list[str], start: int, candidate: sk.Candidate) -> Vectors:
        model = clients.ready(candidate)
        part = portion(texts, start, model)
        return self._checked(model.embed_documents(part, **time_for_embedding(model)), len(part))

    def _query(self, clients: EmbeddingClients, text: str, candidate: sk.Candidate) -> list[float]:
        model = clients.ready(candidate)
        return self._checked([model.embed_query(text, **time_for_embedding(model))], 1)[0]

    async def _adocuments(
        self, clients: EmbeddingClients, texts: list[str], start: int, candidate: sk.Candidate
    ) -> Vectors:
        model = clients.ready(candidate)
        part = portion(texts, start, model)
        return self._checked(await past_dead_loops(lambda: model.aembed_documents(part)), len(part))

    async def _aquery(self, clients: EmbeddingClients, text: str, candidate: sk.Candidate) -> list[float]:
        model = clients.ready(candidate)
        return self._checked([await past_dead_loops(lambda: model.aembed_query(text))], 1)[0]

    def _checked(self, vectors: Vectors, texts: int) -> Vectors:
        length = length_of(vectors, texts)
        check_length(length, self._space.dimensions or self.clients.learn(self._name, length))
        return vectors

    # -- the engine ------------------------------------------------------------------------

    def _chain(self) -> sk.FallbackChain:
        return sk.FallbackChain(self.tracker, self.policy, self._read, self.on_attempt)

    def _read(self, error: BaseException) -> sk.Verdict | None:
        return read(error, now=self.tracker.clock())

    @contextmanager
    def _asking(self, done: int = 0, texts: int = 0) -> Iterator[tuple[EmbeddingClients, Sequence[sk.Candidate]]]:
        """Who is asked in one request. Errors leave as LangChain expects them, and say how far a list had come."""
        clients = self.clients
        candidates = clients.candidates(self._name)
        try:
            yield clients, candidates
        except Exception as error:
            left = leaving(error, candidates) if isinstance(error, sk.FallbackExhaustedError) else error
            if done:
                left.add_note(f"sparekey: {done} of {texts} texts had been embedded")
            if left is error:
                raise
            raise left from left.__cause__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r}, dimensions={self.dimensions}, candidates={len(self.candidates)})"
