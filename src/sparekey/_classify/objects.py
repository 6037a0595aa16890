"""Look at objects nobody vouches for: attributes may raise, strings may be endless, texts may be bytes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import islice
from typing import Any

TEXT_HEAD = 4000
"""Characters read from the start of a text. Errors say what they are early; what follows is an echo."""
TEXT_TAIL = 1000
"""Characters read from its end, where SDKs append what the server said."""
BYTES_READ = 1 << 17
"""Bytes of a raw body that are decoded at all."""


def listed(words: str) -> frozenset[str]:
    """A set of words, written as a sentence: tables read better without quotes."""
    return frozenset(words.split())


def peek(thing: object, name: str) -> Any:
    """An attribute, or None: there is none, or reading it raises."""
    try:
        return getattr(thing, name, None)
    except Exception:
        return None


def size_of(thing: Any) -> int:
    """How much a container holds; nothing where it will not say."""
    try:
        return len(thing)
    except Exception:
        return 0


def clip(text: str) -> str:
    """A text short enough to search: its head and its tail."""
    if len(text) <= TEXT_HEAD + TEXT_TAIL:
        return text
    return f"{text[:TEXT_HEAD]}\n{text[-TEXT_TAIL:]}"


def decoded(data: bytes | bytearray | memoryview) -> str:
    """Bytes as text; a stray byte is replaced, a long body cut."""
    try:
        return bytes(data[:BYTES_READ]).decode("utf-8", "replace")
    except Exception:
        return ""


def as_text(value: object) -> str:
    """A string or bytes as text; anything else is none of ours."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return decoded(value)
    return ""


def as_int(value: object) -> int | None:
    """An integer, written as one or as a short string of digits."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int(value) if -(10**9) < value < 10**9 else None
    if isinstance(value, str) and len(value) <= 9 and value.isascii() and value.isdigit():
        return int(value)
    return None


def as_status(value: object) -> int | None:
    """An HTTP status, or None."""
    number = as_int(value)
    return number if number is not None and 100 <= number <= 599 else None


def as_seconds(value: object) -> float | None:
    """A finite number of anything, written as a number or as a short string."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and len(value) > 40:
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def fields_of(headers: object, limit: int = 256) -> dict[bytes, Any]:
    """The fields of a header collection of any kind: lower-case names as bytes, values as they came."""
    try:
        # httpx keeps what it received, names in lower case beside it; its mapping face costs ten times more.
        kept = getattr(headers, "_list", None)
        if type(kept) is list and kept and len(kept[0]) == 3:
            return {name: value for _, name, value in kept[:limit]}
        return {
            as_text(name)[:100].lower().encode("latin-1", "replace"): value
            for name, value, *_ in islice(_items(headers), limit)
        }
    except Exception:
        return {}


def _items(headers: object) -> Iterable[Any]:
    items = getattr(headers, "items", None)
    if callable(items):
        return items()  # type: ignore[no-any-return]
    return headers if isinstance(headers, list | tuple) else ()


def field_text(value: object) -> str:
    """A header's value as text; of a list of values the first."""
    if isinstance(value, list | tuple):
        value = value[0] if value else ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)[:40]
    return as_text(value)[:400]
