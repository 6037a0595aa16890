"""Bodies of requests: JSON, and forms with a file."""

from __future__ import annotations

import email
import json
import math
from collections.abc import Mapping
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any

DEEPEST = 100
"""Levels of JSON in a request."""


def read_json(raw: bytes, _headers: Mapping[str, str]) -> object:
    """The JSON of a body; None when it is none, or deeper than anybody means."""
    try:
        body = json.loads(raw, parse_constant=_no_json, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return body if _is_shallow(body) else None


def _no_json(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _finite(digits: str) -> float:
    """The number; one too large for a float would be sent back as a word that is no JSON."""
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits} is too large")
    return number


def _is_shallow(body: object) -> bool:
    """Whether a body has so few levels that all of it can be walked and sent back."""
    level = [body]
    for _ in range(DEEPEST):
        level = [
            each
            for value in level
            if isinstance(value, dict | list)
            for each in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return True
    return False


def read_form(raw: bytes, headers: Mapping[str, str]) -> object:
    """The fields of a multipart form, of a file its name, size and type; None when it is no form.

    A field whose name ends in ``[]`` is a list, as it may be there several times.

    The parts are cut here, as the email package would look into a file that is a mail itself.
    """
    kind = Message()
    kind["content-type"] = headers.get("content-type", "")
    boundary = kind.get_boundary()
    if kind.get_content_type() != "multipart/form-data" or not boundary:
        return None
    _, *parts = (b"\r\n" + raw).split(b"\r\n--" + boundary.encode("latin-1", "replace"))
    if not parts or not parts[-1].startswith(b"--"):
        return None
    form: dict[str, Any] = {}
    for part in parts[:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        about = email.message_from_bytes(head.lstrip())
        disposition = _disposition(about)
        name, filename = _named(disposition, "name"), _named(disposition, "filename")
        if name is not None and filename is not None:
            form[name] = {"filename": filename, "bytes": len(content), "mime_type": about.get_content_type()}
        elif name is not None and name.endswith("[]"):
            form.setdefault(name, []).append(content.decode(errors="replace"))
        elif name is not None:
            form[name] = content.decode(errors="replace")
    return form


def _named(disposition: Message, param: str) -> str | None:
    """A name in the header of a part; clients write what would end or break it as browsers do."""
    said = disposition.get_param(param, header="content-disposition")
    if said is None:
        return None
    name = collapse_rfc2231_value(said)
    for letter, written in (('"', "%22"), ("\r", "%0D"), ("\n", "%0A")):
        name = name.replace(written, letter)
    return name


def _disposition(part: Message) -> Message:
    """The header that names a part, in UTF-8 as clients send it; the email package would take it for ASCII."""
    raw = "".join(str(value) for name, value in part.raw_items() if name.lower() == "content-disposition")
    read = Message()
    read["content-disposition"] = raw.encode("ascii", "surrogateescape").decode(errors="replace")
    return read
