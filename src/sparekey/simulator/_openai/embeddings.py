"""OpenAI's embeddings, as numbers and as base64."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._openai.faults import check_model, required, wrong
from sparekey.simulator._vectors import MAX_DIMENSIONS, dimensions_of, packed, vector
from sparekey.simulator._wire import Call, Fault, Json

MOST_INPUTS = 2048
"""Texts of one request, as OpenAI's reference says."""


def _inputs(body: Mapping[str, Any]) -> list[str | list[int]]:
    """One text, texts, one array of tokens, or arrays of tokens: as a list."""
    given = body["input"]
    if isinstance(given, str) or (given and isinstance(given[0], int)):
        return [given]
    return list(given)


def check_embeddings(body: Mapping[str, Any]) -> Fault | None:
    """The first thing that is wrong with a request."""
    return next(_problems(body), None)


def _problems(body: Mapping[str, Any]) -> Iterator[Fault]:
    yield from check_model(body)
    if body.get("input") is None:
        yield required("input")
    if not isinstance(body["input"], str | list) or not body["input"]:
        yield wrong("input", "input cannot be empty.", "invalid_value")
    inputs = _inputs(body)
    if len(inputs) > MOST_INPUTS:
        long = f"array too long. Expected an array with maximum length {MOST_INPUTS}"
        yield wrong("input", f"{long}, but got an array with length {len(inputs)} instead.", "array_above_max_length")
    for item in inputs:
        numbers = isinstance(item, list) and all(isinstance(token, int) for token in item)
        if not item or not (isinstance(item, str) or numbers):
            yield wrong("input", "expected texts or arrays of tokens, none of them empty.", "invalid_value")
    size = body.get("dimensions")
    if size is not None and not (type(size) is int and 1 <= size <= MAX_DIMENSIONS):
        yield wrong("dimensions", f"expected an integer between 1 and {MAX_DIMENSIONS}.", "invalid_value")
    if body.get("encoding_format") not in (None, "float", "base64"):
        yield wrong("encoding_format", "expected 'float' or 'base64'.", "invalid_value")


def embeddings(call: Call) -> Json:
    """A vector for each input."""
    inputs = _inputs(call.body)
    size = call.body.get("dimensions") or dimensions_of(call.model)
    vectors = [vector(call.model, item, size) for item in inputs]
    if call.body.get("encoding_format") == "base64":
        encoded: list[Any] = [base64.b64encode(packed(each)).decode() for each in vectors]
    else:
        encoded = list(vectors)
    count = sum(len(item.split()) if isinstance(item, str) else len(item) for item in inputs)
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": at, "embedding": each} for at, each in enumerate(encoded)],
        "model": call.model,
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }
