"""The chat model."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import SecretStr, ValidationError

import sparekey as sk
from langchain_sparekey._chunks import as_chunk, empty_chunk, is_substantive
from langchain_sparekey._clients import Clients, Factory, GivenClients, ListedClients
from langchain_sparekey._described import DescribedModel
from langchain_sparekey._entries import CHAT, Defaults, Entry, asked_for, check_deadline, memory, refuse
from langchain_sparekey._in_use import InUse, from_file
from langchain_sparekey._loops import past_dead_loops, stream_past_dead_loops
from langchain_sparekey._request import OnAttempt, Request

T = TypeVar("T")

# The candidates' underscore methods are called, rather than invoke(), so that LangChain sees one run:
# one start, one end, one count of tokens.
# ruff: noqa: SLF001


class ChatSparekey(DescribedModel):
    """A chat model with spare keys, and spare models, that remembers which of them are cooling down.

    Give it one model and its keys, or a name and the list it stands in::

        ChatSparekey(model="openai/gpt-4o", api_keys=[...], temperature=0)
        ChatSparekey(model="chat", model_list=[{"model_name": "chat", "model": "openai/gpt-4o", "api_keys": [...]}])

    It is used like any other chat model. Candidates are tried in order until one answers; a failure
    that no other key could avert leaves as the provider's package raised it, and when nobody is left
    there is one :class:`ModelsExhaustedError`.

    Args:
        model: the name in ``model_list``, or without one the model itself, ``provider/model``.
        model_list: entries as :class:`sparekey.ModelConfig` reads them, LiteLLM's nested form included.
        api_key: the key of ``model``, when there is no list.
        api_keys: its keys, tried in order after ``api_key``.
        api_base: its address; ``base_url`` is the same.
        timeout: seconds one attempt may take, for entries that do not say.
        factory: makes the chat model of one entry, instead of the class LangChain has for its provider.
        tracker: the memory of what is cooling down; by default the process's one for ``policy`` and ``state``.
        policy: what each kind of failure does; the tracker's when None.
        state: where the memory lives, as for :func:`sparekey.shared_tracker`.
        deadline: seconds that all attempts of one request together may take (of a stream: until it begins).
        on_attempt: hears of every attempt of every request as it ends.
        settings: fields of every LangChain model (``name``, ``tags``, ``cache``, ...) are this model's own; all
            others (``temperature``, ``max_tokens``, ...) go to the candidates' models, unless an entry says otherwise.

    Raises:
        ConfigError: what is given cannot work; one line, in which no key is shown.
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
        timeout: float | None = None,
        factory: Factory | None = None,
        tracker: sk.CooldownTracker | None = None,
        policy: sk.Policy | None = None,
        state: Any = None,
        deadline: float | None = None,
        on_attempt: OnAttempt | None = None,
        in_use: InUse[Clients] | None = None,
        **settings: Any,
    ) -> None:
        own = {name: settings.pop(name) for name in list(settings) if name in type(self).model_fields}
        one = {"api_key": api_key, "api_keys": api_keys, "api_base": api_base, "base_url": base_url}
        if in_use is None:
            model, entries = asked_for(model, model_list, one, CHAT)
            if own.get("output_version") is not None:
                settings["output_version"] = own["output_version"]  # decides what the candidates answer, too
            defaults = Defaults(settings, timeout, CHAT)
            in_use = InUse(ListedClients(defaults.complete(entries), factory, defaults), model)
        else:
            theirs = {"model_list": model_list, **one, "timeout": timeout, "factory": factory, **settings}
            refuse(theirs, "said by the models themselves, not here")
        check_deadline(deadline)
        in_use.now.candidates(model or "")  # unknown names and providers are found out now, not at the first request
        tracker = memory(tracker, policy, state)
        own |= {"tracker": tracker, "policy": policy, "deadline": deadline, "on_attempt": on_attempt}
        try:
            super().__init__(model=model or "", in_use=in_use, **own)
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors(include_url=False)]
        else:
            # See __getattr__. A profile given by the user stays.
            if self.__dict__.get("profile") is None:
                self.__dict__.pop("profile", None)
            return
        raise sk.ConfigError(f"ChatSparekey: {sk.scrub('; '.join(problems))}")

    @classmethod
    def from_config(
        cls,
        path: str | os.PathLike[str],
        model: str | None = None,
        *,
        watch: bool | float = False,
        **options: Any,
    ) -> Self:
        """A model of the list in a YAML, JSON or TOML file.

        The file's ``sparekey_settings`` are its policy, unless ``policy`` is given.

        Args:
            path: the file, as :func:`sparekey.load_config` reads it.
            model: the name in it; may be left out when there is only one.
            watch: whether to :meth:`reload` it whenever it changes, for as long as the model or a copy of it lives; a
                number is the seconds between two looks, 1 when True. See :class:`sparekey.ConfigWatch`.
            options: as for the class.

        Raises:
            ConfigError: the file, or what it says, cannot work.
        """
        return from_file(cls, path, model, options, watch=watch)

    @classmethod
    def from_models(cls, models: Iterable[BaseChatModel], **options: Any) -> Self:
        """A model that asks existing chat models, in order.

        They stay as they are: where one has retries of its own, another is built from its settings
        without them. What LangChain does around a model (its callbacks, tags and cache) is done for
        this one, not for those; their rate limiters are minded.

        Args:
            models: chat models, not bindings of them; bind tools to the result.
            options: as for the class, but for what concerns lists, keys and settings.

        Raises:
            ConfigError: there are none, or one is not a chat model.
        """
        given = list(models)
        if not given:
            raise sk.NoCandidatesError("ChatSparekey.from_models: there is no model in the list")
        for i, each in enumerate(given):
            if not isinstance(each, BaseChatModel):
                raise sk.ConfigError(
                    f"ChatSparekey.from_models: models[{i}]: must be a chat model, not {type(each).__name__}; "
                    "bind tools and settings to the result instead"
                )
        if any(getattr(model, "streaming", None) is True for model in given):
            options.setdefault("streaming", True)  # what they would do when invoked, and what is off in them here
        return cls(in_use=InUse(GivenClients(given), ""), **options)

    def reload(self, model_list: Iterable[Entry]) -> None:
        """Ask the keys of another list from now on, this model and all its copies.

        Requests under way end with the keys they began with. What is known of a key stays, since it is known by its
        fingerprint. What was said beside the list (settings, ``timeout``) is said of the new entries, too.

        Args:
            model_list: as for the class; the model's name has to be in it.

        Raises:
            ConfigError: the list cannot work, or there was none, as after :meth:`from_models`; nothing has changed.
        """
        self.in_use.reload(model_list)

    # -- calls -----------------------------------------------------------------------------

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with self._request(messages, run_manager, kwargs) as request:

            def ask(candidate: sk.Candidate) -> ChatResult:
                model, said, given = request.turn(candidate)
                return model._generate(said, stop=stop, **given)

            return request.signed(request.chain.execute(request.candidates, ask, deadline=self.deadline))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with self._request(messages, run_manager, kwargs) as request:

            async def ask(candidate: sk.Candidate) -> ChatResult:
                model, said, given = await request.aturn(candidate)
                return await past_dead_loops(lambda: model._agenerate(said, stop=stop, **given))

            return request.signed(await request.chain.aexecute(request.candidates, ask, deadline=self.deadline))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with self._request(messages, run_manager, kwargs) as request:

            def ask(candidate: sk.Candidate) -> Iterable[ChatGenerationChunk]:
                model, said, given = request.turn(candidate)
                if model._should_stream(async_api=False, **{**given, "stream": True}):
                    return model._stream(said, stop=stop, **given)
                return map(as_chunk, model._generate(said, stop=stop, **given).generations)

            opened = request.chain.stream(request.candidates, ask, deadline=self.deadline, commit=is_substantive)
            note: dict[str, Any] | None = request.note(opened)
            with opened.response as chunks:
                for chunk in chunks:
                    if note is not None:
                        request.sign(chunk.message, opened.candidate, note)
                        note = None
                    if run_manager is not None:
                        run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
            if note is not None:
                yield empty_chunk(note)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        with self._request(messages, run_manager, kwargs) as request:

            async def ask(candidate: sk.Candidate) -> AsyncIterator[ChatGenerationChunk]:
                model, said, given = await request.aturn(candidate)
                if model._should_stream(async_api=True, **{**given, "stream": True}):
                    return stream_past_dead_loops(lambda: model._astream(said, stop=stop, **given))
                result = await past_dead_loops(lambda: model._agenerate(said, stop=stop, **given))
                return _aiter(map(as_chunk, result.generations))

            opened = await request.chain.astream(request.candidates, ask, deadline=self.deadline, commit=is_substantive)
            note: dict[str, Any] | None = request.note(opened)
            async with opened.response as chunks:
                async for chunk in chunks:
                    if note is not None:
                        request.sign(chunk.message, opened.candidate, note)
                        note = None
                    if run_manager is not None:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
            if note is not None:
                yield empty_chunk(note)

    def _request(self, messages: list[BaseMessage], run_manager: Any, given: Mapping[str, Any]) -> Request:
        return Request(
            self.clients,
            self.model,
            messages,
            given,
            tracker=self.tracker,
            policy=self.policy,
            on_attempt=self.on_attempt,
            run_manager=run_manager,
        )


async def _aiter(items: Iterable[T]) -> AsyncIterator[T]:
    for item in items:
        yield item
