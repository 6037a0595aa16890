"""LangChain's own suites for embeddings: with a key that is well, and with two dead ones before it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

import sparekey as sk
from langchain_sparekey import SparekeyEmbeddings

MODEL = "openai/text-embedding-3-small"


class Subject:
    """What both suites are told of the class."""

    @property
    def embeddings_class(self) -> type[SparekeyEmbeddings]:
        return SparekeyEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": MODEL, "api_keys": ["sk-one-0123456789", "sk-two-0123456789"]}


class TestUnit(Subject, EmbeddingsUnitTests):
    """Nobody is asked."""

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        variables = {"OPENAI_API_KEY": "sk-one-0123456789"}
        return variables, {"model": MODEL}, {"model": MODEL}


class TestHealthy(Subject, EmbeddingsIntegrationTests):
    """All is well."""

    behaviours: tuple[Any, ...] = ("healthy",)

    @pytest.fixture(autouse=True)
    def _provider(self, simulate):
        self.sim = simulate(*self.behaviours)

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        where = {"api_keys": list(self.sim.counts), "api_base": self.sim.base_url}
        return {"model": MODEL, **where, "tracker": sk.CooldownTracker()}


class TestTwoKeysDead(TestHealthy):
    """The first key is throttled and the second revoked, and each is met just once."""

    behaviours = ({"kind": "rate_limited", "retry_after": 60}, "revoked", "healthy")

    @pytest.fixture(autouse=True)
    def _met_once(self, _provider):
        yield
        if any(self.sim.counts.values()):  # the suite looks at itself, too
            assert list(self.sim.counts.values())[:2] == [1, 1]
