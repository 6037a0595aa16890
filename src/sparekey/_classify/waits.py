"""When will the provider answer again? Read from headers, from the fields of a body, and from its
prose.

Sources: RFC 9110 (Retry-After), the IETF draft "RateLimit header fields", OpenAI and Groq "Rate limits"
(``x-ratelimit-reset-tokens: 6m0s``), Anthropic "Rate limits" (``anthropic-ratelimit-*-reset``), Google
``google.rpc.RetryInfo``, OpenRouter "Limits" (epoch milliseconds), Cerebras, Mistral and GitHub Models.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta, timezone
from typing import Any

from sparekey._classify.durations import instant, sane, span
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


class Clock:
    """What the time is where an error was written: the instant and the zone its times are measured in."""

    __slots__ = ("_base", "_date", "_hours_east", "now")

    def __init__(self, now: float, date: object = None, hours_east: int = 0) -> None:
        self.now = now
        self._date = date
        self._hours_east = hours_east
        self._base: float | None = None

    @property
    def base(self) -> float:
        """The response's own date, where it has one, else `now`; an epoch second."""
        if self._base is None:
            written = field_text(self._date).lower() if self._date is not None else ""
            at = instant(written, self.now) if written else None
            self._base = self.now if at is None else at
        return self._base

    def until(self, text: str) -> float | None:
        """Seconds until the date that a text names; None for a date long past, or no date."""
        at = instant(text, self.base, timezone(timedelta(hours=self._hours_east)))
        return None if at is None or at < self.base - 86400 else sane(max(0.0, at - self.base))


class Headers:
    """The fields of a response that tell the time."""

    __slots__ = ("fields",)

    def __init__(self, headers: object) -> None:
        self.fields: dict[bytes, Any] = {} if headers is None else fields_of(headers)

    def retry_after(self, clock: Clock) -> float | None:
        """Seconds, where the server said outright when to come back."""
        for name, unit in _AFTER.items():
            if name in self.fields:
                value = field_text(self.fields[name])
                number = as_seconds(value)
                seconds = wait(value, clock) if number is None else wait(number * unit, clock)
                if seconds is not None:
                    return seconds
        return None

    def reset(self, clock: Clock, said: str = "") -> float | None:
        """Seconds until the spent quota refills.

        Of the dimensions with nothing remaining, the last to refill; where none is at zero, the one the
        message names (tokens, requests); else the first to refill.
        """
        resets: dict[str, float] = {}
        spent: set[str] = set()
        for name, value in self.fields.items():
            if b"reset" in name:
                seconds = wait(field_text(value), clock)
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
            named = [seconds for dimension, seconds in resets.items() if word in dimension]
            if named and word in said:
                return min(named)
        return min(resets.values())


def _dimension(name: bytes, word: str) -> str:
    """``x-ratelimit-reset-tokens`` and ``x-ratelimit-remaining-tokens`` both count ``x-ratelimit-tokens``."""
    text = name.decode("latin-1", "replace").replace(word, "")
    return text.replace("--", "-").replace("-after-seconds", "").strip("-")


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


def from_fields(fields: Iterable[tuple[str, object]], clock: Clock) -> float | None:
    """Seconds that the structured fields of a body say, given as (squeezed name, value)."""
    for name, value in sorted(fields, key=lambda field: _RANK.get(field[0], 99)):
        seconds = wait(value, clock)
        if seconds is not None:
            return sane(seconds * FIELDS.get(name, 1.0)) if as_seconds(value) is not None else seconds
    return None


# Where prose begins to speak of time.
_CUES = ("again", "retry", "regain", "reset", "wait", "available", "recover", "refresh", "renew", "until")
_CUE = re.compile(
    r"(?:try(?:ing)? again|regain access|retry(?:ing)?|reset\w{0,6}|refresh\w{0,4}|recover\w{0,4}"
    r"|renew\w{0,4}|wait|available|until)(?: (?:your|the|this) requests?)?[ _:\"'-]{0,4}(?:again[ ,]{0,2})?"
    r"(?P<how>in|after|at|on|until|for|delay|by)?[ :=\"'~(]{0,4}"
    r"(?:(?:about|approximately|around|at least|another|roughly) )?[\"'(]?"
)
# A number without a unit; what follows must not make it something else than seconds.
_AMOUNT = r"(\d{1,9}(?:\.\d{1,9})?)"
_NUMBER = re.compile(rf"{_AMOUNT}(?![\d:/-]|\.\d| ?(?:%|tokens?|requests?|times?|attempts?|characters?))")
_EPOCH_BAR = re.compile(r"limit reached\|(\d{10})\b")  # Claude Code
_CHINESE_UNIT = "(?:毫秒|秒钟?|分钟?|个?小时|天|日|周)"
_CHINESE_SPAN = re.compile(rf"((?:{_AMOUNT} ?{_CHINESE_UNIT} ?){{1,3}})(?:之?后|以后|内|再)")
_CHINESE_AT = re.compile(r"(?:在|于|至|到|时间)[:\uff1a ]{0,3}(\d{4}-\d\d-\d\d[ t]\d\d:\d\d(?::\d\d)?)")


def from_text(text: str, clock: Clock) -> float | None:
    """Seconds that a sentence says: "try again in 6m0s", "resets at 00:00 UTC", "请在 20 秒后重试"."""
    text = text.lower()
    if any(cue in text for cue in _CUES):
        for cue in _CUE.finditer(text):
            seconds = _at(text, cue, clock)
            if seconds is not None:
                return seconds
    if "|" in text and (bar := _EPOCH_BAR.search(text)):
        return wait(bar[1], clock)
    if not text.isascii():
        if at := _CHINESE_AT.search(text):
            return clock.until(at[1])
        if written := _CHINESE_SPAN.search(text):
            return sane(span(written[1]))
    return None


def _at(text: str, cue: re.Match[str], clock: Clock) -> float | None:
    start = cue.end()
    seconds = span(text, start)
    if seconds is not None:
        return sane(seconds)
    how = cue["how"]
    if how in ("at", "on", "until", "by", "after") or cue[0].startswith("until"):
        seconds = clock.until(text[start : start + 40])
        if seconds is not None:
            return seconds
    # A bare number is seconds only where "after" or the name of the header says so.
    bare = how == "after" or (how is None and cue[0].startswith("retry"))
    number = _NUMBER.match(text, start) if bare else None
    return wait(number[1], clock) if number else None


def wait(value: object, clock: Clock) -> float | None:
    """Seconds that a header or field says: a number, a span, an epoch (in s or ms) or a date."""
    number = as_seconds(value)
    if number is not None:
        if number > 1e11:  # epoch milliseconds
            return sane(max(0.0, number / 1000 - clock.base))
        if number > 1e9:  # epoch seconds
            return sane(max(0.0, number - clock.base))
        return sane(number)
    if not isinstance(value, str):
        return None
    text = value.strip().lower()[:80]
    seconds = span(text)
    return sane(seconds) if seconds is not None else clock.until(text)
