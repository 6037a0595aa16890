"""Classes that keep an HTTP client of their own, in several event loops; stood in for by classes of their shape."""

from __future__ import annotations

import asyncio
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest
from langchain_core.embeddings import Embeddings
from pydantic import BaseModel, ConfigDict, PrivateAttr

import sparekey as sk
from langchain_sparekey import SparekeyEmbeddings

MODEL = "text-embedding-3-small"


def client_for(address, key):
    """As these classes make it: never told that the loop has ended."""
    return httpx.AsyncClient(base_url=address, headers={"authorization": f"Bearer {key}"})


class Posting(BaseModel, Embeddings):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    model: str = MODEL
    api_key: str = ""
    base_url: str = ""
    max_retries: int | None = None

    async def post(self, client: httpx.AsyncClient, texts: list[str]) -> list[list[float]]:
        response = await client.post("/embeddings", json={"model": self.model, "input": texts})
        response.raise_for_status()
        return [each["embedding"] for each in response.json()["data"]]

    async def aembed_query(self, text: str) -> list[float]:
        return (await self.aembed_documents([text]))[0]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise NotImplementedError

    embed_query = embed_documents


class MistralAIEmbeddings(Posting):
    tokenizer: Any = None
    async_client: Any = None

    def model_post_init(self, _context: Any) -> None:
        self.async_client = client_for(self.base_url, self.api_key)

    @property
    def http(self) -> Any:
        return self.async_client

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        return await self.post(self.async_client, texts)


class OllamaEmbeddings(Posting):
    client_kwargs: dict[str, Any] | None = None
    _async_client: Any = PrivateAttr()

    def model_post_init(self, _context: Any) -> None:
        self._async_client = SimpleNamespace(_client=client_for(self.base_url, self.api_key))

    @property
    def http(self) -> Any:
        return self._async_client._client

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        return await self.post(self._async_client._client, texts)


class CohereClient:
    """A client as Cohere's is: the one that sends is far below it."""

    def __init__(self, address, key):
        http = SimpleNamespace(httpx_client=client_for(address, key))
        self._raw_client = SimpleNamespace(_client_wrapper=SimpleNamespace(httpx_client=http))

    async def embed(self, post, texts, *, request_options):
        assert request_options == {"max_retries": 0}
        return await post(self._raw_client._client_wrapper.httpx_client.httpx_client, texts)


class CohereEmbeddings(Posting):
    client: Any = None
    async_client: Any = None

    def model_post_init(self, _context: Any) -> None:
        self.client = SimpleNamespace(embed=lambda **_: None)
        self.async_client = CohereClient(self.base_url, self.api_key)

    @property
    def http(self) -> Any:
        return self.async_client._raw_client._client_wrapper.httpx_client.httpx_client

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        return await self.async_client.embed(self.post, texts)


PACKAGES = {
    "cohere": ("langchain_cohere", CohereEmbeddings),
    "mistral": ("langchain_mistralai", MistralAIEmbeddings),
    "ollama": ("langchain_ollama", OllamaEmbeddings),
}


@pytest.fixture(params=PACKAGES)
def provider(request, monkeypatch):
    """A provider, whose package is installed."""
    name, standin = PACKAGES[request.param]
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    monkeypatch.setattr(standin, "__module__", f"{name}.embeddings")
    setattr(module, standin.__name__, standin)
    monkeypatch.setitem(sys.modules, name, module)
    return request.param


@pytest.mark.parametrize("how", ["listed", "given"])
def test_no_request_is_sent_twice_in_a_second_loop(simulate, keys, provider, how):
    """A connection of a loop that has ended takes a request before it fails: it would be sent, and paid, again."""
    if provider == "mistral":
        pytest.importorskip("tokenizers")  # comes with its package
    sim = simulate("healthy")
    theirs = PACKAGES[provider][1](api_key=keys[0], base_url=sim.base_url)
    if how == "listed":
        where = {"api_key": keys[0], "api_base": sim.base_url}
        model = SparekeyEmbeddings(f"{provider}/{MODEL}", **where, tracker=sk.CooldownTracker())
    else:
        model = SparekeyEmbeddings.from_models([theirs], tracker=sk.CooldownTracker())

    async def several():
        return await asyncio.gather(*[model.aembed_query("which?") for _ in range(6)])

    for _ in range(3):
        assert len(asyncio.run(several())) == 6
    assert sim.count(keys[0]) == 18
    assert model.tracker.snapshot() == {}
    assert "send" not in vars(theirs.http)  # it stays as it is


def test_connections_the_user_has_described_are_kept(keys, monkeypatch):
    """There may be a certificate in them."""
    monkeypatch.setattr(OllamaEmbeddings, "__module__", "langchain_ollama.embeddings")
    theirs = OllamaEmbeddings(api_key=keys[0], base_url="http://x.invalid", client_kwargs={"verify": False})
    model = SparekeyEmbeddings.from_models([theirs])

    assert model.clients.model(model.candidates[0]).http is theirs.http
