"""JSON schemas as OpenAI takes them, and what it says of those it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def flaw(schema: object, *, strict: bool) -> str | None:
    """What is wrong with a schema, as the end of OpenAI's sentence; None when nothing is."""
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if kind != "object":
        shown = f'"{kind}"' if isinstance(kind, str) else '"None"'
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: {shown}'."
    return next(_loose(schema), None) if strict else None


def _loose(root: Any) -> Iterator[str]:
    """Where a schema leaves open what strict mode wants closed."""
    left: list[tuple[Any, tuple[str, ...]]] = [(root, ())]
    while left:
        schema, path = left.pop()
        if not isinstance(schema, Mapping):
            continue
        context = f"In context={path}, "
        properties = schema.get("properties")
        names = list(properties) if isinstance(properties, Mapping) else []
        if schema.get("type") == "object":
            if schema.get("additionalProperties") is not False:
                yield f"{context}'additionalProperties' is required to be supplied and to be false."
            required = schema.get("required")
            listed = required if isinstance(required, list) else []
            missing = next((name for name in names if name not in listed), None)
            if missing is not None:
                yield (
                    f"{context}'required' is required to be supplied and to be an array including every key in "
                    f"properties. Missing '{missing}'."
                )
        for word in ("properties", "$defs", "definitions"):
            if isinstance(inner := schema.get(word), Mapping):
                left += [(each, (*path, word, name)) for name, each in inner.items()]
        if "items" in schema:
            left.append((schema["items"], (*path, "items")))
        if isinstance(options := schema.get("anyOf"), list):
            left += [(each, (*path, "anyOf", str(at))) for at, each in enumerate(options)]
