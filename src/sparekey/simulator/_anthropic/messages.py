"""The conversation of a message request: how it is checked, and what it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from sparekey.simulator._anthropic.blocks import KINDS, check_content
from sparekey.simulator._anthropic.faults import invalid, missing, only
from sparekey.simulator._anthropic.options import ANSWERED, COUNTED, check_names, check_options, check_thinking
from sparekey.simulator._anthropic.tools import check_format, check_tools, read_format, read_tools
from sparekey.simulator._mind.asked import Asked
from sparekey.simulator._text import plain_text
from sparekey.simulator._wire import Fault


def check_messages(body: Mapping[str, Any]) -> Fault | None:
    """The first thing that is wrong with a conversation whose tokens are to be counted."""
    return next(chain(_conversation(body), check_names(body, COUNTED)), None)


def check_request(body: Mapping[str, Any]) -> Fault | None:
    """The first thing that is wrong with a request for an answer."""
    return next(_request(body), None)


def _request(body: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _conversation(body)
    yield from check_options(body)
    yield from check_names(body, ANSWERED)


def _conversation(body: Mapping[str, Any]) -> Iterator[Fault]:
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield missing("model")
    messages = body.get("messages")
    if messages is None:
        yield missing("messages")
    if not isinstance(messages, list):
        yield invalid("messages: Input should be a valid list")
        return
    if not messages:
        yield invalid("messages: at least one message is required")
    for at, message in enumerate(messages):
        yield from _check_message(message, f"messages.{at}")
        if not message["content"] and not (message["role"] == "assistant" and at == len(messages) - 1):
            why = "all messages must have non-empty content except for the optional final assistant message"
            yield invalid(f"messages.{at}: {why}")
    yield from _check_order(messages)
    if body.get("system") is not None:
        yield from check_content(body["system"], "system", ("text",))
    yield from check_tools(body)
    yield from check_format(body)
    yield from check_thinking(body)


def _check_message(message: Any, where: str) -> Iterator[Fault]:
    if not isinstance(message, Mapping):
        yield invalid(f"{where}: Input should be a valid dictionary")
    if message.get("role") not in ("user", "assistant", "system"):
        yield invalid(f"{where}.role: Input should be 'user', 'assistant' or 'system'")
    if "content" not in message:
        yield missing(f"{where}.content")
    yield from only(("role", "content"), message, where)
    yield from check_content(message["content"], f"{where}.content")


def _blocks(message: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    content = message["content"]
    return [block for block in content if block["type"] == kind] if isinstance(content, list) else []


def _check_order(messages: list[Any]) -> Iterator[Fault]:
    """Every use of a tool has its result in the next message, and every result its use."""
    open_: list[str] = []
    for at, message in enumerate(messages):
        for place, block in enumerate(_blocks(message, "tool_result")):
            if block["tool_use_id"] not in open_:
                yield invalid(
                    f"messages.{at}.content.{place}: unexpected `tool_use_id` found in `tool_result` blocks: "
                    f"{block['tool_use_id']}. Each `tool_result` block must have a corresponding `tool_use` block "
                    "in the previous message."
                )
            open_.remove(block["tool_use_id"])
        yield from _unanswered(open_, at - 1)
        open_ = [block["id"] for block in _blocks(message, "tool_use")]
    yield from _unanswered(open_, len(messages) - 1)


def _unanswered(open_: list[str], at: int) -> Iterator[Fault]:
    if open_:
        yield invalid(
            f"messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(open_)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
            "message."
        )


def read(body: Mapping[str, Any]) -> Asked:
    """What a checked request asks for."""
    messages = body["messages"]
    spoken = [at for at, message in enumerate(messages) if _says_something(message)]
    last = spoken[-1] if spoken else -1
    content = messages[last]["content"] if spoken else ""
    names: dict[str, str] = {}
    results: list[tuple[str, str]] = []
    for message in messages[last + 1 :]:
        names |= {block["id"]: block["name"] for block in _blocks(message, "tool_use")}
        results += [
            (names[block["tool_use_id"]], plain_text(block.get("content"))) for block in _blocks(message, "tool_result")
        ]
    blocks = content if isinstance(content, list) else []
    return Asked(
        text=_text(content),
        parts=tuple(KINDS[block["type"]] for block in blocks if block["type"] in KINDS),
        results=tuple(results),
        **read_tools(body),
        schema=read_format(body),
        limit=body["max_tokens"],
        stops=tuple(body.get("stop_sequences") or ()),
    )


def _says_something(message: Mapping[str, Any]) -> bool:
    """A user's message of nothing but tool results carries on with what was asked before."""
    results = _blocks(message, "tool_result")
    return message["role"] == "user" and not (results and len(results) == len(message["content"]))


def _text(content: Any) -> str:
    if isinstance(content, list):
        content = [block for block in content if block["type"] == "text"]
    return plain_text(content)
