"""What is left of a request's time, told to clients that end their own calls."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any

from langchain_core.embeddings import Embeddings

import sparekey as sk

# Classes whose calls take a ``timeout``, and the field in which they keep their own.
_TIMED = {
    "BaseChatOpenAI": "request_timeout",
    "ChatAnthropic": "default_request_timeout",
    "OpenAIEmbeddings": "request_timeout",
}

_LEAST = 0.001
"""Seconds; a client given 0 might take it for none at all."""


def with_timeout(given: dict[str, Any], model: object) -> dict[str, Any]:
    """The arguments of a sync call, which nothing can end from outside: its client is told what is left."""
    left = sk.time_left()
    field = None if left is None else _timeout_field(type(model))
    if left is None or field is None:
        return given
    own = given.get("timeout", getattr(model, field, None))
    return {**given, "timeout": _at_most(max(left, _LEAST), own)}


def _timeout_field(cls: type) -> str | None:
    return next((_TIMED[parent.__name__] for parent in cls.__mro__ if parent.__name__ in _TIMED), None)


def _at_most(left: float, own: Any) -> Any:
    """The user's own timeout, cut to what is left: a number, a tuple of parts, or an object of httpx."""
    if own is None:
        return left
    if isinstance(own, (int, float)):
        return min(left, own) if own > 0 else left  # some classes take 0 or less for none at all
    if isinstance(own, tuple):
        return tuple(_at_most(left, part) for part in own)
    return type(own)(**{name: _at_most(left, part) for name, part in own.as_dict().items()})


def time_for_embedding(model: Embeddings) -> dict[str, Any]:
    """What is left of the time, if ``model`` is of a class that takes it; a subclass need not."""
    told = with_timeout({}, model)
    return told if told and _takes_timeout(type(model)) else {}


@lru_cache(maxsize=256)
def _takes_timeout(cls: type[Embeddings]) -> bool:
    # Both methods, because LangChain's embed_query hands what it is given on to embed_documents.
    signatures = [inspect.signature(method).parameters.values() for method in (cls.embed_documents, cls.embed_query)]
    return all(any(each.name == "timeout" or each.kind is each.VAR_KEYWORD for each in one) for one in signatures)
