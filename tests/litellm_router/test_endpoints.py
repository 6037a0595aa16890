"""Every endpoint of the router: keys die there as in chats, and the next one takes over."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import litellm
import pytest

import sparekey as sk

MESSAGES = [{"role": "user", "content": "Hello"}]
SOUND = ("talk.wav", b"RIFF" + bytes(4000), "audio/wav")
GPT, CLAUDE = "openai/gpt-4o", "anthropic/claude-sonnet-4-5"
TEXT = "text-completion-openai/gpt-3.5-turbo-instruct"


@dataclass(frozen=True)
class Way:
    """One method of a router: for which model, with which settings, and how what it gives is read."""

    method: str
    model: str
    settings: dict[str, Any]
    said: Callable[[Any], Any]
    """What of an answer, or of the chunks of a stream, shows that it is whole."""

    @property
    def streams(self) -> bool:
        return bool(self.settings.get("stream"))


def text_of_responses(chunks):
    return "".join(chunk.delta for chunk in chunks if chunk.type == "response.output_text.delta")


def text_of_messages(chunks):
    return "One two three" if b"message_stop" in b"".join(chunks) and b"three" in b"".join(chunks) else chunks


def text_of_texts(chunks):
    return "".join(chunk.choices[0].text or "" for chunk in chunks)


INPUT = {"input": "Hello"}
ASKED = {"messages": MESSAGES, "max_tokens": 9}
WAYS = {
    "acompletion": Way("acompletion", GPT, {"messages": MESSAGES}, lambda a: a.choices[0].message.content),
    "completion": Way("completion", GPT, {"messages": MESSAGES}, lambda a: a.choices[0].message.content),
    **{
        name: Way(name, "openai/text-embedding-3-small", {"input": ["Hello"]}, lambda a: len(a.data) == 1)
        for name in ("aembedding", "embedding")
    },
    **{
        name: Way(name, "openai/gpt-image-1", {"prompt": "a cat"}, lambda a: a.data[0].b64_json.startswith("iVBOR"))
        for name in ("aimage_generation", "image_generation")
    },
    "aspeech": Way("aspeech", "openai/tts-1", {"input": "Hello", "voice": "alloy"}, lambda a: a.content[:4] == b"RIFF"),
    "atranscription": Way("atranscription", "openai/whisper-1", {"file": SOUND}, lambda a: a.text),
    "arerank": Way("arerank", "hosted_vllm/m", {"query": "a", "documents": ["a", "b"]}, lambda a: len(a.results) == 2),
    **{name: Way(name, GPT, INPUT, lambda a: a.output[0].content[0].text) for name in ("aresponses", "responses")},
    **{
        name: Way(name, TEXT, {"prompt": "Hello"}, lambda a: a.choices[0].text)
        for name in ("atext_completion", "text_completion")
    },
    **{
        name: Way(name, CLAUDE, ASKED, lambda a: a["content"][0]["text"])
        for name in ("aanthropic_messages", "anthropic_messages")
    },
}
STREAMS = {
    **{
        f"{name} stream": Way(name, GPT, {**INPUT, "stream": True}, text_of_responses)
        for name in ("aresponses", "responses")
    },
    **{
        f"{name} stream": Way(name, TEXT, {"prompt": "Hello", "stream": True}, text_of_texts)
        for name in ("atext_completion", "text_completion")
    },
    "aanthropic_messages stream": Way("aanthropic_messages", CLAUDE, {**ASKED, "stream": True}, text_of_messages),
}
NEEDS_PROXY = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("fastapi", "soundfile", "backoff"))),
    reason="LiteLLM imports its proxy, to read a stream of messages",
)


def ways(*several):
    """As parameters; those that cannot run here are skipped."""
    return [
        pytest.param(way, id=name, marks=[NEEDS_PROXY] if way.model == CLAUDE and way.streams else [])
        for each in several
        for name, way in each.items()
    ]


@pytest.fixture
def call(loop):
    """Calls a router in a way, and reads a stream to its end; the parts read so far stand in what an error has."""

    async def read(answer):
        answer = await answer
        if not hasattr(type(answer), "__anext__"):
            return answer
        return [chunk async for chunk in answer]

    def ask(router, way):
        answer = getattr(router, way.method)(model=way.model, **way.settings)
        if asyncio.iscoroutine(answer):
            answer = loop.run(read(answer))
        elif way.streams:
            answer = list(answer)
        return way.said(answer)

    return ask


@pytest.fixture
def row(entry):
    """A row for a way; it is named as its model, as LiteLLM's sync texts go by the name of the group."""

    def build(sim, keys, way, name=None):
        built = entry(sim, keys, name=name or way.model, model=way.model)
        if way.model == CLAUDE:
            built["litellm_params"]["api_base"] = sim.url
        return built

    return build


REPLY = "One two three"
DEAD = {
    "sk-revoked-1": "revoked",
    "sk-unpaid-2": "no_credit",
    "sk-throttled-3": {"kind": "rate_limited", "retry_after": 20},
    "sk-overloaded-4": "overloaded",
}


@pytest.mark.parametrize("way", ways(WAYS, STREAMS))
def test_each_dead_key_costs_one_call_and_is_skipped_afterwards(call, provider, row, router_of, way):
    """401, 402, 429 and 503 lead to the next key at once, and the next request does not ask them."""
    sim = provider({**DEAD, "sk-working-5": "healthy"}, reply=REPLY)
    router = router_of(row(sim, [*DEAD, "sk-working-5"], way))

    assert call(router, way) in (REPLY, True)
    assert sim.counts == dict.fromkeys([*DEAD, "sk-working-5"], 1)

    sim.clear()
    assert call(router, way) in (REPLY, True)
    assert sim.counts == {**dict.fromkeys(DEAD, 0), "sk-working-5": 1}


@pytest.mark.parametrize("way", ways(WAYS, STREAMS))
def test_a_malformed_request_is_one_call(call, provider, row, router_of, way):
    """The client has LiteLLM's own class, with a note, and nobody cools."""
    sim = provider({"sk-one": "bad_request", "sk-two": "healthy"})
    router = router_of(row(sim, ["sk-one", "sk-two"], way))

    with pytest.raises(litellm.BadRequestError) as caught:
        call(router, way)

    assert any("sparekey: raised by" in note for note in caught.value.__notes__)
    assert sim.counts == {"sk-one": 1, "sk-two": 0}
    assert router.strategy.tracker.snapshot() == {}


@pytest.mark.parametrize("way", ways(WAYS, STREAMS))
def test_when_no_key_is_left_the_error_tells_all(call, provider, row, router_of, way):
    """Each attempt, and when to come back."""
    sim = provider({"sk-a": {"kind": "rate_limited", "retry_after": 20}, "sk-b": {"kind": "rate_limited"}})
    router = router_of(row(sim, ["sk-a", "sk-b"], way))

    with pytest.raises(sk.FallbackExhaustedError) as caught:
        call(router, way)

    assert isinstance(caught.value, litellm.RateLimitError)
    assert [attempt.reason for attempt in caught.value.attempts] == ["rate_limit", "rate_limit"]
    assert caught.value.retry_after == 20
    assert sim.counts == {"sk-a": 1, "sk-b": 1}


# Sync responses and texts have no fallbacks, in any release of LiteLLM.
WITHOUT_FALLBACKS = {"responses", "text_completion"}


@pytest.mark.parametrize("way", ways(WAYS, STREAMS))
def test_the_fallback_group_comes_after_the_keys(call, provider, row, router_of, way):
    """And is walked likewise; but where LiteLLM itself has no fallbacks."""
    sim = provider({"sk-a": "revoked", "sk-b": "no_credit", "sk-c": "revoked", "sk-d": "healthy"}, reply=REPLY)
    router = router_of(
        row(sim, ["sk-a", "sk-b"], way),
        row(sim, ["sk-c", "sk-d"], way, name="backup"),
        fallbacks=[{way.model: ["backup"]}],
    )

    if way.method in WITHOUT_FALLBACKS:
        with pytest.raises(sk.FallbackExhaustedError):
            call(router, way)
        assert sim.counts == {"sk-a": 1, "sk-b": 1, "sk-c": 0, "sk-d": 0}
    else:
        assert call(router, way) in (REPLY, True)
        assert sim.counts == {"sk-a": 1, "sk-b": 1, "sk-c": 1, "sk-d": 1}


HEADLESS = [
    {"kind": "stream_cut", "after": 0},
    {"kind": "stream_cut", "after": 0, "opening": False},
    {"kind": "stream_error", "after": 0},
    {"kind": "stream_error", "after": 0, "error": "rate_limited"},
    {"kind": "stream_error", "after": 0, "error": "revoked"},
]


@pytest.mark.parametrize("way", ways(STREAMS))
@pytest.mark.parametrize("fault", HEADLESS, ids=lambda fault: "-".join(map(str, fault.values())))
def test_a_stream_that_breaks_before_it_says_anything_is_taken_over(call, provider, row, router_of, way, fault):
    """By the next key; the caller sees one whole answer, and the key cools."""
    sim = provider({"sk-a": fault, "sk-b": "healthy"}, reply=REPLY)
    router = router_of(row(sim, ["sk-a", "sk-b"], way))

    assert call(router, way) == REPLY
    assert sim.counts == {"sk-a": 1, "sk-b": 1}

    assert call(router, way) == REPLY
    assert sim.counts == {"sk-a": 1, "sk-b": 2}


@pytest.mark.parametrize("way", ways(STREAMS))
def test_keys_come_before_fallbacks_for_streams_too(call, provider, row, router_of, way):
    """LiteLLM by itself would go to the fallbacks when one breaks."""
    sim = provider({"sk-a": HEADLESS[0], "sk-b": HEADLESS[2], "sk-c": "healthy", "sk-d": "healthy"}, reply=REPLY)
    router = router_of(
        row(sim, ["sk-a", "sk-b", "sk-c"], way),
        row(sim, ["sk-d"], way, name="backup"),
        fallbacks=[{way.model: ["backup"]}],
    )

    assert call(router, way) == REPLY
    assert sim.counts == {"sk-a": 1, "sk-b": 1, "sk-c": 1, "sk-d": 0}


@pytest.mark.parametrize("way", ways(STREAMS))
@pytest.mark.parametrize("kind", ["stream_cut", "stream_error"])
def test_a_stream_that_breaks_later_is_remembered(call, provider, row, router_of, way, kind):
    """What was said cannot be unsaid; the next request asks another key."""
    long = " ".join(f"word-{at}" for at in range(2000))  # so that it cannot come all at once
    sim = provider({"sk-a": {"kind": kind, "after": 1500}, "sk-b": "healthy"}, reply=long)
    router = router_of(row(sim, ["sk-a", "sk-b"], way))
    settings = {**way.settings, "max_tokens": 5000} if "responses" not in way.method else way.settings
    way = Way(way.method, way.model, settings, lambda _: True)

    try:
        call(router, way)
    except Exception as error:
        assert not isinstance(error, sk.FallbackExhaustedError)  # noqa: PT017 - some break with an error, some without
    assert sim.counts == {"sk-a": 1, "sk-b": 0}

    assert call(router, way) is True
    assert sim.counts == {"sk-a": 1, "sk-b": 1}


def test_a_response_in_the_background_is_not_held_back(loop, provider, row, router_of):
    """It goes on without its stream, so its id is wanted at once, long before it says anything."""
    sim = provider({"sk-a": {"kind": "stream_hang", "after": 0}})
    way = STREAMS["aresponses stream"]
    router = router_of(row(sim, ["sk-a"], way))

    async def first():
        stream = await router.aresponses(model=GPT, background=True, **way.settings)
        event = await anext(aiter(stream))
        await stream.aclose()
        return event.type

    assert loop.run(asyncio.wait_for(first(), 20)) == "response.created"


@pytest.mark.parametrize("way", ways({name: way for name, way in STREAMS.items() if name.startswith("a")}))
def test_a_stream_that_is_closed_early_blames_nobody(loop, provider, row, router_of, way):
    """The caller has had enough."""
    sim = provider({"sk-a": "healthy"}, reply="One two three four five six seven eight nine")
    router = router_of(row(sim, ["sk-a"], way))

    async def read_one():
        stream = await getattr(router, way.method)(model=way.model, **way.settings)
        await anext(aiter(stream))
        if hasattr(stream, "aclose"):
            await stream.aclose()

    loop.run(read_one())

    assert router.strategy.tracker.snapshot() == {}
