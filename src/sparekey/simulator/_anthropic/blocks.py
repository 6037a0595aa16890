"""Content blocks in Anthropic's dialect: text, images, documents, tools and their results, thinking."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sparekey.simulator._anthropic.faults import invalid, literal, missing, only, text_in, wrong_tag
from sparekey.simulator._wire import Fault

KINDS = {"image": "image", "document": "file", "container_upload": "file"}
"""What an answer calls the blocks of a prompt that are no text."""

_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_FREE = (
    "bash_code_execution_tool_result",
    "code_execution_tool_result",
    "compaction",
    "container_upload",
    "mcp_tool_result",
    "mcp_tool_use",
    "redacted_thinking",
    "search_result",
    "server_tool_use",
    "text_editor_code_execution_tool_result",
    "tool_reference",
    "tool_search_tool_result",
    "web_fetch_tool_result",
    "web_search_tool_result",
)
"""Blocks of Anthropic's own tools and the like: taken as they are."""


def check_content(content: object, where: str, expected: tuple[str, ...] | None = None) -> Iterator[Fault]:
    """What is wrong with the content of a message, or of a tool's result."""
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        yield invalid(f"{where}: Input should be a valid list")
        return
    for at, block in enumerate(content):
        place = f"{where}.{at}"
        if not isinstance(block, Mapping):
            yield invalid(f"{place}: Input should be a valid dictionary or object to extract fields from")
        if "type" not in block:
            yield missing(f"{place}.type")
        kind = block["type"]
        if kind not in (expected or EXPECTED):
            yield wrong_tag(place, kind, expected or EXPECTED)
        if kind in _SHAPES:
            fields, check = _SHAPES[kind]
            yield from only({"type", "cache_control", *fields}, block, f"{place}.{kind}")
            yield from check(block, f"{place}.{kind}")


def _check_text(block: Mapping[str, Any], where: str) -> Iterator[Fault]:
    yield from text_in(block, "text", where)
    if not block["text"]:
        yield invalid("messages: text content blocks must be non-empty")


def _check_image(block: Mapping[str, Any], where: str) -> Iterator[Fault]:
    yield from _check_source(block, where, ("base64", "file", "url"), _IMAGES)


def _check_document(block: Mapping[str, Any], where: str) -> Iterator[Fault]:
    yield from _check_source(block, where, ("base64", "content", "file", "text", "url"), ("application/pdf",))


def _check_source(
    block: Mapping[str, Any], where: str, kinds: tuple[str, ...], media_types: tuple[str, ...]
) -> Iterator[Fault]:
    source = block.get("source")
    if source is None:
        yield missing(f"{where}.source")
    if not isinstance(source, Mapping):
        yield invalid(f"{where}.source: Input should be a valid dictionary or object to extract fields from")
        return
    kind = source.get("type")
    if kind not in kinds:
        yield wrong_tag(f"{where}.source", kind, kinds)
    where = f"{where}.source.{kind}"
    if kind in ("base64", "text"):
        yield from text_in(source, "media_type", where)
        yield from text_in(source, "data", where)
        known = media_types if kind == "base64" else ("text/plain",)
        if source["media_type"] not in known:
            yield literal(f"{where}.media_type", known)
        if kind == "base64":
            yield from _check_base64(source["data"], f"{where}.data")
    elif kind == "content":
        yield from check_content(source.get("content"), f"{where}.content", ("image", "text"))
    else:
        yield from text_in(source, {"url": "url", "file": "file_id"}[str(kind)], where)


def _check_base64(data: str, where: str) -> Iterator[Fault]:
    try:
        empty = not base64.b64decode(data, validate=True)
    except ValueError:
        yield invalid(f"{where}: Invalid base64 data")
        return
    if empty:
        yield invalid(f"{where}: String should have at least 1 character")


def _check_use(block: Mapping[str, Any], where: str) -> Iterator[Fault]:
    yield from text_in(block, "id", where)
    if not re.fullmatch(r"[a-zA-Z0-9_-]+", block["id"]):
        yield invalid(f"{where}.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
    yield from text_in(block, "name", where)
    if "input" not in block:
        yield missing(f"{where}.input")
    if not isinstance(block["input"], Mapping):
        yield invalid(f"{where}.input: Input should be a valid dictionary")


def _check_result(block: Mapping[str, Any], where: str) -> Iterator[Fault]:
    yield from text_in(block, "tool_use_id", where)
    if block.get("content") is not None:
        inside = ("document", "image", "search_result", "text", "tool_reference")
        yield from check_content(block["content"], f"{where}.content", inside)


def _check_thinking(block: Mapping[str, Any], where: str) -> Iterator[Fault]:
    yield from text_in(block, "signature", where)
    yield from text_in(block, "thinking", where)


Check = Callable[[Mapping[str, Any], str], Iterator[Fault]]

_SHAPES: Mapping[str, tuple[tuple[str, ...], Check]] = {
    "text": (("text", "citations"), _check_text),
    "image": (("source",), _check_image),
    "document": (("source", "title", "context", "citations"), _check_document),
    "tool_use": (("id", "name", "input", "caller"), _check_use),
    "tool_result": (("tool_use_id", "content", "is_error"), _check_result),
    "thinking": (("thinking", "signature"), _check_thinking),
}
EXPECTED = tuple(sorted([*_SHAPES, *_FREE]))
