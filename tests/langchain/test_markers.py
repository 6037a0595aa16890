"""What one provider understands and another refuses is left out where it would be refused."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool

import sparekey as sk
from langchain_sparekey import ChatSparekey

CACHED = {"cache_control": {"type": "ephemeral"}}
SEARCHES = {
    "openai": {"type": "web_search_preview"},
    "anthropic": {"type": "web_search_20250305", "name": "web_search"},
    "google": {"google_search": {}},
}


@tool
def look(place: str) -> str:
    """Look at a place."""
    return f"{place}: fine"


@pytest.fixture
def chain(simulate, keys):
    """Builds a model of two providers in the order given, of which the second is well; and its provider."""

    def build(first="openai", *, dead=True):
        sim = simulate("revoked" if dead else "healthy", "healthy")
        rows = {
            "openai": {"model_name": "openai", "model": "openai/gpt-4o", "api_base": sim.base_url},
            "anthropic": {"model_name": "anthropic", "model": "anthropic/claude-next", "api_base": sim.url},
        }
        second = "anthropic" if first == "openai" else "openai"
        rows[first] |= {"api_key": keys[0], "fallbacks": [second]}
        rows[second] |= {"api_key": keys[1]}
        model = ChatSparekey(first, model_list=list(rows.values()), max_tokens=99, tracker=sk.CooldownTracker())
        return model, sim

    return build


def marked():
    """A conversation with Anthropic's cache markers wherever they may stand."""
    return [
        SystemMessage([{"type": "text", "text": "Be short.", **CACHED}]),
        HumanMessage([{"type": "text", "text": "hello", **CACHED}]),
        AIMessage([{"type": "text", "text": "Hi.", "extras": CACHED}]),
        HumanMessage([{"type": "text", "text": "bye", "metadata": CACHED}]),
    ]


def places_of(value, name):
    """How often a key of this name stands in a body."""
    if isinstance(value, dict):
        return (name in value) + sum(places_of(item, name) for item in value.values())
    return sum(places_of(item, name) for item in value) if isinstance(value, list) else 0


def test_cache_markers_reach_anthropic_and_not_openai(chain, ask_whole):
    """The same messages for both, and the caller's own stay as they are."""
    messages = marked()
    model, sim = chain("anthropic")
    ask_whole(model, messages)
    claude, gpt = (request.body for request in sim.requests)

    assert places_of(claude, "cache_control") >= 2
    assert places_of(gpt, "cache_control") == 0
    assert messages == marked()


def test_a_chain_of_one_provider_gets_its_requests_as_they_are(simulate, keys):
    """Behind an address may be a gateway that understands the markers of others."""
    sim = simulate("healthy")
    given = ChatSparekey("openai/gpt-4o", api_keys=keys[:1], api_base=sim.base_url, tracker=sk.CooldownTracker())

    with pytest.raises(Exception, match=r"Unknown parameter: 'messages\[0\]\.content\[0\]\.cache_control'"):
        given.invoke(marked())


@pytest.mark.parametrize("first", ["openai", "anthropic"])
def test_a_setting_of_one_call_that_only_one_provider_takes(chain, first):
    """LangChain's caching middleware binds them, whoever is asked."""
    model, sim = chain(first)
    settings = {"cache_control": {"type": "ephemeral"}, "prompt_cache_key": "mine"}
    model.invoke("hello", extra_headers={"X-Session-Affinity": "one", "X-Kept": "two"}, **settings)
    bodies = {("openai" if "chat" in request.path else "anthropic"): request for request in sim.requests}

    assert places_of(bodies["anthropic"].body, "cache_control") >= 1
    assert "prompt_cache_key" not in bodies["anthropic"].body
    assert bodies["openai"].body["prompt_cache_key"] == "mine"
    assert places_of(bodies["openai"].body, "cache_control") == 0
    for request in bodies.values():
        assert ("x-session-affinity" in request.headers, request.headers["x-kept"]) == (False, "two")


def test_a_providers_own_tool_goes_to_that_provider(chain):
    """The tools that the caller runs go to both."""
    model, sim = chain("openai")
    model.bind_tools([look, *SEARCHES.values()]).invoke("hello")
    gpt, claude = (request.body["tools"] for request in sim.requests)

    assert [each.get("type") for each in gpt] == ["function", "web_search_preview"]
    assert [each["name"] for each in claude] == ["look", "web_search"]


def test_when_no_tool_is_left_none_is_asked_for(chain):
    """A choice among tools that are not there would be refused."""
    model, sim = chain("openai")
    model.bind_tools([SEARCHES["openai"]], tool_choice="any").invoke("hello")

    assert not {"tools", "tool_choice"} & sim.requests[-1].body.keys()


def test_tools_bound_by_hand_are_understood_by_both(chain):
    """``bind(tools=...)`` passes by ``bind_tools``; OpenAI's form is the one that everybody reads."""
    model, sim = chain("openai")
    openai_form = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    model.bind(tools=[openai_form]).invoke("hello")

    assert sim.requests[-1].body["tools"][0]["input_schema"] == {"type": "object", "properties": {}}


def foreign(provider, *blocks, **more):
    return AIMessage(list(blocks), response_metadata={"model_provider": provider}, **more)


CLAUDES = foreign(
    "anthropic",
    {"type": "thinking", "thinking": "hm", "signature": "s"},
    {"type": "redacted_thinking", "data": "x"},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
    {"type": "text", "text": "Found.", "citations": [{"type": "web_search_result_location", "url": "u"}]},
    {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"place": "here"}},
    tool_calls=[{"name": "look", "args": {"place": "here"}, "id": "toolu_1", "type": "tool_call"}],
)
GPTS = foreign(
    "openai",
    {"type": "web_search_call", "id": "ws_1", "status": "completed"},
    {"type": "text", "text": "Found.", "annotations": [{"type": "url_citation", "url": "u"}], "id": "msg_1"},
    tool_calls=[{"name": "look", "args": {"place": "here"}, "id": "call_1", "type": "tool_call"}],
)


@pytest.mark.parametrize(
    ("first", "answer"), [("openai", CLAUDES), ("anthropic", GPTS)], ids=["to openai", "to anthropic"]
)
def test_a_history_of_the_other_provider_is_told_in_common_parts(chain, first, answer):
    """Text and tool calls are; thoughts, searches and citations have no word in the other's language."""
    model, sim = chain(first, dead=False)
    asked = [HumanMessage("hello"), answer, ToolMessage("fine", tool_call_id=answer.tool_calls[0]["id"])]
    model.invoke(asked)
    said = sim.requests[-1].body["messages"]

    assert "Found." in str(said)
    assert "look" in str(said)
    assert not any(word in str(said) for word in ("thinking", "server_tool_use", "web_search", "citation", "annot"))


def test_an_answer_of_which_nothing_is_left_is_left_out(chain):
    """It would be refused as empty."""
    model, sim = chain("openai", dead=False)
    model.invoke(
        [HumanMessage("hello"), foreign("anthropic", {"type": "thinking", "thinking": "hm"}), HumanMessage("so?")]
    )

    assert [message["role"] for message in sim.requests[-1].body["messages"]] == ["user", "user"]


def test_a_providers_own_history_stays_whole(chain):
    """Thoughts are of use to the model that had them."""
    model, sim = chain("anthropic", dead=False)
    model.invoke([HumanMessage("hello"), CLAUDES, ToolMessage("fine", tool_call_id="toolu_1")])

    kinds = [block["type"] for block in sim.requests[-1].body["messages"][1]["content"]]
    assert kinds[:4] == ["thinking", "redacted_thinking", "server_tool_use", "web_search_tool_result"]
