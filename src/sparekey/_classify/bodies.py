"""Take an error body apart, whatever its shape: codes, sentences, waits, and the shape itself.

Known shapes: ``{"error": {...}}`` (OpenAI and most), ``{"type": "error", "error": {...}}`` (Anthropic),
``{"error": {"status", "details": [...]}}`` (Google), ``[{"error": ...}]`` (Vertex streams), ``{"code", "message"}``
(DashScope, SiliconFlow), ``{"error_code", "error_msg"}`` (Qianfan, Huawei), ``{"base_resp": {...}}`` (MiniMax),
``{"errors": [...]}`` (Cloudflare), ``{"Response": {"Error": {...}}}`` (Tencent), ``{"detail": ...}`` (FastAPI),
``event: error`` streams, HTML pages, and any of them as a string inside another.

Only the fields named here are entered, so a request echoed by a validation error is never read as its cause.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sparekey._classify.objects import as_int, as_text, clip
from sparekey._classify.waits import FIELDS as WAIT_FIELDS

MOST_NODES = 200
DEEPEST = 10
LONGEST_JSON = 1 << 15
"""Characters. A longer text is searched as prose, not parsed."""

_CODE = frozenset(
    "code type status reason errorcode errcode errortype statuscode error exception exceptiontype errorname "
    "internalcode subcode blockreason finishreason errorcategory errorkey key id1".split()
)
_TEXT = frozenset(
    "message msg errormsg errormessage errmsg detail details title description errordescription statusmsg statusmessage "
    "error raw reason usermessage developermessage text body output errors hint cause localizedmessage uimessage "
    "originalmessage lasterror explanation".split()
)
_NEST = frozenset(
    "error errors detail details metadata raw innererror innerexception cause response body baseresp header data result "
    "fault info output status message violations err exception lasterror previouserrors originalerror upstreamerror "
    "upstream providererror incompletedetails promptfeedback responsemetadata payload source".split()
)
_HEADERS = frozenset(("headers", "responseheaders", "httpheaders"))


@lru_cache(maxsize=2048)
def squeeze(name: str) -> str:
    """A code or field name without its spelling: ``INVALID_API_KEY``, ``InvalidApiKey`` -> ``invalidapikey``."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


@dataclass(slots=True)
class Body:
    """What was found, outermost first."""

    codes: list[str] = field(default_factory=list)
    """Words: squeezed."""
    numbers: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    waits: list[tuple[str, object]] = field(default_factory=list)
    headers: list[object] = field(default_factory=list)
    shape: set[str] = field(default_factory=set)
    """Every field name met, squeezed: how a provider is known by its envelope."""
    nodes: int = 0


def read_body(body: object, into: Body | None = None) -> Body:
    """Everything an error body says. Never raises; work is bounded."""
    found = Body() if into is None else into
    try:
        _enter(body, found, 0)
    except (RecursionError, RuntimeError, ValueError, TypeError, AttributeError, KeyError):
        pass  # a container that lies about itself: keep what was read before it did
    return found


def _enter(value: object, found: Body, depth: int) -> None:
    if depth > DEEPEST or found.nodes >= MOST_NODES:
        return
    found.nodes += 1
    if isinstance(value, dict):
        for count, (name, inner) in enumerate(value.items()):
            if count >= 40:
                break
            if isinstance(name, str) and len(name) <= 60:
                _field(squeeze(name), inner, found, depth)
    elif isinstance(value, list | tuple):
        for inner in value[:20]:
            _enter(inner, found, depth + 1)
    elif isinstance(value, str | bytes | bytearray | memoryview):
        _string(as_text(value), found, depth)


def _field(name: str, value: Any, found: Body, depth: int) -> None:
    found.shape.add(name)
    if isinstance(value, dict | list | tuple):
        if name in _NEST:
            _enter(value, found, depth + 1)
        elif name in _HEADERS:
            found.headers.append(value)
        return
    if name in WAIT_FIELDS:
        found.waits.append((name, value))
        return
    if name in _CODE:
        if isinstance(value, str):
            if len(value) <= 80 and " " not in value.strip():
                number = as_int(value)
                if number is None:
                    found.codes.append(squeeze(value))
                else:
                    found.numbers.append(number)
                return
        elif (number := as_int(value)) is not None:
            found.numbers.append(number)
            return
        if name not in _TEXT and isinstance(value, str):
            found.texts.append(value[:400])
            return
    if name in _TEXT or name in _NEST:
        text = as_text(value)
        if text:
            _string(text, found, depth + 1)


def _string(text: str, found: Body, depth: int) -> None:
    """A string in a text field: prose, or a body of its own, or prose around one."""
    text = text.strip()
    if not text or found.nodes >= MOST_NODES or depth > DEEPEST:
        return
    if text[0] == "<" or "<html" in text[:3000].lower():
        found.texts.append(_page(text))
        found.shape.add("html")
        return
    opening = _opening(text)
    if opening < 0:
        found.texts.append(clip(text))
        return
    inner, end = _parsed(text, opening)
    if inner is None:
        found.texts.append(clip(text))
        return
    if opening:
        found.texts.append(clip(text[:opening]))
    _enter(inner, found, depth + 1)
    rest = text[end:]
    if len(rest) > 8:
        if _opening(rest) >= 0 and depth < DEEPEST:
            found.nodes += 1
            _string(rest, found, depth + 1)
        else:
            found.texts.append(clip(rest))


def _opening(text: str) -> int:
    """Where a JSON object, a list of them, or a Python dict begins in the first part of a text; -1 nowhere."""
    at = text.find("{", 0, 4000)
    if at < 0:
        return -1
    after = text[at + 1 : at + 40].lstrip()
    if not after or after[0] not in "\"'}\\":
        return -1
    return at - 1 if at and text[at - 1] == "[" else at


_decoder = json.JSONDecoder()


def _parsed(text: str, start: int) -> tuple[Any, int]:
    """The value written at `start` and where it ends; (None, 0) where none can be read."""
    if len(text) - start > LONGEST_JSON:
        return None, 0
    try:
        return _decoder.raw_decode(text, start)
    except (ValueError, RecursionError):
        pass
    tail = text[start:]
    if "\\\"" in tail[:200]:  # JSON quoted once more, as in a log line
        try:
            value, _ = _decoder.raw_decode(tail.replace('\\"', '"').replace("\\n", "\n"))
            return value, len(text)
        except (ValueError, RecursionError):
            return None, 0
    end = text.rfind("}") + 1
    if text.startswith("[", start):
        end = text.rfind("]") + 1
    # str() of a dict, as the OpenAI and Anthropic SDKs put it into their messages
    if 0 < end - start <= 6000 and text.count("{", start, end) <= 60:
        try:
            return ast.literal_eval(text[start:end]), end
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return None, 0
    return None, 0


_SCRIPT = re.compile(r"<(?:script|style)\b")
_TAG = re.compile(r"<[^<>]{0,400}>")


def _page(text: str) -> str:
    """What an HTML page says: its title, its headings, its first words. Numbers in markup are not read."""
    head = text[:12000]
    lower = head.lower()
    said = []
    before = lower.find("<")
    if before > 0:
        said.append(head[:before])
    for tag in ("title", "h1", "h2", "pre", "p"):
        start = lower.find(f"<{tag}")
        start = lower.find(">", start, start + 300) + 1 if start >= 0 else 0
        end = lower.find(f"</{tag}", start, start + 600) if start else -1
        if end > 0:
            said.append(_TAG.sub(" ", head[start:end]))
    return clip("\n".join(said)) if said else clip(_TAG.sub(" ", head[:3000]))
