"""Look at objects nobody vouches for: attributes may raise, strings may be endless, texts may be bytes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

TEXT_HEAD = 6000
"""Characters read from the start of a text. Errors say what they are early; what follows is an echo."""
TEXT_TAIL = 1000
"""Characters read from its end, where SDKs append what the server said."""
BYTES_READ = 1 << 17
"""Bytes of a raw body that are decoded at all."""


def peek(thing: object, name: str) -> Any:
    """An attribute, or None: there is none, or reading it raises."""
    try:
        return getattr(thing, name, None)
    except Exception:
        return None


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


def pairs(headers: object, limit: int = 256) -> Iterable[tuple[str, str]]:
    """The fields of a header collection of any kind, as (lower-case name, value)."""
    found: list[tuple[str, str]] = []
    try:
        # httpx keeps the bytes it received; going through its mapping face costs ten times as much.
        raw = getattr(headers, "raw", None)
        if not isinstance(raw, list):
            raw = headers.items() if isinstance(headers, Mapping) or hasattr(headers, "items") else headers
        if not isinstance(raw, Iterable) or isinstance(raw, str | bytes):
            return found
        for count, item in enumerate(raw):
            if count >= limit:
                break
            if not isinstance(item, tuple | list) or len(item) < 2:
                continue
            name, value = item[0], item[1]
            if isinstance(value, list | tuple):
                value = value[0] if value else ""
            if isinstance(name, bytes):
                name = name.decode("latin-1")
            if not isinstance(name, str) or len(name) > 100:
                continue
            if isinstance(value, bytes):
                value = value[:400].decode("latin-1")
            elif isinstance(value, int | float) and not isinstance(value, bool):
                value = repr(value)[:400]
            if isinstance(value, str):
                found.append((name.lower(), value[:400]))
    except Exception:
        return found
    return found
