"""Pydantic's complaints in our words: where, what is wrong, and never the value, which may be a key."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a setting there is",
    "string_type": "must be text",
    "string_too_short": "must not be blank",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of settings",
    "model_type": "must be a mapping of settings",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
}


def problems_of(error: ValidationError) -> list[str]:
    """One short text for each problem, as ``api_keys[0]: must be text``."""
    found = [_problem(problem) for problem in error.errors(include_url=False, include_input=False)]
    return list(dict.fromkeys(found))


def _problem(problem: Any) -> str:
    at = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).lstrip(".")
    words = _WORDS.get(problem["type"])
    own = problem["msg"].removeprefix("Value error, ")
    words = own if words is None else words.format(**problem.get("ctx", {}))
    return f"{at}: {words}" if at else words
