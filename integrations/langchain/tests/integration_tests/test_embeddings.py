"""LangChain's standard integration tests of embeddings, over HTTP, with every key well and with two dead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings
from langchain_tests.integration_tests import EmbeddingsIntegrationTests

import sparekey as sk
from langchain_sparekey import SparekeyEmbeddings
from sparekey.simulator import Simulator

PROVIDER = Simulator({"sk-throttled": "rate_limited", "sk-revoked": "revoked", "sk-well": "healthy"})


@pytest.fixture(autouse=True, scope="module")
def _provider() -> Iterator[None]:
    with PROVIDER:
        yield


class TestEveryKeyWell(EmbeddingsIntegrationTests):
    """All is well."""

    keys = ("sk-well",)

    @pytest.fixture(autouse=True)
    def _each_dead_key_is_met_once(self) -> Iterator[None]:
        PROVIDER.clear()
        yield
        asked = {key: count for key, count in PROVIDER.counts.items() if count}
        assert not asked or [asked.get(key) for key in self.keys[:-1]] == [1] * len(self.keys[:-1])

    @property
    def embeddings_class(self) -> type[Embeddings]:
        return SparekeyEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        where = {"api_keys": self.keys, "api_base": PROVIDER.base_url}
        return {"model": "openai/text-embedding-3-small", **where, "tracker": sk.CooldownTracker()}


class TestTheFirstKeysDead(TestEveryKeyWell):
    """One throttled, one revoked, and the third answers."""

    keys = ("sk-throttled", "sk-revoked", "sk-well")
