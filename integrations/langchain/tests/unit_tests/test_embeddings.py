"""LangChain's standard unit tests of embeddings."""

from __future__ import annotations

from typing import Any

from langchain_core.embeddings import Embeddings
from langchain_tests.unit_tests import EmbeddingsUnitTests

from langchain_sparekey import SparekeyEmbeddings

MODEL = "openai/text-embedding-3-small"


class TestSparekeyEmbeddings(EmbeddingsUnitTests):
    """Two keys of one model."""

    @property
    def embeddings_class(self) -> type[Embeddings]:
        return SparekeyEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": MODEL, "api_keys": ["sk-one", "sk-two"]}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        # As for the chat model: the provider's package reads its own variable.
        return {"OPENAI_API_KEY": "sk-env"}, {"model": MODEL}, {"model": MODEL}
