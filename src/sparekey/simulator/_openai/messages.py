"""The conversation of a chat completion: how it is checked, and what it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._openai.faults import of_type, one_of, refused, required, unknown, wrong
from sparekey.simulator._openai.parts import KINDS, check_content
from sparekey.simulator._text import plain_text
from sparekey.simulator._wire import Fault

_ROLES = ("system", "assistant", "user", "function", "tool", "developer")


def check_messages(messages: object) -> Iterator[Fault]:
    """What is wrong with the messages, each by itself and in their order."""
    if messages is None:
        yield required("messages")
    if not isinstance(messages, list):
        yield wrong("messages", "expected an array of objects.")
        return
    if not messages:
        yield wrong("messages", "empty array. Expected an array with minimum length 1.", "empty_array")
    for at, message in enumerate(messages):
        if not isinstance(message, Mapping):
            yield wrong(f"messages[{at}]", "expected an object.")
        yield from _check_message(message, f"messages[{at}]")
    yield from _check_order(messages)


def _check_message(message: Mapping[str, Any], where: str) -> Iterator[Fault]:
    role = message.get("role")
    if not isinstance(role, str):
        yield required(f"{where}.role")
    elif role not in _ROLES:
        yield one_of(f"{where}.role", role, _ROLES)
    if "cache_control" in message:
        yield unknown(f"{where}.cache_control")
    content, calls = message.get("content"), message.get("tool_calls")
    if role == "assistant":
        if calls is not None:
            yield from _check_calls(calls, f"{where}.tool_calls")
        if content is None and (calls or message.get("function_call") or message.get("refusal") or "audio" in message):
            return
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        yield required(f"{where}.tool_call_id")
    if content is None:
        yield refused(f"{where}.content", "Invalid value for 'content': expected a string, got null.")
    yield from check_content(content, f"{where}.content", str(role))


def _check_calls(calls: object, where: str) -> Iterator[Fault]:
    if not isinstance(calls, list):
        yield of_type(where, "an array of objects", calls)
        return
    if not calls:
        yield wrong(where, "empty array. Expected an array with minimum length 1.", "empty_array")
    for at, call in enumerate(calls):
        place = f"{where}[{at}]"
        if not isinstance(call, Mapping):
            yield of_type(place, "an object", call)
            return
        for field in ("id", "type"):
            if not isinstance(call.get(field), str):
                yield required(f"{place}.{field}")
        if call["type"] not in ("function", "custom"):
            yield one_of(f"{place}.type", call["type"], ("function", "custom"))
        called = call.get(call["type"])
        if not isinstance(called, Mapping):
            yield required(f"{place}.{call['type']}")
            return
        for field in ("name", "arguments" if call["type"] == "function" else "input"):
            if not isinstance(called.get(field), str):
                yield required(f"{place}.{call['type']}.{field}")


def _check_order(messages: list[Any]) -> Iterator[Fault]:
    """Every call has its result, and every result its call."""
    open_: list[str] = []
    for at, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_:
                yield refused(
                    f"messages.[{at}].role",
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message "
                    "with 'tool_calls'.",
                )
            open_.remove(message["tool_call_id"])
            continue
        yield from _unanswered(open_, at)
        open_ = [call["id"] for call in message.get("tool_calls") or [] if message["role"] == "assistant"]
    yield from _unanswered(open_, len(messages))


def _unanswered(open_: list[str], at: int) -> Iterator[Fault]:
    if open_:
        yield refused(
            f"messages.[{at}].role",
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_)}",
        )


def all_text(messages: list[Any]) -> str:
    """Everything that checked messages say."""
    return " ".join(plain_text(message.get("content")) for message in messages)


def read_messages(messages: list[Any]) -> dict[str, Any]:
    """What the user said last and what tools answered since, as :class:`Asked` wants it."""
    users = [at for at, message in enumerate(messages) if message["role"] == "user"]
    last = users[-1] if users else -1
    content = messages[last]["content"] if users else ""
    names: dict[str, str] = {}
    results = []
    for message in messages[last + 1 :]:
        for call in message.get("tool_calls") or ():
            names[call["id"]] = call[call["type"]]["name"]
        if message["role"] == "tool":
            results.append((names.get(message["tool_call_id"], "tool"), plain_text(message["content"])))
    parts = content if isinstance(content, list) else []
    return {
        "text": plain_text(content),
        "parts": tuple(KINDS[part["type"]] for part in parts if part["type"] in KINDS),
        "results": tuple(results),
    }


def named_files(messages: list[Any]) -> Iterator[tuple[str, str]]:
    """The uploaded files that checked messages name, each with its place."""
    for at, message in enumerate(messages):
        content = message.get("content")
        for place, part in enumerate(content if isinstance(content, list) else ()):
            if part["type"] == "file" and "file_id" in part["file"]:
                yield f"messages[{at}].content[{place}].file.file_id", part["file"]["file_id"]
