"""A request as the model whose turn it is takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

import sparekey as sk
from langchain_sparekey._markers import family, fitted_messages, fitted_settings, fitted_tools
from langchain_sparekey._structured import STRUCTURE, Structure
from langchain_sparekey._tools import Tools, bound


def fitted(
    messages: list[BaseMessage],
    given: Mapping[str, Any],
    model: BaseChatModel,
    candidate: sk.Candidate,
    primary: str | None,
) -> tuple[list[BaseMessage], dict[str, Any]]:
    """Messages and keyword arguments for a call of ``model``.

    Args:
        messages: the request's.
        given: the request's keyword arguments, with tools and structure as they were asked for.
        model: whose turn it is.
        candidate: whose model that is.
        primary: the provider of the chain's first model, when the chain has others too.

    Raises:
        Exception: whatever the model's class says of tools or a structure that it cannot do.
    """
    fit_tools = None
    if primary is not None:
        kind = family(model)
        messages, given = fitted_messages(messages, kind), fitted_settings(given, kind)
        if type(given.get("tools")) is list:  # bound by hand, in the form of one provider
            given["tools"] = Tools(given["tools"])

        def fit_tools(tools: Any) -> list[Any]:
            return fitted_tools(tools, kind, primary)

    structure = given.get(STRUCTURE)
    if isinstance(structure, Structure):
        rest = {name: value for name, value in given.items() if name != STRUCTURE}
        return messages, {**structure.plan(model, candidate)[0], **bound(rest, model, candidate, fit_tools)}
    return messages, bound(given, model, candidate, fit_tools)
