"""Streams: until something was seen the next key takes over, after it the error is the caller's to see."""

from __future__ import annotations

import asyncio
import gc

import httpx
import openai
import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

import sparekey as sk
from langchain_sparekey import ChatSparekey


def chunk(content="", **fields):
    info = fields.pop("generation_info", None)
    return ChatGenerationChunk(message=AIMessageChunk(content=content, **fields), generation_info=info)


BROKEN = (httpx.RemoteProtocolError, openai.APIConnectionError)
"""What the SDK raises for a connection that breaks, before its version 3 and after."""


async def collect(stream, seen):
    async for part in stream:
        seen.append(part.content)


def whole(chunks):
    """The message that a stream's chunks make together."""
    first, *others = chunks
    for other in others:
        first += other
    return first


@pytest.mark.parametrize(
    "breaking",
    [
        {"kind": "stream_cut", "opening": False},
        {"kind": "stream_cut", "opening": True},
        {"kind": "stream_error", "opening": True},
        "malformed",
        "reset",
    ],
    ids=["cut at once", "cut after the role", "error after the role", "malformed", "reset"],
)
def test_a_stream_that_breaks_before_its_first_token_is_taken_over(simulate, chat, ask_stream, keys, breaking):
    """What comes before the first token says nothing, so nothing is lost by trying the next key."""
    sim = simulate(breaking, "healthy")
    model = chat(sim)

    for _ in range(2):
        assert ask_stream(model, "hello") == "Hello from key-2 (gpt-4o): you said 'hello'"
    assert sim.counts == {keys[0]: 1, keys[1]: 2}


def test_a_stream_that_breaks_later_raises_and_its_key_cools(simulate, chat, keys):
    """What was seen cannot be unsaid: the provider's error is raised, and the next request goes elsewhere."""
    sim = simulate({"kind": "stream_cut", "after": 1}, "healthy")
    model, seen = chat(sim), []

    with pytest.raises(BROKEN):
        seen.extend(part.content for part in model.stream("hello"))

    assert "".join(seen) == "Hello "
    assert not model.tracker.is_available(model.candidates[0])
    assert "key-2" in model.invoke("hello").content
    assert sim.counts == {keys[0]: 1, keys[1]: 1}


async def test_an_async_stream_that_breaks_later_raises_and_its_key_cools(simulate, chat):
    """The same in the other colour."""
    model, seen = chat(simulate({"kind": "stream_cut", "after": 1}, "healthy")), []

    with pytest.raises(BROKEN):
        await collect(model.astream("hello"), seen)

    assert "".join(seen) == "Hello "
    assert not model.tracker.is_available(model.candidates[0])


def test_who_served_is_noted_once(three_dead, chat):
    """LangChain adds chunks up, metadata included, so only one chunk has the note."""
    model = chat(three_dead)
    ids = [who.id for who in model.candidates]
    chunks = list(model.stream("hello"))
    note = whole(chunks).response_metadata["sparekey"]

    assert sum("sparekey" in part.response_metadata for part in chunks) == 1
    assert note["candidate"] == ids[3]
    assert [(each["candidate"], each["reason"]) for each in note["attempts"]] == [
        (ids[0], "rate_limit"),
        (ids[1], "auth"),
        (ids[2], "billing"),
    ]
    assert all(0 < each["duration"] < 60 for each in note["attempts"])
    assert whole(model.stream("again")).response_metadata["sparekey"] == {"candidate": ids[3], "attempts": []}


def test_a_whole_answer_notes_who_served(three_dead, chat, ask_whole):
    """The same note as on a stream."""
    model = chat(three_dead)

    assert len(model.invoke("hello").response_metadata["sparekey"]["attempts"]) == 3
    assert model.invoke("again").response_metadata["sparekey"] == {
        "candidate": model.candidates[3].id,
        "attempts": [],
    }


def test_a_caller_who_stops_early_blames_nobody(streaming):
    """The inner stream is closed at once, and its candidate stays available."""
    inner = streaming(chunks=["one ", "two ", "three"])
    model = ChatSparekey.from_models([inner], tracker=sk.CooldownTracker())
    stream = model.stream("hello")

    assert next(stream).content == "one "
    stream.close()
    assert inner.calls == ["stream", "closed"]
    assert model.tracker.snapshot() == {}


async def test_an_async_caller_who_stops_early_blames_nobody(simulate, chat):
    """The same in the other colour, with a provider that goes on talking."""
    model = chat(simulate({"kind": "stream_hang", "after": 1}, "healthy"))
    stream = model.astream("hello")

    while not (await anext(stream)).content:
        pass
    await stream.aclose()
    assert model.tracker.snapshot() == {}


async def test_a_caller_who_gives_up_blames_nobody(simulate, chat, keys):
    """A cancelled call says nothing about the key it was made with."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    sim = simulate("hang", "healthy", on_request=lambda _: loop.call_soon_threadsafe(asked.set))
    model = chat(sim)

    call = asyncio.ensure_future(model.ainvoke("hello"))
    await asked.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert model.tracker.snapshot() == {}
    assert sim.count(keys[1]) == 0


def test_a_model_that_cannot_stream_answers_in_one_chunk(scripted, ask_stream):
    """It works in a chain of those that can."""
    model = ChatSparekey.from_models([scripted(name_="whole")], tracker=sk.CooldownTracker())

    assert ask_stream(model, "hello") == "whole"
    assert whole(model.stream("hello")).response_metadata["sparekey"]["candidate"] == model.candidates[0].id


def test_a_tool_call_survives_a_model_that_cannot_stream(scripted, monkeypatch):
    """The one chunk carries the call."""
    call = {"name": "look", "args": {"at": 1}, "id": "call-1", "type": "tool_call"}
    inner = scripted()
    result = inner._generate([])
    result.generations[0].message.tool_calls = [call]
    monkeypatch.setattr(scripted, "_generate", lambda *_, **__: result)

    assert whole(ChatSparekey.from_models([inner]).stream("hello")).tool_calls == [call]


def test_a_stream_of_nothing_is_an_empty_answer(streaming, ask_stream):
    """A provider that says nothing and does not fail has said nothing."""
    model = ChatSparekey.from_models([streaming(chunks=[])], tracker=sk.CooldownTracker())

    assert ask_stream(model, "hello") == ""
    assert whole(model.stream("hello")).response_metadata["sparekey"]["candidate"] == model.candidates[0].id


@pytest.mark.parametrize(
    ("first", "settles"),
    [
        (chunk(""), False),
        (chunk([{"type": "text", "text": "", "index": 0}]), False),
        (chunk("", usage_metadata={"input_tokens": 1, "output_tokens": 0, "total_tokens": 1}), False),
        (chunk("", additional_kwargs={"refusal": None}), False),
        (chunk("x"), True),
        (chunk([{"type": "text", "text": "x", "index": 0}]), True),
        (chunk("", tool_call_chunks=[{"name": "f", "args": "", "id": "1", "index": 0}]), True),
        (chunk("", additional_kwargs={"reasoning_content": "hm"}), True),
        (chunk("", generation_info={"finish_reason": "stop"}), True),
    ],
)
def test_which_chunk_settles_on_a_candidate(streaming, first, settles):
    """The first that carries something a caller would miss."""
    failing = streaming(name_="a", chunks=[first, ConnectionResetError("gone")])
    model = ChatSparekey.from_models([failing, streaming(name_="b", chunks=["b"])], tracker=sk.CooldownTracker())
    if not settles:
        assert whole(model.stream("hello")).content == "b"
    else:
        with pytest.raises(ConnectionResetError):
            list(model.stream("hello"))


def test_streaming_can_be_turned_off(streaming, ask_stream):
    """Then a stream fails over to its end, and comes in one piece."""
    failing = streaming(name_="a", chunks=["a", ConnectionResetError("gone")])
    model = ChatSparekey.from_models([failing, streaming(name_="b")], disable_streaming=True)

    assert ask_stream(model, "hello") == "a"
    assert failing.calls == ["generate"]


def test_invoke_can_be_made_to_stream(simulate, chat, ask_whole, listener):
    """``streaming=True`` lets callbacks hear of every token of an ``invoke``."""
    model = chat(simulate("healthy"), streaming=True, stream_usage=True).with_config(callbacks=[listener])

    assert "Hello from key-1" in ask_whole(model, "hello")
    assert listener.names.count("token") > 5


def test_nothing_is_left_open(simulate, chat, ask_stream):
    """Streams and loops that ended leave no connection to be warned of."""
    ask_stream(chat(simulate("healthy")), "hello")

    gc.collect()
