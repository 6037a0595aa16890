"""Embeddings fail over slice by slice: nothing is embedded twice, and who is to blame cools."""

from __future__ import annotations

import asyncio
import traceback

import openai
import pytest

import sparekey as sk
from langchain_sparekey import ChatSparekey, ModelsExhaustedError, SparekeyEmbeddings

MODEL = "text-embedding-3-small"
TEXTS = [f"text number {i}" for i in range(10)]

WAYS = {
    "sync": lambda model, texts: model.embed_documents(texts),
    "async": lambda model, texts: asyncio.run(model.aembed_documents(texts)),
}
QUERIES = {
    "sync": lambda model, text: model.embed_query(text),
    "async": lambda model, text: asyncio.run(model.aembed_query(text)),
}


@pytest.fixture(params=WAYS)
def embed(request):
    """Embedding a list, in both colours; the async one in a loop of its own."""
    return WAYS[request.param]


@pytest.fixture(params=QUERIES)
def query(request):
    """Embedding a question, in both colours."""
    return QUERIES[request.param]


@pytest.fixture
def embeddings():
    """Embeddings of a simulator's keys, with a memory of their own."""

    def build(sim, **options):
        options = {"tracker": sk.CooldownTracker(), "dimensions": 16, **options}
        return SparekeyEmbeddings(f"openai/{MODEL}", api_keys=list(sim.counts), api_base=sim.base_url, **options)

    return build


@pytest.fixture
def reference(simulate, embeddings):
    """What a key that is well answers for the texts."""
    sim = simulate("healthy")
    vectors = embeddings(sim).embed_documents(TEXTS)
    sim.stop()
    return vectors


def asked(sim):
    """The key and the texts of every request, in order."""
    return [(record.name, record.body["input"]) for record in sim.requests]


def test_each_dead_key_costs_one_call_and_then_none(three_dead, embeddings, embed, query, keys):
    """Documents and queries share the memory of who is dead."""
    model = embeddings(three_dead)

    assert len(embed(model, TEXTS)) == 10
    assert three_dead.counts == dict.fromkeys(keys, 1)
    assert len(query(model, "which?")) == 16
    assert three_dead.counts == {**dict.fromkeys(keys, 1), keys[3]: 2}


def test_a_key_that_fails_midway_costs_one_slice(reference, simulate, embeddings, embed):
    """What was embedded is kept, the slice that failed goes to the next key, and the order stays."""
    sim = simulate({"kind": "limited", "requests": 2, "window": 600}, "healthy")

    assert embed(embeddings(sim, chunk_size=3), TEXTS) == reference
    assert asked(sim) == [
        ("key-1", TEXTS[0:3]),
        ("key-1", TEXTS[3:6]),
        ("key-1", TEXTS[6:9]),
        ("key-2", TEXTS[6:9]),
        ("key-2", TEXTS[9:]),
    ]
    assert [record.status for record in sim.requests] == [200, 200, 429, 200, 200]


def test_an_exhausted_list_says_how_far_it_came(simulate, embeddings, embed):
    """The error is LangChain's too, says when to come back, and that it is worth it."""
    sim = simulate({"kind": "limited", "requests": 2, "window": 600}, "revoked")

    with pytest.raises(ModelsExhaustedError) as raised:
        embed(embeddings(sim, chunk_size=3), TEXTS)

    assert "sparekey: 6 of 10 texts had been embedded" in raised.value.__notes__
    assert raised.value.is_retryable
    assert 0 < raised.value.retry_after <= 600


def test_an_empty_list_is_answered_by_nobody(simulate, embeddings, embed, keys):
    """There is nothing to ask."""
    sim = simulate("healthy")

    assert embed(embeddings(sim), []) == []
    assert sim.count(keys[0]) == 0


def test_a_wrong_request_reaches_one_key_and_leaves_as_the_sdk_raised_it(simulate, embeddings, embed, keys):
    """A 400 would fail with every key; midway, it is told which texts it is not about."""
    sim = simulate([{"kind": "healthy", "times": 1}, "bad_request"], "healthy")

    with pytest.raises(openai.BadRequestError) as raised:
        embed(embeddings(sim, chunk_size=4), TEXTS)

    assert sim.counts == {keys[0]: 2, keys[1]: 0}
    assert "sparekey: 4 of 10 texts had been embedded" in raised.value.__notes__


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ("one text", "texts: must be a list of texts, not one text"),
        (["a", None], "texts[1]: must be a text, not NoneType"),
        ([b"bytes"], "texts[0]: must be a text, not bytes"),
        ([["a"]], "texts[0]: must be a text, not list"),
    ],
)
def test_what_is_no_text_is_refused_before_anybody_is_asked(simulate, embeddings, embed, texts, says):
    """No key could do better, so none is tried, and none cools."""
    sim = simulate("healthy")
    model = embeddings(sim)

    with pytest.raises(TypeError) as raised:
        embed(model, texts)

    assert str(raised.value) == says
    assert sim.requests == []
    assert model.tracker.snapshot() == {}


@pytest.mark.parametrize("ask", ["documents", "query"])
def test_half_an_emoji_is_refused_before_anybody_is_asked(simulate, embeddings, embed, query, ask):
    """No SDK can send it, so no key is to blame; the text itself is not shown."""
    sim = simulate("healthy", "healthy")
    model = embeddings(sim)

    with pytest.raises(ValueError, match="half of a surrogate pair") as raised:
        embed(model, ["well", "cut \ud83d here"]) if ask == "documents" else query(model, "cut \ud83d here")

    where = "texts[1]" if ask == "documents" else "texts[0]"
    assert str(raised.value) == f"{where}: '\\ud83d' at 4 is half of a surrogate pair, which UTF-8 cannot say"
    assert raised.value.__context__ is None
    assert sim.requests == []
    assert model.tracker.snapshot() == {}


def test_slices_are_as_large_as_one_request_of_the_provider_may_be(simulate, embeddings, embed):
    """OpenAI's 300,000 tokens: a token is a byte at least, and a text larger than that goes alone."""
    sim = simulate("healthy")
    texts = ["a" * 100_000, "b" * 100_000, "c" * 100_000, "d", "ü" * 150_000, "e" * 400_000, "f", "g"]

    assert len(embed(embeddings(sim), texts)) == 8
    assert [len(texts) for _, texts in asked(sim)] == [3, 1, 1, 1, 2]


def test_slices_are_no_larger_than_the_provider_s_limit_of_texts(simulate, embeddings, embed):
    """A thousand texts as LangChain's class has it, or what ``chunk_size`` says, but 2,048 at most."""
    sim = simulate("healthy")
    texts = ["a"] * 2050

    embed(embeddings(sim, dimensions=1), texts)
    assert [len(part) for _, part in asked(sim)] == [1000, 1000, 50]
    sim.clear()
    embed(embeddings(sim, dimensions=1, chunk_size=5000), texts)
    assert [len(part) for _, part in asked(sim)] == [2048, 2]


async def test_a_cancelled_list_blames_nobody(simulate, embeddings):
    """Whoever gives up waiting has not met a bad key."""
    model = embeddings(simulate("hang", "healthy"))

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(model.aembed_documents(TEXTS), 0.1)

    assert model.tracker.snapshot() == {}


@pytest.mark.parametrize("limit", [{"policy": sk.Policy(attempt_timeout=0.15)}, {"timeout": 0.15}])
def test_a_hanging_key_is_learned_and_passed_over(simulate, embeddings, embed, query, keys, limit):
    """It is given up in time by the first slice, and not asked by the second; in sync by its client."""
    sim = simulate("hang", "healthy")
    model = embeddings(sim, chunk_size=5, **limit)

    assert len(embed(model, TEXTS)) == 10
    assert len(query(model, "which?")) == 16
    assert sim.counts == {keys[0]: 1, keys[1]: 3}
    assert model.tracker.failure_count(model.candidates[0], "timeout") == 1


def test_a_hanging_key_is_given_up_for_a_query_too(simulate, embeddings, query, keys):
    """The deadline is the caller's own: nobody is blamed for it."""
    sim = simulate("hang", "healthy")
    model = embeddings(sim, deadline=0.15)

    with pytest.raises(ModelsExhaustedError, match="the deadline was spent after 1 attempt"):
        query(model, "which?")
    assert model.tracker.snapshot() == {}


def test_the_hook_hears_of_every_attempt(simulate, embeddings, embed):
    """Of each slice."""
    heard = []
    embed(embeddings(simulate("revoked", "healthy"), chunk_size=5, on_attempt=heard.append), TEXTS)

    assert [(attempt.reason, attempt.skipped) for attempt in heard] == [
        (sk.Reason.AUTH, False),
        (None, False),
        (sk.Reason.AUTH, True),
        (None, False),
    ]


def test_a_key_revoked_for_chat_is_passed_over_by_embeddings(simulate, keys):
    """Both share the process's memory, and a credential is one wherever it is used."""
    sim = simulate("revoked", "healthy")
    where = {"api_keys": list(keys[:2]), "api_base": sim.base_url}

    assert "key-2" in ChatSparekey("openai/gpt-4o", **where).invoke("hello").content
    SparekeyEmbeddings(f"openai/{MODEL}", **where).embed_query("which?")

    assert sim.count(keys[0], model=MODEL) == 0
    assert sim.count(keys[1], model=MODEL) == 1


def test_a_throttled_chat_model_is_no_matter_of_the_embedding_model_s(simulate, keys):
    """A rate limit is of a key and a model."""
    sim = simulate({"behaviour": "healthy", "models": {"gpt-4o": "rate_limited"}}, "healthy")
    where = {"api_keys": list(keys[:2]), "api_base": sim.base_url}

    assert "key-2" in ChatSparekey("openai/gpt-4o", **where).invoke("hello").content
    SparekeyEmbeddings(f"openai/{MODEL}", **where).embed_query("which?")

    assert sim.count(keys[0], model=MODEL) == 1


def test_many_loops_one_after_another(simulate, embeddings, keys):
    """Connections of a loop that has ended are no key's fault, and no request is sent twice."""
    sim = simulate("healthy", "healthy")
    model = embeddings(sim)

    async def several():
        return await asyncio.gather(*[model.aembed_query("which?") for _ in range(6)])

    for _ in range(4):
        assert len(asyncio.run(several())) == 6
    assert sim.counts == {keys[0]: 24, keys[1]: 0}
    assert model.tracker.snapshot() == {}


def test_no_error_shows_a_key(simulate, embeddings, embed, keys):
    """The provider's 401 repeats it, in its text and in its body."""
    with pytest.raises(ModelsExhaustedError) as raised:
        embed(embeddings(simulate("revoked", "revoked")), TEXTS)

    text = "".join(traceback.format_exception(raised.value)) + repr(raised.value.attempts)
    text += "".join(attempt.error.response.text for attempt in raised.value.attempts)
    assert "Incorrect API key provided: [key " in text
    assert not [key for key in keys if key in text]
