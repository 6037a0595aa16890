"""What LangChain offers of a chat model, with either provider answering: the same as of a single model."""

from __future__ import annotations

import operator
from functools import reduce

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import ConfigurableField
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

import sparekey as sk
from langchain_sparekey import ChatSparekey

ASKED = "What is the weather in 'Paris'?"
CALL = {"name": "get_weather", "args": {"place": "Paris"}, "type": "tool_call"}
BETA = "ignore:.*:langchain_core._api.beta_decorator.LangChainBetaWarning"


@tool
def get_weather(place: str) -> str:
    """Get the weather of a place."""
    return f"Fine in {place}."


@pytest.fixture(params=["openai", "anthropic"])
def both(request, simulate, keys):
    """Builds a chain of two keys and a bare model of the second, which is well; at each of two providers."""
    sim = simulate("revoked", "healthy")
    if request.param == "openai":
        name, base, cls = "openai/gpt-4o", sim.base_url, ChatOpenAI
    else:
        name, base, cls = "anthropic/claude-next", sim.url, ChatAnthropic

    def build(**options):
        chain = {"max_tokens": 200, "tracker": sk.CooldownTracker(), **options}
        spare = ChatSparekey(name, api_keys=keys[:2], api_base=base, **chain)
        settings = {"max_tokens": 200, **{name: value for name, value in options.items() if name in cls.model_fields}}
        return spare, cls(model=name.partition("/")[2], api_key=keys[1], base_url=base, **settings)

    return build


def bare_of(message):
    """A message without what two requests never have in common, and without our note."""
    said = message.model_dump(exclude={"id", "response_metadata"})
    for each in (
        *said["tool_calls"],
        *said.get("tool_call_chunks", ()),
        *(block for block in said["content"] if isinstance(block, dict)),
    ):
        each.pop("id", None)
    metadata = {k: v for k, v in message.response_metadata.items() if k not in ("id", "sparekey", "created")}
    return said, metadata


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_an_answer_is_the_single_models_answer(both, how, version):
    """Content, tool calls, usage and metadata, whole or put together from a stream; only the note is added."""
    spare, bare = (model.bind_tools([get_weather]) for model in both(output_version=version, stream_usage=True))

    def ask(model):
        return model.invoke(ASKED) if how == "invoke" else reduce(operator.add, model.stream(ASKED))

    got, wanted = ask(spare), ask(bare)
    assert bare_of(got) == bare_of(wanted)
    assert [{k: v for k, v in call.items() if k != "id"} for call in got.tool_calls] == [CALL]
    assert got.usage_metadata["total_tokens"] > 0
    assert len(got.response_metadata["sparekey"]["attempts"]) == 1


def test_tool_calls_come_in_pieces(both):
    """Each with its place in the call, so that they add up to it; the note is on one of them."""
    spare, _ = both()
    chunks = list(spare.bind_tools([get_weather]).stream(ASKED))
    pieces = [piece for chunk in chunks for piece in chunk.tool_call_chunks]

    assert len(pieces) > 1
    assert sum(bool(piece["name"]) for piece in pieces) == 1
    assert sum("sparekey" in chunk.response_metadata for chunk in chunks) == 1
    assert reduce(operator.add, chunks).tool_calls[0]["args"] == {"place": "Paris"}


@pytest.mark.parametrize("opening", [True, False])
def test_a_tool_call_that_breaks_before_it_began_is_taken_over(both, simulate, keys, opening):
    """Chunks that only say who speaks settle nothing."""
    spare, _ = both()
    simulate.last.set(keys[0], {"kind": "stream_cut", "after": 0, "opening": opening})

    assert reduce(operator.add, spare.bind_tools([get_weather]).stream(ASKED)).tool_calls[0]["args"] == {
        "place": "Paris"
    }


async def test_events_are_those_of_one_model(both):
    """One start, one end, and the tool call in the chunks between them."""
    spare, _ = both()
    stream = spare.bind_tools([get_weather]).astream_events(ASKED, version="v2")
    events = [event async for event in stream if event["event"].startswith("on_chat_model")]
    chunks = [event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"]

    assert [event["event"] for event in events if not event["event"].endswith("_stream")] == [
        "on_chat_model_start",
        "on_chat_model_end",
    ]
    assert reduce(operator.add, chunks).tool_calls[0]["name"] == "get_weather"


@pytest.mark.filterwarnings(BETA)
async def test_the_typed_events_are_too(both):
    """LangChain's third version of them, sync and async."""
    spare, _ = both()
    bound = spare.bind_tools([get_weather])
    for output in (bound.stream_events(ASKED, version="v3").output, await bound.astream_events(ASKED, version="v3")):
        assert isinstance(output, AIMessage) or (output := await output.output)
        assert [{k: v for k, v in call.items() if k != "id"} for call in output.tool_calls] == [CALL]


@pytest.mark.parametrize("how", [True, "tool_calling"])
def test_streaming_can_be_turned_off_altogether_or_for_tools(both, how):
    """Then the stream is one chunk, and whoever breaks before its end is taken over."""
    spare, _ = both(disable_streaming=how)

    assert len(list(spare.bind_tools([get_weather]).stream(ASKED))) == 1
    assert (len(list(spare.stream("hello"))) == 1) is (how is True)


def test_a_conversation_with_tools_goes_round(both):
    """Call, result, answer: with the note of the first answer in the history."""
    spare, _ = both()
    bound = spare.bind_tools([get_weather])
    asked = [HumanMessage(ASKED), bound.invoke(ASKED)]
    result = get_weather.invoke(asked[1].tool_calls[0])
    assert isinstance(result, ToolMessage)

    assert "Fine in Paris." in bound.invoke([*asked, result]).text


def test_alternatives_and_fields_are_chosen_at_run_time(both):
    """LangChain rebuilds the model from its fields for each request; what is cooling is still known."""
    spare, bare = both()
    spare.invoke("hello")
    chosen = spare.configurable_alternatives(ConfigurableField("which"), default_key="spare", bare=bare)
    fields = spare.configurable_fields(deadline=ConfigurableField("deadline"))

    assert chosen.invoke("hello").response_metadata["sparekey"]["attempts"] == []
    assert "sparekey" not in chosen.invoke("hello", {"configurable": {"which": "bare"}}).response_metadata
    assert fields.invoke("hello", {"configurable": {"deadline": 30}}).response_metadata["sparekey"]["attempts"] == []


def test_langchains_own_retries_and_fallbacks_go_around_it(simulate, chat, both):
    """An exhausted chain is one model that failed."""
    spare, bare = both()
    spare.tracker.mark_failure(spare.candidates[0], "auth")
    spare.tracker.mark_failure(spare.candidates[1], "auth")

    assert "sparekey" not in spare.with_fallbacks([bare]).invoke("hello").response_metadata
    with pytest.raises(sk.FallbackExhaustedError):
        spare.with_retry(stop_after_attempt=2, wait_exponential_jitter=False).invoke("hello")
