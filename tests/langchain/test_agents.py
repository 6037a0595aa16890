"""Agents, graphs and chains around the model: nothing in them changes, and a dead key is not their business."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    LLMToolSelectorMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    SummarizationMiddleware,
)
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.types import Command, interrupt
from pydantic import BaseModel

import sparekey as sk
from langchain_sparekey import ChatSparekey, ModelsExhaustedError

pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # langchain-openai's own

ASKED = {"messages": [HumanMessage("What is the weather in 'Paris'?")]}


@tool
def get_weather(place: str) -> str:
    """Get the weather of a place."""
    return f"Fine in {place}."


class Report(BaseModel):
    """A report on the weather."""

    place: str


@pytest.fixture
def mixed(simulate, keys):
    """Builds a model of two keys of OpenAI and one of Anthropic that behave as told, and its provider."""

    def build(*behaviours, **options):
        sim = simulate(*behaviours)
        rows = [
            {"model_name": "chat", "model": "openai/gpt-4o", "api_keys": keys[:2], "api_base": sim.base_url},
            {"model_name": "claude", "model": "anthropic/claude-next", "api_key": keys[2], "api_base": sim.url},
        ]
        rows[0]["fallbacks"] = ["claude"]
        options = {"max_tokens": 500, "tracker": sk.CooldownTracker(), **options}
        return ChatSparekey("chat", model_list=rows, **options), sim

    return build


def run(agent: Any, how: str, asked: Any, config: Any = None) -> Any:
    return agent.invoke(asked, config) if how == "invoke" else asyncio.run(agent.ainvoke(asked, config))


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
@pytest.mark.parametrize("behaviours", [("revoked", "healthy"), ("revoked", "rate_limited", "healthy")])
def test_an_agent_calls_its_tools(mixed, keys, how, behaviours):
    """The first key is dead, or all of the first provider's: each is asked once for the agent's two calls."""
    model, sim = mixed(*behaviours)
    said = run(create_agent(model, [get_weather]), how, ASKED)["messages"]

    assert [type(message) for message in said] == [HumanMessage, AIMessage, ToolMessage, AIMessage]
    assert said[2].content == "Fine in Paris."
    *dead, well = keys[: len(behaviours)]
    assert [sim.counts[key] for key in (*dead, well)] == [1] * len(dead) + [2]


@pytest.mark.parametrize(
    "strategy", [Report, ProviderStrategy(Report), ToolStrategy(Report)], ids=["auto", "own", "tool"]
)
@pytest.mark.parametrize("behaviours", [("healthy",), ("revoked", "revoked", "healthy")], ids=["openai", "anthropic"])
def test_an_agent_answers_in_a_form(mixed, strategy, behaviours):
    """By whichever strategy, whichever provider is left."""
    model, _ = mixed(*behaviours)

    assert create_agent(model, [get_weather], response_format=strategy).invoke(ASKED)["structured_response"] == Report(
        place="Paris"
    )


def test_an_agent_uses_the_providers_own_form_where_all_have_one(simulate, chat):
    """The profile promises it, so that no tool has to stand in for it."""
    sim = simulate("revoked", "healthy")
    create_agent(chat(sim), [get_weather], response_format=Report).invoke(ASKED)

    assert sim.requests[-1].body["response_format"]["type"] == "json_schema"
    assert [each["function"]["name"] for each in sim.requests[-1].body["tools"]] == ["get_weather"]


def test_a_tool_selector_takes_the_model(mixed):
    """It insists on a chat model, and on structured output from it."""
    model, _ = mixed("revoked", "healthy")
    agent = create_agent(model, [get_weather], middleware=[LLMToolSelectorMiddleware(model=model, max_tools=1)])

    assert any(isinstance(message, ToolMessage) for message in agent.invoke(ASKED)["messages"])


def test_a_conversation_too_long_is_summarised(mixed, keys):
    """The middleware catches LangChain's own error for it, and asks again with less."""
    model, sim = mixed([{"kind": "context_overflow"}, "healthy"], "healthy")
    middleware = SummarizationMiddleware(model=model, trigger=("messages", 3), keep=("messages", 1))
    before = [
        HumanMessage("one " * 500),
        AIMessage("two " * 500),
        HumanMessage("three " * 500),
        AIMessage("four " * 500),
    ]
    said = create_agent(model, [], middleware=[middleware]).invoke({"messages": before + ASKED["messages"]})["messages"]

    assert "summary" in said[0].content
    assert sim.counts == {keys[0]: 3, keys[1]: 0}


@pytest.mark.parametrize(("behaviour", "rounds"), [("rate_limited", 3), ("revoked", 1)])
def test_the_retry_middleware_knows_what_may_pass(simulate, chat, behaviour, rounds):
    """A throttle is worth another round, a revoked key is not; meanwhile nobody asks the dead key again."""
    sim = simulate(behaviour)
    heard = []
    model = chat(sim, on_attempt=heard.append)
    retry = ModelRetryMiddleware(max_retries=2, initial_delay=0, jitter=False, on_failure="error")

    with pytest.raises(ModelsExhaustedError):
        create_agent(model, [], middleware=[retry]).invoke(ASKED)
    assert len(heard) == rounds
    assert sum(sim.counts.values()) == 1


def test_the_fallback_middleware_hands_over(simulate, chat, keys):
    """A chain that is exhausted is one model that failed."""
    sim = simulate("revoked", "healthy")
    first = ChatSparekey("openai/gpt-4o", api_keys=keys[:1], api_base=sim.base_url, tracker=sk.CooldownTracker())
    second = ChatSparekey("openai/gpt-4o", api_keys=keys[1:2], api_base=sim.base_url, tracker=sk.CooldownTracker())

    said = create_agent(first, [], middleware=[ModelFallbackMiddleware(second)]).invoke(ASKED)
    assert "key-2" in said["messages"][-1].content


class State(TypedDict):
    """What the graph below remembers."""

    messages: Annotated[list[AnyMessage], add_messages]


def conversation(model: ChatSparekey) -> Any:
    """A graph that answers, and asks a person before it does when the last message says so."""

    def answer(state: State) -> dict[str, Any]:
        if state["messages"][-1].content == "ask me":
            return {"messages": [HumanMessage(interrupt("what?"))]}
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(State)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=InMemorySaver())


def test_a_graph_goes_on_from_its_checkpoint(mixed, keys):
    """The second turn has the first one's messages, notes included; a key dies between them."""
    model, sim = mixed("healthy", "healthy")
    graph = conversation(model)
    config = {"configurable": {"thread_id": "one"}}
    graph.invoke({"messages": [HumanMessage("hello")]}, config)
    sim.set(keys[0], "revoked")
    said = graph.invoke({"messages": [HumanMessage("again")]}, config)["messages"]

    assert [message.response_metadata.get("sparekey", {}).get("candidate") for message in said] == [
        None,
        model.candidates[0].id,
        None,
        model.candidates[1].id,
    ]
    assert len(sim.requests[-1].body["messages"]) == 3


def test_a_graph_may_be_interrupted_and_resumed(mixed):
    """LangGraph stops it by an exception that is none of ours."""
    model, _ = mixed("healthy")
    graph = conversation(model)
    config = {"configurable": {"thread_id": "one"}}

    assert graph.invoke({"messages": [HumanMessage("ask me")]}, config)["__interrupt__"][0].value == "what?"
    assert graph.invoke(Command(resume="this"), config)["messages"][-1].content == "this"


async def test_a_graph_streams_each_token_once(mixed):
    """Two dead keys before it, and the reader sees the one answer."""
    model, _ = mixed("revoked", "rate_limited", "healthy")
    agent = create_agent(model, [])
    parts = [part async for part, _ in agent.astream(ASKED, stream_mode="messages")]

    assert (
        "".join(part.text for part in parts)
        == "Hello from key-3 (claude-next): you said \"What is the weather in 'Paris'?\""
    )


def test_a_hundred_requests_meet_two_dead_keys_in_their_first_wave(simulate, chat, keys):
    """Four at a time: the first four may meet a dead key, the other ninety-six do not, nor does the next hundred."""
    sim = simulate("revoked", "no_credit", "healthy")
    model = chat(sim)
    prompts = [f"hello {number}" for number in range(100)]
    for _ in range(2):
        answers = model.batch(prompts, config={"max_concurrency": 4})
        assert [answer.content.rpartition("said ")[2] for answer in answers] == [repr(prompt) for prompt in prompts]

    assert 1 <= sim.counts[keys[0]] <= 4
    assert 1 <= sim.counts[keys[1]] <= 4
    assert sim.counts[keys[2]] == 200


async def test_a_hundred_async_requests_do_too(simulate, chat, keys):
    """All at once they may all meet the dead keys, once; the next hundred do not."""
    sim = simulate("revoked", "no_credit", "healthy")
    model = chat(sim)
    prompts = [f"hello {number}" for number in range(100)]
    await model.abatch(prompts)
    met = dict(sim.counts)
    await model.abatch(prompts)

    assert all(met[key] <= 100 for key in keys[:2])
    assert {key: sim.counts[key] - met[key] for key in keys[:3]} == {keys[0]: 0, keys[1]: 0, keys[2]: 100}
    assert model.tracker.failure_count(model.candidates[0], "auth") == 1
