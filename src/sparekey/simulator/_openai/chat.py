"""OpenAI's chat completions, whole and as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._mind.asked import Answer, Asked, End
from sparekey.simulator._mind.decide import decide
from sparekey.simulator._openai.faults import check_model, of_type, wrong
from sparekey.simulator._openai.files import not_found
from sparekey.simulator._openai.messages import all_text, check_messages, named_files, read_messages
from sparekey.simulator._openai.models import check_chats, check_parameters
from sparekey.simulator._openai.tools import check_nested_format, check_tools, read_choice, read_format
from sparekey.simulator._text import count_words, tokens
from sparekey.simulator._wire import Call, Event, Fault, Json, Part, encoded

# fmt: off
PARAMETERS = frozenset({
    "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens",
    "max_tokens", "messages", "metadata", "modalities", "model", "moderation", "n", "parallel_tool_calls",
    "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
    "reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream",
    "stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity",
    "web_search_options",
})
# fmt: on
"""All there are, as OpenAI's SDK types them."""
MOST_CHOICES = 128
FINISH = {End.STOP: "stop", End.SEQUENCE: "stop", End.LENGTH: "length", End.TOOLS: "tool_calls"}


def check_chat(body: Mapping[str, Any]) -> Fault | None:
    """The first thing that is wrong with a request."""
    return next(_problems(body), None)


def _problems(body: Mapping[str, Any]) -> Iterator[Fault]:
    yield from check_model(body)
    yield from check_parameters(body, PARAMETERS)
    yield from check_messages(body.get("messages"))
    yield from _check_options(body)
    yield from check_tools(body)
    yield from check_nested_format(body.get("response_format"), all_text(body["messages"]))
    yield from check_chats(body["model"])


def _check_options(body: Mapping[str, Any]) -> Iterator[Fault]:
    if not isinstance(body.get("stream") or False, bool):
        yield wrong("stream", "expected a boolean.")
    for param in ("max_tokens", "max_completion_tokens", "n"):
        yield from check_count(body, param)
    if (body.get("n") or 1) > MOST_CHOICES:
        yield wrong("n", f"expected an integer <= {MOST_CHOICES}.", "integer_above_max_value")
    yield from check_ranges(body)
    yield from check_stops(body)
    yield from check_stream_options(body)


def check_count(body: Mapping[str, Any], param: str) -> Iterator[Fault]:
    """A number of things, where it is none."""
    count = body.get(param)
    if count is not None and (type(count) is not int or count < 1):
        yield wrong(param, "expected an integer >= 1.", "integer_below_min_value")


def check_stops(body: Mapping[str, Any]) -> Iterator[Fault]:
    """Too many stop sequences, or other things."""
    stops = stops_of(body)
    if len(stops) > 4 or not all(isinstance(stop, str) for stop in stops):
        yield of_type("stop", "a string or an array of at most 4 strings", body["stop"])


def check_stream_options(body: Mapping[str, Any]) -> Iterator[Fault]:
    """Options for a stream that nobody asked for."""
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        yield wrong("stream_options", "expected an object.")
    if options is not None and not body.get("stream"):
        yield wrong("stream_options", "only allowed when 'stream' is enabled.", "invalid_value")


def check_ranges(body: Mapping[str, Any]) -> Iterator[Fault]:
    """Numbers that are too high or too low."""
    for param, highest in (("temperature", 2), ("top_p", 1)):
        value = body.get(param)
        if value is not None and (type(value) not in (int, float) or not 0 <= value <= highest):
            yield wrong(param, f"expected a number from 0 to {highest}.", "decimal_out_of_range")


def stops_of(body: Mapping[str, Any]) -> list[Any]:
    """The stop sequences, be it one or several."""
    stop = body.get("stop")
    return stop if isinstance(stop, list) else [] if stop is None else [stop]


def _answer(call: Call) -> Answer:
    body = call.body
    asked = Asked(
        **read_messages(body["messages"]),
        **read_choice(body),
        schema=read_format(body.get("response_format")),
        limit=body.get("max_completion_tokens") or body.get("max_tokens"),
        stops=tuple(filter(None, stops_of(body))),
    )
    return decide(asked, call)


def missing_files(call: Call) -> Fault | None:
    """A file in the messages that the key did not upload."""
    return next(not_found(call, named_files(call.body["messages"])), None)


def _usage(call: Call, answer: Answer) -> Json:
    asked = count_words(*(message.get("content") for message in call.body["messages"]))
    answered = answer.length * (call.body.get("n") or 1)
    return {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def chat(call: Call) -> Json:
    """The whole answer."""
    answer = _answer(call)
    return {
        **_head(call, "chat.completion"),
        "choices": [
            {"index": at, "message": _message(call, answer), "logprobs": None, "finish_reason": FINISH[answer.end]}
            for at in range(call.body.get("n") or 1)
        ],
        "usage": _usage(call, answer),
    }


def _head(call: Call, kind: str) -> Json:
    return {
        "id": f"chatcmpl-{call.id}",
        "object": kind,
        "created": int(call.now),
        "model": call.model,
        "service_tier": "default",
        "system_fingerprint": "fp_simulator",
    }


def _message(call: Call, answer: Answer) -> Json:
    message: Json = {"role": "assistant", "content": answer.text, "refusal": None, "annotations": []}
    if answer.calls:
        message["content"] = None
        message["tool_calls"] = [
            {"id": _call_id(call, at), "type": "function", "function": _function(each.name, each.written)}
            for at, each in enumerate(answer.calls)
        ]
    return message


def _function(name: str, arguments: str) -> Json:
    return {"name": name, "arguments": arguments}


def _call_id(call: Call, at: int) -> str:
    return f"call_{call.id}_{at}"


def stream_chat(call: Call) -> Iterator[Event]:
    """The answer in pieces: a role, then words or calls, then why it ends."""
    answer = _answer(call)
    options = call.body.get("stream_options") or {}
    with_usage = bool(options.get("include_usage"))
    head = _head(call, "chat.completion.chunk")
    if with_usage:
        head["usage"] = None  # as OpenAI: every chunk has the field, the last one fills it

    def events(part: Part, delta: Json, finish: str | None = None) -> Iterator[Event]:
        for at in range(call.body.get("n") or 1):
            choice = {"index": at, "delta": delta, "logprobs": None, "finish_reason": finish}
            yield Event(part, sse({**head, "choices": [choice]}))

    yield from events(Part.OPENING, {"role": "assistant", "content": None if answer.calls else "", "refusal": None})
    for word in tokens(answer.text):
        yield from events(Part.TOKEN, {"content": word})
    for at, each in enumerate(answer.calls):
        first = {"index": at, "id": _call_id(call, at), "type": "function", "function": _function(each.name, "")}
        yield from events(Part.TOKEN, {"tool_calls": [first]})
        for piece in tokens(each.written):
            yield from events(Part.TOKEN, {"tool_calls": [{"index": at, "function": {"arguments": piece}}]})
    yield from events(Part.CLOSING, {}, FINISH[answer.end])
    if with_usage:
        yield Event(Part.CLOSING, sse({**head, "choices": [], "usage": _usage(call, answer)}))
    yield Event(Part.CLOSING, b"data: [DONE]\n\n")


def sse(payload: Json) -> bytes:
    """One server-sent event as OpenAI sends them: data only, no event name."""
    return b"data: " + encoded(payload) + b"\n\n"
