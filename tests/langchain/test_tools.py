"""Tools are bound by whoever is asked, and structured answers come through them."""

from __future__ import annotations

import pytest
from langchain_core.runnables import RunnableBinding
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

import sparekey as sk
from langchain_sparekey import ChatSparekey


@tool
def look(place: str) -> str:
    """Look at a place."""
    return f"{place}: fine"


class Weather(BaseModel):
    """The weather of a place."""

    place: str
    degrees: int


@pytest.fixture
def mixed(simulate, keys):
    """A model whose OpenAI key is throttled and whose Anthropic key answers, and its provider."""
    sim = simulate("rate_limited", "healthy")
    rows = [
        {"model_name": "chat", "model": "openai/gpt-4o", "api_key": keys[0], "api_base": sim.base_url},
        {"model_name": "spare", "model": "anthropic/claude-next", "api_key": keys[1], "api_base": sim.url},
    ]
    rows[0]["fallbacks"] = ["spare"]
    return ChatSparekey(model="chat", model_list=rows, max_tokens=50, tracker=sk.CooldownTracker()), sim


@pytest.mark.parametrize(
    "choice",
    ["look", {"type": "function", "function": {"name": "look"}}, {"type": "tool", "name": "look"}],
    ids=["name", "openai", "anthropic"],
)
def test_each_provider_gets_tools_in_its_own_form(mixed, ask, choice):
    """What one provider makes of tools another would refuse, whichever form the choice was given in."""
    model, sim = mixed
    ask(model.bind_tools([look], tool_choice=choice), "hello")
    openai, anthropic = (request.body for request in sim.requests)

    assert openai["tools"][0]["function"]["name"] == "look"
    assert openai["tool_choice"] == {"type": "function", "function": {"name": "look"}}
    assert anthropic["tools"][0]["input_schema"]["properties"] == {"place": {"type": "string"}}
    assert anthropic["tool_choice"] == {"type": "tool", "name": "look"}


@pytest.mark.parametrize("choice", ["any", "required", True, {"type": "any"}])
def test_a_tool_can_be_demanded_of_every_provider(mixed, choice):
    """Each has a word of its own for it."""
    model, sim = mixed
    model.bind_tools([look, Weather], tool_choice=choice).invoke("hello")

    assert [request.body["tool_choice"] for request in sim.requests] == ["required", {"type": "any"}]


def test_a_choice_bound_later_is_understood_too(mixed):
    """``bind`` adds to what is bound, without asking this library."""
    model, sim = mixed
    model.bind_tools([look]).bind(tool_choice="required").with_config(tags=["a"]).invoke("hello")

    assert [request.body["tool_choice"] for request in sim.requests] == ["required", {"type": "any"}]


def test_bound_tools_are_plain_dicts_to_everybody_else(mixed):
    """Agents look at a binding's tools, and caches and traces write them down."""
    bound = mixed[0].bind_tools([look])

    assert isinstance(bound, RunnableBinding)
    assert bound.kwargs["tools"][0]["function"]["name"] == "look"
    assert mixed[0]._get_llm_string(**bound.kwargs) == mixed[0]._get_llm_string(**mixed[0].bind_tools([look]).kwargs)


def test_tools_are_bound_once(mixed, monkeypatch):
    """Their schemas are not worked out again for every request."""
    model, _ = mixed
    count = []
    bind = ChatOpenAI.bind_tools
    monkeypatch.setattr(ChatOpenAI, "bind_tools", lambda *given, **how: count.append(1) or bind(*given, **how))
    model.tracker.reset()
    bound = model.bind_tools([look])
    for _ in range(3):
        model.tracker.reset()
        bound.invoke("hello")

    assert len(count) == 1


def test_the_latest_way_they_were_bound_is_kept(mixed):
    """A form that changes with every request is not remembered for ever."""
    model, _ = mixed
    bound = model.bind_tools([look])
    for number in range(5):
        form = {"type": "json_schema", "json_schema": {"name": f"n{number}", "schema": {"type": "object"}}}
        bound.bind(response_format=form).invoke("hello")

    assert len(bound.kwargs["tools"]._bound) <= len(model.candidates)


def test_a_model_without_tools_is_passed_over(scripted, simulate, keys):
    """It cannot serve this request; it can serve others, so it does not cool."""
    sim = simulate("healthy")
    spare = ChatOpenAI(model="gpt-4o", api_key=keys[0], base_url=sim.base_url)
    model = ChatSparekey.from_models([scripted(name_="plain"), spare], tracker=sk.CooldownTracker())

    assert "key-1" in model.bind_tools([look]).invoke("hello").content
    assert model.invoke("hello").content == "plain"


def test_langchains_own_fallbacks_keep_the_tools(mixed):
    """``with_fallbacks`` looks at what ``bind_tools`` says it returns, and drops the fallbacks when it cannot tell."""
    model, _ = mixed

    assert len(model.with_fallbacks([model]).bind_tools([look]).fallbacks) == 1
