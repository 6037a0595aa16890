"""OpenAI's embeddings, as numbers and as base64."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._openai.faults import check_model, refused, required, wrong
from sparekey.simulator._openai.models import DIMENSIONS, MOST_DIMENSIONS, check_embeds, check_parameters
from sparekey.simulator._vectors import packed, vector
from sparekey.simulator._wire import Call, Fault, Json

PARAMETERS = frozenset({"dimensions", "encoding_format", "input", "model", "user"})
MOST_INPUTS = 2048
"""Texts of one request, as OpenAI's reference says."""
MOST_OF_ONE = 8192
"""Tokens of one text."""
MOST_OF_ALL = 300_000
"""Tokens of one request."""


def _inputs(body: Mapping[str, Any]) -> list[str | list[int]]:
    """One text, texts, one array of tokens, or arrays of tokens: as a list."""
    given = body["input"]
    if isinstance(given, str) or (given and isinstance(given[0], int)):
        return [given]
    return list(given)


def _length(item: str | list[int]) -> int:
    return len(item.split()) if isinstance(item, str) else len(item)


def check_embeddings(body: Mapping[str, Any]) -> Fault | None:
    """The first thing that is wrong with a request."""
    return next(_problems(body), None)


def _problems(body: Mapping[str, Any]) -> Iterator[Fault]:
    yield from check_model(body)
    yield from check_parameters(body, PARAMETERS)
    if body.get("input") is None:
        yield required("input")
    yield from _check_input(body)
    yield from _check_dimensions(body["model"], body.get("dimensions"))
    if body.get("encoding_format") not in (None, "float", "base64"):
        yield wrong("encoding_format", "expected 'float' or 'base64'.", "invalid_value")
    yield from check_embeds(body["model"])


def _check_input(body: Mapping[str, Any]) -> Iterator[Fault]:
    if not isinstance(body["input"], str | list) or not body["input"]:
        yield wrong("input", "input cannot be empty.", "invalid_value")
    inputs = _inputs(body)
    if len(inputs) > MOST_INPUTS:
        long = f"array too long. Expected an array with maximum length {MOST_INPUTS}"
        yield wrong("input", f"{long}, but got an array with length {len(inputs)} instead.", "array_above_max_length")
    of_text = isinstance(inputs[0], str)
    if not all(item and (isinstance(item, str) if of_text else _is_tokens(item)) for item in inputs):
        yield wrong("input", "expected texts or arrays of tokens, none of them empty.", "invalid_value")
    lengths = [_length(item) for item in inputs]
    for at, length in enumerate(lengths):
        if length > MOST_OF_ONE:
            where = "input" if inputs == [body["input"]] else f"input[{at}]"
            yield refused(None, f"Invalid '{where}': maximum input length is {MOST_OF_ONE} tokens.")
    if sum(lengths) > MOST_OF_ALL:
        kind = "max_tokens_per_request"
        yield Fault(400, kind, f"Requested {sum(lengths)} tokens, max {MOST_OF_ALL} tokens per request", kind)


def _is_tokens(item: object) -> bool:
    return isinstance(item, list) and all(type(token) is int and token >= 0 for token in item)


def _check_dimensions(model: str, size: object) -> Iterator[Fault]:
    if size is None:
        return
    if model == "text-embedding-ada-002":
        yield refused(None, "This model does not support specifying dimensions.")
    most = DIMENSIONS.get(model, MOST_DIMENSIONS)
    if type(size) is not int or size < 1:
        yield wrong("dimensions", f"expected an integer between 1 and {most}.", "invalid_value")
    elif size > most:
        yield refused(None, f"Invalid value for 'dimensions' = {size}. Must be less than or equal to {most}.")


def embeddings(call: Call) -> Json:
    """A vector for each input."""
    inputs = _inputs(call.body)
    size = call.body.get("dimensions") or DIMENSIONS.get(call.model, 1536)
    vectors = [vector(call.model, item, size) for item in inputs]
    if call.body.get("encoding_format") == "base64":
        encoded: list[Any] = [base64.b64encode(packed(each)).decode() for each in vectors]
    else:
        encoded = list(vectors)
    count = sum(_length(item) for item in inputs)
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": at, "embedding": each} for at, each in enumerate(encoded)],
        "model": call.model,
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }
