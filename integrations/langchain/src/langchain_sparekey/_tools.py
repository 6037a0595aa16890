"""Tools, kept as the user gave them until it is known whose turn it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias
from weakref import ref

from langchain_core.language_models import BaseChatModel
from langchain_core.utils.function_calling import convert_to_openai_tool

import sparekey as sk

Fit: TypeAlias = Callable[[Sequence[Any]], list[Any]]

_HOW = ("tool_choice", "strict", "parallel_tool_calls", "response_format")
"""Keyword arguments that a provider's own ``bind_tools`` has to see together with the tools."""


class Tools(list[dict[str, Any]]):
    """Tools in OpenAI's form, for caches, traces and agents; each provider binds the raw ones its own way.

    What one provider makes of tools and of ``tool_choice`` is not what another understands, so
    they cannot be bound before it is known who is asked.
    """

    def __init__(self, raw: Sequence[Any]) -> None:
        super().__init__(as_openai_tools(raw))
        self.raw = list(raw)
        self._bound: dict[tuple[str, str], tuple[ref[BaseChatModel], dict[str, Any], Mapping[str, Any]]] = {}

    def bound_by(
        self, model: BaseChatModel, candidate: sk.Candidate, how: dict[str, Any], fit: Fit | None
    ) -> Mapping[str, Any]:
        """What ``model`` itself makes of them, as keyword arguments of a call.

        Raises:
            Exception: whatever its class says of tools that it cannot bind.
        """
        key = candidate.name, candidate.id
        known = self._bound.get(key)
        if known is None or known[0]() is not model or known[1] != how:  # the latest way they were bound is kept
            there, made = self._bound, _bind(model, self.raw if fit is None else fit(self.raw), how)
            known = there[key] = ref(model, lambda _: there.pop(key, None)), how, made
        return known[2]

    def __deepcopy__(self, _memo: object) -> Tools:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Tools, (list(self),)  # raw tools are functions and classes; every package binds OpenAI's form, too


def bound(given: Mapping[str, Any], model: BaseChatModel, candidate: sk.Candidate, fit: Fit | None) -> dict[str, Any]:
    """``given``, with the tools in it as ``model`` wants them.

    Args:
        given: the keyword arguments of a call.
        model: who is to be called.
        candidate: whose model that is.
        fit: leaves out the tools that the model's provider does not run; None where all can stay.
    """
    tools = given.get("tools")
    if not isinstance(tools, Tools):
        return dict(given)
    how = {name: given[name] for name in _HOW if name in given}
    if "tool_choice" in how:
        how["tool_choice"] = _in_common_words(how["tool_choice"])
    rest = {name: value for name, value in given.items() if name != "tools" and name not in how}
    return {**tools.bound_by(model, candidate, how, fit), **rest}


def _bind(model: BaseChatModel, tools: Sequence[Any], how: dict[str, Any]) -> Mapping[str, Any]:
    if not tools:
        how = {name: value for name, value in how.items() if name == "response_format"}
        if not how:
            return {}
    binding: Any = model.bind_tools(tools, **how)
    return {name: value for name, value in binding.kwargs.items() if name != "tools" or tools}


def _in_common_words(choice: Any) -> Any:
    """A choice in words that every provider's ``bind_tools`` reads: "any", "auto", "none" or a tool's name."""
    match choice:
        case True | "required":
            return "any"
        case {"type": "function", "function": {"name": name}} | {"type": "tool", "name": name}:
            return name
        case {"type": "any" | "auto" | "none" as kind}:
            return kind
        case _:
            return choice


def as_openai_tools(tools: Sequence[Any]) -> list[dict[str, Any]]:
    """Tools as OpenAI writes them; a provider's own, such as web search, as they are.

    Raises:
        ValueError: one is nothing that could be a tool.
    """
    return [_in_openai_form(tool) for tool in tools]


def _in_openai_form(tool: Any) -> dict[str, Any]:
    try:
        return convert_to_openai_tool(tool)
    except Exception:
        if isinstance(tool, dict):
            return tool  # a provider's own, such as web search
        raise
