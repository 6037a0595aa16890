"""Spans and instants as providers write them: ``6m0s``, ``4 days 20 hours``, ISO 8601, HTTP dates, ``00:00 UTC``.

Every function takes a bounded text and returns seconds. Nothing here reads a clock.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone

from sparekey._classify.objects import as_seconds

LONGEST = 31 * 86400.0
"""Seconds. A wait beyond a month is a mistake, or an account's end, which is no wait."""

_UNITS: dict[str, float] = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6,
    "ms": 1e-3, "msec": 1e-3, "msecs": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3, "毫秒": 1e-3,
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "秒": 1.0, "秒钟": 1.0,
    "m": 60.0, "min": 60.0, "mins": 60.0, "minute": 60.0, "minutes": 60.0, "分": 60.0, "分钟": 60.0,
    "h": 3600.0, "hr": 3600.0, "hrs": 3600.0, "hour": 3600.0, "hours": 3600.0, "小时": 3600.0, "个小时": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0, "天": 86400.0, "日": 86400.0,
    "w": 604800.0, "week": 604800.0, "weeks": 604800.0, "周": 604800.0, "个星期": 604800.0,
}  # fmt: skip
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,12})?) ?([a-zµ]{1,12}|[个小时分钟毫秒天日周星期]{1,3})")
_BETWEEN = re.compile(r"[ ,]{0,3}(?:and )?")

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?(?: ?z\b|[+-]\d\d:?\d\d\b)?")
_HTTP_DATE = re.compile(r"(\d{1,2})[ -]([a-z]{3})[a-z]*[ -](\d{4}),? (\d\d):(\d\d)(?::(\d\d))?")
_US_DATE = re.compile(
    r"([a-z]{3})[a-z]{0,6}\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4}),?(?: at)?(?: (\d{1,2}):(\d\d)(?::\d\d)?(?: ?([ap])m)?)?"
)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::\d\d)? ?(?:\(?utc\)?|gmt|z)\b")
_BEIJING = timezone(timedelta(hours=8))


def sane(seconds: float | None) -> float | None:
    """A wait that can be meant: not negative, finite, within a month."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0 or seconds > LONGEST:
        return None
    return seconds


def span(text: str, start: int = 0) -> float | None:
    """The duration written at `start`, in seconds: ``1h43m56s``, ``20 seconds``, ``2 days and 3 hours``."""
    total = 0.0
    found = False
    for _ in range(6):
        part = _PART.match(text, start)
        if part is None:
            break
        unit = _UNITS.get(part[2])
        if unit is None:
            break
        total += float(part[1]) * unit
        found = True
        between = _BETWEEN.match(text, part.end())
        start = between.end() if between else part.end()
    return total if found else None


def instant(text: str, now: float, *, chinese: bool = False) -> float | None:
    """The epoch second that a date in `text` names. A date without a zone is UTC, in Chinese text Beijing's."""
    zone = _BEIJING if chinese else UTC
    try:
        if iso := _ISO.search(text):
            written = iso[0].upper().replace(" Z", "Z")
            moment = datetime.fromisoformat(written)
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
        if (http := _HTTP_DATE.search(text)) and http[2] in _MONTHS:
            day, _, year, hour, minute, second = http.groups()
            moment = datetime(int(year), _MONTHS[http[2]], int(day), int(hour), int(minute), int(second or 0))
            return moment.replace(tzinfo=zone).timestamp()
        if (us := _US_DATE.search(text)) and us[1] in _MONTHS:
            hour = int(us[4] or 0)
            if us[6]:
                hour = hour % 12 + (12 if us[6] == "p" else 0)
            moment = datetime(int(us[3]), _MONTHS[us[1]], int(us[2]), hour, int(us[5] or 0))
            return moment.replace(tzinfo=zone).timestamp()
        if clock := _CLOCK.search(text):
            return _next_time_of_day(int(clock[1]), int(clock[2]), now)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _next_time_of_day(hour: int, minute: int, now: float) -> float:
    today = datetime.fromtimestamp(now, UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
    at = today.timestamp()
    return at if at > now else at + 86400.0


def wait(value: object, now: float) -> float | None:
    """Seconds from `now` that a header or field says: a number, a span, an epoch (s or ms) or a date."""
    number = as_seconds(value)
    if number is None:
        if not isinstance(value, str):
            return None
        text = value.strip().lower()[:80]
        number = span(text)
        if number is not None:
            return sane(number)
        at = instant(text, now)
        return None if at is None else sane(max(0.0, at - now)) if at > now - 86400 else None
    if number > 1e11:  # epoch milliseconds
        return sane(max(0.0, number / 1000 - now))
    if number > 1e9:  # epoch seconds
        return sane(max(0.0, number - now))
    return sane(number)
