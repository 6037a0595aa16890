"""OpenAI's chat completions, whole and as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._openai_faults import check_model, required, wrong
from sparekey.simulator._text import answer_text, prompt_tokens, tokens
from sparekey.simulator._wire import Call, Event, Fault, Json, Part, encoded


def check_chat(body: Mapping[str, Any]) -> Fault | None:
    if fault := check_model(body):
        return fault
    messages = body.get("messages")
    if messages is None:
        return required("messages")
    if not isinstance(messages, list):
        return wrong("messages", "expected an array of objects.")
    if not messages:
        return wrong("messages", "empty array. Expected an array with minimum length 1.", "empty_array")
    for at, message in enumerate(messages):
        if not isinstance(message, dict):
            return wrong(f"messages[{at}]", "expected an object.")
        if not isinstance(message.get("role"), str):
            return required(f"messages[{at}].role")
    return _check_options(body)


def _check_options(body: Mapping[str, Any]) -> Fault | None:
    if not isinstance(body.get("stream") or False, bool):
        return wrong("stream", "expected a boolean.")
    for param in ("max_tokens", "max_completion_tokens"):
        limit = body.get(param)
        if limit is not None and (type(limit) is not int or limit < 1):
            return wrong(param, "expected an integer >= 1.", "integer_below_min_value")
    for param, highest in (("temperature", 2), ("top_p", 1)):
        value = body.get(param)
        if value is not None and (type(value) not in (int, float) or not 0 <= value <= highest):
            return wrong(param, f"expected a number from 0 to {highest}.", "decimal_out_of_range")
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        return wrong("stream_options", "expected an object.")
    if options is not None and not body.get("stream"):
        return wrong("stream_options", "only allowed when 'stream' is enabled.", "invalid_value")
    return None


def _usage(asked: int, answered: int) -> Json:
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def chat(call: Call) -> Json:
    text, why = answer_text(call)
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "id": f"chatcmpl-{call.id}",
        "object": "chat.completion",
        "created": int(call.now),
        "model": call.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": why}],
        "usage": _usage(prompt_tokens(call), len(tokens(text))),
        "system_fingerprint": "fp_simulator",
    }


def stream_chat(call: Call) -> Iterator[Event]:
    text, why = answer_text(call)
    words = tokens(text)
    with_usage = bool((call.body.get("stream_options") or {}).get("include_usage"))
    head: Json = {
        "id": f"chatcmpl-{call.id}",
        "object": "chat.completion.chunk",
        "created": int(call.now),
        "model": call.model,
        "system_fingerprint": "fp_simulator",
    }
    if with_usage:
        head["usage"] = None  # as OpenAI: every chunk has the field, the last one fills it

    def event(part: Part, delta: Json, finish: str | None = None) -> Event:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return Event(part, sse({**head, "choices": [choice]}))

    yield event(Part.OPENING, {"role": "assistant", "content": "", "refusal": None})
    for word in words:
        yield event(Part.TOKEN, {"content": word})
    yield event(Part.CLOSING, {}, why)
    if with_usage:
        usage = _usage(prompt_tokens(call), len(words))
        yield Event(Part.CLOSING, sse({**head, "choices": [], "usage": usage}))
    yield Event(Part.CLOSING, b"data: [DONE]\n\n")


def sse(payload: Json) -> bytes:
    """One server-sent event as OpenAI sends them: data only, no event name."""
    return b"data: " + encoded(payload) + b"\n\n"
