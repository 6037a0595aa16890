"""Tools through the providers' own clients: offered, chosen, called, answered, in both dialects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import httpx2
import openai
import pytest

from sparekey.simulator import Simulator


@dataclass
class Turn:
    """What came back, in no dialect: text, calls as (name, arguments), and why it ended."""

    text: str
    calls: list[tuple[str, Any]]
    ids: list[str]
    end: str


BROKEN = (
    openai.APIConnectionError,
    anthropic.APIConnectionError,
    httpx.RemoteProtocolError,
    httpx2.RemoteProtocolError,
)

WEATHER = ("get_weather", "Say how the weather is.", {"location": {"type": "string"}}, ["location"])
TIME = ("get_time", "Say what time it is.", {"city": {"type": "string"}}, ["city"])
MAGIC = ("magic_function", "Double a number and be done.", {"input": {"type": "integer"}}, ["input"])
EMPTY = ("roll", "Roll the dice.", {}, [])

Talk = Callable[..., Turn]


def schema_of(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


def _openai(client: openai.OpenAI, stream: bool, history: list[Any], tools: Any, choice: Any, parallel: bool) -> Turn:
    options: dict[str, Any] = {} if parallel else {"parallel_tool_calls": False}
    if tools:
        options["tools"] = [
            {"type": "function", "function": {"name": n, "description": d, "parameters": schema_of(p, r)}}
            for n, d, p, r in tools
        ]
    if choice:
        named = {"type": "function", "function": {"name": choice}}
        options["tool_choice"] = choice if choice in ("auto", "none", "required") else named
    answer: Any = client.chat.completions.create(model="m", messages=history, stream=stream, **options)
    if not stream:
        message, calls = answer.choices[0].message, answer.choices[0].message.tool_calls or []
        return Turn(
            message.content or "",
            [(call.function.name, json.loads(call.function.arguments)) for call in calls],
            [call.id for call in calls],
            answer.choices[0].finish_reason,
        )
    text, names, ids, pieces, end = "", [], [], [], ""
    for chunk in answer:
        choice = chunk.choices[0]
        text += choice.delta.content or ""
        end = choice.finish_reason or end
        for call in choice.delta.tool_calls or []:
            if call.id:
                assert call.index == len(names)
                names.append(call.function.name)
                ids.append(call.id)
                pieces.append([])
            pieces[call.index].append(call.function.arguments)
    assert all(len(each) > 1 and each[0] == "" for each in pieces)  # a name first, then arguments
    return Turn(text, [(n, json.loads("".join(p))) for n, p in zip(names, pieces, strict=True)], ids, end)


def _anthropic(
    client: anthropic.Anthropic, stream: bool, history: list[Any], tools: Any, choice: Any, parallel: bool
) -> Turn:
    options: dict[str, Any] = {}
    if tools:
        options["tools"] = [{"name": n, "description": d, "input_schema": schema_of(p, r)} for n, d, p, r in tools]
    if choice or not parallel:
        kinds = {"auto": "auto", "none": "none", "required": "any", None: "auto"}
        options["tool_choice"] = {"type": kinds[choice]} if choice in kinds else {"type": "tool", "name": choice}
        if not parallel:
            options["tool_choice"]["disable_parallel_tool_use"] = True
    request = {"model": "m", "max_tokens": 500, "messages": history, **options}
    if stream:
        with client.messages.stream(**request) as events:
            answer = events.get_final_message()
    else:
        answer = client.messages.create(**request)
    calls = [block for block in answer.content if block.type == "tool_use"]
    return Turn(
        "".join(block.text for block in answer.content if block.type == "text"),
        [(call.name, call.input) for call in calls],
        [call.id for call in calls],
        {"tool_use": "tool_calls", "end_turn": "stop"}.get(str(answer.stop_reason), str(answer.stop_reason)),
    )


def _openai_history(prompt: str, turn: Turn, results: list[str]) -> list[Any]:
    calls = [
        {"id": id_, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for id_, (name, arguments) in zip(turn.ids, turn.calls, strict=True)
    ]
    return [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": None, "tool_calls": calls},
        *({"role": "tool", "tool_call_id": id_, "content": said} for id_, said in zip(turn.ids, results, strict=True)),
    ]


def _anthropic_history(prompt: str, turn: Turn, results: list[str]) -> list[Any]:
    calls = [
        {"type": "tool_use", "id": id_, "name": name, "input": arguments}
        for id_, (name, arguments) in zip(turn.ids, turn.calls, strict=True)
    ]
    answers = [
        {"type": "tool_result", "tool_use_id": id_, "content": [{"type": "text", "text": said}]}
        for id_, said in zip(turn.ids, results, strict=True)
    ]
    return [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": calls},
        {"role": "user", "content": answers},
    ]


@pytest.fixture(params=["openai", "anthropic"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Whose client asks."""
    return request.param


@pytest.fixture(params=[False, True], ids=["whole", "stream"])
def talk(request: pytest.FixtureRequest, dialect: str) -> Iterator[Talk]:
    """Says something to a simulator with one healthy key, offering tools."""
    with ExitStack() as stack:
        sim = stack.enter_context(Simulator({"sk-a": "healthy"}))
        if dialect == "openai":
            one: Any = openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0)
        else:
            one = anthropic.Anthropic(base_url=sim.url, api_key="sk-a", max_retries=0)
        client = stack.enter_context(one)
        speak = _openai if dialect == "openai" else _anthropic

        def say(said: Any, *tools: Any, choice: str | None = None, parallel: bool = True) -> Turn:
            history = said if isinstance(said, list) else [{"role": "user", "content": said}]
            return speak(client, request.param, history, tools, choice, parallel)

        yield say


@pytest.fixture
def history(dialect: str) -> Callable[..., list[Any]]:
    """A conversation in which the calls of a turn were answered."""
    return _openai_history if dialect == "openai" else _anthropic_history


def test_a_tool_the_prompt_asks_for_is_called(talk: Talk) -> None:
    """Words of a tool's name are enough, and the prompt's values become arguments."""
    turn = talk("What is the weather in San Francisco, CA?", WEATHER, TIME)

    assert turn.calls == [("get_weather", {"location": "San Francisco, CA"})]
    assert (turn.text, turn.end) == ("", "tool_calls")


def test_a_prompt_that_asks_for_no_tool_gets_words(talk: Talk) -> None:
    """Offering tools changes nothing for a greeting."""
    turn = talk("hello", WEATHER, TIME)

    assert (turn.text, turn.calls, turn.end) == ("Hello from key-1 (m): you said 'hello'", [], "stop")


@pytest.mark.parametrize(
    ("prompt", "calls"),
    [
        ("What is magic_function(3)? Use it.", [("magic_function", {"input": 3})]),
        (
            "magic_function(-4) and magic_function(5)",
            [("magic_function", {"input": -4}), ("magic_function", {"input": 5})],
        ),
        ("magic_function(input=7), 8 and 9", [("magic_function", {"input": 7})]),
        ("Please do some magic, input: 12", [("magic_function", {"input": 12})]),
        ("roll()", [("roll", {})]),
        ("Take 6 and double that number", [("magic_function", {"input": 6})]),
    ],
)
def test_a_call_that_the_prompt_writes_is_made(talk: Talk, prompt: str, calls: Any) -> None:
    """Values in brackets, named values and plain numbers are the arguments."""
    assert talk(prompt, MAGIC, EMPTY).calls == calls


def test_several_tools_are_called_at_once_unless_that_is_forbidden(talk: Talk) -> None:
    """One call each, with an id each; one at a time when parallel calls are off."""
    prompt = "I need the weather in Paris and the time in Tokyo."
    both = [("get_weather", {"location": "Paris"}), ("get_time", {"city": "Tokyo"})]

    turn = talk(prompt, WEATHER, TIME)
    assert turn.calls == both
    assert len(set(turn.ids)) == 2
    assert talk(prompt, WEATHER, TIME, parallel=False).calls == both[:1]


def test_the_choice_is_kept(talk: Talk) -> None:
    """None calls none, required calls one, a name calls that one."""
    assert talk("weather in Paris?", WEATHER, choice="none").calls == []
    assert talk("weather in Paris?", WEATHER, choice="auto").calls == [("get_weather", {"location": "Paris"})]
    assert [name for name, _ in talk("hello", WEATHER, TIME, choice="required").calls] == ["get_weather"]
    assert [name for name, _ in talk("weather?", WEATHER, TIME, choice="get_time").calls] == ["get_time"]


def test_a_result_is_answered_with_words(talk: Talk, history: Any) -> None:
    """It repeats what the tool said; when a tool has to be called, it is the last of those not called yet."""
    prompt = "What is the weather in Paris?"
    turn = talk(prompt, WEATHER, TIME)
    told = history(prompt, turn, ["It's sunny."])

    assert talk(told, WEATHER, TIME).text == 'Hello from key-1 (m): get_weather said "It\'s sunny."'
    assert [name for name, _ in talk(told, WEATHER, TIME, EMPTY, choice="required").calls] == ["roll"]
    assert [name for name, _ in talk(told, WEATHER, choice="required").calls] == ["get_weather"]


def test_calls_forbidden_at_once_come_one_after_the_other(talk: Talk, history: Any) -> None:
    """After the first result the second tool that the prompt asks for has its turn."""
    prompt = "I need the weather in Paris and the time in Tokyo."
    turn = talk(prompt, WEATHER, TIME, parallel=False)

    second = talk(history(prompt, turn, ["sunny"]), WEATHER, TIME, parallel=False)
    assert [name for name, _ in second.calls] == ["get_time"]


def test_a_new_question_begins_anew(talk: Talk, history: Any) -> None:
    """Tools called for an earlier question are called for the next one too."""
    prompt = "What is the weather in Paris?"
    told = history(prompt, talk(prompt, WEATHER), ["sunny"])
    told += [{"role": "assistant", "content": "Sunny."}, {"role": "user", "content": "And the weather in Rome?"}]

    assert talk(told, WEATHER).calls == [("get_weather", {"location": "Rome"})]


BOTH: Any = [{"role": "user", "content": "The weather in New York and the time in Tokyo, please."}]
TOKENS = ["get_weather", '{"location": ', '"New ', 'York"}', "get_time", '{"city": ', '"Tokyo"}']


def arrived(stream: Any) -> list[Any]:
    """What came before the connection broke."""
    seen: list[Any] = []
    with pytest.raises(BROKEN):
        seen.extend(stream)
    return seen


@pytest.mark.parametrize("after", range(len(TOKENS) + 1))
def test_openais_stream_of_calls_is_cut_where_told(after: int) -> None:
    """A call's name is a token, and so is each piece of its arguments."""
    tools: Any = [
        {"type": "function", "function": {"name": name, "parameters": schema_of(properties, required)}}
        for name, _, properties, required in (WEATHER, TIME)
    ]
    with (
        Simulator({"sk-a": {"kind": "stream_cut", "after": after}}) as sim,
        openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0) as client,
    ):
        request: Any = {"model": "m", "messages": BOTH, "tools": tools}
        chunks = arrived(client.chat.completions.create(stream=True, **request))

    calls = [call.function for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert [call.name or call.arguments for call in calls] == TOKENS[:after]


@pytest.mark.parametrize("after", range(len(TOKENS) + 1))
def test_anthropics_stream_of_calls_is_cut_where_told(after: int) -> None:
    """The end of one block and the beginning of the next go with the token after them."""
    tools: Any = [
        {"name": name, "input_schema": schema_of(properties, required)}
        for name, _, properties, required in (WEATHER, TIME)
    ]
    with (
        Simulator({"sk-a": {"kind": "stream_cut", "after": after}}) as sim,
        anthropic.Anthropic(base_url=sim.url, api_key="sk-a", max_retries=0) as client,
    ):
        request: Any = {"model": "m", "max_tokens": 99, "messages": BOTH, "tools": tools}
        events = arrived(client.messages.create(stream=True, **request))

    names = [event.content_block.name for event in events if event.type == "content_block_start"]
    pieces = [event.delta.partial_json for event in events if event.type == "content_block_delta"]
    stops = [event for event in events if event.type == "content_block_stop"]
    assert names == [token for token in TOKENS[:after] if token.startswith("get_")]
    assert [piece for piece in pieces if piece] == [token for token in TOKENS[:after] if not token.startswith("get_")]
    assert len(stops) == (after > 4)


@pytest.mark.parametrize("limit", [1, 2])
def test_a_limit_cuts_a_call(dialect: str, limit: int) -> None:
    """OpenAI leaves half a JSON text, Anthropic an empty input; both say that the limit was reached."""
    with Simulator({"sk-a": "healthy"}) as sim:
        schema = schema_of(*WEATHER[2:])
        if dialect == "openai":
            with openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0) as client:
                tools: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": schema}}]
                answer: Any = client.chat.completions.create(model="m", messages=BOTH, tools=tools, max_tokens=limit)
            call = answer.choices[0].message.tool_calls[0].function
            assert (call.arguments, answer.choices[0].finish_reason) == ("".join(TOKENS[1 : 1 + limit]), "length")
        else:
            with anthropic.Anthropic(base_url=sim.url, api_key="sk-a", max_retries=0) as other:
                tools = [{"name": "get_weather", "input_schema": schema}]
                answer = other.messages.create(model="m", max_tokens=limit, messages=BOTH, tools=tools)
            assert (answer.content[0].input, answer.stop_reason) == ({}, "max_tokens")
