"""Values for a JSON schema: from the prompt where it names them, made up otherwise.

The schema is whatever the client sent, so nothing in it is trusted to be what it should be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from sparekey.simulator._mind.hints import Hints, as_number

DEEPEST = 30
MOST = 1000
"""Values made for one schema; what lies beyond is null. A schema of a few lines can ask for billions."""
LONGEST_LIST = 100

_MADE_UP = {
    "date": "2024-01-01",
    "date-time": "2024-01-01T12:00:00Z",
    "time": "12:00:00",
    "email": "someone@example.com",
    "uri": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_ASKS_FOR_THE_PROMPT = frozenset({"query", "question", "q", "prompt", "text", "input", "message", "request", "task"})


def fill(schema: object, hints: Hints, *, whole: bool) -> Any:
    """A value that follows ``schema``.

    ``pattern`` and conditions between fields are not understood.

    Args:
        schema: a JSON schema.
        hints: what the prompt names.
        whole: fill every property; without, those required and those the prompt names.
    """
    return _Filler(schema, hints, whole).value(schema, "")


class _Filler:
    def __init__(self, root: object, hints: Hints, whole: bool) -> None:
        self._root = root
        self._hints = hints
        self._whole = whole
        self._made = 0
        self._open: list[str] = []
        """The references being followed, outermost first."""

    def value(self, schema: object, name: str) -> Any:
        """A value for one place; ``name`` is the property it stands in."""
        self._made += 1
        if self._made > MOST or len(self._open) > DEEPEST:
            return None
        ref = schema.get("$ref") if isinstance(schema, Mapping) else None
        self._open.append(str(ref or ""))
        try:
            return self._value(_merged(self._resolved(schema), self._resolved), name)
        finally:
            self._open.pop()

    def _value(self, schema: Mapping[str, Any], name: str) -> Any:
        if "const" in schema:
            return schema["const"]
        if isinstance(members := schema.get("enum"), list) and members:
            return self._member(members, name)
        for several in ("anyOf", "oneOf"):
            if isinstance(options := schema.get(several), list) and options:
                return self.value(self._option(options), name)
        match _kind(schema):
            case "object":
                return self._object(schema)
            case "array":
                return self._array(schema, name)
            case "integer" | "number" as kind:
                return self._number(schema, name, kind)
            case "boolean":
                given = self._given(name)
                return given.lower() in ("true", "yes", "1") if given else schema.get("default") is not False
            case "null":
                return None
            case _:
                return self._string(schema, name)

    def _resolved(self, schema: object) -> Mapping[str, Any]:
        """The schema behind a reference; an empty one where there is none."""
        seen: set[str] = set()
        while isinstance(schema, Mapping) and isinstance(ref := schema.get("$ref"), str):
            if ref in seen:
                return {}
            seen.add(ref)
            target = self._root
            for step in ref.removeprefix("#").split("/")[1:]:
                target = target.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(target, Mapping) else None
            schema = target
        return schema if isinstance(schema, Mapping) else {}

    def _is_open(self, schema: object) -> bool:
        """Whether this is a schema that stands inside itself here."""
        return isinstance(schema, Mapping) and "$ref" in schema and str(schema["$ref"]) in self._open

    def _option(self, options: list[Any]) -> object:
        """The first that is something, and not the schema it stands in."""

        def rank(option: object) -> tuple[bool, bool]:
            return self._is_open(option), _kind(self._resolved(option)) == "null"

        return min(options, key=rank)

    def _given(self, name: str) -> str | None:
        return self._hints.named(name) or self._hints.positional()

    def _member(self, members: list[Any], name: str) -> Any:
        given = self._given(name)
        same = [each for each in members if given is not None and str(each).lower() == given.lower()]
        return (same or self._hints.mentioned(members) or members)[0]

    def _object(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        properties = schema.get("properties")
        required = schema.get("required")
        if not isinstance(properties, Mapping):
            return {}
        needed = {each for each in required if isinstance(each, str)} if isinstance(required, list) else set()
        filled = {}
        for name, each in properties.items():
            optional = (not self._is_open(each)) if self._whole else self._hints.named(name) is not None
            if name in needed or optional:
                filled[name] = self.value(each, name)
        return filled

    def _array(self, schema: Mapping[str, Any], name: str) -> list[Any]:
        fixed, each = schema.get("prefixItems"), schema.get("items", {})
        values = [self.value(item, name) for item in fixed] if isinstance(fixed, list) else []
        members = each.get("enum") if isinstance(each, Mapping) else None
        if isinstance(members, list) and (mentioned := self._hints.mentioned(members)):
            return mentioned
        least = _size(schema.get("minItems"), 0 if values or self._is_open(each) else 1)
        most = min(_size(schema.get("maxItems"), LONGEST_LIST), LONGEST_LIST)
        kind = _kind(self._resolved(each))
        while len(values) < most and (len(values) < least or (not fixed and self._hints.more(kind))):
            values.append(self.value(each, name))
        return values

    def _number(self, schema: Mapping[str, Any], name: str, kind: str) -> int | float:
        given = self._given(name)
        low, high = _bound(schema, "minimum", -math.inf), _bound(schema, "maximum", math.inf)
        above, below = _bound(schema, "exclusiveMinimum", -math.inf), _bound(schema, "exclusiveMaximum", math.inf)
        step = _bound(schema, "multipleOf", 0)

        def fits(number: float | None) -> bool:
            return (
                number is not None
                and low <= number <= high
                and above < number < below
                and (kind == "number" or number == int(number))
                and (step < 1e-6 or math.isclose(number / step, round(number / step)))
            )

        named = as_number(given) if given else None
        said = named if fits(named) else self._hints.number(fits)
        edges = [edge for edge in (low, high, above, below) if math.isfinite(edge)]
        near = [number for edge in edges for number in (edge, edge + 1, edge - 1, edge + step, edge - step)]
        between = (max(low, above) + min(high, below)) / 2 if len(edges) > 1 else 1
        candidates = [said, _bound(schema, "default", 1), 1, 0, step, *near, between]
        number = next((each for each in candidates if fits(each)), 1) or 0
        return int(number) if kind == "integer" else number

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        format_ = schema.get("format")
        text = self._given(name)
        if text is None and name.lower() in _ASKS_FOR_THE_PROMPT:
            text = self._hints.quotation() or self._hints.prompt
        if text is None:
            text = self._hints.string(format_)
        if text is None and isinstance(default := schema.get("default"), str):
            text = default
        if text is None:
            text = _MADE_UP.get(str(format_), name.replace("_", " "))
        least, most = _size(schema.get("minLength"), 0), _size(schema.get("maxLength"), len(text) + 1000)
        return text.ljust(min(least, 1000), ".")[:most]


def _kind(schema: Mapping[str, Any]) -> str:
    """The type a value should have; the first that is something where there are several."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if isinstance(kind, str):
        return kind
    return "object" if "properties" in schema else "array" if "items" in schema or "prefixItems" in schema else "string"


def _merged(schema: Mapping[str, Any], resolved: Callable[[object], Mapping[str, Any]]) -> Mapping[str, Any]:
    """With the parts of ``allOf`` in it."""
    parts = schema.get("allOf")
    if not isinstance(parts, list):
        return schema
    merged = dict(schema)
    for part in parts:
        for word, said in resolved(part).items():
            held = merged.get(word)
            if isinstance(held, dict) and isinstance(said, dict):
                merged[word] = {**said, **held}
            elif isinstance(held, list) and isinstance(said, list):
                merged[word] = [*held, *said]
            else:
                merged.setdefault(word, said)
    return merged


def _size(value: object, otherwise: int) -> int:
    return value if type(value) is int and value >= 0 else otherwise


def _bound(schema: Mapping[str, Any], word: str, otherwise: float) -> float:
    value = schema.get(word)
    # Beyond this, numbers of the two kinds no longer compare as they should.
    return value if isinstance(value, int | float) and abs(value) < 1e15 else otherwise
