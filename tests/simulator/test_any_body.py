"""Whatever a client sends, the simulator answers it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from sparekey.simulator import Simulator
from sparekey.simulator._anthropic.options import COUNTED
from sparekey.simulator._app import DIALECTS
from sparekey.simulator._openai.items import seal

WORDS = st.sampled_from(
    [
        "user",
        "assistant",
        "tool",
        "text",
        "image_url",
        "input_audio",
        "file",
        "function",
        "auto",
        "json_schema",
        "object",
        "t",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | WORDS
NAMES = st.sampled_from(
    [
        "role",
        "content",
        "text",
        "type",
        "name",
        "function",
        "id",
        "source",
        "data",
        "url",
        "schema",
        "input",
        "tool_call_id",
    ]
)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner), max_leaves=8)


GONE = object()
SPOILS = st.lists(st.tuples(st.integers(0, 999), st.just(GONE) | JSON | st.dictionaries(NAMES, JSON)), max_size=4)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a body, as a container and a key."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


def spoil(body: Any, spoils: list[tuple[int, Any]]) -> Any:
    """A copy with something else, nothing, or something more in a few of its places."""
    body = copy.deepcopy(body)
    for at, other in spoils:
        there = list(places(body))
        if not there:
            return body
        container, key = there[at % len(there)]
        if other is GONE:
            del container[key]
        elif isinstance(other, dict) and isinstance(container[key], dict):
            container[key] |= other
        else:
            container[key] = other
    return body


IMAGE = {"url": "data:image/png;base64,aGk=", "detail": "low"}
SOURCE = {"type": "base64", "media_type": "image/png", "data": "aGk="}
CALL = {"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"anyOf": [{"$ref": "#/$defs/t"}, {"type": "null"}]}},
    "required": ["a", "b"],
    "additionalProperties": False,
    "$defs": {"t": {"type": "integer", "minimum": 3}},
}
CHAT: dict[str, Any] = {
    "model": "m",
    "max_tokens": 9,
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "f(1)"}, {"type": "image_url", "image_url": IMAGE}]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "content": "done", "tool_call_id": "t"},
    ],
    "tools": [
        {"type": "function", "function": {"name": "f", "description": "f", "parameters": SCHEMA, "strict": True}}
    ],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": False,
    "response_format": {"type": "json_schema", "json_schema": {"name": "t", "schema": SCHEMA, "strict": True}},
    "stop": ["x"],
    "n": 2,
    "stream": True,
    "stream_options": {"include_usage": True},
}
MESSAGE: dict[str, Any] = {
    "model": "m",
    "max_tokens": 9,
    "system": [{"type": "text", "text": "x"}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "f(1)"}, {"type": "image", "source": SOURCE}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "done"}]},
    ],
    "tools": [{"name": "f", "description": "f", "input_schema": SCHEMA}],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    "stop_sequences": ["x"],
    "stream": True,
}
RESPONSE: dict[str, Any] = {
    "model": "m",
    "input": [
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "f(1)"}, {"type": "input_image", "image_url": IMAGE["url"]}],
        },
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": seal("sk-a", "rs_1")},
        {"type": "function_call", "call_id": "t", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "t", "output": [{"type": "input_text", "text": "done"}]},
    ],
    "instructions": "x",
    "tools": [{"type": "function", "name": "f", "description": "f", "parameters": SCHEMA}, {"type": "web_search"}],
    "tool_choice": {"type": "function", "name": "f"},
    "text": {"format": {"type": "json_schema", "name": "t", "schema": SCHEMA, "strict": True}},
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "max_output_tokens": 9,
    "previous_response_id": None,
    "store": True,
    "stream": True,
}
EMBEDDINGS = {"model": "m", "input": ["a", "b"], "dimensions": 3, "encoding_format": "base64"}
COMPLETION = {"model": "m", "prompt": ["a", "b"], "n": 2, "best_of": 3, "echo": True, "stop": "x", "stream": True}
IMAGES = {"model": "m", "prompt": "a", "n": 2, "size": "8x8", "response_format": "url", "partial_images": 1}
SPEECH = {"model": "m", "input": "a b", "voice": "alloy", "speed": 2, "response_format": "pcm", "stream_format": "sse"}
RERANK = {"model": "m", "query": "a", "documents": ["a", "b"], "top_n": 1}
SOUND = {
    "/v1/completions": COMPLETION,
    "/v1/images/generations": IMAGES,
    "/v1/audio/speech": SPEECH,
    "/v1/rerank": RERANK,
    "/v1/chat/completions": CHAT,
    "/v1/embeddings": EMBEDDINGS,
    "/v1/responses": RESPONSE,
    "/v1/messages": MESSAGE,
    "/v1/messages/count_tokens": {name: said for name, said in MESSAGE.items() if name in COUNTED},
}
PATHS = sorted(SOUND)


def test_every_path_is_tried() -> None:
    """But those of files, which take no JSON."""
    posted = {operation.path for dialect in DIALECTS for operation in dialect.operations if operation.method == "POST"}

    assert posted - set(PATHS) == {"/v1/files", "/v1/audio/transcriptions"}


@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=200, deadline=None)
@given(spoils=SPOILS)
def test_every_body_is_answered_or_refused(path: str, spoils: list[tuple[int, Any]]) -> None:
    """No body, sound or spoiled, makes the simulator fail: it is a 200, a 400, or a 404 for an id nobody knows."""
    body = spoil(SOUND[path], spoils)
    sim = TestClient(Simulator({"sk-a": "healthy"})._app)
    answer = sim.post(path, content=json.dumps(body), headers={"authorization": "Bearer sk-a"})

    assert answer.status_code in (200, 400, 404)


@pytest.mark.parametrize("path", PATHS)
def test_the_bodies_to_spoil_are_sound(path: str) -> None:
    """Otherwise the test above would look at refusals only."""
    sim = TestClient(Simulator({"sk-a": "healthy"})._app)
    answer = sim.post(path, json=SOUND[path], headers={"authorization": "Bearer sk-a"})

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "body", ['{"model": NaN}', '{"metadata": {"a": 1e999}}', '{"messages": ' + "[" * 500 + "]" * 500 + "}"]
)
def test_what_is_no_json_or_too_deep_is_refused(body: str) -> None:
    """A number that is none or too large, and more levels than anybody means."""
    sim = TestClient(Simulator({"sk-a": "healthy"})._app)
    answer = sim.post("/v1/chat/completions", content=body, headers={"authorization": "Bearer sk-a"})

    assert (answer.status_code, answer.json()["error"]["message"][:18]) == (400, "We could not parse")
