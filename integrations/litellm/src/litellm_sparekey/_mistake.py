"""A mistake in what somebody configured, and the place where it stands."""

from __future__ import annotations

from collections.abc import Sequence

import sparekey as sk

Steps = tuple["str | int", ...]
"""The names and numbers that lead to a value, outermost first."""


class PlacedError(sk.ConfigError):
    """A ``ConfigError`` that knows where it stands, for whoever can name the line of it."""

    path: Steps = ()


def mistake(path: Sequence[str | int], problem: str, name: object = None) -> PlacedError:
    """The error for ``path``; ``name`` is the entry's own, beside its number."""
    error = PlacedError(f"{place(path, name)}: {problem}")
    error.path = tuple(path)
    return error


def place(path: Sequence[str | int], name: object = None) -> str:
    """``model_list[0] (chat): litellm_params.api_keys[1]``."""
    entry = len(path) > 1 and isinstance(path[1], int)
    head, rest = (f"{path[0]}[{path[1]}]", path[2:]) if entry else ("", path)
    if entry and isinstance(name, str) and name.strip():
        head += f" ({name})"
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest).removeprefix(".")
    return ": ".join(part for part in (head, field) if part)
