"""Structured output: each candidate's own way to it, and the parser of whoever served."""

# ruff: noqa: A002 - "input" is LangChain's own name for it

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from itertools import chain
from operator import itemgetter
from typing import Any, TypeAlias
from weakref import ref

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig, RunnableMap, RunnablePassthrough
from langchain_core.runnables.base import RunnableSequence
from langchain_core.utils.function_calling import convert_to_openai_tool

import sparekey as sk
from langchain_sparekey._chunks import NOTE
from langchain_sparekey._tools import as_openai_tools

Schema: TypeAlias = dict[str, Any] | type
Plan: TypeAlias = tuple[Mapping[str, Any], Runnable[Any, Any]]
"""The keyword arguments of a model's call, and what parses its answer."""


class Structure(dict[str, Any]):
    """What was asked of ``with_structured_output``: plain data for caches and traces, the schema itself for models."""

    def __init__(self, schema: Schema | None, how: Mapping[str, Any]) -> None:
        shown = {name: as_openai_tools(value) if name == "tools" else value for name, value in how.items()}
        super().__init__(schema=None if schema is None else _written(schema), **shown)
        self.schema = schema
        self.how = dict(how)
        self._plans: dict[tuple[str, str], tuple[ref[BaseChatModel], Plan]] = {}

    def plan(self, model: BaseChatModel, candidate: sk.Candidate) -> Plan:
        """How ``model`` itself would go about it.

        Raises:
            Exception: whatever its class says of a schema or method that it cannot do.
        """
        key = candidate.name, candidate.id
        known = self._plans.get(key)
        if known is None or known[0]() is not model:
            there, made = self._plans, _plan(model, self.schema, self.how)
            known = there[key] = ref(model, lambda _: there.pop(key, None)), made
        return known[1]

    def check(self, candidates: Iterable[sk.Candidate], build: Callable[[sk.Candidate], BaseChatModel]) -> None:
        """See that the model of one of ``candidates`` can do it just as it was asked.

        Raises:
            Exception: none can; what the first of them says.
        """
        problem: Exception | None = None
        for who in candidates:
            try:
                build(who).with_structured_output(self.schema, **self.how)  # type: ignore[arg-type]  # as below
            except Exception as error:
                problem = problem or error
            else:
                return
        if problem is not None:
            raise problem

    def __deepcopy__(self, _memo: object) -> Structure:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Structure, (self.schema, self.how)  # plans are of models of this process


def _written(schema: Schema) -> dict[str, Any]:
    """The schema as data; one that only some methods take (a JSON schema without a title) as it is."""
    try:
        return convert_to_openai_tool(schema)
    except ValueError:
        return schema if isinstance(schema, dict) else {"name": getattr(schema, "__name__", str(schema))}


def _plan(model: BaseChatModel, schema: Schema | None, how: Mapping[str, Any]) -> Plan:
    structured = _as_far_as_known(model, schema, how)
    first, parser = _split(structured)
    if first is None or first.bound is not model:
        first, parser = _split(BaseChatModel.with_structured_output(model, schema))  # type: ignore[arg-type]
    assert first is not None
    assert parser is not None
    asked = {name: value for name, value in first.kwargs.items() if name != FORMAT}
    return asked, parser


def _as_far_as_known(model: BaseChatModel, schema: Schema | None, how: Mapping[str, Any]) -> Runnable[Any, Any]:
    """The model's own way as it was asked for, or without what its provider does not know: the schema matters most."""
    problem: Exception | None = None
    for left_out in ((), ("strict",), ("method",), ("method", "strict"), tuple(how)):
        known = {name: value for name, value in how.items() if name not in left_out}
        if left_out and (known == how or schema is None):
            continue
        try:
            return model.with_structured_output(schema, **known)  # type: ignore[arg-type]  # JSON mode takes None
        except (NotImplementedError, TypeError, ValueError) as error:
            problem = problem or error
    assert problem is not None
    raise problem


STRUCTURE = "structure"
"""Under this name a request carries its :class:`Structure`."""

FORMAT = "ls_structured_output_format"
"""Under this name LangChain's traces are told of the schema; no model takes it."""


def _split(structured: Runnable[Any, Any]) -> tuple[RunnableBinding[Any, Any] | None, Runnable[Any, Any] | None]:
    if not isinstance(structured, RunnableSequence) or not isinstance(structured.first, RunnableBinding):
        return None, None
    _, *rest = structured.steps
    return structured.first, rest[0] if len(rest) == 1 else RunnableSequence(*rest)


class ServedParser(Runnable[BaseMessage, Any]):
    """Parses an answer with the parser of the model that gave it, which the note in the answer names."""

    def __init__(self, structure: Structure, model_of: Callable[[str], tuple[BaseChatModel, sk.Candidate]]) -> None:
        self._structure = structure
        self._model_of = model_of

    @property
    def OutputType(self) -> Any:  # noqa: N802 - LangChain's name
        """The schema's class, where it is one."""
        schema = self._structure.schema
        return schema if isinstance(schema, type) else dict[str, Any]

    def _parser(self, message: BaseMessage) -> Runnable[Any, Any]:
        note = message.response_metadata.get(NOTE)
        model, candidate = self._model_of(note.get("candidate", "") if isinstance(note, dict) else "")
        return self._structure.plan(model, candidate)[1]

    def invoke(self, input: BaseMessage, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """The parsed answer."""
        return self._parser(input).invoke(input, config, **kwargs)

    async def ainvoke(self, input: BaseMessage, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """The parsed answer."""
        return await self._parser(input).ainvoke(input, config, **kwargs)

    def transform(
        self,
        input: Iterator[BaseMessage],
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """What can be parsed so far, with every chunk that adds to it."""
        chunks = iter(input)
        for first in chunks:  # the note is on the first
            yield from self._parser(first).transform(chain([first], chunks), config, **kwargs)

    async def atransform(
        self,
        input: AsyncIterator[BaseMessage],
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """What can be parsed so far, with every chunk that adds to it."""
        async for first in input:
            async for parsed in self._parser(first).atransform(_achain(first, input), config, **kwargs):
                yield parsed


async def _achain(first: BaseMessage, rest: AsyncIterator[BaseMessage]) -> AsyncIterator[BaseMessage]:
    yield first
    async for message in rest:
        yield message


def structured(llm: Runnable[Any, Any], parser: ServedParser, *, include_raw: bool) -> Runnable[Any, Any]:
    """``llm``'s answer parsed; with ``include_raw``, a dict of ``raw``, ``parsed`` and ``parsing_error``."""
    if not include_raw:
        return llm | parser
    parsed = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=lambda _: None)
    unparsed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=llm) | parsed.with_fallbacks([unparsed], exception_key="parsing_error")
