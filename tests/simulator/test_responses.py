"""OpenAI's responses through OpenAI's own client: answers, streams, tools, and what belongs to one key."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import httpx2
import openai
import pytest
from pydantic import BaseModel

from sparekey.simulator import Simulator, _simulator
from sparekey.simulator._store import Store

Client = Callable[..., Any]

SCHEMA = {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}
WEATHER: Any = {"type": "function", "name": "get_weather", "description": "The weather.", "parameters": SCHEMA}
ASKED = "What is the weather in New York?"
THINK: Any = {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}
BROKEN = (openai.APIConnectionError, httpx.RemoteProtocolError, httpx2.RemoteProtocolError)


@pytest.fixture
def client() -> Iterator[Client]:
    """Makes a simulator with two healthy keys, and clients for them."""
    with ExitStack() as stack:
        sims: list[Simulator] = []

        def make(key: str = "sk-a", behaviour: Any = "healthy") -> Any:
            if not sims:
                sims.append(stack.enter_context(Simulator({"sk-a": behaviour, "sk-b": "healthy"})))
            made = openai.OpenAI(base_url=sims[0].base_url, api_key=key, max_retries=0)
            return stack.enter_context(made).responses

        yield make


def finished(stream: Any) -> Any:
    """The response at the end of a stream."""
    *_, last = stream
    return last.response


def test_a_response_answers_by_name(client: Client) -> None:
    """Whole and streamed it is the same but for its ids."""
    whole = client().create(model="m", input="hello", instructions="be brief")
    streamed = finished(client().create(model="m", input="hello", instructions="be brief", stream=True))

    for response in (whole, streamed):
        assert response.output_text == "Hello from key-1 (m): you said 'hello'"
        assert (response.status, response.model, response.store) == ("completed", "m", True)
        assert (response.usage.input_tokens, response.usage.output_tokens) == (3, 7)
        assert (
            response.usage.input_tokens_details.cached_tokens,
            response.usage.output_tokens_details.reasoning_tokens,
        ) == (0, 0)


def test_the_stream_has_openais_events(client: Client) -> None:
    """They are numbered, and the client's own helper puts them together."""
    with (
        Simulator({"sk-a": "healthy"}, reply="one two") as sim,
        openai.OpenAI(base_url=sim.base_url, api_key="sk-a") as gpt,
    ):
        events = list(gpt.responses.create(model="m", input="hello", stream=True))
        with gpt.responses.stream(model="m", input="hello") as stream:
            final = stream.get_final_response()

    assert [event.type.removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        *["output_text.delta"] * 2,
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event.sequence_number for event in events] == list(range(10))
    assert final.output_text == "one two"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_tool_is_called_and_its_output_answered(client: Client, stream: bool) -> None:
    """By replaying the items, or by naming the response before."""

    def ask(**options: Any) -> Any:
        answer = client().create(model="m", tools=[WEATHER], stream=stream, **options)
        return finished(answer) if stream else answer

    first = ask(input=ASKED)
    (call,) = first.output
    assert (call.type, call.name, json.loads(call.arguments)) == (
        "function_call",
        "get_weather",
        {"location": "New York"},
    )

    output = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    said = "Hello from key-1 (m): get_weather said 'sunny'"
    assert ask(input=[output], previous_response_id=first.id).output_text == said
    assert ask(input=[{"role": "user", "content": ASKED}, call.to_dict(), output]).output_text == said


def test_the_name_and_the_pieces_of_a_call_are_streamed(client: Client) -> None:
    """The client's own events put the arguments together."""
    events = list(client().create(model="m", input=ASKED, tools=[WEATHER], stream=True))
    deltas = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    (done,) = [event for event in events if event.type == "response.function_call_arguments.done"]

    assert deltas == ['{"location": ', '"New ', 'York"}']
    assert "".join(deltas) == done.arguments


@pytest.mark.parametrize(
    ("choice", "calls"),
    [("none", 0), ("required", 1), ({"type": "function", "name": "get_weather"}, 1), ({"type": "web_search"}, 0)],
)
def test_the_choice_is_kept(client: Client, choice: Any, calls: int) -> None:
    """OpenAI's own tools are accepted and never called."""
    response = client().create(model="m", input="hello", tools=[WEATHER, {"type": "web_search"}], tool_choice=choice)

    assert [item.type for item in response.output].count("function_call") == calls


class Place(BaseModel):
    city: str
    days: int


def test_the_answer_has_the_wanted_form(client: Client) -> None:
    """The client's own helper makes an object of it; JSON mode takes the quoted keys."""
    parsed = client().parse(model="m", input="Stay in Oslo, days: 3", text_format=Place)
    mode: Any = {"format": {"type": "json_object"}}
    free = client().create(model="m", input="JSON with 'setup', please", text=mode)

    assert parsed.output_parsed == Place(city="Oslo", days=3)
    assert json.loads(free.output_text) == {"setup": "setup"}


def test_a_limit_leaves_the_response_incomplete(client: Client) -> None:
    """The status and the reason say so, and the last event too."""
    whole = client().create(model="m", input="hello", max_output_tokens=2)
    *_, last = client().create(model="m", input="hello", max_output_tokens=2, stream=True)

    assert last.type == "response.incomplete"
    for response in (whole, last.response):
        assert (response.output_text, response.status) == ("Hello from ", "incomplete")
        assert response.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_reasoning_comes_when_it_is_asked_for(client: Client, stream: bool) -> None:
    """With a summary and encrypted content, each only when asked for."""

    def reasoning(**options: Any) -> list[Any]:
        answer = client().create(model="m", input="hello", stream=stream, **options)
        response = finished(answer) if stream else answer
        assert (response.usage.output_tokens_details.reasoning_tokens > 0) == bool(options.get("reasoning"))
        return [item for item in response.output if item.type == "reasoning"]

    assert reasoning() == []
    (bare,) = reasoning(reasoning={"effort": "low"})
    (full,) = reasoning(**THINK)
    assert (bare.summary, bare.encrypted_content) == ([], None)
    assert full.summary[0].text.startswith("I was asked to think")
    assert full.encrypted_content


def test_no_effort_is_no_reasoning(client: Client) -> None:
    """An effort of none turns it off."""
    response = client().create(model="m", input="hello", reasoning={"effort": "none"})

    assert [item.type for item in response.output] == ["message"]


def test_a_response_belongs_to_the_key_that_made_it(client: Client) -> None:
    """Its id goes on with the conversation under that key, and is unknown under another."""
    first = client("sk-a").create(model="m", input="hello")
    second = client("sk-a").create(model="m", input="and now?", previous_response_id=first.id)
    with pytest.raises(openai.BadRequestError) as caught:
        client("sk-b").create(model="m", input="and now?", previous_response_id=first.id)

    assert (second.previous_response_id, second.usage.input_tokens) == (first.id, 10)
    assert caught.value.body == {
        "message": f"Previous response with id '{first.id}' not found.",
        "type": "invalid_request_error",
        "param": "previous_response_id",
        "code": "previous_response_not_found",
    }


def test_a_reasoning_item_belongs_to_the_key_that_made_it(client: Client) -> None:
    """By its id under that key only, and under none when it was not to be stored."""
    asked = {"role": "user", "content": "and now?"}
    thought, _ = client("sk-a").create(model="m", input="hello", reasoning={"effort": "low"}).output
    unkept, _ = client("sk-a").create(model="m", input="hello", reasoning={"effort": "low"}, store=False).output

    for item in (thought.to_dict(), {"type": "item_reference", "id": thought.id}):
        assert client("sk-a").create(model="m", input=[item, asked]).output_text
        with pytest.raises(openai.NotFoundError) as caught:
            client("sk-b").create(model="m", input=[item, asked])
        assert caught.value.body["message"] == f"Item with id '{thought.id}' not found."  # type: ignore[index]
    with pytest.raises(openai.NotFoundError, match="Items are not persisted when `store` is set to false"):
        client("sk-a").create(model="m", input=[unkept.to_dict(), asked], store=False)


def test_encrypted_reasoning_opens_with_the_key_that_made_it(client: Client) -> None:
    """Stored or not; under another key, or damaged, it cannot be verified. It holds no key."""
    asked = {"role": "user", "content": "and now?"}
    thought, _ = client("sk-a").create(model="m", input="hello", store=False, **THINK).output
    item = thought.to_dict()

    assert b"sk-a" not in base64.urlsafe_b64decode(item["encrypted_content"])
    assert client("sk-a").create(model="m", input=[item, asked], store=False).output_text
    with pytest.raises(openai.BadRequestError, match="organization_id did not match the target organization") as caught:
        client("sk-b").create(model="m", input=[item, asked], store=False)
    assert caught.value.code == "invalid_encrypted_content"
    with pytest.raises(openai.BadRequestError, match="could not be decrypted or parsed"):
        client("sk-a").create(model="m", input=[item | {"encrypted_content": "gAAAAABo"}, asked])


def test_what_a_key_does_comes_before_what_it_has() -> None:
    """A revoked key answers 401, whatever the request refers to."""
    with (
        Simulator({"sk-a": "revoked"}) as sim,
        openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0) as gpt,
        pytest.raises(openai.AuthenticationError),
    ):
        gpt.responses.create(model="m", input="hello", previous_response_id="resp_unknown")


def test_calls_and_outputs_belong_together(client: Client) -> None:
    """An output without its call, or a call without its output, is refused."""
    output = {"type": "function_call_output", "call_id": "c1", "output": "x"}
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    with pytest.raises(openai.BadRequestError, match="No tool call found for function call output with call_id c1"):
        client().create(model="m", input=[output])
    with pytest.raises(openai.BadRequestError, match="No tool output found for function call c1"):
        client().create(model="m", input=[call, {"role": "user", "content": "x"}])


@pytest.mark.parametrize("after", range(5))
def test_a_stream_is_cut_where_told(client: Client, after: int) -> None:
    """The name of a tool is a token, and so is each piece of its arguments."""
    seen: list[Any] = []
    with pytest.raises(BROKEN):
        seen.extend(
            client(behaviour={"kind": "stream_cut", "after": after}).create(
                model="m", input=ASKED, tools=[WEATHER], stream=True
            )
        )

    kinds = [event.type.removeprefix("response.") for event in seen]
    assert kinds[:2] == ["created", "in_progress"]
    assert kinds[2:] == ["output_item.added", *["function_call_arguments.delta"] * 3][:after]


def test_thoughts_are_tokens_too(client: Client) -> None:
    """What announces them goes with the first of them."""
    seen: list[Any] = []
    with pytest.raises(BROKEN):
        seen.extend(
            client(behaviour={"kind": "stream_cut", "after": 1}).create(model="m", input="hello", stream=True, **THINK)
        )

    assert [event.type.removeprefix("response.") for event in seen[2:]] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
    ]


@pytest.mark.parametrize(
    ("options", "told", "events"),
    [
        ({}, {}, ["created", "in_progress", "output_item.added", "content_part.added"]),
        ({}, {"opening": False}, []),
        ({"reasoning": {"effort": "low"}}, {}, ["created", "in_progress"]),
    ],
    ids=["a message", "no opening", "a thought"],
)
def test_what_leaves_before_the_first_token(client: Client, options: Any, told: Any, events: list[str]) -> None:
    """What announces an empty message, unless told otherwise; not what announces a thought."""
    answer = client(behaviour={"kind": "stream_cut", **told}).create(model="m", input="hello", stream=True, **options)
    seen: list[Any] = []
    with pytest.raises(BROKEN):
        seen.extend(answer)

    assert [event.type.removeprefix("response.") for event in seen] == events


def test_a_broken_stream_leaves_no_response(client: Client) -> None:
    """What was never finished cannot be gone on with."""
    first = next(iter(client(behaviour=[{"kind": "stream_cut"}, "healthy"]).create(model="m", input="x", stream=True)))
    with pytest.raises(openai.BadRequestError, match="not found"):
        client().create(model="m", input="x", previous_response_id=first.response.id)


def test_an_error_inside_a_stream_is_an_event(client: Client) -> None:
    """OpenAI's client hands it on instead of raising it."""
    told = {"kind": "stream_error", "after": 1, "error": "overloaded"}
    *_, last = client(behaviour=told).create(model="m", input="hello", stream=True)

    assert (last.type, last.code) == ("error", "overloaded")
    assert last.message == "The engine is currently overloaded, please try again later."


def user(*parts: Any) -> list[Any]:
    return [{"role": "user", "content": list(parts)}]


PNG = f"data:image/png;base64,{base64.b64encode(b'png').decode()}"
MARK = {"cache_control": {"type": "ephemeral"}}
REFUSED: list[tuple[dict[str, Any], str, str | None]] = [
    ({"input": None}, "input", "missing_required_parameter"),
    ({"input": 5}, "input", "invalid_type"),
    ({"input": [5]}, "input[0]", "invalid_type"),
    ({"input": [{"type": "thinking"}]}, "input[0].type", "invalid_value"),
    ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role", "invalid_value"),
    ({"input": [{"role": "user"}]}, "input[0].content", "missing_required_parameter"),
    ({"input": [{"role": "user", "content": "x", **MARK}]}, "input[0].cache_control", "unknown_parameter"),
    ({"input": user({"type": "text", "text": "x"})}, "input[0].content[0]", "invalid_value"),
    ({"input": user({"type": "input_audio"})}, "input[0].content[0]", "invalid_value"),
    ({"input": user({"type": "input_text", "text": 5})}, "input[0].content[0].text", "invalid_type"),
    (
        {"input": user({"type": "input_text", "text": "x", **MARK})},
        "input[0].content[0].cache_control",
        "unknown_parameter",
    ),
    ({"input": user({"type": "input_image"})}, "input[0].content[0]", "invalid_value"),
    (
        {"input": user({"type": "input_image", "image_url": "cat.png"})},
        "input[0].content[0].image_url",
        "invalid_value",
    ),
    (
        {"input": user({"type": "input_file", "file_data": PNG})},
        "input[0].content[0].filename",
        "missing_required_parameter",
    ),
    (
        {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]},
        "input[0].content[0]",
        "invalid_value",
    ),
    ({"input": [{"type": "function_call", "call_id": "c"}]}, "input[0].name", "missing_required_parameter"),
    ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input[0].output", "missing_required_parameter"),
    ({"input": [{"type": "reasoning", "summary": []}]}, "input[0].id", "missing_required_parameter"),
    ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools[0].function", "unknown_parameter"),
    ({"tools": [{**WEATHER, **MARK}]}, "tools[0].cache_control", "unknown_parameter"),
    ({"tools": [{"type": "function"}]}, "tools[0].name", "missing_required_parameter"),
    ({"tools": [{"type": "teleport"}]}, "tools[0].type", "invalid_value"),
    ({"tools": [WEATHER], "tool_choice": {"type": "function", "name": "g"}}, "tool_choice", None),
    ({"text": {"format": {"type": "xml"}}}, "text.format.type", "invalid_value"),
    ({"text": {"format": {"type": "json_object"}}}, "input", None),
    ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format.name", "missing_required_parameter"),
    (
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}}},
        "text.format.schema",
        "invalid_json_schema",
    ),
    ({"messages": []}, "messages", "unsupported_parameter"),
    ({"response_format": {}}, "response_format", "unsupported_parameter"),
    ({"max_tokens": 5}, "max_tokens", "unknown_parameter"),
    ({"max_output_tokens": 0}, "max_output_tokens", "integer_below_min_value"),
    ({"store": "yes"}, "store", "invalid_type"),
    ({"include": "all"}, "include", "invalid_type"),
    ({"reasoning": "hard"}, "reasoning", "invalid_type"),
    ({"instructions": 5}, "instructions", "invalid_type"),
    ({"temperature": 9}, "temperature", "decimal_out_of_range"),
]


@pytest.mark.parametrize(("change", "param", "code"), REFUSED)
def test_what_is_wrong_is_named(client: Client, change: dict[str, Any], param: str, code: str | None) -> None:
    """The field and OpenAI's code for the mistake."""
    with pytest.raises(openai.BadRequestError) as caught:
        client().create(model="m", input="hello", extra_body=change)

    assert (caught.value.param, caught.value.code) == (param, code)


def test_images_and_files_are_counted(client: Client) -> None:
    """In a prompt and in what a tool puts out; items of OpenAI's own tools are no mistake."""
    parts = [
        {"type": "input_text", "text": "look"},
        {"type": "input_image", "image_url": PNG, "detail": "high"},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
        {"type": "input_file", "filename": "a.pdf", "file_data": PNG.replace("image/png", "application/pdf")},
    ]
    history = [
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": [parts[1]]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "yes", "annotations": []}]},
        {"role": "user", "content": parts},
    ]

    said = client().create(model="m", input=history).output_text
    assert said == "Hello from key-1 (m): you said 'look' with 1 image and 2 files"


@pytest.mark.parametrize("stream", [False, True])
def test_what_a_response_refers_to_may_go_while_it_is_made(monkeypatch: pytest.MonkeyPatch, stream: bool) -> None:
    """The store is full, and what others do in the meantime drops what this one began with."""
    store = Store(most=2)
    monkeypatch.setattr(_simulator, "Store", lambda: store)

    async def meanwhile(_seconds: float) -> None:
        for number in range(2):
            store.put("file", "another", str(number), number)

    behaviour = ["healthy", {"kind": "slow", "delay": 1}]
    with (
        Simulator({"sk-a": behaviour}, sleep=meanwhile) as sim,
        openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0) as client,
    ):
        first = client.responses.create(model="m", input="hello")
        again: Any = [{"type": "item_reference", "id": first.output[0].id}, {"role": "user", "content": "and you?"}]
        answer: Any = client.responses.create(model="m", input=again, stream=stream)
        whole = finished(answer) if stream else answer

    assert whole.output_text == "Hello from key-1 (m): you said 'and you?'"
    assert whole.usage.input_tokens == 9
