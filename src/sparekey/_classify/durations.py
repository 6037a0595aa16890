"""Spans and instants as providers write them: ``6m0s``, ``2 days``, ISO 8601, HTTP dates, ``00:00 UTC``.

Every function takes a bounded text and returns seconds. Nothing here reads a clock.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, tzinfo

LONGEST = 31 * 86400.0
"""Seconds. A wait beyond a month is a mistake, or an account's end, which is no wait."""

_UNITS: dict[str, float] = {
    unit: seconds
    for seconds, units in (
        (1e-9, "ns"),
        (1e-6, "us µs"),
        (1e-3, "ms msec msecs millisecond milliseconds 毫秒"),
        (1.0, "s sec secs second seconds 秒 秒钟"),
        (60.0, "m min mins minute minutes 分 分钟"),
        (3600.0, "h hr hrs hour hours 小时 个小时"),
        (86400.0, "d day days 天 日"),
        (604800.0, "w week weeks 周 个星期"),
    )
    for unit in units.split()
}
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,12})?) ?([a-zµ]{1,12}|[个小时分钟毫秒天日周星期]{1,3})")
_BETWEEN = re.compile(r"[ ,]{0,3}(?:and )?")

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_TIME = r"\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?"
_ISO = re.compile(rf"\d{{4}}-\d\d-\d\d(?:(?:[t ]| at ){_TIME})?(?: ?z\b|[+-]\d\d:?\d\d\b)?")
_HTTP_DATE = re.compile(r"(\d{1,2})[ -]([a-z]{3})[a-z]*[ -](\d{4}),? (\d\d):(\d\d)(?::(\d\d))?")
_US_DATE = re.compile(
    r"([a-z]{3})[a-z]{0,6}\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4}),?(?: at)?"
    r"(?: (\d{1,2}):(\d\d)(?::\d\d)?(?: ?([ap])m)?)?"
)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::\d\d)? ?(?:\(?utc\)?|gmt|z)\b")


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


def instant(text: str, now: float, zone: tzinfo = UTC) -> float | None:
    """The epoch second that a date in `text` names; one without a zone of its own is in `zone`."""
    try:
        if iso := _ISO.search(text):
            written = iso[0].upper().replace(" AT ", "T").replace(" Z", "Z")
            moment = datetime.fromisoformat(written)
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
        if (http := _HTTP_DATE.search(text)) and http[2] in _MONTHS:
            day, _, year, hour, minute, second = http.groups()
            date = (int(year), _MONTHS[http[2]], int(day))
            return datetime(*date, int(hour), int(minute), int(second or 0), tzinfo=zone).timestamp()
        if (us := _US_DATE.search(text)) and us[1] in _MONTHS:
            hour = int(us[4] or 0)
            if us[6]:
                hour = hour % 12 + (12 if us[6] == "p" else 0)
            date = (int(us[3]), _MONTHS[us[1]], int(us[2]))
            return datetime(*date, hour, int(us[5] or 0), tzinfo=zone).timestamp()
        if clock := _CLOCK.search(text):
            return _next_time_of_day(int(clock[1]), int(clock[2]), now)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _next_time_of_day(hour: int, minute: int, now: float) -> float:
    today = datetime.fromtimestamp(now, UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
    at = today.timestamp()
    return at if at > now else at + 86400.0
