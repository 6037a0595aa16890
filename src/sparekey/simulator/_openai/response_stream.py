"""OpenAI's responses as a stream of events."""

from __future__ import annotations

from collections.abc import Iterator

from sparekey.simulator._openai.items import Items, conversation
from sparekey.simulator._openai.responses import answer_to, finished, output_of, response, summary_part, text_part
from sparekey.simulator._text import tokens
from sparekey.simulator._wire import Call, Event, Json, Part, named_event


def stream_response(call: Call) -> Iterator[Event]:
    """The answer in pieces, each of them numbered."""
    # The conversation is read now, not when the first event leaves: others may have filled the store by then.
    events = enumerate(_events(call, conversation(call)))
    return (
        Event(part, named_event({"type": f"response.{kind}", "sequence_number": number, **fields}))
        for number, (part, kind, fields) in events
    )


Sent = Iterator[tuple[Part, str, Json]]


def _events(call: Call, items: Items) -> Sent:
    answer = answer_to(call, items)
    output = output_of(call, answer)
    for kind in ("created", "in_progress"):
        yield Part.OPENING, kind, {"response": response(call, "in_progress")}
    for at, item in enumerate(output):
        # What announces a message says nothing yet, unless something came before it.
        announced = Part.OPENING if item["type"] == "message" and not at else Part.BETWEEN
        closed = Part.CLOSING if item is output[-1] else Part.BETWEEN
        yield from _ITEMS[item["type"]](item, at, announced, closed)
        yield closed, "output_item.done", {"output_index": at, "item": item}
    whole = finished(call, items, answer, output)
    yield Part.CLOSING, whole["status"], {"response": whole}


def _message_events(item: Json, at: int, announced: Part, closed: Part) -> Sent:
    place = {"item_id": item["id"], "output_index": at, "content_index": 0}
    (part,) = item["content"]
    empty = {**item, "status": "in_progress", "content": []}
    yield announced, "output_item.added", {"output_index": at, "item": empty}
    yield announced, "content_part.added", {**place, "part": text_part("")}
    for word in tokens(part["text"]):
        yield Part.TOKEN, "output_text.delta", {**place, "delta": word, "logprobs": []}
    yield closed, "output_text.done", {**place, "text": part["text"], "logprobs": []}
    yield closed, "content_part.done", {**place, "part": part}


def _call_events(item: Json, at: int, _announced: Part, closed: Part) -> Sent:
    place = {"item_id": item["id"], "output_index": at}
    empty = {**item, "status": "in_progress", "arguments": ""}
    yield Part.TOKEN, "output_item.added", {"output_index": at, "item": empty}
    for piece in tokens(item["arguments"]):
        yield Part.TOKEN, "function_call_arguments.delta", {**place, "delta": piece}
    done = {"name": item["name"], "arguments": item["arguments"]}
    yield closed, "function_call_arguments.done", {**place, **done}


def _reasoning_events(item: Json, at: int, announced: Part, closed: Part) -> Sent:
    yield announced, "output_item.added", {"output_index": at, "item": {**item, "summary": []}}
    for number, part in enumerate(item["summary"]):
        place = {"item_id": item["id"], "output_index": at, "summary_index": number}
        yield announced, "reasoning_summary_part.added", {**place, "part": summary_part("")}
        for word in tokens(part["text"]):
            yield Part.TOKEN, "reasoning_summary_text.delta", {**place, "delta": word}
        yield closed, "reasoning_summary_text.done", {**place, "text": part["text"]}
        yield closed, "reasoning_summary_part.done", {**place, "part": part}


_ITEMS = {"message": _message_events, "function_call": _call_events, "reasoning": _reasoning_events}


def error_event(error: Json) -> bytes:
    """An error inside a stream of a response: flat, unlike in a chat."""
    told = error["error"]
    shown = {"code": told["code"] or told["type"], "message": told["message"], "param": told["param"]}
    return named_event({"type": "error", "sequence_number": 0, **shown})
