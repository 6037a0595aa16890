"""Take an error body apart, whatever its shape: codes, sentences, waits, and the shape itself.

Known shapes: ``{"error": {...}}`` (OpenAI and most), ``{"type": "error", "error": {...}}`` (Anthropic),
``{"error": {"status", "details": [...]}}`` (Google), ``[{"error": ...}]`` (Vertex streams), ``{"code",
"message"}`` (DashScope, SiliconFlow), ``{"error_code", "error_msg"}`` (Qianfan, Huawei),
``{"base_resp": {...}}`` (MiniMax), ``{"errors": [...]}`` (Cloudflare), ``{"Response": {"Error":
{...}}}`` (Tencent), ``{"detail": ...}`` (FastAPI), ``event: error`` streams, HTML pages, and any of
them as a string inside another.

Only the fields named here are entered, so a request echoed by a validation error is never read as its
cause.
"""

from __future__ import annotations

import ast
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

from sparekey._classify.objects import TEXT_HEAD, TEXT_TAIL, as_int, as_text, clip, listed
from sparekey._classify.waits import FIELDS as WAIT_FIELDS

MOST_NODES = 400
"""Objects and fields."""
WIDEST = 40
"""Fields of one object."""
DEEPEST = 10
LONGEST_JSON = 1 << 15
"""Characters. A longer text is searched as prose, not parsed."""

_CODE = listed("""
    code type status reason errorcode errcode errortype statuscode error exception exceptiontype
    errorname blockreason finishreason errorcategory errorkey
""")
_TEXT = listed("""
    message msg errormsg errormessage errmsg detail details title description errordescription statusmsg
    error raw reason usermessage text body output errors hint cause explanation lasterror
""")
_NEST = listed("""
    error errors detail details metadata raw innererror innerexception cause response body baseresp
    header data result fault info output status message violations err exception lasterror
    previouserrors originalerror upstreamerror upstream providererror incompletedetails promptfeedback
    responsemetadata payload source
""")
_HEADERS = listed("headers responseheaders httpheaders")


def squeeze(name: str) -> str:
    """A name without its spelling: ``API_KEY_INVALID`` and ``ApiKeyInvalid`` are ``apikeyinvalid``."""
    return name.lower().replace("_", "").replace("-", "").replace(".", "").replace(":", "")


@lru_cache(maxsize=512)
def _kind(name: str) -> tuple[str, bool, bool, bool]:
    """A field's squeezed name, and whether it holds a code, a text, a body of its own."""
    name = squeeze(name)
    code = name in _CODE or name.endswith("code")
    text = name in _TEXT or name in _NEST or name.endswith(("message", "msg"))
    return name, code, text, name in _NEST


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
    room: int = TEXT_HEAD + TEXT_TAIL
    """Characters of text still taken in: whatever the number of texts, reading them is bounded."""

    def say(self, text: str) -> None:
        """Take a text in, cut to what is left of the room."""
        if self.room > 0 and text:
            text = clip(text)[: self.room]
            self.room -= len(text)
            self.texts.append(text)


def read_body(body: object, into: Body | None = None) -> Body:
    """Everything an error body says. Never raises; work is bounded."""
    found = Body() if into is None else into
    with suppress(Exception):  # of a container that lies about itself, what was read before it did
        _enter(body, found, 0)
    return found


def _enter(value: object, found: Body, depth: int) -> None:
    if depth > DEEPEST or found.nodes >= MOST_NODES:
        return
    found.nodes += 1
    if isinstance(value, dict):
        for name, inner in islice(value.items(), WIDEST):
            found.nodes += 1
            if found.nodes >= MOST_NODES:
                return
            if isinstance(name, str) and len(name) <= 60:
                _field(name, inner, found, depth)
    elif isinstance(value, list | tuple):
        for inner in value[:20]:
            _enter(inner, found, depth + 1)
    else:
        _string(as_text(value), found, depth)


def _field(name: str, value: Any, found: Body, depth: int) -> None:
    name, is_code, is_text, is_nest = _kind(name)
    found.shape.add(name)
    if value is None:
        return
    if isinstance(value, dict | list | tuple):
        if is_nest:
            _enter(value, found, depth + 1)
        elif name in _HEADERS:
            found.headers.append(value)
    elif name in WAIT_FIELDS:
        found.waits.append((name, value))
    elif is_code and _code(value, found):
        return
    elif is_text or is_code:
        text = as_text(value)
        if text:
            _string(text, found, depth + 1)


def _code(value: object, found: Body) -> bool:
    """Note a code; False for what is none, as a sentence in a field called ``error``."""
    number = as_int(value)
    if number is not None:
        found.numbers.append(number)
        return True
    if not isinstance(value, str) or len(value) > 80 or " " in value.strip():
        return False
    found.codes.append(squeeze(value))
    return True


def _string(text: str, found: Body, depth: int) -> None:
    """A string in a text field: prose, or a body of its own, or prose around one."""
    text = text.strip()
    if not text or found.nodes >= MOST_NODES or depth > DEEPEST:
        return
    if text[0] == "<" or "<html" in text[:3000].lower():
        found.say(_page(text))
        found.shape.add("html")
        return
    opening = _opening(text)
    if opening < 0:
        found.say(text)
        return
    inner, end = _parsed(text, opening)
    if inner is None:
        found.say(text)
        return
    if opening:
        found.say(text[:opening])
    _enter(inner, found, depth + 1)
    rest = text[end:]
    if len(rest) > 8:
        if _opening(rest) >= 0 and depth < DEEPEST:
            found.nodes += 1
            _string(rest, found, depth + 1)
        else:
            found.say(rest)


def _opening(text: str) -> int:
    """Where a JSON object, a list of them, or a Python dict begins near the start of a text; -1 nowhere."""
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
    if '\\"' in tail[:200]:  # JSON quoted once more, as in a log line
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
    return "\n".join(said) if said else _TAG.sub(" ", head[:3000])
