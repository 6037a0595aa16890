"""Ranking documents by a query, as servers of OpenAI's dialect do that are not OpenAI's."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._openai.chat import check_count
from sparekey.simulator._openai.faults import check_model, of_type, required, wrong
from sparekey.simulator._text import count_words
from sparekey.simulator._vectors import vector
from sparekey.simulator._wire import Call, Fault, Json

_DIMENSIONS = 256
MOST_DOCUMENTS = 1000


def check_rerank(body: Mapping[str, Any]) -> Fault | None:
    """The first thing that is wrong with a request."""
    return next(_problems(body), None)


def _problems(body: Mapping[str, Any]) -> Iterator[Fault]:
    yield from check_model(body)
    for param in ("query", "documents"):
        if body.get(param) is None:
            yield required(param)
    if not isinstance(body["query"], str):
        yield of_type("query", "a string", body["query"])
    documents = body["documents"]
    if not isinstance(documents, list) or not 0 < len(documents) <= MOST_DOCUMENTS:
        yield of_type("documents", f"an array of 1 to {MOST_DOCUMENTS} texts", documents)
    if not all(isinstance(each, str) for each in documents):
        yield wrong("documents", "expected texts.", "invalid_value")
    yield from check_count(body, "top_n")


def rerank(call: Call) -> Json:
    """The documents, those that share words with the query first."""
    query, documents = call.body["query"], call.body["documents"]
    asked = vector(call.model, query, _DIMENSIONS)
    vectors = (vector(call.model, each, _DIMENSIONS) for each in documents)
    scores = [sum(map(operator.mul, asked, each)) for each in vectors]
    ranked = sorted(range(len(documents)), key=lambda at: -scores[at])[: call.body.get("top_n")]
    results = [{"index": at, "relevance_score": scores[at], "document": {"text": documents[at]}} for at in ranked]
    usage = {"total_tokens": count_words(query, *documents)}
    return {"id": f"rerank-{call.id}", "model": call.model, "results": results, "usage": usage}
