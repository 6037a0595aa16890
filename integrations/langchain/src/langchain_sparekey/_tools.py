"""Tools, kept as the user gave them until it is known whose turn it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.utils.function_calling import convert_to_openai_tool

import sparekey as sk

_HOW = ("tool_choice", "strict", "parallel_tool_calls", "response_format")
"""Keyword arguments that a provider's own ``bind_tools`` has to see together with the tools."""


class CannotBindError(sk.SparekeyError):
    """A candidate's model does not take these tools; another model may."""


class Tools(list[dict[str, Any]]):
    """Tools in OpenAI's form, for caches, traces and agents; each provider binds the raw ones its own way.

    What one provider makes of tools and of ``tool_choice`` is not what another understands, so
    they cannot be bound before it is known who is asked.
    """

    def __init__(self, raw: Sequence[Any]) -> None:
        super().__init__(_in_openai_form(tool) for tool in raw)
        self.raw = list(raw)
        self._bound: dict[tuple[str, str, str], tuple[BaseChatModel, Mapping[str, Any]]] = {}

    def bound_by(self, model: BaseChatModel, candidate: sk.Candidate, how: dict[str, Any]) -> Mapping[str, Any]:
        """What ``model`` itself makes of them, as keyword arguments of a call."""
        key = candidate.name, candidate.id, repr(how)
        known = self._bound.get(key)
        if known is not None and known[0] is model:
            return known[1]
        try:
            binding: Any = model.bind_tools(self.raw, **how)
        except Exception as error:
            raise CannotBindError(f"{type(model).__name__} cannot bind these tools: {error!r}") from error
        self._bound[key] = model, binding.kwargs
        return self._bound[key][1]

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)  # raw tools are functions and classes


def bound(given: Mapping[str, Any], model: BaseChatModel, candidate: sk.Candidate) -> dict[str, Any]:
    """``given``, with the tools in it as ``model`` wants them."""
    tools = given.get("tools")
    if not isinstance(tools, Tools):
        return dict(given)
    how = {name: given[name] for name in _HOW if name in given}
    if "tool_choice" in how:
        how["tool_choice"] = _in_common_words(how["tool_choice"])
    rest = {name: value for name, value in given.items() if name != "tools" and name not in how}
    return {**tools.bound_by(model, candidate, how), **rest}


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


def _in_openai_form(tool: Any) -> dict[str, Any]:
    try:
        return convert_to_openai_tool(tool)
    except Exception:
        if isinstance(tool, dict):
            return tool  # a provider's own, such as web search
        raise
