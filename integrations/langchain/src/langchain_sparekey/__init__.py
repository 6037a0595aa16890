"""A LangChain chat model, and embeddings, that survive dead API keys.

Several keys, several models, one memory of what is cooling down.
"""

from langchain_sparekey._embeddings import SparekeyEmbeddings
from langchain_sparekey._errors import ModelsExhaustedError
from langchain_sparekey._model import ChatSparekey

__version__ = "0.1.0"

__all__ = ["ChatSparekey", "ModelsExhaustedError", "SparekeyEmbeddings"]
