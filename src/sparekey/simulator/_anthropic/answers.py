"""Anthropic's answers, whole and as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sparekey.simulator._anthropic.messages import read
from sparekey.simulator._mind.asked import Answer, End
from sparekey.simulator._mind.decide import decide
from sparekey.simulator._text import count_words, tokens
from sparekey.simulator._wire import Call, Event, Json, Part, named_event

_STOP_REASONS = {
    End.STOP: "end_turn",
    End.SEQUENCE: "stop_sequence",
    End.LENGTH: "max_tokens",
    End.TOOLS: "tool_use",
}


def count_tokens(call: Call) -> Json:
    """What a prompt comes to: the words of the system prompt and of all messages."""
    return {"input_tokens": _asked(call)}


def _asked(call: Call) -> int:
    return count_words(call.body.get("system"), *(message["content"] for message in call.body["messages"]))


def message(call: Call) -> Json:
    """The whole answer."""
    answer = decide(read(call.body), call)
    content: list[Json] = [] if answer.calls else [{"type": "text", "text": answer.text}]
    content += [
        {"type": "tool_use", "id": _call_id(call, at), "name": each.name, "input": each.arguments}
        for at, each in enumerate(answer.calls)
    ]
    return _envelope(call, content, answer)


def _call_id(call: Call, at: int) -> str:
    return f"toolu_{call.id}_{at}"


def _envelope(call: Call, content: list[Json], answer: Answer | None) -> Json:
    return {
        "id": f"msg_{call.id}",
        "type": "message",
        "role": "assistant",
        "model": call.model,
        "content": content,
        **_ending(answer),
        "usage": {**_usage(call, answer), "service_tier": "standard"},
    }


def _usage(call: Call, answer: Answer | None) -> Json:
    return {
        "input_tokens": _asked(call),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": answer.length if answer else 1,
    }


def _ending(answer: Answer | None) -> Json:
    return {
        "stop_reason": _STOP_REASONS[answer.end] if answer else None,
        "stop_sequence": answer.stop if answer else None,
    }


def stream(call: Call) -> Iterator[Event]:
    """The answer in pieces: a message, its blocks, each with its deltas."""
    answer = decide(read(call.body), call)

    def sent(part: Part, kind: str, **fields: Any) -> Event:
        return Event(part, named_event({"type": kind, **fields}))

    yield sent(Part.OPENING, "message_start", message=_envelope(call, [], None))
    if not answer.calls:
        yield sent(Part.OPENING, "content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield sent(Part.OPENING, "ping")
    for word in tokens(answer.text):
        yield sent(Part.TOKEN, "content_block_delta", index=0, delta={"type": "text_delta", "text": word})
    for at, each in enumerate(answer.calls):
        if at:
            yield sent(Part.BETWEEN, "content_block_stop", index=at - 1)
        block = {"type": "tool_use", "id": _call_id(call, at), "name": each.name, "input": {}}
        yield sent(Part.TOKEN, "content_block_start", index=at, content_block=block)
        for piece in ("", *tokens(each.written)):
            delta = {"type": "input_json_delta", "partial_json": piece}
            yield sent(Part.TOKEN if piece else Part.BETWEEN, "content_block_delta", index=at, delta=delta)
    yield sent(Part.CLOSING, "content_block_stop", index=max(len(answer.calls) - 1, 0))
    yield sent(Part.CLOSING, "message_delta", delta=_ending(answer), usage=_usage(call, answer))
    yield sent(Part.CLOSING, "message_stop")
