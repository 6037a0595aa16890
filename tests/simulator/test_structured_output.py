"""Answers in a wanted form: JSON mode and JSON schemas, through the providers' own clients."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator
from typing import Any, Literal

import anthropic
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter

from sparekey.simulator import Simulator
from sparekey.simulator._mind import hints
from sparekey.simulator._mind.fill import MOST, fill
from sparekey.simulator._mind.hints import Hints


class Unit(enum.StrEnum):
    CELSIUS = "celsius"
    KELVIN = "kelvin"


class Place(BaseModel):
    city: str
    tags: list[str]


class Report(BaseModel):
    """Something of everything that schemas have."""

    place: Place
    unit: Unit
    degrees: int
    note: str | None


PROMPT = "Report 21 kelvin for 'Oslo'."
EXPECTED = Report(place=Place(city="Oslo", tags=["tags"]), unit=Unit.KELVIN, degrees=21, note="note")


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator({"sk-a": "healthy"}) as running:
        yield running


@pytest.fixture
def gpt(sim: Simulator) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(sim: Simulator) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=sim.url, api_key="sk-a", max_retries=0) as client:
        yield client


def asking(prompt: str) -> Any:
    return [{"role": "user", "content": prompt}]


def test_openai_answers_as_the_strict_schema_says(gpt: openai.OpenAI) -> None:
    """The client's own helper makes an object of the answer, whole and streamed."""
    completion = gpt.chat.completions.parse(model="m", messages=asking(PROMPT), response_format=Report)
    with gpt.chat.completions.stream(model="m", messages=asking(PROMPT), response_format=Report) as stream:
        pieces = [event.delta for event in stream if event.type == "content.delta"]
        streamed = stream.get_final_completion()

    assert completion.choices[0].message.parsed == EXPECTED
    assert streamed.choices[0].message.parsed == EXPECTED
    assert len(pieces) > 5


def test_anthropic_answers_as_the_schema_says(claude: anthropic.Anthropic) -> None:
    """The client's own helper makes an object of the answer, whole and streamed."""
    request: Any = {"model": "m", "max_tokens": 99, "messages": asking(PROMPT), "output_format": Report}
    answer = claude.messages.parse(**request)
    with claude.messages.stream(**request) as stream:
        streamed = stream.get_final_message()

    assert answer.parsed_output == EXPECTED
    assert streamed.parsed_output == EXPECTED


def test_json_mode_has_the_keys_that_the_prompt_quotes(gpt: openai.OpenAI) -> None:
    """Without any, the greeting is the answer."""
    mode: Any = {"type": "json_object"}
    asked = "Tell me a joke about cats as JSON with 'setup' and \"punchline\" keys."
    joke = gpt.chat.completions.create(model="m", messages=asking(asked), response_format=mode)
    other = gpt.chat.completions.create(model="m", messages=asking("any json"), response_format=mode)

    assert json.loads(joke.choices[0].message.content or "") == {"setup": "cats", "punchline": "punchline"}
    assert json.loads(other.choices[0].message.content or "") == {"answer": "Hello from key-1 (m): you said 'any json'"}


def test_a_reply_is_said_word_for_word(claude: anthropic.Anthropic, sim: Simulator) -> None:
    """JSON or not, what a scenario tells a key to say is what it says."""
    with (
        Simulator({"sk-a": "healthy"}, reply="no JSON") as told,
        openai.OpenAI(base_url=told.base_url, api_key="sk-a", max_retries=0) as client,
    ):
        schema = {"type": "object", "properties": {}}
        wanted: Any = {"type": "json_schema", "json_schema": {"name": "any", "schema": schema}}
        answer = client.chat.completions.create(model="m", messages=asking("hi"), response_format=wanted)

    assert answer.choices[0].message.content == "no JSON"


class Node(BaseModel):
    value: int
    next: Node | None
    children: list[Node]


class Corners(BaseModel):
    """Fields whose values have to be made with care."""

    kind: Literal["corner"]
    between: int = Field(gt=2, lt=4)
    low: int = Field(le=-3)
    half: float = Field(gt=0, lt=1)
    step: int = Field(multiple_of=7, ge=1)
    long: str = Field(min_length=12)
    short: str = Field(max_length=2)
    several: list[int] = Field(min_length=3)
    few: list[str] = Field(max_length=0)
    pair: tuple[int, str]
    when: AwareDatetime
    either: int | str
    free: dict[str, int]
    node: Node
    yes: bool


@pytest.mark.parametrize(
    "prompt", ["", "Make corners 1, 2, 3 and 'four' on 2024-05-06T07:08:09Z.", "kind: other, yes: no"]
)
@pytest.mark.parametrize("wanted", [Report, Node, Corners, Place])
def test_what_is_made_follows_the_schema(wanted: type[BaseModel], prompt: str) -> None:
    """Bounds, lengths, unions, references and recursion are kept, whatever the prompt says."""
    made = fill(wanted.model_json_schema(), Hints(prompt), whole=True)

    assert TypeAdapter(wanted).validate_json(json.dumps(made))


@pytest.mark.parametrize(
    ("schema", "prompt", "made"),
    [
        ({"type": "integer"}, "1.5 then 3", 3),
        ({"type": "number"}, "1.5 then 3", 1.5),
        ({"type": "integer", "minimum": 10}, "3", 10),
        ({"type": "array", "items": {"type": "integer"}}, "add 1, 2 and 3", [1, 2, 3]),
        ({"type": "array", "items": {"enum": ["a", "b", "c"]}}, "b and c", ["b", "c"]),
        ({"enum": ["red", "green"]}, "a Green one", "green"),
        ({"type": ["null", "string"]}, "in Rome", "Rome"),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, "7", 7),
        ({"type": "string", "format": "email"}, "write to a.b@c.example, Bob", "a.b@c.example"),
        ({"type": "string", "format": "date"}, "on 'Friday'", "2024-01-01"),
        ({"type": "boolean", "default": False}, "", False),
        ({"type": "string", "default": "usual"}, "", "usual"),
        ({"const": 5}, "6", 5),
        ({"$ref": "#/nowhere"}, "'x'", "x"),
        ({"allOf": [{"$ref": "#/$defs/n"}], "$defs": {"n": {"type": "integer"}}}, "4", 4),
        ({"properties": {"query": {"type": "string"}}, "required": ["query"]}, "cats?", {"query": "cats?"}),
    ],
)
def test_values_come_from_the_prompt(schema: Any, prompt: str, made: Any) -> None:
    """What the prompt names is taken where it fits, and made up where it does not."""
    assert fill(schema, Hints(prompt), whole=False) == made


def test_what_tools_found_out_comes_after_the_prompt(gpt: openai.OpenAI) -> None:
    """An answer in a wanted form holds what the tool said, and the place that was asked for."""
    call: Any = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    history: Any = [
        *asking("What is the weather in Oslo?"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"unit": "kelvin", "degrees": 294, "at": "Rome"}'},
    ]
    report = gpt.chat.completions.parse(model="m", messages=history, response_format=Report).choices[0].message.parsed

    assert report
    assert (report.place.city, report.unit, report.degrees) == ("Oslo", Unit.KELVIN, 294)


def test_optional_arguments_are_left_out_unless_named() -> None:
    """Of a tool's arguments those required are filled, and those the prompt names."""
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"type": "string"}},
        "required": ["city"],
    }
    hints = "weather in Oslo, days: 3"

    assert fill(schema, Hints(hints), whole=False) == {"city": "Oslo", "days": 3}
    assert fill(schema, Hints(hints), whole=True) == {"city": "Oslo", "days": 3, "unit": "unit"}


WORDS = st.sampled_from(["object", "array", "string", "integer", "#", "#/$defs/a", "a", "date"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
KEYWORDS = """
type properties required items prefixItems anyOf oneOf allOf enum const default $ref $defs a
minItems maxItems minimum maximum exclusiveMinimum multipleOf minLength maxLength format
additionalProperties
"""
KEYS = st.sampled_from(sorted(KEYWORDS.split()))
SCHEMAS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=20
)


@settings(max_examples=300, deadline=None)
@given(schema=SCHEMAS, prompt=st.text(), whole=st.booleans())
def test_no_schema_breaks_the_filling(schema: Any, prompt: str, whole: bool) -> None:
    """Whatever is sent for a schema, something that is JSON comes out."""
    json.dumps(fill(schema, Hints(prompt), whole=whole))


def test_a_schema_that_asks_for_billions_gets_an_end() -> None:
    """Doubling at every level stops after so many values."""
    doubling = {"type": "object", "properties": {"a": {"$ref": "#/$defs/0"}}, "required": ["a"], "$defs": {}}
    for level in range(40):
        inner = {"$ref": f"#/$defs/{level + 1}"}
        doubling["$defs"][str(level)] = {
            "type": "object",
            "properties": {"l": inner, "r": inner},
            "required": ["l", "r"],
        }

    assert json.dumps(fill(doubling, Hints(""), whole=False)).count(":") <= 3 * MOST


def test_a_large_enum_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each member is looked for once, however many properties have it, and without a regular expression of its own."""
    looked_for: list[str] = []

    def look(text: str, word: str) -> bool:
        looked_for.append(word)
        return stands_in(text, word)

    stands_in = hints._stands_in
    monkeypatch.setattr(hints, "_stands_in", look)
    found = Hints("Take C7, please.")
    monkeypatch.setattr(hints, "re", None)
    schema = {
        "type": "object",
        "properties": {f"p{at}": {"$ref": "#/$defs/c"} for at in range(50)},
        "$defs": {"c": {"enum": [f"C{at}" for at in range(100)]}},
    }

    assert set(fill(schema, found, whole=True).values()) == {"C7"}
    assert len(looked_for) == 100


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("Is it KELVIN?", ["kelvin"]),
        ("kelvins or a kelvin", ["kelvin"]),
        ("kelvins, _kelvin, kelvin2", []),
        ("C++ it is.", ["C++"]),
        ("It is 21.", [21]),
        ("", []),
    ],
)
def test_a_member_is_mentioned_as_a_word_of_its_own(text: str, members: list[object]) -> None:
    """In any case, and not as a part of another word."""
    assert Hints(text).mentioned(["kelvin", "C++", 21, 2, "", None]) == members
