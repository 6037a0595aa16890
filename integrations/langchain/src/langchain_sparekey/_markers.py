"""What one provider understands and another refuses, left out when the other's turn comes.

A request is written for the model that usually answers it: with Anthropic's cache markers, OpenAI's
web search, and a history of answers in their provider's own parts. LangChain's packages translate text,
tool calls and attachments of each other; what they cannot translate is dropped here, when a chain has
models of several providers. A chain of one provider gets its requests as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage

_ANTHROPIC = frozenset({"anthropic-chat", "anthropic-bedrock-chat", "anthropic-chat-vertexai"})
"""What LangChain's own middleware knows the classes by that take Anthropic's markers (their ``_llm_type``)."""

# Providers that speak the language of another, and names that LangChain has two of.
_FAMILIES = {
    "azure": "openai",
    "azure_openai": "openai",
    "openai-mantle": "openai",
    "anthropic-bedrock": "anthropic",
    "anthropic-mantle": "anthropic",
    "anthropic_bedrock": "anthropic",
    "google_anthropic_vertex": "anthropic",
    "google_genai": "google",
    "google_vertexai": "google",
}

_PORTABLE = frozenset(
    {"text", "text-plain", "image", "image_url", "file", "audio", "video", "input_audio", "document"}
    | {"tool_use", "tool_call", "function_call"}
)
"""Parts of an answer that every package translates; thoughts and a provider's own tools are not among them."""

_DATED = re.compile(r"_20\d{6}$")
"""Anthropic's own tools have their date in their type: ``web_search_20250305``."""

_OPENAIS = frozenset(
    {"web_search", "web_search_preview", "file_search", "code_interpreter", "computer_use_preview", "computer"}
    | {"mcp", "image_generation", "tool_search", "apply_patch", "shell", "local_shell"}
)
_GOOGLES = frozenset(
    {"google_search", "google_search_retrieval", "google_maps", "url_context", "code_execution", "computer_use"}
)


def family(model: BaseChatModel) -> str:
    """The provider whose language ``model`` speaks, in the word that answers carry as ``model_provider``."""
    # Private to LangChain, whose own middleware tells models apart by them.
    if model._llm_type in _ANTHROPIC:  # noqa: SLF001
        return "anthropic"
    return family_named(model._get_ls_params().get("ls_provider", ""))  # noqa: SLF001


def family_named(provider: str) -> str:
    """The same for a provider's name in LangChain."""
    return _FAMILIES.get(provider, provider)


def fitted_messages(messages: list[BaseMessage], kind: str) -> list[BaseMessage]:
    """``messages`` for a model of ``kind``; the same list when there is nothing to leave out."""
    fitted = [_fitted_message(message, kind) for message in messages]
    if all(new is old for new, old in zip(fitted, messages, strict=True)):
        return messages
    # An answer of which nothing is left (it was all thoughts) would be refused as empty.
    return [new for new, old in zip(fitted, messages, strict=True) if new is old or new.content or _calls(new)]


def fitted_settings(given: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The keyword arguments of a call, without those that only another provider takes."""
    settings = dict(given)
    if kind != "anthropic":
        settings.pop("cache_control", None)
    if kind not in ("openai", "fireworks"):
        settings.pop("prompt_cache_key", None)
    headers = settings.get("extra_headers")
    if kind != "fireworks" and isinstance(headers, Mapping):
        settings["extra_headers"] = {k: v for k, v in headers.items() if str(k).lower() != "x-session-affinity"}
    return settings


def fitted_tools(tools: Sequence[Any], kind: str, primary: str) -> list[Any]:
    """``tools`` without those that are run by another provider.

    Args:
        tools: as the user gave them.
        kind: whose turn it is.
        primary: the provider of the chain's first model, for which a tool of unknown kind is meant.
    """
    return [
        _without_marker(tool) if kind != "anthropic" and isinstance(tool, dict) else tool
        for tool in tools
        if (owner := _owner(tool, primary)) is None or owner == kind
    ]


def _owner(tool: Any, primary: str) -> str | None:
    """The provider that runs ``tool`` itself; None for one that the caller runs."""
    if not isinstance(tool, dict):
        return None
    kind = tool.get("type")
    if isinstance(kind, str) and kind not in ("function", "custom"):
        if _DATED.search(kind) or kind == "mcp_toolset":
            return "anthropic"
        return "openai" if kind in _OPENAIS else primary
    return "google" if _GOOGLES & tool.keys() else None


def _fitted_message(message: BaseMessage, kind: str) -> BaseMessage:
    content = message.content
    if not isinstance(content, list):
        return message
    fitted: list[Any] = content
    if isinstance(message, AIMessage) and _source(message) not in (None, kind):
        fitted = [_plain(block) for block in content if _is_portable(block)]
    elif kind != "anthropic":
        fitted = [_without_markers(block) for block in content]
    if len(fitted) == len(content) and all(new is old for new, old in zip(fitted, content, strict=True)):
        return message
    return message.model_copy(update={"content": fitted})


def _calls(message: BaseMessage) -> bool:
    return isinstance(message, AIMessage) and bool(message.tool_calls or message.invalid_tool_calls)


def _source(message: AIMessage) -> str | None:
    source = message.response_metadata.get("model_provider")
    return family_named(source) if isinstance(source, str) else None


def _is_portable(block: Any) -> bool:
    return not isinstance(block, dict) or block.get("type", "text") in _PORTABLE


def _plain(block: Any) -> Any:
    """A text without citations and the like, which have a form of their own at each provider."""
    if isinstance(block, dict) and block.get("type") == "text" and block.keys() != {"type", "text"}:
        return {"type": "text", "text": block.get("text", "")}
    return _without_markers(block)


def _without_markers(block: Any) -> Any:
    """``block`` without cache markers, its own and those in its extras and metadata."""
    if not isinstance(block, dict):
        return block
    clean = _without_marker(block)
    for part in ("extras", "metadata"):
        inner = clean.get(part)
        if isinstance(inner, dict) and "cache_control" in inner:
            clean = {**clean, part: _without_marker(inner)}
            if not clean[part]:
                del clean[part]
    return clean


def _without_marker(block: dict[str, Any]) -> dict[str, Any]:
    if "cache_control" not in block:
        return block
    return {name: value for name, value in block.items() if name != "cache_control"}
