"""Structured output: by the way of whoever answers, parsed as its own class parses it."""

from __future__ import annotations

import asyncio
import json
import operator
import pickle
from functools import reduce
from typing import TypedDict

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import BaseModel

import sparekey as sk
from langchain_sparekey import ChatSparekey

# LangChain's OpenAI model warns so of its own parsed answers, with or without sparekey.
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")

ASKED = "What is the weather in 'Paris' at 20 degrees?"


class Weather(BaseModel):
    """The weather of a place."""

    place: str
    degrees: int


class WeatherDict(TypedDict):
    """The weather of a place."""

    place: str
    degrees: int


PARIS = {"place": "Paris", "degrees": 20}
SCHEMAS = {"pydantic": Weather, "typeddict": WeatherDict, "json": {**Weather.model_json_schema(), "title": "Weather"}}


@pytest.fixture
def mixed(simulate, keys):
    """Builds a model of OpenAI, then Anthropic, then an OpenAI-compatible provider, of which one is well."""

    def build(well):
        order = ["openai", "anthropic", "compatible"]
        sim = simulate(*["healthy" if name == well else "revoked" for name in order])
        row = {"model_name": "chat", "fallbacks": ["claude"]}
        rows = [
            {**row, "model": "openai/gpt-4o", "api_key": keys[0], "api_base": sim.base_url},
            {"model_name": "claude", "model": "anthropic/claude-next", "api_key": keys[1], "api_base": sim.url},
            {"model_name": "glm", "model": "zai/glm-4.7", "api_key": keys[2], "api_base": sim.base_url},
        ]
        rows[1]["fallbacks"] = ["glm"]
        return ChatSparekey("chat", model_list=rows, max_tokens=200, tracker=sk.CooldownTracker()), sim

    return build


def whole(parts):
    """The last thing a stream of parsed answers says."""
    return list(parts)[-1]


async def awhole(parts):
    return [part async for part in parts][-1]


WAYS = {
    "invoke": lambda llm: llm.invoke(ASKED),
    "ainvoke": lambda llm: asyncio.run(llm.ainvoke(ASKED)),
    "stream": lambda llm: whole(llm.stream(ASKED)),
    "astream": lambda llm: asyncio.run(awhole(llm.astream(ASKED))),
    "batch": lambda llm: llm.batch([ASKED])[0],
}


@pytest.fixture(params=WAYS)
def get(request):
    return WAYS[request.param]


@pytest.mark.parametrize("well", ["openai", "anthropic", "compatible"])
@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_form_of_schema_is_answered_by_whoever_is_well(mixed, well, schema, get):
    """In the schema's own form, whichever provider answers and however it is asked."""
    model, _ = mixed(well)
    said = get(model.with_structured_output(SCHEMAS[schema]))

    assert said == (Weather(**PARIS) if schema == "pydantic" else PARIS)


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
@pytest.mark.parametrize("well", ["openai", "anthropic", "compatible"])
def test_a_method_is_each_providers_own(mixed, method, well):
    """A native schema where that was asked for, a tool where not, in the words of the provider."""
    model, sim = mixed(well)

    assert model.with_structured_output(Weather, method=method).invoke(ASKED) == Weather(**PARIS)
    native = {"openai": "response_format", "anthropic": "output_config"}.get(well, "response_format")
    assert (native in sim.requests[-1].body) is (method == "json_schema")
    assert ("tools" in sim.requests[-1].body) is (method == "function_calling")


@pytest.mark.filterwarnings("ignore:Unrecognized structured output method 'json_mode'")
@pytest.mark.parametrize("well", ["openai", "anthropic"])
def test_json_mode_is_openais_and_the_schema_the_others(simulate, keys, well):
    """OpenAI answers with any JSON, which is parsed; Anthropic has no such mode and gets the schema."""
    reply = json.dumps(PARIS)
    sim = simulate("healthy" if well == "openai" else "revoked", "healthy", reply=reply)
    rows = [
        {"model_name": "chat", "model": "openai/gpt-4o", "api_key": keys[0], "api_base": sim.base_url},
        {"model_name": "claude", "model": "anthropic/claude-next", "api_key": keys[1], "api_base": sim.url},
    ]
    rows[0]["fallbacks"] = ["claude"]
    model = ChatSparekey("chat", model_list=rows, max_tokens=200, tracker=sk.CooldownTracker())

    assert model.with_structured_output(Weather, method="json_mode").invoke(f"{ASKED} As JSON.") == Weather(**PARIS)
    assert ("response_format" in sim.requests[-1].body) is (well == "openai")


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("well", ["openai", "anthropic"])
def test_strictness_reaches_who_knows_it(mixed, strict, well):
    """OpenAI's tools are strict or not; Anthropic's class takes no such word and is asked all the same."""
    model, sim = mixed(well)
    llm = model.with_structured_output(Weather, method="function_calling", strict=strict)

    assert llm.invoke(ASKED) == Weather(**PARIS)
    assert sim.requests[0].body["tools"][0]["function"]["strict"] is strict


@pytest.mark.parametrize("well", ["openai", "anthropic"])
@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_the_raw_answer_comes_along_when_asked_for(mixed, well, how):
    """With what was parsed, and with the note on who answered."""
    model, _ = mixed(well)
    llm = model.with_structured_output(Weather, include_raw=True)
    said = llm.invoke(ASKED) if how == "invoke" else reduce(operator.add, llm.stream(ASKED))

    assert (said["parsed"], said["parsing_error"]) == (Weather(**PARIS), None)
    assert isinstance(said["raw"], AIMessage)
    assert said["raw"].response_metadata["sparekey"]["candidate"] in [who.id for who in model.candidates]


def test_what_cannot_be_parsed_is_told_as_usual(simulate, chat):
    """Raised, or with the raw answer beside it."""
    model = chat(simulate("healthy", reply="not JSON"))

    with pytest.raises(OutputParserException):
        model.with_structured_output(Weather, method="json_mode").invoke("as JSON")
    said = model.with_structured_output(Weather, method="json_mode", include_raw=True).invoke("as JSON")
    assert said["parsed"] is None
    assert isinstance(said["parsing_error"], OutputParserException)


def test_a_method_that_nobody_knows_is_refused_at_once(simulate, chat):
    """As by a single model."""
    with pytest.raises(ValueError, match="Unrecognized method argument"):
        chat(simulate("healthy")).with_structured_output(Weather, method="telepathy")


def test_one_run_is_seen_and_told_of_the_schema(mixed, listener):
    """Traces show what was asked for."""
    model, _ = mixed("anthropic")
    model.with_structured_output(Weather).invoke(ASKED, config={"callbacks": [listener]})

    assert (listener.names.count("start"), listener.names.count("end")) == (1, 1)
    options = listener.heard[0][1]["options"]
    assert options["ls_structured_output_format"]["schema"]["properties"].keys() == PARIS.keys()


def test_a_class_that_goes_about_it_in_its_own_way_is_asked_for_a_tool(scripted, monkeypatch):
    """A sequence that does not begin with the model itself cannot be taken apart; LangChain's own way can."""
    call = {"name": "Weather", "args": PARIS, "id": "1", "type": "tool_call"}
    seen = {}

    def answer(self, messages, stop=None, run_manager=None, **given):
        seen.update(given)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content="", tool_calls=[call]))])

    monkeypatch.setattr(scripted, "_generate", answer)
    monkeypatch.setattr(scripted, "bind_tools", lambda self, tools, **how: self.bind(bound=tools, **how))
    monkeypatch.setattr(scripted, "with_structured_output", lambda self, schema, **how: self | (lambda message: {}))
    model = ChatSparekey.from_models([scripted()]).with_structured_output(Weather)

    assert model.invoke("hello") == Weather(**PARIS)
    assert seen == {"bound": [Weather], "tool_choice": "any"}


def test_who_knows_no_structure_is_skipped(scripted, simulate, keys):
    """It can serve other requests; this one goes to the next."""
    sim = simulate("healthy")
    plain = scripted(name_="plain")
    spare = ChatSparekey("openai/gpt-4o", api_keys=keys[:1], api_base=sim.base_url)
    model = ChatSparekey.from_models([plain, spare.clients.model(spare.candidates[0])], tracker=sk.CooldownTracker())

    assert model.with_structured_output(Weather).invoke(ASKED) == Weather(**PARIS)
    assert plain.calls == []
    assert model.tracker.snapshot() == {}


def test_who_cannot_be_built_does_not_keep_others_from_it(simulate, keys):
    """Its mistake is told of when its turn comes."""
    sim = simulate("healthy", "healthy")
    rows = [
        {"model_name": "chat", "model": "openai/gpt-4o", "api_key": keys[0], "api_base": sim.base_url, "n": 0},
        {"model_name": "spare", "model": "openai/gpt-4o-mini", "api_key": keys[1], "api_base": sim.base_url},
    ]
    rows[0]["fallbacks"] = ["spare"]
    model = ChatSparekey("chat", model_list=rows, tracker=sk.CooldownTracker())

    assert model.with_structured_output(Weather).invoke(ASKED) == Weather(**PARIS)


def test_a_schema_without_a_title_will_do_where_no_name_is_needed(simulate, chat):
    """OpenAI's JSON mode needs none."""
    model = chat(simulate("healthy", reply=json.dumps(PARIS)))
    schema = {"type": "object", "properties": {"place": {"type": "string"}}}

    assert model.with_structured_output(schema, method="json_mode").invoke("as JSON") == PARIS


def test_how_it_is_done_is_worked_out_once_for_each_candidate(simulate, chat, monkeypatch):
    """Schemas are not converted again for every request."""
    model = chat(simulate("healthy"))
    llm = model.with_structured_output(Weather, method="function_calling")
    count = []
    inner = type(model.clients.model(model.candidates[0]))
    convert = inner.with_structured_output
    monkeypatch.setattr(
        inner, "with_structured_output", lambda *given, **how: count.append(1) or convert(*given, **how)
    )
    for _ in range(3):
        llm.invoke(ASKED)

    assert len(count) == 1


def test_caches_tell_schemas_apart_and_not_the_times_they_were_given(simulate, chat):
    """Two classes of one name are two schemas; one class bound twice is one."""
    model = chat(simulate("healthy"))

    def said(schema):
        return model._get_llm_string(**model.with_structured_output(schema).first.kwargs)

    other = type("Weather", (BaseModel,), {"__annotations__": {"place": str}, "__doc__": "Other."})
    assert said(Weather) == said(Weather)
    assert said(Weather) != said(other)


def test_a_structured_model_can_be_pickled(simulate, chat):
    """Plans hold models, and models keys; what was asked for is enough."""
    llm = pickle.loads(pickle.dumps(chat(simulate("healthy")).with_structured_output(Weather)))

    assert llm.invoke(ASKED) == Weather(**PARIS)


def test_it_is_a_chat_model_all_the_way():
    """Nothing of LangChain's is shadowed by accident."""
    assert issubclass(ChatSparekey, BaseChatModel)
    assert ChatSparekey.with_structured_output is not BaseChatModel.with_structured_output
