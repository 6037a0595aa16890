"""When a stream has said something, so that there is no going back; told by its chunks, whatever they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import litellm

# fmt: off
_ANNOUNCING = frozenset({
    "message_start", "content_block_start", "ping",
    "response.created", "response.queued", "response.in_progress", "response.output_item.added",
    "response.content_part.added", "response.reasoning_summary_part.added",
})
# fmt: on
"""Events that only say that something will come: Anthropic's, and those of OpenAI's responses."""
_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""What Anthropic answers with each kind of error, where it can still answer with a status; 500 for any other."""


def settles(drawn: Sequence[Any]) -> bool:
    """Whether the last of these chunks says something: more than a role, an announcement, or an end."""
    chunk = drawn[-1]
    if isinstance(chunk, bytes):
        # A network may cut an event anywhere, so all of them are read together.
        return any(event.get("type") not in _ANNOUNCING for event in _events(b"".join(drawn)))
    if hasattr(chunk, "choices"):
        return any(map(_says_something, chunk.choices))
    kind = chunk.get("type") if isinstance(chunk, Mapping) else getattr(chunk, "type", None)
    return getattr(kind, "value", kind) not in _ANNOUNCING


def _says_something(choice: Any) -> bool:
    if getattr(choice, "finish_reason", None):
        return True
    delta = getattr(choice, "delta", None)
    said = delta.model_dump(exclude_none=True) if delta is not None else {"text": getattr(choice, "text", None)}
    return any(value for name, value in said.items() if name != "role")


def error_in(chunks: Sequence[Any]) -> Exception | None:
    """The error that these bytes of Anthropic's tell of, which LiteLLM hands on as bytes, as LiteLLM would raise it."""
    if not isinstance(chunks[-1], bytes) or b"error" not in chunks[-1]:
        return None
    told = next((event for event in _events(b"".join(chunks)) if event.get("type") == "error"), None)
    return None if told is None else _raised(told)


def _events(sent: bytes) -> Iterator[Mapping[str, Any]]:
    """The events that are whole."""
    *lines, _unfinished = sent.split(b"\n")
    for line in lines:
        if line.startswith(b"data:"):
            with suppress(ValueError):
                event = json.loads(line[len(b"data:") :])
                if isinstance(event, Mapping):
                    yield event


class _Told(Exception):  # noqa: N818 - never raised: what LiteLLM makes its own error of
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status_code = status
        self.message = text


def _raised(event: Mapping[str, Any]) -> Exception:
    error = event.get("error")
    kind = error.get("type") if isinstance(error, Mapping) else None
    told = _Told(_STATUSES.get(str(kind), 500), json.dumps(event))
    try:
        litellm.exception_type(model="", original_exception=told, custom_llm_provider="anthropic")
    except Exception as raised:
        return raised
    return told
