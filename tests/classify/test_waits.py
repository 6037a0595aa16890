"""When the provider will answer again: every header, field and sentence that says so, in seconds."""

from __future__ import annotations

import httpx
import pytest

from sparekey._classify import classify

NOW = 1_764_000_000.0
"""2025-11-24 16:00:00 UTC, as in conftest."""


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30),
        ({"Retry-After": "0.5"}, 0.5),
        ({"RETRY-AFTER": 7}, 7),
        ({"retry-after": ["9", "10"]}, 9),
        ({b"retry-after": b"4"}, 4),
        ([("Retry-After", "11")], 11),
        (httpx.Headers({"Retry-After": "12"}), 12),
        ({"retry-after-ms": "1500", "retry-after": "99"}, 1.5),
        ({"retry-after": "Mon, 24 Nov 2025 16:01:00 GMT"}, 60),
        ({"retry-after": "Mon, 24 Nov 2025 16:01:00 GMT", "date": "Mon, 24 Nov 2025 16:00:45 GMT"}, 15),
        ({"retry-after": "Mon, 24 Nov 2025 15:59:00 GMT"}, 0),
        ({"x-ratelimit-timeremaining": "5400"}, 5400),
        ({"x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"x-ratelimit-reset-requests": "1h2m"}, 3720),
        ({"x-ratelimit-reset": "1764000060"}, 60),
        ({"X-RateLimit-Reset": "1764000060000"}, 60),
        ({"x-ratelimit-reset": "2025-11-24T16:02:00Z"}, 120),
        ({"ratelimit-reset": "45"}, 45),
        ({"RateLimit": '"default";r=0;t=50'}, 50),
        ({"anthropic-ratelimit-requests-reset": "2025-11-24T16:00:10Z"}, 10),
        ({"x-ratelimit-reset-tokens-minute": "55.4", "x-ratelimit-remaining-tokens-minute": "0"}, 55.4),
    ],
    ids=str,
)
def test_headers(headers, seconds, wait):
    """Any mapping or list of pairs, any case, any unit; absolute times count from the response's own date."""
    assert wait(429, None, headers=headers) == pytest.approx(seconds)


def test_of_several_resets_the_spent_one_counts(wait):
    """The dimension with nothing remaining decides, however soon another refills."""
    headers = {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "2m",
        "x-ratelimit-remaining-tokens": "100",
        "x-ratelimit-reset-tokens": "1s",
    }

    assert wait(429, None, headers=headers) == 120


def test_where_none_is_spent_the_message_names_the_dimension(wait):
    """A request above what is left of the tokens is refused with tokens remaining."""
    headers = {
        "x-ratelimit-remaining-requests": "5",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-remaining-tokens": "100",
        "x-ratelimit-reset-tokens": "40s",
    }

    assert wait(429, {"error": {"message": "rate limit on tokens"}}, headers=headers) == 40


def test_a_quotas_reset_is_no_answer_to_anything_else(wait):
    """Those headers come with every response; only a throttle means them."""
    headers = {"x-ratelimit-reset-requests": "8.64s", "x-ratelimit-remaining-requests": "0"}

    assert wait(400, None, headers=headers) is None
    assert wait(402, None, headers=headers) is None


@pytest.mark.parametrize(
    "value",
    ["-5", "nan", "inf", "1e400", "9999999999999999", "soon", "", "0x10", "99999999", "99 Foo 2025"],
)
def test_absurd_waits_are_ignored(value, wait):
    """Negative, endless, beyond a month, or no time at all."""
    assert wait(429, None, headers={"retry-after": value}) is None


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"error": {"details": [{"@type": "google.rpc.RetryInfo", "retryDelay": "21.5s"}]}}, 21.5),
        ({"error": {"details": [{"metadata": {"quotaResetDelay": "250.5ms"}}]}}, 0.2505),
        ({"error": {"type": "usage_limit_reached", "resets_in_seconds": 431999, "resets_at": 1}}, 431999),
        ({"error": {"resets_at": 1764000060}}, 60),
        ({"detail": {"retry_after": 12.5}}, 12.5),
        ({"error": {"retry_after_ms": 2500}}, 2.5),
        ({"error": {"metadata": {"headers": {"X-RateLimit-Reset": "1764000030000"}}}}, 30),
    ],
    ids=str,
)
def test_bodies(body, seconds, wait):
    """Google's RetryInfo, Codex' resets, OpenRouter's headers within the body."""
    assert wait(429, body) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Please try again in 6m0s.", 360),
        ("Please try again in 250ms", 0.25),
        ("try again in 20 seconds", 20),
        ("try again in 3 days 2 hours 5 minutes", 266700),
        ("Please retry in 12.512345678s", 12.5123),
        ("please try again after 1 seconds", 1),
        ("Retry-After: 12", 12),
        ("Your quota will reset after 2h3m4s", 7384),
        ("Please wait 5400 seconds before retrying", 5400),
        ("limit resets at 2025-11-24T17:00:00Z", 3600),
        ("Your limit will reset at 2025-11-24 17:00:00", 3600),
        ("resets at 00:00 UTC", 28800),
        ("You will regain access on 2025-11-25 at 00:00 UTC", 28800),
        ("try again at Nov 24, 2025 5:00 PM", 3600),
        ("usage limit reached|1764003600", 3600),
        ("请在 20 秒后重试", 20),
        ("请 1小时30分钟后再试", 5400),
        ("rate limit, try again later", None),
        ("rate limit: retry 3 times", None),
        ("rate limit of 500 requests per day", None),
        ("rate limit, try again in 99999 days", None),
        ("rate limit reset at 2020-01-01T00:00:00Z", None),
    ],
)
def test_sentences(message, seconds, wait):
    """Prose in two languages; a number is a time only with a unit or after "after"."""
    found = wait(429, {"error": {"message": message}})

    assert found == (pytest.approx(seconds, rel=1e-3) if seconds is not None else None)


def test_a_date_without_a_zone_is_in_the_providers(wait):
    """Zhipu writes Beijing time and does not say so."""
    body = {"error": {"code": "1308", "message": "您的限额将在 2025-11-25 01:00:00 重置"}}

    assert wait(429, body) == 3600


def test_headers_speak_before_bodies_and_bodies_before_prose(wait):
    """Of several answers the most formal one is taken."""
    body = {"error": {"message": "try again in 3 seconds", "details": [{"retryDelay": "2s"}]}}

    assert wait(429, body, headers={"retry-after": "1"}) == 1
    assert wait(429, body) == 2
    assert wait(429, {"error": {"message": "try again in 3 seconds"}}) == 3


def test_the_headers_may_hang_on_a_cause():
    """What says why need not be what carries the headers: LangChain's Google errors keep them on the cause."""
    cause = Exception("x")
    cause.response = type("Response", (), {"headers": {"retry-after": "21"}, "status_code": 429})()
    outer = type("GoogleRateLimitError", (Exception,), {})("429 RESOURCE_EXHAUSTED")
    outer.__cause__ = cause

    assert classify(outer, now=NOW).retry_after == 21


def test_without_a_moment_given_the_clock_on_the_wall_is_read():
    """Only the front door knows what time it is."""
    error = Exception("429 Too Many Requests: try again in 5 seconds")

    assert classify(error).retry_after == 5
