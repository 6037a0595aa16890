"""The embedding model."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
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
from langchain_sparekey._entries import EMBEDDING, asked_for, check_deadline, completed, memory, refuse, written_policy
from langchain_sparekey._errors import OUTAGES, CannotServeError, leaving
from langchain_sparekey._loops import past_dead_loops
from langchain_sparekey._timeouts import with_timeout

EmbeddingFactory: TypeAlias = Callable[[sk.ModelConfig], Embeddings]

_log = logging.getLogger("langchain_sparekey")


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
            clients = ListedEmbeddings(completed(entries, settings, timeout, EMBEDDING), factory)
        check_deadline(deadline)
        self._name = model or ""
        # Unknown names and providers, and a second model, are found out now, not at the first request.
        self._space = clients.space(self._name, dimensions)
        self.tracker = memory(tracker, policy, state)
        self.policy = policy
        self.deadline = deadline
        self.on_attempt = on_attempt
        self.clients = clients

    @classmethod
    def from_config(cls, path: str | os.PathLike[str], model: str | None = None, **options: Any) -> Self:
        """The embeddings of a list in a YAML, JSON or TOML file.

        The file's ``sparekey_settings`` are the policy, unless ``policy`` is given.

        Args:
            path: the file, as :func:`sparekey.load_config` reads it.
            model: the name in it; may be left out when there is only one, or one whose entries say
                ``mode: embedding``, themselves or in LiteLLM's ``model_info``.
            options: as for the class.

        Raises:
            ConfigError: the file, or what it says, cannot work.
        """
        entries = sk.load_config(path)
        if options.get("policy") is None:
            options["policy"] = written_policy(path)
        try:
            return cls(model, model_list=entries, **options)
        except sk.ConfigError as error:
            text = str(error)
        raise sk.ConfigError(f"{os.fspath(path)}: {text}")

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
            with self._leaving(len(vectors), len(given)):
                ask = partial(self._documents, given, len(vectors))
                vectors += self._chain().execute(self.candidates, ask, deadline=self.deadline).response
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question.

        Raises:
            ModelsExhaustedError: nobody could serve it.
            TypeError: it is not a text.
            ValueError: it cannot be written as UTF-8.
        """
        (given,) = checked_texts([text])
        with self._leaving():
            ask = partial(self._query, given)
            return self._chain().execute(self.candidates, ask, deadline=self.deadline).response

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """:meth:`embed_documents`, slice after slice: a throttled key is met once, not by many slices at a time."""
        given = checked_texts(texts)
        vectors: Vectors = []
        while len(vectors) < len(given):
            with self._leaving(len(vectors), len(given)):
                ask = partial(self._adocuments, given, len(vectors))
                vectors += (await self._chain().aexecute(self.candidates, ask, deadline=self.deadline)).response
        return vectors

    async def aembed_query(self, text: str) -> list[float]:
        """:meth:`embed_query`."""
        (given,) = checked_texts([text])
        with self._leaving():
            ask = partial(self._aquery, given)
            return (await self._chain().aexecute(self.candidates, ask, deadline=self.deadline)).response

    # -- one candidate's turn --------------------------------------------------------------

    def _documents(self, texts: list[str], start: int, candidate: sk.Candidate) -> Vectors:
        model = self._model(candidate)
        part = portion(texts, start, model)
        return self._checked(model.embed_documents(part, **_time_for(model)), len(part))

    def _query(self, text: str, candidate: sk.Candidate) -> list[float]:
        model = self._model(candidate)
        return self._checked([model.embed_query(text, **_time_for(model))], 1)[0]

    async def _adocuments(self, texts: list[str], start: int, candidate: sk.Candidate) -> Vectors:
        model = self._model(candidate)
        part = portion(texts, start, model)
        return self._checked(await past_dead_loops(lambda: model.aembed_documents(part)), len(part))

    async def _aquery(self, text: str, candidate: sk.Candidate) -> list[float]:
        model = self._model(candidate)
        return self._checked([await past_dead_loops(lambda: model.aembed_query(text))], 1)[0]

    def _model(self, candidate: sk.Candidate) -> Any:
        try:
            return self.clients.model(candidate)
        except Exception as error:
            verdict = sk.classify(error)
            if verdict is not None and verdict.reason in OUTAGES:
                raise  # some classes call their provider when they are constructed: an attempt like any other
            problem = CannotServeError(sk.scrub(f"cannot make this call: {type(error).__name__}: {error}"))
            if self.clients.is_news(f"{candidate.id} {problem}"):
                _log.warning("%s is passed over: it %s", candidate, problem)
            raise problem from error

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
    def _leaving(self, done: int = 0, texts: int = 0) -> Iterator[None]:
        """Let errors leave as LangChain expects them, and say how far a list had come."""
        try:
            yield
        except Exception as error:
            left = leaving(error, self.candidates) if isinstance(error, sk.FallbackExhaustedError) else error
            if done:
                left.add_note(f"sparekey: {done} of {texts} texts had been embedded")
            if left is error:
                raise
            raise left from left.__cause__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r}, dimensions={self.dimensions}, candidates={len(self.candidates)})"


def _time_for(model: Embeddings) -> dict[str, Any]:
    """What is left of the time, if ``model`` is of a class that takes it; a subclass need not."""
    told = with_timeout({}, model)
    return told if told and _takes_timeout(type(model)) else {}


@lru_cache(maxsize=256)
def _takes_timeout(cls: type[Embeddings]) -> bool:
    # Both methods, because LangChain's embed_query hands what it is given on to embed_documents.
    signatures = [inspect.signature(method).parameters.values() for method in (cls.embed_documents, cls.embed_query)]
    return all(any(each.name == "timeout" or each.kind is each.VAR_KEYWORD for each in one) for one in signatures)
