"""What an HTTP status says when nothing better was said, and where in a text a status may be read.

Sources: RFC 9110, RFC 6585, Cloudflare "5xx errors"; 434 Zhipu, 421 Xiaomi MiMo, 412 Fireworks, 498
Hugging Face, 499 and 529 nginx and Anthropic.
"""

from __future__ import annotations

import re

from sparekey._classify.findings import Family

_F = Family
STATUSES: dict[int, Family] = {
    400: _F.REQUEST,
    401: _F.KEY,
    402: _F.MONEY,
    403: _F.ACCESS,
    404: _F.MISSING,
    405: _F.REQUEST,
    407: _F.NETWORK,
    408: _F.SLOW,
    409: _F.SERVER,
    410: _F.MISSING,
    412: _F.ACCESS,
    413: _F.SIZE,
    421: _F.REQUEST,
    424: _F.SERVER,
    425: _F.BUSY,
    429: _F.LIMIT,
    434: _F.ACCESS,
    451: _F.ACCESS,
    498: _F.KEY,
    499: _F.SLOW,
    500: _F.SERVER,
    501: _F.REQUEST,
    502: _F.GATEWAY,
    503: _F.BUSY,
    504: _F.SLOW,
    522: _F.SLOW,
    523: _F.NETWORK,
    524: _F.SLOW,
    525: _F.NETWORK,
    526: _F.NETWORK,
    529: _F.BUSY,
    598: _F.SLOW,
    599: _F.SLOW,
}

VAGUE = frozenset((_F.REQUEST, _F.SERVER, _F.GATEWAY))
"""Families so broad that a status named inside the message says more."""


def family_of(status: int | None) -> Family | None:
    """The family of a status; None for a success, or for what is no status."""
    if status is None:
        return None
    known = STATUSES.get(status)
    if known is not None:
        return known
    if 400 <= status < 500:
        return _F.REQUEST
    if 500 <= status < 600:
        return _F.SERVER
    return None


# A number in prose is no status. These forms say that it is one; each begins at a word, and is bounded.
_STATUS = r"([45]\d\d)"
_NAMED = re.compile(  # "HTTP 429", "status code: 429", "error code=429", "API error 429", "returned 503"
    r"(?:https?(?:/\d(?:\.\d)?)?|status|(?:status|error|response|http|api)[ _]?(?:code|status|error)"
    r"|code(?= ?[:=])|returned|responded with|error(?= [45]\d\d[:,)\]]))"
    rf"[ \"'*]{{0,3}}(?:code|error|status|response)?[ :=(\"'*\[]{{0,4}}{_STATUS}(?![\d.]*\d|[a-z_%])"
)
_TITLED = re.compile(  # "429 Too Many Requests", "| 524: A timeout occurred", "503 UNAVAILABLE"
    rf"(?:^|[ (:|\[]){_STATUS}[):]?[ -]{{1,3}}(?:too many requests|bad request|unauthorized|payment required"
    r"|forbidden|not found|request timeout|payload too large|unprocessable|internal|bad gateway|service"
    r"|gateway time|a timeout occurred|connection timed out|web server is|resource_exhausted|unavailable"
    r"|invalid_argument|permission_denied|unauthenticated|failed_precondition|deadline_exceeded)"
)
_FIRST = re.compile(  # "402 Insufficient Balance", "400: User location …", "401 - …", "429 {…}"
    rf"\W{{0,3}}{_STATUS}(?:$|: |:?\n| - |, |\. | status code| error| \{{| \[?\"| (?=[A-Z\"'\[{{(<*`]))"
    r"(?!RP|TP|MB|KB|GB)"
)
_SHOUTED = re.compile(  # "failed: 402 You …", "Error: 500 <html>", "[400 ]"
    rf"(?:[Ff]ailed|[Ee]rror|[Ee]xception)(?: with)?: ?{_STATUS}(?=:|\n|$| [A-Z{{\"\[<-])|\[{_STATUS}[ \]]"
)


def status_in(text: str) -> int | None:
    """The status an error message names explicitly, in one of the forms above; None for any other number."""
    head = text[:1200]
    lower = head.lower()
    found = _FIRST.match(head) or _SHOUTED.search(head) or _NAMED.search(lower) or _TITLED.search(lower)
    return int(next(filter(None, found.groups()))) if found else None
