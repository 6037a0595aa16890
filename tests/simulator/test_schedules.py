"""Windows, sequences and per-model behaviour, under a clock that moves when told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparekey.errors import ConfigError
from sparekey.simulator import Simulator
from sparekey.simulator._openai import duration
from sparekey.simulator._roster import Course
from sparekey.simulator._scenario import read_steps

Ask = Callable[..., Any]

Clock = Any


def kinds(told: Any, times: list[float]) -> list[str]:
    """What a key does at each of these moments."""
    course = Course(read_steps(told), now=0)
    return [course.turn(now).behaviour.kind for now in times]


OK, BAD, FULL = "healthy", "server_error", "rate_limited"


@pytest.mark.parametrize(
    ("told", "times", "expected"),
    [
        (BAD, [0, 1, 9], [BAD, BAD, BAD]),
        ([BAD, OK], [0, 0, 0], [BAD, OK, OK]),
        ([{"kind": BAD, "times": 2}, OK], [0, 0, 0], [BAD, BAD, OK]),
        ({"kind": BAD, "times": 2}, [0, 0, 0], [BAD, BAD, OK]),
        ([OK, {"kind": BAD, "times": 2}], [0, 0, 0, 0], [OK, BAD, BAD, OK]),
        ({"kind": BAD, "seconds": 30}, [0, 29.9, 30, 99], [BAD, BAD, OK, OK]),
        ([{"kind": BAD, "seconds": 30}, {"kind": "hang", "seconds": 10}], [39, 40], ["hang", OK]),
        ({"kind": BAD, "seconds": 30, "times": 1}, [0, 1], [BAD, OK]),
        (
            {"kind": "limited", "requests": 2, "window": 60},
            [0, 1, 2, 59, 60, 61, 62],
            [OK, OK, FULL, FULL, OK, OK, FULL],
        ),
        ({"kind": "limited", "requests": 1, "window": 60}, [50, 109, 110], [OK, FULL, OK]),
        ({"kind": "limited", "requests": 0}, [0, 60], [FULL, FULL]),
        ([{"kind": "limited", "requests": 1, "times": 2}, BAD], [0, 0, 0], [OK, FULL, BAD]),
    ],
)
def test_steps_follow_each_other(told: Any, times: list[float], expected: list[str]) -> None:
    """A step lasts its requests or its seconds; after the last one with an end, the key is healthy."""
    assert kinds(told, times) == expected


@given(
    requests=st.integers(1, 5),
    window=st.floats(0.5, 100),
    steps=st.lists(st.floats(0, 50), max_size=60),
)
def test_no_window_serves_more_than_its_limit(requests: int, window: float, steps: list[float]) -> None:
    """However requests fall, a window holds its limit, and waiting as long as told is enough."""
    course = Course(read_steps({"kind": "limited", "requests": requests, "window": window}), now=0)
    now, opened, served = 0.0, None, 0
    for step in steps:
        now += step
        turn = course.turn(now)
        if opened is None or now >= opened + window:
            opened, served = now, 0
        if turn.behaviour.kind == OK:
            served += 1
        else:
            assert served == requests
            assert turn.quota is not None
            assert now + turn.quota.reset == pytest.approx(opened + window)
    assert served <= requests


def test_a_window_tells_the_true_remaining_time(ask: Ask, clock: Clock) -> None:
    """Every answer says what is left, and a 429 how long the window has yet to go."""
    with Simulator({"sk-a": {"kind": "limited", "requests": 1, "window": 60}}, clock=clock) as sim:
        assert ask(sim, "sk-a").error is None
        clock.now += 18.5
        error = ask(sim, "sk-a").error
        assert isinstance(error, openai.RateLimitError)
        clock.now += 41.5
        assert ask(sim, "sk-a").error is None

    headers = error.response.headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("42", "41500")
    assert headers["x-ratelimit-limit-requests"] == "1"
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert headers["x-ratelimit-reset-requests"] == "41.5s"
    assert "Please try again in 41.5s." in error.message


def test_a_served_request_says_what_is_left(clock: Clock) -> None:
    """The headers of a success count down."""
    with Simulator({"sk-a": {"kind": "limited", "requests": 3, "window": 360}}, clock=clock) as sim:
        with openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=0) as client:
            headers = [client.models.with_raw_response.list().headers for _ in range(3)]

    assert [h["x-ratelimit-remaining-requests"] for h in headers] == ["2", "1", "0"]
    assert headers[0]["x-ratelimit-reset-requests"] == "6m0s"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("rate_limited", "20"),
        ({"kind": "rate_limited", "retry_after": 0.3}, "1"),
        ({"kind": "rate_limited", "retry_after": None}, None),
    ],
)
def test_a_plain_limit_waits_as_long_as_told(ask: Ask, told: Any, expected: str | None) -> None:
    """Retry-After is what the scenario says, in whole seconds, and absent when it says none."""
    with Simulator({"sk-a": told}) as sim:
        error = ask(sim, "sk-a").error

    assert isinstance(error, openai.RateLimitError)
    assert error.response.headers.get("retry-after") == expected
    assert ("Please try again" in error.message) == (expected is not None)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.6441, "645ms"), (20, "20s"), (18.642, "18.642s"), (360, "6m0s"), (3661.5, "1h1m1.5s")],
)
def test_times_are_written_as_openai_writes_them(seconds: float, text: str) -> None:
    """Rounded up to milliseconds, in the units of the real headers."""
    assert duration(seconds) == text


def test_a_key_may_behave_differently_per_model(ask: Ask) -> None:
    """Named models have a behaviour, a window and a sequence of their own."""
    limited = {"kind": "limited", "requests": 1}
    entry = {"key": "sk-a", "behaviour": limited, "models": {"small": "healthy", "big": [BAD, OK]}}
    with Simulator([entry]) as sim:
        assert isinstance(ask(sim, "sk-a", model="big").error, openai.InternalServerError)
        assert ask(sim, "sk-a", model="gpt-4o").error is None
        assert isinstance(ask(sim, "sk-a", model="gpt-4o").error, openai.RateLimitError)
        assert ask(sim, "sk-a", model="small").error is None
        assert ask(sim, "sk-a", model="big").error is None

        assert sim.count("sk-a") == 5
        assert sim.count("sk-a", model="big") == 2


def test_a_behaviour_can_be_changed_while_running(ask: Ask) -> None:
    """Set begins anew: for every model, for one, for a key that was not there."""
    with Simulator({"sk-a": "healthy"}) as sim:
        sim.set("sk-a", "rate_limited", retry_after=5)
        assert ask(sim, "sk-a").error.response.headers["retry-after"] == "5"

        sim.set("sk-a", "healthy", model="small")
        assert ask(sim, "sk-a", model="small").error is None
        assert isinstance(ask(sim, "sk-a").error, openai.RateLimitError)

        sim.set("sk-a", [BAD, OK])
        assert isinstance(ask(sim, "sk-a", model="small").error, openai.InternalServerError)
        assert ask(sim, "sk-a").error is None

        sim.set("sk-new", "healthy")
        assert ask(sim, "sk-new").error is None


def test_setting_one_model_of_an_unknown_key_is_an_error() -> None:
    """What the key would do for other models is not known, so nothing is guessed, and no key is shown."""
    sim = Simulator({})
    with pytest.raises(ConfigError, match=r"key [0-9a-f]{12} is not in the scenario"):
        sim.set("sk-new", "healthy", model="small")


def test_a_wrong_behaviour_is_refused_at_once() -> None:
    """A typing error shows where it is made."""
    sim = Simulator({"sk-a": "healthy"})
    with pytest.raises(ConfigError, match=r"no such behaviour; did you mean 'revoked'\?"):
        sim.set("sk-a", "revokd")
    with pytest.raises(ConfigError, match=r"delay: Input should be greater than or equal to 0"):
        sim.set("sk-a", "slow", delay=-1)
