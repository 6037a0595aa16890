"""When will the provider answer again? Read from headers, from the fields of a body, and from its prose.

Sources: RFC 9110 (Retry-After), the IETF draft "RateLimit header fields", OpenAI and Groq "Rate limits"
(``x-ratelimit-reset-tokens: 6m0s``), Anthropic "Rate limits" (``anthropic-ratelimit-*-reset``), Google
``google.rpc.RetryInfo``, OpenRouter "Limits" (epoch milliseconds), Cerebras, Mistral and GitHub Models.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sparekey._classify.durations import instant, sane, span, wait
from sparekey._classify.objects import as_seconds, field_text, fields_of

_AFTER: dict[bytes, float] = {  # name: seconds that a bare number counts
    b"retry-after-ms": 1e-3,
    b"x-ms-retry-after-ms": 1e-3,
    b"x-retry-after-ms": 1e-3,
    b"retry-after": 1.0,
    b"x-retry-after": 1.0,
    b"x-ratelimit-retry-after": 1.0,
    b"x-ratelimit-timeremaining": 1.0,  # GitHub Models
}
_T_PARAMETER = re.compile(r"\bt=(\d{1,9})\b")


class Headers:
    """The fields of a response that tell the time."""

    __slots__ = ("fields",)

    def __init__(self, headers: object) -> None:
        self.fields: dict[bytes, Any] = {} if headers is None else fields_of(headers)

    def base(self, now: float) -> float:
        """The instant absolute times are measured from: the response's own date, else `now`."""
        written = self.fields.get(b"date")
        at = instant(field_text(written).lower(), now) if written else None
        return now if at is None else at

    def retry_after(self, now: float) -> float | None:
        """Seconds, where the server said outright when to come back."""
        for name, unit in _AFTER.items():
            if name in self.fields:
                value = field_text(self.fields[name])
                number = as_seconds(value)
                seconds = wait(value, self.base(now)) if number is None else wait(number * unit, now)
                if seconds is not None:
                    return seconds
        return None

    def reset(self, now: float, said: str = "") -> float | None:
        """Seconds until the spent quota refills: of the dimensions with nothing remaining, the last to refill.

        Where none is at zero, the one the message names (tokens, requests); else the first to refill.
        """
        resets: dict[str, float] = {}
        spent: set[str] = set()
        base: float | None = None
        for name, value in self.fields.items():
            if b"reset" in name:
                base = self.base(now) if base is None else base
                seconds = wait(field_text(value), base)
                if seconds:  # a reset at zero is a counter that was never set
                    resets[_dimension(name, "reset")] = seconds
            elif b"remaining" in name:
                number = as_seconds(field_text(value))
                if number is not None and number <= 0:
                    spent.add(_dimension(name, "remaining"))
            elif name == b"ratelimit" and (t := _T_PARAMETER.search(field_text(value))):
                resets["ratelimit"] = float(t[1])
        if not resets:
            return None
        exhausted = [seconds for dimension, seconds in resets.items() if dimension in spent]
        if exhausted:
            return max(exhausted)
        for word in ("token", "request"):
            named = [seconds for dimension, seconds in resets.items() if word in dimension and word in said]
            if named:
                return min(named)
        return min(resets.values())


NO_HEADERS = Headers(None)


def _dimension(name: bytes, word: str) -> str:
    """``x-ratelimit-reset-tokens`` and ``x-ratelimit-remaining-tokens`` both count ``x-ratelimit-tokens``."""
    return name.decode("latin-1", "replace").replace(word, "").replace("--", "-").replace("-after-seconds", "").strip("-")


# Fields of a body, squeezed to letters: what they hold. The relative ones come first, being free of clocks.
FIELDS: dict[str, float] = {
    "retrydelay": 1.0,  # google.rpc.RetryInfo
    "quotaresetdelay": 1.0,  # Google Cloud Code Assist
    "retryafterms": 1e-3,
    "retryafter": 1.0,
    "retryafterseconds": 1.0,
    "retryaftersecs": 1.0,
    "retryaftersec": 1.0,
    "retryin": 1.0,
    "resetsinseconds": 1.0,  # Codex
    "resetinseconds": 1.0,
    "resetafterseconds": 1.0,
    "secondsuntilreset": 1.0,
    "waitseconds": 1.0,
    "cooldownseconds": 1.0,
    "cooldowntime": 1.0,  # LiteLLM's router
    "quotaresettimestamp": 1.0,
    "resetsat": 1.0,
    "resetat": 1.0,
    "resettime": 1.0,
    "nextresettime": 1.0,
    "nextflushtime": 1.0,  # Zhipu
}
_RANK = {name: rank for rank, name in enumerate(FIELDS)}


def from_fields(fields: Iterable[tuple[str, object]], now: float) -> float | None:
    """Seconds that the structured fields of a body say, given as (squeezed name, value)."""
    for name, value in sorted(fields, key=lambda field: _RANK.get(field[0], 99)):
        seconds = wait(value, now)
        if seconds is not None:
            return sane(seconds * FIELDS.get(name, 1.0)) if as_seconds(value) is not None else seconds
    return None


# Where prose begins to speak of time. A bare number after it counts as seconds only where "after" or a colon says so.
_CUES = ("try again", "retry", "reset", "wait", "available", "recover", "refresh", "until", "limit reached|")
_CUE = re.compile(
    r"(?:try(?:ing)? again|retry|retrying|retried|reset\w{0,6}|refresh\w{0,4}|recover\w{0,4}|renew\w{0,4}|wait|available(?: again)?|until)"
    r"(?: your request| the request| this request| your requests)?"
    r"[ _:\"'-]{0,4}(?:again[ ,]{0,2})?"
    r"(?P<how>in|after|at|on|until|for|delay|by)?[ :=\"'~(]{0,4}"
    r"(?:about |approximately |around |at least |another |roughly )?[\"'(]?"
)
_NUMBER = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(?![\d:/-]|\.\d| ?(?:%|tokens?|requests?|times?|attempts?|characters?))")
_EPOCH_BAR = re.compile(r"limit reached\|(\d{10})\b")
_CHINESE_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(毫秒|秒钟?|分钟?|个?小时|天|日|周)(?:之?后|以后|内|再)")
_CHINESE_AT = re.compile(r"(?:将?在|于|至|到|时间)[:： ]{0,3}(\d{4}-\d\d-\d\d[ t]\d\d:\d\d(?::\d\d)?)")


def from_text(text: str, headers: Headers, now: float) -> float | None:
    """Seconds that a sentence says: "try again in 6m0s", "resets at 00:00 UTC", "请在 20 秒后重试"."""
    text = text.lower()
    if any(cue in text for cue in _CUES):
        for cue in _CUE.finditer(text):
            seconds = _at(text, cue, headers, now)
            if seconds is not None:
                return seconds
        if bar := _EPOCH_BAR.search(text):
            return wait(bar[1], headers.base(now))
    if not text.isascii():
        if at := _CHINESE_AT.search(text):
            now = headers.base(now)
            moment = instant(at[1], now, chinese=True)
            if moment is not None and moment > now - 86400:
                return sane(max(0.0, moment - now))
        if written := _CHINESE_SPAN.search(text):
            return sane(span(written[1] + written[2]))
    return None


def _at(text: str, cue: re.Match[str], headers: Headers, now: float) -> float | None:
    start = cue.end()
    seconds = span(text, start)
    if seconds is not None:
        return sane(seconds)
    if cue["how"] in ("at", "on", "until", "by", "after") or cue[0].startswith("until"):
        now = headers.base(now)
        moment = instant(text[start : start + 40], now, chinese=not text.isascii())
        if moment is not None:
            return sane(max(0.0, moment - now)) if moment > now - 86400 else None
    bare = cue["how"] == "after" or (cue["how"] is None and cue[0].startswith("retry"))
    if bare and (number := _NUMBER.match(text, start)):
        return wait(number[1], now)
    return None
