"""OpenAI's responses: how requests for them are checked, and what they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._mind.asked import Answer, Asked, End
from sparekey.simulator._mind.decide import decide
from sparekey.simulator._openai.chat import check_ranges
from sparekey.simulator._openai.faults import check_model, of_type, one_of, only, refused, unknown, wrong
from sparekey.simulator._openai.items import Items, check_input, conversation, own_items, read_items, seal
from sparekey.simulator._openai.models import check_chats
from sparekey.simulator._openai.tools import (
    check_choice,
    check_format,
    check_function,
    check_list,
    check_schema,
    read_choice,
    read_format,
)
from sparekey.simulator._text import count_words, plain_text
from sparekey.simulator._wire import Call, Fault, Json

_MOVED = {"messages": "input", "reasoning_effort": "reasoning.effort", "response_format": "text.format"}
# fmt: off
PARAMETERS = frozenset({
    "access_programs", "background", "background_options", "context_management", "conversation", "image", "include",
    "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "model", "moderation",
    "parallel_tool_calls", "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options",
    "prompt_cache_retention", "reasoning", "safety_identifier", "service_tier", "store", "stream", "stream_options",
    "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
})
# fmt: on
"""All there are, as OpenAI's SDK types them."""
_HOSTED = (
    "apply_patch",
    "code_interpreter",
    "computer",
    "computer_use_preview",
    "custom",
    "file_search",
    "image_generation",
    "local_shell",
    "mcp",
    "namespace",
    "shell",
    "tool_search",
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
)
_FUNCTION = ("type", "name", "description", "parameters", "strict", "defer_loading", "allowed_callers", "async")
SEALED = "reasoning.encrypted_content"


def check_responses(body: Mapping[str, Any]) -> Fault | None:
    """The first thing that is wrong with a request."""
    return next(_problems(body), None)


def _problems(body: Mapping[str, Any]) -> Iterator[Fault]:
    yield from check_model(body)
    for name in body:
        if name in _MOVED:
            moved = f"In the Responses API, this parameter has moved to '{_MOVED[name]}'."
            yield refused(name, f"Unsupported parameter: '{name}'. {moved}", "unsupported_parameter")
        if name not in PARAMETERS:
            yield unknown(name)
    yield from check_input(body.get("input"))
    yield from _check_options(body)
    yield from check_list(body, _check_tool)
    yield from check_choice(body, lambda choice: choice, "tool_choice", _HOSTED)
    wanted = (body.get("text") or {}).get("format")
    said = " ".join(plain_text(item.get("content")) for item in own_items(body["input"]))
    yield from check_format(wanted, "text.format", f"{body.get('instructions')} {said}")
    if wanted is not None and wanted["type"] == "json_schema":
        yield from only(("type", "name", "description", "schema", "strict"), wanted, "text.format")
        yield from check_schema(wanted, "text.format", "text.format.schema", "invalid_json_schema")
    yield from check_chats(body["model"])


def _check_tool(tool: Mapping[str, Any], where: str) -> Iterator[Fault]:
    if tool["type"] == "function":
        yield from only(_FUNCTION, tool, where)
        yield from check_function(tool, where)
    elif tool["type"] not in _HOSTED:
        yield one_of(f"{where}.type", tool["type"], ("function", *_HOSTED))


def _check_options(body: Mapping[str, Any]) -> Iterator[Fault]:
    for param in ("stream", "store"):
        if not isinstance(body.get(param), bool | None):
            yield of_type(param, "a boolean", body[param])
    for param in ("text", "reasoning", "metadata"):
        if not isinstance(body.get(param), Mapping | None):
            yield of_type(param, "an object", body[param])
    for param in ("instructions", "previous_response_id"):
        if not isinstance(body.get(param), str | None):
            yield of_type(param, "a string", body[param])
    include = body.get("include") or []
    if not isinstance(include, list) or not all(isinstance(each, str) for each in include):
        yield of_type("include", "an array of strings", include)
    limit = body.get("max_output_tokens")
    if limit is not None and (type(limit) is not int or limit < 1):
        yield wrong("max_output_tokens", "expected an integer >= 1.", "integer_below_min_value")
    yield from check_ranges(body)


def answer_to(call: Call, items: Items) -> Answer:
    """What the model answers to this conversation."""
    body = call.body
    asked = Asked(
        **read_items(items),
        **read_choice(body),
        schema=read_format((body.get("text") or {}).get("format")),
        limit=body.get("max_output_tokens"),
    )
    return decide(asked, call)


def _thoughts(call: Call) -> str | None:
    """What the model thinks before it answers; None when no reasoning was asked for."""
    reasoning = call.body.get("reasoning")
    if not reasoning or reasoning.get("effort") == "none":
        return None
    return f"I was asked to think, and {call.name} thinks before it answers."


def output_of(call: Call, answer: Answer) -> list[Json]:
    """The items of an answer, finished."""
    items: list[Json] = []
    thoughts = _thoughts(call)
    if thoughts is not None:
        told = bool(call.body["reasoning"].get("summary"))
        item: Json = {"id": f"rs_{call.id}", "type": "reasoning", "summary": [summary_part(thoughts)] if told else []}
        if SEALED in (call.body.get("include") or ()):
            item["encrypted_content"] = seal(call.key, item["id"])
        items.append(item)
    status = "incomplete" if answer.end is End.LENGTH else "completed"
    if not answer.calls:
        message = {"id": f"msg_{call.id}", "type": "message", "status": status, "role": "assistant"}
        items.append({**message, "content": [text_part(answer.text)]})
    items += [
        {
            "id": f"fc_{call.id}_{at}",
            "type": "function_call",
            "status": status,
            "call_id": f"call_{call.id}_{at}",
            "name": each.name,
            "arguments": each.written,
        }
        for at, each in enumerate(answer.calls)
    ]
    return items


def summary_part(text: str) -> Json:
    """Words of a thought."""
    return {"type": "summary_text", "text": text}


def text_part(text: str) -> Json:
    """Words in a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def respond(call: Call) -> Json:
    """The whole answer."""
    items = conversation(call)
    answer = answer_to(call, items)
    return finished(call, items, answer, output_of(call, answer))


def finished(call: Call, items: Items, answer: Answer, output: list[Json]) -> Json:
    """The response with everything in it, kept for the key that asked unless ``store`` is false."""
    if call.body.get("store") is not False:
        for item in output:
            call.store.put("item", call.key, item["id"], item)
        call.store.put("response", call.key, f"resp_{call.id}", [*items, *output])
    thoughts = count_words(_thoughts(call))
    asked = count_words(call.body.get("instructions"), *(item.get("content") for item in items))
    usage = {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": answer.length + thoughts,
        "output_tokens_details": {"reasoning_tokens": thoughts},
        "total_tokens": asked + answer.length + thoughts,
    }
    cut = answer.end is End.LENGTH
    return {
        **response(call, "incomplete" if cut else "completed"),
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": output,
        "usage": usage,
    }


def response(call: Call, status: str) -> Json:
    """A response with nothing in it yet."""
    body = call.body
    reasoning, text = body.get("reasoning") or {}, body.get("text") or {}
    return {
        "id": f"resp_{call.id}",
        "object": "response",
        "created_at": int(call.now),
        "status": status,
        "background": body.get("background") is True,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": body.get("metadata") or {},
        "model": call.model,
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
        "service_tier": "default",
        "store": body.get("store") is not False,
        "temperature": body.get("temperature", 1.0),
        "text": {"format": {"type": "text"}, **text},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "top_p": body.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": None,
    }
