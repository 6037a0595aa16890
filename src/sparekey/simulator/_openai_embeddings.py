"""OpenAI's embeddings, as numbers and as base64."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from sparekey.simulator._openai_faults import check_model, required, wrong
from sparekey.simulator._vectors import MAX_DIMENSIONS, dimensions_of, packed, vector
from sparekey.simulator._wire import Call, Fault, Json


def _inputs(body: Mapping[str, Any]) -> list[str | list[int]]:
    """One text, texts, one array of tokens, or arrays of tokens: as a list."""
    given = body["input"]
    if isinstance(given, str) or (given and isinstance(given[0], int)):
        return [given]
    return list(given)


def check_embeddings(body: Mapping[str, Any]) -> Fault | None:
    if fault := check_model(body):
        return fault
    if body.get("input") is None:
        return required("input")
    if not isinstance(body["input"], str | list) or not body["input"]:
        return wrong("input", "input cannot be empty.", "invalid_value")
    for item in _inputs(body):
        numbers = isinstance(item, list) and all(isinstance(token, int) for token in item)
        if not item or not (isinstance(item, str) or numbers):
            return wrong("input", "expected texts or arrays of tokens, none of them empty.", "invalid_value")
    size = body.get("dimensions")
    if size is not None and not (type(size) is int and 1 <= size <= MAX_DIMENSIONS):
        return wrong("dimensions", f"expected an integer between 1 and {MAX_DIMENSIONS}.", "invalid_value")
    if body.get("encoding_format") not in (None, "float", "base64"):
        return wrong("encoding_format", "expected 'float' or 'base64'.", "invalid_value")
    return None


def embeddings(call: Call) -> Json:
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
