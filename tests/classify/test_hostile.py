"""Junk never raises and never takes long: whatever a client, a proxy or an attacker puts into an error."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparekey._classify import classify, classify_response
from sparekey._types import Verdict


class Hostile:
    """An object of which everything raises."""

    def __getattr__(self, name):
        raise (AttributeError if name.startswith("_") else RuntimeError)(name)

    def __str__(self):
        raise ValueError

    def __len__(self):
        raise KeyError

    def __bool__(self):
        raise KeyError

    def __iter__(self):
        raise KeyError


class Endless(dict):
    """A mapping without an end."""

    def items(self):
        while True:
            yield "error", self


class Liar(str):
    """A string whose methods raise."""

    def lower(self):
        raise RuntimeError

    strip = find = encode = lower


WORDS = (
    *("error", "code", "message", "type", "status", "details", "metadata", "raw", "headers"),
    *("retryDelay", "retry_after", "resets_at", "base_resp"),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.binary(max_size=40),
    st.sampled_from(["429", "rate limit", "{'error': 1}", '{"error": {"code": 1113}}', "retry after 1e999", "额度"]),
    st.sampled_from([10**400, -(10**400), object(), len, Hostile(), Endless(), Liar("rate limit {"), memoryview(b"x")]),
)
JUNK = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.integers(), st.none()), inner, max_size=5),
    ),
    max_leaves=12,
)
ATTRIBUTES = st.sampled_from(
    (
        *("status_code", "status", "code", "http_status", "error_code", "type", "reason", "llm_provider"),
        *("body", "response", "request", "message", "details", "args", "json_body", "error", "raw_response"),
        *("headers", "litellm_response_headers", "original_exception"),
    )
)
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def acceptable(verdict):
    """What a verdict may hold at most."""
    return verdict is None or (
        isinstance(verdict, Verdict)
        and (verdict.status is None or 100 <= verdict.status <= 599)
        and (verdict.retry_after is None or 0 <= verdict.retry_after <= 31 * 86400)
    )


@FUZZ
@given(JUNK, JUNK, JUNK, st.one_of(st.none(), st.text(max_size=60)), st.sampled_from([None, "zhipu", "nobody"]))
def test_any_response_is_survived(status, headers, body, message, provider):
    """Status, headers and body of any type at all."""
    assert acceptable(classify_response(status, headers, body, message, provider=provider, now=1e9))


@FUZZ
@given(
    st.sampled_from(["RateLimitError", "Timeout", "Oops", "CancelledError"]),
    st.sampled_from(["openai", "litellm.exceptions", "botocore", "grpc", "redis", "", None, 5]),
    st.lists(JUNK, max_size=3),
    st.dictionaries(ATTRIBUTES, JUNK, max_size=4),
    st.booleans(),
)
def test_any_exception_is_survived(name, module, args, attributes, mute):
    """Attributes of any type, properties that raise, a message that raises."""
    methods = {"__module__": module}
    if mute:
        methods |= {"__str__": lambda self: 1 / 0, "body": property(lambda self: 1 / 0)}
    error = type(name, (Exception,), methods)(*args)
    for attribute, value in attributes.items():
        try:
            setattr(error, attribute, value)
        except (AttributeError, TypeError):
            continue

    assert acceptable(classify(error, now=1e9))


MEGABYTE = 1_000_000
ATTACKS = {
    "digits": "1" * MEGABYTE,
    "words": "rate " * (MEGABYTE // 5),
    "gaps": "max tokens " * (MEGABYTE // 11),
    "cues": "try again in " * (MEGABYTE // 13),
    "durations": "retry after " + "1d " * (MEGABYTE // 3),
    "statuses": "status " * (MEGABYTE // 7),
    "braces": "{" * MEGABYTE,
    "quotes": '{"' * (MEGABYTE // 2),
    "nesting": '{"error":' * (MEGABYTE // 9),
    "escapes": '{"a": "' + "\\" * MEGABYTE,
    "python": "{'a': " * (MEGABYTE // 6),
    "tags": "<html>" + "<" * MEGABYTE,
    "titles": "<title>" * (MEGABYTE // 7),
    "spaces": " " * MEGABYTE,
    "links": "https://" + "a." * (MEGABYTE // 2),
    "tokens": "A_b" * (MEGABYTE // 3),
    "chinese": "额度" * (MEGABYTE // 2),
    "json": json.dumps({"error": {"message": "x" * MEGABYTE}}),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_megabyte_is_read_no_longer_than_a_page(attack):
    """What is scanned is bounded and every pattern linear: milliseconds, in every place a text may stand.

    The bound is a hundred times what is measured, so a busy machine does not fail it; a quadratic pattern takes hours.
    """
    text = ATTACKS[attack]

    started = time.process_time()
    classify(Exception(text))
    classify_response(None, None, None, text)
    classify_response(400, None, text.encode())
    classify_response(429, {"retry-after": text, "x-ratelimit-reset": text}, {"error": {"message": text, "code": text}})

    assert time.process_time() - started < 2


def test_deep_and_wide_bodies_are_given_up():
    """A body nested beyond reason or broad beyond reason costs no more than its first few fields."""
    deep: dict[str, object] = {}
    inner = deep
    for _ in range(50_000):
        inner["error"] = inner = {}
    wide = {"error": {str(number): {"error": {"message": "x"}} for number in range(50_000)}}

    started = time.process_time()

    assert classify_response(400, None, deep) is not None
    assert classify_response(400, None, wide) is not None
    assert time.process_time() - started < 1
    while deep:  # taken apart by hand: the interpreter would recurse
        deep = deep.pop("error")  # type: ignore[assignment]
