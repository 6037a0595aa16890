"""All that LangChain wants to know of a chat model besides its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Self, cast

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import Field

import sparekey as sk
from langchain_sparekey._clients import Clients
from langchain_sparekey._counting import counted, first_built
from langchain_sparekey._in_use import InUse
from langchain_sparekey._profile import common_profile, profile_of
from langchain_sparekey._request import OnAttempt
from langchain_sparekey._structured import FORMAT, STRUCTURE, ServedParser, Structure, structured
from langchain_sparekey._tools import Tools

_LOOKED_AT = 32
"""Candidates looked at to label a trace; a label is not worth a walk past a thousand keys."""


_SHARED = ("in_use", "on_attempt", "policy", "tracker")


class DescribedModel(BaseChatModel):
    """What a :class:`ChatSparekey` is made of, and how it shows itself: identity, traces, tokens, tools."""

    model: str = ""
    """The name asked for; empty for models given as they are."""
    streaming: bool | None = None
    """Whether ``invoke`` streams too, so that callbacks hear of every token."""
    deadline: float | None = None
    """Seconds that all attempts of one request together may take."""

    # Public fields, kept by reference: LangChain rebuilds models from those, and what is private is lost.
    tracker: sk.CooldownTracker = Field(exclude=True, repr=False)
    """The memory of what is cooling down."""
    policy: sk.Policy | None = Field(default=None, exclude=True, repr=False)
    """What each kind of failure does; the tracker's when None."""
    on_attempt: OnAttempt | None = Field(default=None, exclude=True, repr=False)
    """Hears of every attempt as it ends."""
    in_use: InUse[Clients] = Field(exclude=True, repr=False)
    """The candidates and the chat models behind them, until others take their place."""

    @property
    def clients(self) -> Clients:
        """The candidates and the chat models behind them, as they are now."""
        return self.in_use.now

    @property
    def candidates(self) -> tuple[sk.Candidate, ...]:
        """Who is tried, in order."""
        return self.clients.candidates(self.model)

    @property
    def _llm_type(self) -> str:
        return "sparekey"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return self.clients.identity(self.model)

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        # A run is labelled when it starts, before it is known who serves it: the best guess is who would now.
        clients = self.clients
        chain = clients.candidates(self.model)
        likely = next((who for who in islice(chain, _LOOKED_AT) if self.tracker.is_available(who)), chain[0])
        params = {**clients.traced(likely), "ls_model_type": "chat"}
        for name, label in (
            ("model", "ls_model_name"),
            ("temperature", "ls_temperature"),
            ("max_tokens", "ls_max_tokens"),
        ):
            if kwargs.get(name) is not None:
                params[label] = kwargs[name]
        if stop:
            params["ls_stop"] = stop
        return cast(LangSmithParams, params)

    def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None]) -> dict[str, Any]:
        """What ``generate`` says of all answers together, as the first candidate's model says it."""
        return self._first_model._combine_llm_outputs(llm_outputs) if any(llm_outputs) else {}  # noqa: SLF001 - LangChain's

    # -- tokens and capabilities -----------------------------------------------------------

    def get_token_ids(self, text: str) -> list[int]:
        """As the first candidate's model counts, or ``custom_get_token_ids``."""
        own = self.custom_get_token_ids is not None
        return super().get_token_ids(text) if own else self._first_model.get_token_ids(text)

    def get_num_tokens(self, text: str) -> int:
        """As the first candidate's model counts, or ``custom_get_token_ids``."""
        own = self.custom_get_token_ids is not None
        return super().get_num_tokens(text) if own else self._first_model.get_num_tokens(text)

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None, **kwargs: Any
    ) -> int:
        """As the first candidate's model counts.

        Some classes (Anthropic's) ask their provider: then the keys of that model stand in for each other as ever.

        Raises:
            ModelsExhaustedError: the provider was asked, and no key of the model could be used.
        """
        if self.custom_get_token_ids is not None:
            return super().get_num_tokens_from_messages(messages, tools)
        clients = self.clients
        first = first_built(self._different(clients), clients.model)
        return counted(
            [who for who in clients.candidates(self.model) if who.group == first.group],
            self.tracker,
            lambda who: clients.model(who).get_num_tokens_from_messages(messages, tools, **kwargs),
        )

    @property
    def _first_model(self) -> BaseChatModel:
        return self._first(self.clients)[0]

    def _first(self, clients: Clients) -> tuple[BaseChatModel, sk.Candidate]:
        who = first_built(self._different(clients), clients.model)
        return clients.model(who), who

    if not TYPE_CHECKING:  # a checker would take every name for an attribute

        def __getattr__(self, name: str) -> Any:
            """``profile``, found out when it is asked for: that imports the packages of all providers."""
            if name == "profile":
                return self._common_profile()
            return super().__getattr__(name)

    def _common_profile(self) -> dict[str, Any] | None:
        clients, profiles = self.clients, []
        for who in self._different(clients):
            with suppress(Exception):  # who cannot be built will not answer either
                profiles.append(profile_of(clients.model(who), who.model))
        return common_profile(profiles)

    # -- tools -----------------------------------------------------------------------------

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: Any = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """This model with ``tools``, which each candidate's own model binds when its turn comes.

        Args:
            tools: functions, classes, tools or dicts.
            tool_choice: "auto", "any", "none" or a tool's name; OpenAI's and Anthropic's forms are understood.
            kwargs: further arguments of the candidates' ``bind_tools``, such as ``strict``.
        """
        if tool_choice is not None:
            kwargs["tool_choice"] = tool_choice
        return self.bind(tools=Tools(tools), **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        include_raw: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """This model, answering in the form of ``schema``.

        Each candidate's own model goes about it in its own way (a native JSON schema, a tool), and whoever answered
        parses. A method or strictness that a candidate's provider does not know is left out for that candidate.

        Args:
            schema: a pydantic class, a ``TypedDict``, a JSON schema or a tool's.
            include_raw: give a dict of ``raw``, ``parsed`` and ``parsing_error``, also when nothing could be parsed.
            kwargs: further arguments of the candidates' ``with_structured_output``, such as ``method`` and ``strict``.

        Raises:
            Exception: no candidate's model can do it as asked; what the first of them says.
        """
        structure = Structure(schema, kwargs)
        clients = self.clients
        structure.check(self._different(clients), clients.model)
        told = {"kwargs": {"method": kwargs.get("method", "default"), **kwargs}, "schema": schema}
        llm = self.bind(**{STRUCTURE: structure, FORMAT: told})
        return structured(llm, ServedParser(structure, self._server), include_raw=include_raw)

    def _server(self, candidate_id: str) -> tuple[BaseChatModel, sk.Candidate]:
        """Who gave an answer; the first for one that is not of this chain."""
        for clients in filter(None, (self.in_use.now, self.in_use.before)):
            who = next((who for who in clients.candidates(self.model) if who.id == candidate_id), None)
            if who is not None:
                return clients.model(who), who
        return self._first(self.clients)

    def _different(self, clients: Clients) -> list[sk.Candidate]:
        """One candidate of each model, in order."""
        found: dict[tuple[str, str], sk.Candidate] = {}
        for who in clients.candidates(self.model):
            found.setdefault((who.provider, who.model), who)
        return list(found.values())

    # -- copies ----------------------------------------------------------------------------
    # The memory and the connections are what copies have in common, deep ones too.

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's; the copy remembers with this model."""
        shared = {name: getattr(self, name) for name in _SHARED} if deep else {}
        return super().model_copy(update={**shared, **(update or {})}, deep=deep)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        memo = {} if memo is None else memo
        memo |= {id(shared): shared for shared in (getattr(self, name) for name in _SHARED)}
        return super().__deepcopy__(memo)
