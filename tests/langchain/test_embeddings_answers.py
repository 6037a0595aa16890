"""An answer is believed when it is an embedding of the model that was asked; else the next candidate is tried."""

from __future__ import annotations

import asyncio
import math

import httpx
import pytest
import requests
import tiktoken.load
import tiktoken.registry
from langchain_core.embeddings import Embeddings

import sparekey as sk
from langchain_sparekey import ModelsExhaustedError, SparekeyEmbeddings

TEXTS = ["one", "two"]


def body(*vectors):
    """What a provider answers, with these vectors."""
    data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
    return {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}}


def answering(answer):
    return {"kind": "custom", "status": 200, "body": answer}


@pytest.fixture(params=["sync", "async"])
def embed(request):
    """Embedding the two texts, in both colours."""
    if request.param == "sync":
        return lambda model: model.embed_documents(TEXTS)
    return lambda model: asyncio.run(model.aembed_documents(TEXTS))


@pytest.fixture
def embeddings():
    def build(sim, **options):
        options = {"tracker": sk.CooldownTracker(), **options}
        where = {"api_keys": list(sim.counts), "api_base": sim.base_url}
        return SparekeyEmbeddings("openai/text-embedding-3-small", **where, **options)

    return build


WRONG = {
    "fewer vectors": (body([1.0, 0.0]), sk.Reason.SERVER_ERROR),
    "more vectors": (body([1.0, 0.0], [1.0, 0.0], [1.0, 0.0]), sk.Reason.SERVER_ERROR),
    "empty vectors": (body([], []), sk.Reason.SERVER_ERROR),
    "one empty vector": (body([1.0, 0.0], []), sk.Reason.SERVER_ERROR),
    "no vectors": (body(None, None), sk.Reason.SERVER_ERROR),
    "several lengths": (body([1.0, 0.0], [1.0]), sk.Reason.SERVER_ERROR),
    "null in a vector": (body([1.0, None], [1.0, 0.0]), sk.Reason.SERVER_ERROR),
    "words for numbers": (body(["a", "b"], ["c", "d"]), sk.Reason.SERVER_ERROR),
    "too large a number": (body([1e999, 0.0], [1.0, 0.0]), sk.Reason.SERVER_ERROR),
    "half a base64": (body("abcde", "abcde"), sk.Reason.SERVER_ERROR),
    "base64 that is padded wrongly": (body("abc", "abc"), sk.Reason.SERVER_ERROR),
    "base64 of no floats": (body("YWJjZGU=", "YWJjZGU="), sk.Reason.SERVER_ERROR),
    "no data": (body(), sk.Reason.SERVER_ERROR),
    "nothing": ({}, sk.Reason.SERVER_ERROR),
    "an error with status 200": ({"error": {"message": "try later"}}, sk.Reason.SERVER_ERROR),
    "a list": ([], sk.Reason.SERVER_ERROR),
    "another dimension": (body([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]), sk.Reason.MODEL_NOT_FOUND),
}


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # the SDK's, of words for numbers
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_answer_is_its_candidate_s_error(simulate, embeddings, embed, keys, wrong):
    """The next candidate is asked, and the first cools, for as long as its kind of failure does."""
    answer, reason = WRONG[wrong]
    sim = simulate(answering(answer), "healthy")
    model = embeddings(sim, dimensions=2)

    assert [len(vector) for vector in embed(model)] == [2, 2]
    assert [len(vector) for vector in embed(model)] == [2, 2]
    assert sim.counts == {keys[0]: 1, keys[1]: 2}
    assert model.tracker.failure_count(model.candidates[0], reason) == 1


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_no_vector(number):
    """They would poison every comparison, and JSON as Python reads it may bring them."""
    model = SparekeyEmbeddings.from_models([Answering([[0.5, number]]), Answering([[0.5, 0.5]])], tracker=tracker())

    assert model.embed_documents(["one"]) == [[0.5, 0.5]]
    assert model.tracker.failure_count(model.candidates[0], "server_error") == 1


def test_the_first_answer_decides_the_dimension(simulate, embeddings, embed, keys):
    """When nobody has said it, a key that answers otherwise later is an error of that key."""
    sim = simulate([{"kind": "healthy", "times": 1}, answering(body([1.0], [0.5]))], "healthy")
    model = embeddings(sim)

    assert model.dimensions is None
    embed(model)
    assert model.dimensions == 1536
    assert [len(vector) for vector in embed(model)] == [1536, 1536]
    assert sim.counts == {keys[0]: 2, keys[1]: 1}


def test_the_dimension_is_that_of_queries_too(simulate, embeddings):
    """Questions and documents are compared with each other."""
    sim = simulate([{"kind": "healthy", "times": 1}, answering(body([1.0]))])
    model = embeddings(sim)
    model.embed_documents(TEXTS)

    with pytest.raises(ModelsExhaustedError, match="answered with vectors of 1 dimensions, not 1536"):
        model.embed_query("which?")


def tracker():
    return sk.CooldownTracker()


class Answering(Embeddings):
    """An embedding model without a network: answers as it is told, or raises it."""

    def __init__(self, answer, model="some"):
        self.answer = answer
        self.model = model
        self.calls = 0

    def embed_documents(self, texts):
        self.calls += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def embed_query(self, text):
        return self.embed_documents([text])[0]


def test_what_a_class_makes_nothing_of_goes_to_the_next_and_blames_nobody():
    """It may be the answer that it cannot read, or the text; who knows."""
    first = Answering(ValueError("no embedding in it"))
    model = SparekeyEmbeddings.from_models([first, Answering([[0.5]])], tracker=tracker())

    assert model.embed_documents(["one"]) == [[0.5]]
    assert model.tracker.snapshot() == {}


def test_what_every_class_makes_nothing_of_leaves_as_it_was_raised():
    """Then it was about the call."""
    problem = ValueError("too long for me")
    model = SparekeyEmbeddings.from_models([Answering(problem), Answering(problem)], tracker=tracker())

    with pytest.raises(ValueError, match="too long for me"):
        model.embed_query("one")
    assert model.tracker.snapshot() == {}


@pytest.mark.parametrize("answer", [{}, [], {"data": None}, {"data": [{}, {}]}])
def test_a_class_that_is_known_was_given_what_it_takes(simulate, embed, keys, monkeypatch, answer):
    """So an answer it makes nothing of is its provider's fault, and who gives it is not asked at every call."""
    monkeypatch.setitem(Posting.embed_documents.__globals__, "__name__", "langchain_mistralai.embeddings")
    sim = simulate(answering(answer), "healthy")
    model = SparekeyEmbeddings.from_models([Posting(sim, key) for key in keys[:2]], tracker=tracker())

    assert [len(vector) for vector in embed(model)] == [1536, 1536]
    assert [len(vector) for vector in embed(model)] == [1536, 1536]
    assert sim.counts == {keys[0]: 1, keys[1]: 2}
    assert model.tracker.failure_count(model.candidates[0], "server_error") == 1


class Posting(Embeddings):
    """A class that reads answers itself, as LangChain's for Mistral does."""

    model = "text-embedding-3-small"

    def __init__(self, sim, key):
        self._ask = {"url": f"{sim.base_url}/embeddings", "headers": {"authorization": f"Bearer {key}"}}

    def embed_documents(self, texts):
        answer = httpx.post(**self._ask, json={"model": self.model, "input": texts}).json()
        return [list(map(float, each["embedding"])) for each in answer["data"]]

    def embed_query(self, text):
        return self.embed_documents([text])[0]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"model_kwargs": {"unheard_of": 1}}, TypeError),
        ({"model_kwargs": {"user": object()}}, TypeError),
        ({"default_headers": {"x-name": "Zoë"}}, UnicodeEncodeError),
    ],
)
def test_a_setting_no_request_can_be_made_with_cools_nobody(simulate, embeddings, embed, settings, error):
    """Nothing was sent; the next candidate may have others, and when none has, the error leaves as it was raised."""
    sim = simulate("healthy", "healthy")
    model = embeddings(sim, **settings)

    with pytest.raises(error):
        embed(model)
    assert sim.requests == []
    assert model.tracker.snapshot() == {}


def test_an_error_nothing_is_known_of_stops_at_once():
    """As it does for chat models."""
    second = Answering([[0.5]])
    model = SparekeyEmbeddings.from_models([Answering(RuntimeError("what?")), second], tracker=tracker())

    with pytest.raises(RuntimeError, match=r"what\?"):
        model.embed_query("one")
    assert second.calls == 0


@pytest.fixture
def no_tokenizer(monkeypatch, tmp_path):
    """A machine that has no tokenizer's file, and may not fetch one; counts the tries."""
    tries = []

    def refused(address):
        tries.append(address)
        raise requests.ConnectionError("no route to host")

    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tiktoken.load, "read_file", refused)
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    return tries


def test_no_tokenizer_is_fetched(simulate, embeddings, embed, no_tokenizer):
    """LangChain's class would, to split texts that are too long."""
    assert len(embed(embeddings(simulate("healthy")))) == 2
    assert no_tokenizer == []


def test_a_tokenizer_that_was_asked_for_and_cannot_be_had_is_no_key_s_fault(simulate, embeddings, embed, no_tokenizer):
    """The error leaves as it was raised: it is the machine's. It looks like a network failure of the provider's."""
    sim = simulate("healthy", "healthy")
    model = embeddings(sim, check_embedding_ctx_length=True)

    with pytest.raises(requests.ConnectionError, match="no route to host"):
        embed(model)
    assert sim.requests == []
    assert no_tokenizer
    assert model.tracker.snapshot() == {}
