"""Requests that are wrong in themselves are refused as the providers refuse them, in their words."""

from __future__ import annotations

import base64
from typing import Any

import anthropic
import openai
import pytest

from sparekey.simulator import Simulator

OBJECT = {"type": "object", "properties": {}}
PNG = base64.b64encode(b"\x89PNG").decode()
USE: Any = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
CALL: Any = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def user(*parts: Any) -> list[Any]:
    return [{"role": "user", "content": list(parts)}]


def function(**fields: Any) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": {"name": "f", "parameters": OBJECT} | fields}]}


def schema(name: str = "answer", **fields: Any) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": name, "schema": OBJECT} | fields}}


def openai_refuses(**body: Any) -> openai.BadRequestError:
    """What OpenAI's client raises for this body."""
    sound: Any = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
    with (
        Simulator({"sk-a": "healthy"}) as sim,
        openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0) as client,
        pytest.raises(openai.BadRequestError) as caught,
    ):
        client.chat.completions.create(**sound | body)
    return caught.value


OPENAI: list[tuple[dict[str, Any], str, str | None]] = [
    # Tools
    ({"tools": {}}, "tools", "invalid_type"),
    ({"tools": []}, "tools", "empty_array"),
    ({"tools": ["x"]}, "tools[0]", "invalid_type"),
    ({"tools": [{}]}, "tools[0].type", "missing_required_parameter"),
    ({"tools": [{"type": "web_search_20250305"}]}, "tools[0].type", "invalid_value"),
    ({"tools": [{"type": "function"}]}, "tools[0].function", "missing_required_parameter"),
    ({"tools": [{"type": "function", "function": 5}]}, "tools[0].function", "invalid_type"),
    ({"tools": [{"name": "f", "input_schema": OBJECT}]}, "tools[0].type", "missing_required_parameter"),
    ({"tools": [{**function()["tools"][0], "cache_control": {}}]}, "tools[0].cache_control", "unknown_parameter"),
    (function(cache_control={}), "tools[0].function.cache_control", "unknown_parameter"),
    (function(name=None), "tools[0].function.name", "missing_required_parameter"),
    (function(name=5), "tools[0].function.name", "invalid_type"),
    (function(name=""), "tools[0].function.name", "empty_string"),
    (function(name="a b"), "tools[0].function.name", "invalid_value"),
    (function(name="a" * 65), "tools[0].function.name", "string_above_max_length"),
    (function(description=5), "tools[0].function.description", "invalid_type"),
    (function(strict="yes"), "tools[0].function.strict", "invalid_type"),
    (function(parameters=5), "tools[0].function.parameters", "invalid_type"),
    (function(parameters={}), "tools[0].function.parameters", "invalid_function_parameters"),
    (function(strict=True), "tools[0].function.parameters", "invalid_function_parameters"),
    ({**function(), "parallel_tool_calls": 1}, "parallel_tool_calls", "invalid_type"),
    ({"tool_choice": "auto"}, "tool_choice", None),
    ({"parallel_tool_calls": False}, "parallel_tool_calls", None),
    ({**function(), "tool_choice": 5}, "tool_choice", "invalid_type"),
    ({**function(), "tool_choice": "any"}, "tool_choice", "invalid_value"),
    ({**function(), "tool_choice": {"type": "any"}}, "tool_choice.type", "invalid_value"),
    ({**function(), "tool_choice": {"type": "function"}}, "tool_choice.function", "missing_required_parameter"),
    ({**function(), "tool_choice": {"type": "function", "function": {"name": "g"}}}, "tool_choice", None),
    # Wanted forms
    ({"response_format": 5}, "response_format", "invalid_type"),
    ({"response_format": {}}, "response_format.type", "missing_required_parameter"),
    ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
    ({"response_format": {"type": "json_object"}}, "messages", None),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "missing_required_parameter"),
    (schema(name=""), "response_format.json_schema.name", "empty_string"),
    (schema(schema=None), "response_format.json_schema.schema", "invalid_type"),
    (schema(schema={"type": "array"}), "response_format", None),
    (schema(strict=True), "response_format", None),
    # Content
    ({"messages": [{"role": "boss", "content": "x"}]}, "messages[0].role", "invalid_value"),
    ({"messages": [{"role": "user"}]}, "messages[0].content", None),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "invalid_type"),
    (
        {"messages": [{"role": "user", "content": "x", "cache_control": {}}]},
        "messages[0].cache_control",
        "unknown_parameter",
    ),
    ({"messages": user("x")}, "messages[0].content[0]", "invalid_type"),
    ({"messages": user({"text": "x"})}, "messages[0].content[0].type", "missing_required_parameter"),
    ({"messages": user({"type": "text"})}, "messages[0].content[0].text", "missing_required_parameter"),
    ({"messages": user({"type": "text", "text": 5})}, "messages[0].content[0].text", "invalid_type"),
    (
        {"messages": user({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}})},
        "messages[0].content[0].cache_control",
        "unknown_parameter",
    ),
    ({"messages": user({"type": "thinking", "thinking": "x"})}, "messages[0].content[0].type", "invalid_value"),
    ({"messages": user({"type": "server_tool_use"})}, "messages[0].content[0].type", "invalid_value"),
    ({"messages": user({"type": "image", "source": {}})}, "messages[0].content[0].type", "invalid_value"),
    ({"messages": user({"type": "image_url", "image_url": "x"})}, "messages[0].content[0].image_url", "invalid_type"),
    (
        {"messages": user({"type": "image_url", "image_url": {}})},
        "messages[0].content[0].image_url.url",
        "missing_required_parameter",
    ),
    (
        {"messages": user({"type": "image_url", "image_url": {"url": "cat.png"}})},
        "messages[0].content[0].image_url.url",
        "invalid_value",
    ),
    (
        {"messages": user({"type": "image_url", "image_url": {"url": "data:image/png;base64,%%%"}})},
        "messages[0].content[0].image_url.url",
        "invalid_base64",
    ),
    (
        {"messages": user({"type": "image_url", "image_url": {"url": f"data:text/html;base64,{PNG}"}})},
        "messages[0].content[0].image_url.url",
        "invalid_image_format",
    ),
    (
        {"messages": user({"type": "image_url", "image_url": {"url": "https://x.example", "detail": "some"}})},
        "messages[0].content[0].image_url.detail",
        "invalid_value",
    ),
    (
        {"messages": user({"type": "input_audio", "input_audio": {"data": PNG, "format": "ogg"}})},
        "messages[0].content[0].input_audio.format",
        "invalid_value",
    ),
    (
        {"messages": user({"type": "input_audio", "input_audio": {"data": "%", "format": "wav"}})},
        "messages[0].content[0].input_audio.data",
        "invalid_base64",
    ),
    (
        {"messages": user({"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PNG}"}})},
        "messages[0].content[0].file.file_id",
        "missing_required_parameter",
    ),
    (
        {"messages": user({"type": "file", "file": {"filename": "a.pdf", "file_data": PNG}})},
        "messages[0].content[0].file.file_data",
        "invalid_value",
    ),
    (
        {
            "messages": [
                {"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://x.example"}}]}
            ]
        },
        "messages[0]",
        "invalid_value",
    ),
    # History
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id", "missing_required_parameter"),
    ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "c1"}]}, "messages.[0].role", None),
    ({"messages": [{"role": "assistant", "tool_calls": [CALL]}]}, "messages.[1].role", None),
    ({"messages": [{"role": "assistant", "tool_calls": []}]}, "messages[0].tool_calls", "empty_array"),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{}]}]},
        "messages[0].tool_calls[0].id",
        "missing_required_parameter",
    ),
    # Options
    ({"n": 0}, "n", "integer_below_min_value"),
    ({"n": 500}, "n", "integer_above_max_value"),
    ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "invalid_type"),
]


@pytest.mark.parametrize(("body", "param", "code"), OPENAI)
def test_openai_names_what_is_wrong(body: dict[str, Any], param: str, code: str | None) -> None:
    """The field and OpenAI's code for the mistake."""
    error = openai_refuses(**body)

    assert (error.param, error.code, error.type) == (param, code, "invalid_request_error")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"tool_choice": "auto"},
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        ),
        (
            {"messages": user({"type": "x"})},
            "Invalid value: 'x'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', and 'file'.",
        ),
        (function(cache_control={}), "Unknown parameter: 'tools[0].function.cache_control'."),
        (
            function(parameters={"type": "string"}),
            (
                "Invalid schema for function 'f': schema must be a JSON Schema of 'type: \"object\"', "
                "got 'type: \"string\"'."
            ),
        ),
        (
            schema(strict=True),
            (
                "Invalid schema for response_format 'answer': In context=(), 'additionalProperties' is required to be "
                "supplied and to be false."
            ),
        ),
        (
            schema(strict=True, schema={"type": "object", "additionalProperties": False, "properties": {"a": {}}}),
            (
                "Invalid schema for response_format 'answer': In context=(), 'required' is required to be supplied and "
                "to be an array including every key in properties. Missing 'a'."
            ),
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [CALL]}, {"role": "user", "content": "x"}]},
            (
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
                "'tool_call_id'. The following tool_call_ids did not have response messages: c1"
            ),
        ),
    ],
)
def test_openai_says_what_is_wrong(body: dict[str, Any], message: str) -> None:
    """In OpenAI's sentences."""
    told: Any = openai_refuses(**body).body

    assert told["message"] == message


def custom(**fields: Any) -> dict[str, Any]:
    tool = {"name": "f", "input_schema": OBJECT} | fields
    return {"tools": [{name: value for name, value in tool.items() if value is not None}]}


def image(**source: Any) -> dict[str, Any]:
    return {"messages": user({"type": "image", "source": source})}


def form(schema: Any) -> dict[str, Any]:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


ANTHROPIC: list[tuple[dict[str, Any], str]] = [
    # Tools
    ({"tools": {}}, "tools: Input should be a valid list"),
    ({"tools": ["x"]}, "tools.0: Input should be a valid dictionary or object to extract fields from"),
    (custom(name=None), "tools.0.custom.name: Field required"),
    (custom(name="a b"), "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"),
    (custom(description=5), "tools.0.custom.description: Input should be a valid string"),
    (custom(input_schema=None), "tools.0.custom.input_schema: Field required"),
    (custom(input_schema=5), "tools.0.custom.input_schema: Input should be a valid dictionary"),
    (custom(input_schema={}), "tools.0.custom.input_schema.type: Field required"),
    (custom(input_schema={"type": "array"}), "tools.0.custom.input_schema.type: Input should be 'object'"),
    (custom(parameters={}), "tools.0.custom.parameters: Extra inputs are not permitted"),
    ({"tools": custom()["tools"] * 2}, "tools: Tool names must be unique."),
    (
        {"tools": [{"type": "function", "function": {}}]},
        (
            "tools.0: Input tag 'function' found using 'type' does not match any of the expected tags: 'custom', "
            "'bash_YYYYMMDD', 'code_execution_YYYYMMDD', 'computer_YYYYMMDD', 'memory_YYYYMMDD', "
            "'text_editor_YYYYMMDD', 'tool_search_tool_YYYYMMDD', 'web_fetch_YYYYMMDD', 'web_search_YYYYMMDD'"
        ),
    ),
    ({"tool_choice": "auto"}, "tool_choice: Input should be a valid dictionary or object to extract fields from"),
    (
        {"tool_choice": {"type": "required"}},
        (
            "tool_choice: Input tag 'required' found using 'type' does not match any of the expected tags: 'any', "
            "'auto', 'none', 'tool'"
        ),
    ),
    ({"tool_choice": {"type": "any"}}, "tool_choice.any may only be specified while providing tools"),
    ({"tool_choice": {"type": "tool"}}, "tool_choice.tool.name: Field required"),
    ({**custom(), "tool_choice": {"type": "tool", "name": "g"}}, "Tool 'g' not found in provided tools"),
    (
        {**custom(), "tool_choice": {"type": "any"}, "thinking": {"type": "enabled", "budget_tokens": 1024}},
        "Thinking may not be enabled when tool_choice forces tool use.",
    ),
    # Wanted forms
    ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type: Input should be 'json_schema'"),
    ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema: Field required"),
    (form(5), "output_config.format.schema: Input should be a valid dictionary"),
    (
        form(OBJECT),
        "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
    ),
    ({"output_format": {"type": "xml"}}, "output_format.type: Input should be 'json_schema'"),
    # Content
    ({"system": 5}, "system: Input should be a valid list"),
    (
        {"messages": user("x")},
        "messages.0.content.0: Input should be a valid dictionary or object to extract fields from",
    ),
    ({"messages": user({})}, "messages.0.content.0.type: Field required"),
    (
        {"messages": [{"role": "user", "content": ""}]},
        "messages.0: all messages must have non-empty content except for the optional final assistant message",
    ),
    ({"messages": user({"type": "text"})}, "messages.0.content.0.text.text: Field required"),
    ({"messages": user({"type": "text", "text": ""})}, "messages: text content blocks must be non-empty"),
    (
        {"messages": user({"type": "text", "text": "x", "id": "y"})},
        "messages.0.content.0.text.id: Extra inputs are not permitted",
    ),
    (
        {"messages": [{"role": "user", "content": "x", "name": "y"}]},
        "messages.0.name: Extra inputs are not permitted",
    ),
    ({"messages": user({"type": "image"})}, "messages.0.content.0.image.source: Field required"),
    (
        image(type="blob"),
        (
            "messages.0.content.0.image.source: Input tag 'blob' found using 'type' does not match any of the expected "
            "tags: 'base64', 'file', 'url'"
        ),
    ),
    (image(type="base64", data=PNG), "messages.0.content.0.image.source.base64.media_type: Field required"),
    (
        image(type="base64", data=PNG, media_type="image/bmp"),
        (
            "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', "
            "'image/gif' or 'image/webp'"
        ),
    ),
    (
        image(type="base64", data="%", media_type="image/png"),
        "messages.0.content.0.image.source.base64.data: Invalid base64 data",
    ),
    (image(type="file"), "messages.0.content.0.image.source.file.file_id: Field required"),
    # History
    (
        {"messages": [{"role": "assistant", "content": [USE]}]},
        (
            "messages.0: `tool_use` ids were found without `tool_result` blocks immediately after: t1. Each `tool_use` "
            "block must have a corresponding `tool_result` block in the next message."
        ),
    ),
    (
        {"messages": user({"type": "tool_result", "tool_use_id": "t9"})},
        (
            "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t9. Each `tool_result` "
            "block must have a corresponding `tool_use` block in the previous message."
        ),
    ),
    (
        {"messages": user({**USE, "id": "a b"})},
        "messages.0.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
    ),
    (
        {"messages": user({**USE, "input": "{}"})},
        "messages.0.content.0.tool_use.input: Input should be a valid dictionary",
    ),
    # Options
    ({"stop_sequences": ["x", 5]}, "stop_sequences.1: Input should be a valid string"),
    ({"stop_sequences": [" "]}, "stop_sequences: each stop sequence must contain non-whitespace"),
    ({"response_format": {"type": "json_object"}}, "response_format: Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("body", "message"), ANTHROPIC)
def test_anthropic_says_what_is_wrong(body: dict[str, Any], message: str) -> None:
    """In Anthropic's sentences, which name the place."""
    sound: Any = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}
    with (
        Simulator({"sk-a": "healthy"}) as sim,
        anthropic.Anthropic(base_url=sim.url, api_key="sk-a", max_retries=0) as client,
        pytest.raises(anthropic.BadRequestError) as caught,
    ):
        client.post("/v1/messages", body=sound | body, cast_to=object)

    told: Any = caught.value.body
    assert told["error"] == {"type": "invalid_request_error", "message": message}


def test_openai_takes_every_kind_of_part() -> None:
    """Images, audio and files are counted in the answer; a breakpoint for the cache is no mistake."""
    parts: Any = [
        {"type": "text", "text": "look", "prompt_cache_breakpoint": {"mode": "explicit"}},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
        {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PNG}"}},
    ]
    with (
        Simulator({"sk-a": "healthy"}) as sim,
        openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0) as client,
    ):
        answer = client.chat.completions.create(model="m", messages=user(*parts))

    said = answer.choices[0].message.content
    assert said == "Hello from key-1 (m): you said 'look' with 2 images and 1 audio and 1 file"


def test_anthropic_takes_every_kind_of_block() -> None:
    """Images and documents are counted; thinking, its own tools and cache marks are no mistake."""
    mark = {"cache_control": {"type": "ephemeral"}}
    asked: Any = [
        {"type": "text", "text": "look", **mark},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}, **mark},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/cat.png"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PNG}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "words"}]}},
    ]
    history: Any = [
        *user({"type": "text", "text": "think"}),
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "c2ln"},
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
                USE,
            ],
        },
        *user({"type": "tool_result", "tool_use_id": "t1", "is_error": True, "content": [asked[1]]}, *asked),
    ]
    tools: Any = [{"type": "web_search_20250305", "name": "web_search"}, {**custom()["tools"][0], **mark}]
    with (
        Simulator({"sk-a": "healthy"}) as sim,
        anthropic.Anthropic(base_url=sim.url, api_key="sk-a", max_retries=0) as client,
    ):
        answer: Any = client.messages.create(
            model="m", max_tokens=50, messages=history, tools=tools, system=[{"type": "text", "text": "brief", **mark}]
        )

    assert answer.content[0].text == "Hello from key-1 (m): you said 'look' with 2 images and 3 files"


def test_a_revoked_key_is_turned_away_before_its_request_is_read():
    """As by the real ones: who asks comes before what is asked."""
    with Simulator({"sk-a": "revoked", "sk-b": "healthy"}) as sim:
        for key, refused in (("sk-a", openai.AuthenticationError), ("sk-b", openai.BadRequestError)):
            with pytest.raises(refused):
                openai.OpenAI(base_url=sim.base_url, api_key=key, max_retries=0).chat.completions.create(
                    model="gpt-4o", messages=[]
                )
        assert sim.counts == {"sk-a": 1, "sk-b": 1}
