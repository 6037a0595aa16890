"""Streams that break: before the first token another key takes over, after it the caller hears of it."""

from __future__ import annotations

import inspect

import litellm
import openai
import pytest

import sparekey as sk

MESSAGES = [{"role": "user", "content": "Hello"}]
HEADLESS = [
    {"kind": "stream_cut", "after": 0},
    {"kind": "stream_cut", "after": 0, "opening": False},
    {"kind": "stream_error", "after": 0},
    {"kind": "stream_error", "after": 0, "error": "rate_limited"},
]


@pytest.fixture(params=["async", "sync"])
def read(request, loop):
    """Opens a stream and returns the texts of its chunks, and the error that ended it."""

    async def areading(router, model):
        texts, error = [], None
        stream = await router.acompletion(model, MESSAGES, stream=True)
        try:
            async for chunk in stream:
                texts.append(chunk.choices[0].delta.content or "")  # noqa: PERF401 - kept when it breaks
        except Exception as broken:
            error = broken
        return texts, error

    def reading(router, model):
        texts, error = [], None
        try:
            for chunk in router.completion(model, MESSAGES, stream=True):
                texts.append(chunk.choices[0].delta.content or "")  # noqa: PERF401
        except Exception as broken:
            error = broken
        return texts, error

    def run(router, model="chat"):
        return loop.run(areading(router, model)) if request.param == "async" else reading(router, model)

    return run


@pytest.mark.parametrize("fault", HEADLESS, ids=lambda fault: "-".join(map(str, fault.values())))
def test_a_stream_that_breaks_before_the_first_token_is_taken_over(read, provider, entry, router_of, fault):
    """By the group's next key, and the caller sees one whole answer."""
    sim = provider({"sk-a": fault, "sk-b": "healthy"}, reply="One two three")
    router = router_of(entry(sim, ["sk-a", "sk-b"]))

    texts, error = read(router)
    assert ("".join(texts), error) == ("One two three", None)
    assert sim.counts == {"sk-a": 1, "sk-b": 1}

    read(router)
    assert sim.counts == {"sk-a": 1, "sk-b": 2}


def test_only_when_no_key_opens_a_stream_the_fallback_group_does(read, provider, entry, router_of):
    """Keys before models, for streams too."""
    sim = provider({"sk-a": HEADLESS[0], "sk-b": HEADLESS[2], "sk-c": "healthy"}, reply="Hi")
    router = router_of(
        entry(sim, ["sk-a", "sk-b"]), entry(sim, ["sk-c"], name="backup"), fallbacks=[{"chat": ["backup"]}]
    )

    texts, error = read(router)

    assert ("".join(texts), error) == ("Hi", None)
    assert sim.counts == {"sk-a": 1, "sk-b": 1, "sk-c": 1}


def test_a_stream_that_breaks_later_is_told_and_remembered(read, provider, entry, router_of, attempts):
    """What was seen cannot be unsaid; the next request knows."""
    sim = provider({"sk-a": {"kind": "stream_cut", "after": 2}, "sk-b": "healthy"}, reply="One two three four")
    router = router_of(entry(sim, ["sk-a", "sk-b"]))

    texts, error = read(router)
    assert "".join(texts).startswith("One")
    assert isinstance(error, openai.OpenAIError)
    assert any("its stream had begun" in note for note in error.__notes__)
    assert [(a.candidate.name, a.reason is None) for a in attempts] == [("chat__key_0", True), ("chat__key_0", False)]

    texts, error = read(router)
    assert ("".join(texts), error) == ("One two three four", None)
    assert sim.counts == {"sk-a": 1, "sk-b": 1}


CONTINUES = "enable_mid_stream_fallback_continuation"


@pytest.mark.skipif(
    CONTINUES not in inspect.signature(litellm.Router.__init__).parameters,
    reason="LiteLLM continues streams from 1.109",
)
def test_a_stream_that_litellm_continues_elsewhere_is_walked_there(loop, provider, entry, router_of):
    """When it may finish a broken answer by a fallback, dead keys of that are passed over as well."""
    sim = provider(
        {"sk-a": {"kind": "stream_cut", "after": 2}, "sk-b": "server_error", "sk-c": "healthy"}, reply="One two three"
    )
    rows = [
        entry(sim, keys, name=name, model="anthropic/claude-sonnet-4-5")
        for name, keys in (("chat", ["sk-a"]), ("backup", ["sk-b", "sk-c"]))
    ]
    for row in rows:
        row["litellm_params"]["api_base"] = sim.url
    router = router_of(*rows, fallbacks=[{"chat": ["backup"]}], **{CONTINUES: True})

    async def read():
        stream = await router.acompletion("chat", MESSAGES, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert loop.run(read()).startswith("One two")
    assert sim.counts == {"sk-a": 1, "sk-b": 1, "sk-c": 1}


def test_a_stream_that_is_closed_early_blames_nobody(loop, provider, entry, router_of):
    """The caller has had enough."""
    sim = provider({"sk-a": "healthy"}, reply="One two three four five six seven")
    router = router_of(entry(sim, ["sk-a"]))

    async def read_one():
        stream = await router.acompletion("chat", MESSAGES, stream=True)
        await anext(stream)
        await stream.aclose()

    loop.run(read_one())

    assert router.strategy.tracker.snapshot() == {}


def test_a_stream_is_still_litellms_own(loop, provider, entry, router_of):
    """Whoever looks at its class or its headers finds what they know."""
    sim = provider({"sk-a": "healthy"})
    router = router_of(entry(sim, ["sk-a"]))

    async def opened():
        stream = await router.acompletion("chat", MESSAGES, stream=True)
        chunks = [chunk async for chunk in stream]
        return stream, litellm.stream_chunk_builder(chunks)

    stream, whole = loop.run(opened())

    assert isinstance(stream, litellm.CustomStreamWrapper)
    assert stream._hidden_params["model_id"] == "chat__key_0"
    assert "Hello" in whole.choices[0].message.content


def test_a_stream_that_no_key_opens_is_exhausted(read, provider, entry, router_of):
    """The error comes where the stream is asked for."""
    sim = provider({"sk-a": HEADLESS[0], "sk-b": HEADLESS[2]})
    router = router_of(entry(sim, ["sk-a", "sk-b"]))

    try:
        _, error = read(router)
    except Exception as raised:
        error = raised

    assert isinstance(error, sk.FallbackExhaustedError)
    assert [a.candidate.name for a in error.attempts] == ["chat__key_0", "chat__key_1"]


def test_a_stream_that_broke_gives_back_its_place(read, provider, entry, router_of, clock):
    """Among the calls a deployment may have open at once."""
    sim = provider({"sk-a": [HEADLESS[0], "healthy"]}, reply="Hi")
    router = router_of(entry(sim, ["sk-a"], max_parallel_requests=1))

    for _ in range(2):
        try:
            texts, error = read(router)
        except sk.FallbackExhaustedError:
            clock.advance(10)

    assert ("".join(texts), error) == ("Hi", None)
