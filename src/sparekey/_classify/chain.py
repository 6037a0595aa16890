"""Follow an exception to its causes: what says nothing, or only something vague, is looked behind."""

from __future__ import annotations

from collections.abc import Iterator

from sparekey._classify.objects import peek
from sparekey._classify.typed import Typed, typed

DEEPEST = 8
"""Causes behind causes that are followed."""
WIDEST = 16
"""Members of an exception group that are looked at."""
MOST = 40
"""Exceptions looked at in all."""


def causes(error: BaseException) -> Iterator[tuple[BaseException, Typed]]:
    """`error`, then what is behind it, nearest first; each once, and not for ever."""
    seen: set[int] = set()
    waiting: list[tuple[BaseException, int]] = [(error, 0)]
    while waiting and len(seen) < MOST:
        current, depth = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        known = typed(type(current))  # type: ignore[arg-type]  # typeshed: a class is not Hashable
        if known.cancelled and depth:
            continue  # what was cancelled behind a failure is not the failure
        yield current, known
        if depth < DEEPEST:
            waiting += [(inner, depth + 1) for inner in _behind(current, known)]


def _behind(error: BaseException, known: Typed) -> list[BaseException]:
    found: list[object] = []
    if isinstance(error, BaseExceptionGroup):
        found += list(error.exceptions[:WIDEST])
    # LiteLLM's mid-stream error; urllib's and urllib3's wrappers
    found += [peek(error, "original_exception"), peek(error, "reason")]
    cause = error.__cause__
    if cause is not None:
        found.append(cause)
    elif not error.__suppress_context__ and not known.bug:
        # A bug that surfaced while a failure was handled is not that failure.
        found.append(error.__context__)
    return [inner for inner in found if isinstance(inner, BaseException)]
