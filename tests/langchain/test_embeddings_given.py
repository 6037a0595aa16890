"""Embedding models the user has built: who they are, without their retries, and left as they were."""

from __future__ import annotations

import asyncio
import warnings

import openai
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_openai import AzureOpenAIEmbeddings, ChatOpenAI, OpenAIEmbeddings

import sparekey as sk
from langchain_sparekey import ChatSparekey, SparekeyEmbeddings

MODEL = "text-embedding-3-small"


@pytest.fixture
def given():
    """LangChain's own class at a simulator, with all its defaults."""

    def build(sim, key, **options):
        return OpenAIEmbeddings(model=MODEL, api_key=key, base_url=sim.base_url, **options)

    return build


@pytest.mark.parametrize("how", ["sync", "async"])
def test_they_fail_over_without_their_own_retries(simulate, given, keys, how):
    """By default each would ask three times, and wait in between."""
    sim = simulate("overloaded", "healthy")
    models = [given(sim, key) for key in keys[:2]]
    model = SparekeyEmbeddings.from_models(models, tracker=sk.CooldownTracker())

    texts = ["one", "two"]
    vectors = model.embed_documents(texts) if how == "sync" else asyncio.run(model.aembed_documents(texts))
    assert [len(vector) for vector in vectors] == [1536, 1536]
    assert sim.counts == {keys[0]: 1, keys[1]: 1}
    assert [record.body["input"] for record in sim.requests] == [texts, texts]


def test_they_stay_as_they_are(simulate, given, keys):
    """What is changed is changed in a copy."""
    sim = simulate("healthy")
    theirs = given(sim, keys[0])
    before = dict(vars(theirs))
    SparekeyEmbeddings.from_models([theirs], tracker=sk.CooldownTracker()).embed_query("which?")

    assert vars(theirs) == before
    assert (theirs.max_retries, theirs.check_embedding_ctx_length) == (2, True)
    assert theirs.client._client.max_retries == 2


def test_one_that_asks_for_its_tokenizer_keeps_it(simulate, given, keys):
    """Only the default is turned off."""
    sim = simulate("healthy")
    model = SparekeyEmbeddings.from_models([given(sim, keys[0], check_embedding_ctx_length=True)])

    assert model.clients.model(model.candidates[0]).check_embedding_ctx_length


def test_their_async_clients_mind_the_loop(simulate, given, keys):
    """Several loops, one after the other; no request is sent twice."""
    sim = simulate("healthy")
    model = SparekeyEmbeddings.from_models([given(sim, keys[0])], tracker=sk.CooldownTracker())

    async def several():
        return await asyncio.gather(*[model.aembed_query("which?") for _ in range(6)])

    for _ in range(3):
        asyncio.run(several())
    assert sim.count(keys[0]) == 18


@pytest.mark.parametrize("how", ["a list", "models"])
def test_the_same_key_is_the_same_credential_for_chat(simulate, given, keys, how):
    """At the same address, in the same organization."""
    sim = simulate("revoked", "healthy")
    if how == "a list":
        chat = ChatSparekey("openai/gpt-4o", api_keys=keys[:2], api_base=sim.base_url)
        models = [given(sim, key) for key in keys[:2]]
    else:
        options = {"base_url": sim.base_url, "organization": "org-1"}
        chat = ChatSparekey.from_models([ChatOpenAI(model="gpt-4o", api_key=key, **options) for key in keys[:2]])
        models = [given(sim, key, organization="org-1") for key in keys[:2]]

    chat.invoke("hello")
    SparekeyEmbeddings.from_models(models).embed_query("which?")
    assert sim.counts == {keys[0]: 1, keys[1]: 2}


def test_two_deployments_with_one_key_are_two_candidates(keys):
    """Each has limits of its own; the key is shared."""
    options = {"azure_endpoint": "https://x.invalid", "api_key": keys[0], "model": MODEL}
    models = [AzureOpenAIEmbeddings(azure_deployment=name, **options) for name in ("east", "west")]
    first, second = SparekeyEmbeddings.from_models(models).candidates

    assert first != second
    assert first.scope_id(sk.Scope.CREDENTIAL) == second.scope_id(sk.Scope.CREDENTIAL)


def test_models_that_show_no_credential_are_told_apart_by_their_place():
    """Like those that need none."""
    model = SparekeyEmbeddings.from_models([DeterministicFakeEmbedding(size=2)] * 2, tracker=sk.CooldownTracker())

    assert len(model.candidates) == 2
    assert model.embed_query("one") == DeterministicFakeEmbedding(size=2).embed_query("one")


def test_a_key_of_a_function_is_none_of_ours(simulate, given, keys):
    """It is asked by the SDK, each time."""
    sim = simulate("healthy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = SparekeyEmbeddings.from_models([given(sim, lambda: keys[0])], tracker=sk.CooldownTracker())
        model.embed_query("which?")

    assert sim.count(keys[0]) == 1
    assert model.candidates[0].credential == ""


class Flaky(DeterministicFakeEmbedding):
    """A client that meets connections of loops that have ended, which no key is to blame for."""

    dead: int

    async def aembed_documents(self, texts):
        if self.dead:
            self.dead -= 1
            raise ConnectionError("Connection error.") from RuntimeError("Event loop is closed")
        return self.embed_documents(texts)

    async def aembed_query(self, text):
        return (await self.aembed_documents([text]))[0]


@pytest.mark.parametrize("ask", ["aembed_query", "aembed_documents"])
def test_others_are_asked_again_without_a_cooldown(ask):
    """A net for classes whose clients cannot be made to mind the loop."""
    flaky = Flaky(size=2, dead=20)
    model = SparekeyEmbeddings.from_models([flaky], tracker=sk.CooldownTracker())

    asyncio.run(getattr(model, ask)("one" if ask == "aembed_query" else ["one"]))
    assert flaky.dead == 0
    assert model.tracker.snapshot() == {}


def test_their_proxy_is_used_in_async_too(simulate, keys):
    """The client that minds the loop goes through it; here it is a simulator, which takes no proxy's requests."""
    sim = simulate("healthy")
    theirs = OpenAIEmbeddings(model=MODEL, api_key=keys[0], base_url="http://provider.invalid/v1", openai_proxy=sim.url)
    model = SparekeyEmbeddings.from_models([theirs], tracker=sk.CooldownTracker())
    built = model.clients.model(model.candidates[0])

    assert built.async_client._client._client is not theirs.async_client._client._client
    with pytest.raises(sk.FallbackExhaustedError, match="Unknown request URL"):
        asyncio.run(model.aembed_query("which?"))


def test_an_async_client_of_the_users_own_is_kept(simulate, given, keys):
    """It may be there for a certificate; only the retries are turned off."""
    own = openai.DefaultAsyncHttpxClient()
    model = SparekeyEmbeddings.from_models([given(simulate("healthy"), keys[0], http_async_client=own)])
    built = model.clients.model(model.candidates[0])

    assert built.async_client._client._client is own
    assert built.async_client._client.max_retries == 0


class Subclass(OpenAIEmbeddings):
    """One that takes no more than LangChain's interface says."""

    def embed_query(self, text):
        return super().embed_query(text)


class Overriding(OpenAIEmbeddings):
    """One whose inherited ``embed_query`` takes more than the method that it calls."""

    def embed_documents(self, texts):
        return super().embed_documents(texts)


@pytest.mark.parametrize("cls", [Subclass, Overriding])
def test_a_subclass_need_not_take_a_timeout(simulate, keys, cls):
    """It keeps the one that it was built with."""
    sim = simulate("healthy")
    theirs = cls(model=MODEL, api_key=keys[0], base_url=sim.base_url)
    model = SparekeyEmbeddings.from_models([theirs], policy=sk.Policy(attempt_timeout=30))

    assert len(model.embed_query("which?")) == 1536
    assert len(model.embed_documents(["one", "two"])) == 2
