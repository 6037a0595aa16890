"""Bodies of requests: JSON, and forms with a file."""

from __future__ import annotations

import email
import json
from collections.abc import Mapping
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any

DEEPEST = 100
"""Levels of JSON in a request."""


def read_json(raw: bytes, _headers: Mapping[str, str]) -> object:
    """The JSON of a body; None when it is none, or deeper than anybody means."""
    try:
        body = json.loads(raw, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return None
    return body if _is_shallow(body) else None


def _no_json(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


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
    """The fields of a multipart form, of a file its name, size and type; None when it is no form."""
    kind = headers.get("content-type", "")
    message = email.message_from_bytes(b"content-type: " + kind.encode("latin-1") + b"\r\n\r\n" + raw)
    if message.get_content_type() != "multipart/form-data" or not message.is_multipart():
        return None
    form: dict[str, Any] = {}
    for part in message.get_payload():
        assert isinstance(part, Message)
        disposition = _disposition(part)
        name, filename = disposition.get_param("name", header="content-disposition"), disposition.get_filename()
        content = part.get_payload(decode=True)
        said = content if isinstance(content, bytes) else b""
        if name is not None and filename is not None:
            shown = {"filename": filename, "bytes": len(said), "mime_type": part.get_content_type()}
            form[collapse_rfc2231_value(name)] = shown
        elif name is not None:
            form[collapse_rfc2231_value(name)] = said.decode(errors="replace")
    return form


def _disposition(part: Message) -> Message:
    """The header that names a part, in UTF-8 as clients send it; the email package would take it for ASCII."""
    raw = "".join(str(value) for name, value in part.raw_items() if name.lower() == "content-disposition")
    read = Message()
    read["content-disposition"] = raw.encode("ascii", "surrogateescape").decode(errors="replace")
    return read
