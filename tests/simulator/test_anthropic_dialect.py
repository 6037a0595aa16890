"""Anthropic's own clients take the simulator for Anthropic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import anthropic
import httpx
import pytest

from sparekey.simulator import Simulator

MESSAGES: list[Any] = [{"role": "user", "content": "are you there?"}]

PATIENCE = 0.2
"""Seconds until a client gives up on a key that hangs."""

Clock = Any


Connect = Callable[..., anthropic.Anthropic]
Create = Callable[..., Any]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients, and closes them when the test is over."""
    with ExitStack() as open_clients:

        def make(sim: Simulator) -> anthropic.Anthropic:
            made = anthropic.Anthropic(base_url=sim.url, api_key="sk-a", max_retries=0)
            return open_clients.enter_context(made)

        yield make


@pytest.fixture
def create(connect: Connect) -> Create:
    """Sends one message."""
    defaults: dict[str, Any] = {"model": "claude", "max_tokens": 50, "messages": MESSAGES, "timeout": 5}
    return lambda sim, **options: connect(sim).messages.create(**defaults | options)


def test_a_healthy_key_answers_by_name(create: Create) -> None:
    """The answer names the entry and the model, and counts words."""
    with Simulator([{"name": "spare-2", "key": "sk-a"}]) as sim:
        answer = create(sim, system="be brief")

        assert sim.counts == {"sk-a": 1}
    assert answer.content[0].text == "Hello from spare-2 (claude): you said 'are you there?'"
    assert (answer.model, answer.stop_reason) == ("claude", "end_turn")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (5, 9)


def test_max_tokens_cuts_the_answer(create: Create) -> None:
    """A limit is kept, and the stop reason says so."""
    with Simulator({"sk-a": "healthy"}) as sim:
        answer = create(sim, max_tokens=2)

    assert (answer.content[0].text, answer.stop_reason) == ("Hello from ", "max_tokens")


def test_a_stop_sequence_ends_the_text(create: Create) -> None:
    """The answer says which one it was."""
    with Simulator({"sk-a": "healthy"}, reply="one two three") as sim:
        answer = create(sim, stop_sequences=["three", " two"])

    assert (answer.content[0].text, answer.stop_reason, answer.stop_sequence) == ("one", "stop_sequence", " two")


def test_usage_has_its_details(create: Create, connect: Connect) -> None:
    """Nothing is cached, and the fields for it are there, at the end of a stream too."""
    with Simulator({"sk-a": "healthy"}) as sim:
        whole = create(sim).usage
        *_, delta, _stop = create(sim, stream=True)

    for usage in (whole, delta.usage):
        assert (usage.input_tokens, usage.output_tokens) == (3, 9)
        assert (usage.cache_creation_input_tokens, usage.cache_read_input_tokens) == (0, 0)


def test_the_stream_has_anthropics_events(create: Create, connect: Connect) -> None:
    """The client's own helper puts the message together again."""
    with Simulator({"sk-a": "healthy"}, reply="one two") as sim:
        kinds = [event.type for event in create(sim, stream=True)]
        with connect(sim).messages.stream(model="claude", max_tokens=50, messages=MESSAGES) as stream:
            final = stream.get_final_message()

    assert kinds == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 2,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert (final.content[0].text, final.usage.output_tokens) == ("one two", 2)


REFUSALS = {
    "revoked": (401, anthropic.AuthenticationError, "authentication_error"),
    "no_credit": (402, anthropic.APIStatusError, "billing_error"),
    "insufficient_quota": (400, anthropic.BadRequestError, "invalid_request_error"),
    "rate_limited": (429, anthropic.RateLimitError, "rate_limit_error"),
    "forbidden": (403, anthropic.PermissionDeniedError, "permission_error"),
    "region_blocked": (403, anthropic.PermissionDeniedError, "forbidden"),
    "overloaded": (529, anthropic.InternalServerError, "overloaded_error"),
    "server_error": (500, anthropic.InternalServerError, "api_error"),
    "bad_request": (400, anthropic.BadRequestError, "invalid_request_error"),
    "context_overflow": (400, anthropic.BadRequestError, "invalid_request_error"),
    "content_policy": (400, anthropic.BadRequestError, "invalid_request_error"),
    "model_not_found": (404, anthropic.NotFoundError, "not_found_error"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("kind", REFUSALS)
def test_refusals_raise_the_right_class(kind: str, stream: bool, create: Create) -> None:
    """Each refusal has its status, its type and the client's own exception, streamed or not."""
    status, expected, type_ = REFUSALS[kind]
    with Simulator({"sk-a": kind}) as sim, pytest.raises(expected) as caught:
        create(sim, stream=stream)

    body: Any = caught.value.body
    assert (caught.value.status_code, body["type"], body["error"]["type"]) == (status, "error", type_)
    assert body["request_id"] == caught.value.request_id


def test_a_window_tells_the_true_remaining_time(clock: Clock, create: Create) -> None:
    """Anthropic's headers give the moment the window closes, and Retry-After the seconds until then."""
    with Simulator({"sk-a": {"kind": "limited", "requests": 1, "window": 60}}, clock=clock) as sim:
        create(sim)
        clock.now += 18.5
        with pytest.raises(anthropic.RateLimitError) as caught:
            create(sim)

    headers = caught.value.response.headers
    assert headers["retry-after"] == "42"
    assert headers["anthropic-ratelimit-requests-limit"] == "1"
    assert headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert headers["anthropic-ratelimit-requests-reset"] == "1970-01-12T13:47:40Z"


def test_a_hanging_key_never_answers(create: Create) -> None:
    """The client runs into its own timeout."""
    with Simulator({"sk-a": "hang"}) as sim, pytest.raises(anthropic.APITimeoutError):
        create(sim, timeout=PATIENCE)


def test_a_reset_is_a_connection_error(create: Create) -> None:
    """There is no HTTP response to read."""
    with Simulator({"sk-a": "reset"}) as sim, pytest.raises(anthropic.APIConnectionError):
        create(sim)


@pytest.mark.parametrize("after", [0, 1])
def test_a_stream_is_cut_where_told(after: int, create: Create) -> None:
    """Exactly so many tokens arrive before the connection is gone."""
    seen = []
    with Simulator({"sk-a": {"kind": "stream_cut", "after": after}}) as sim:
        try:
            seen.extend(event.type for event in create(sim, stream=True))
        except Exception as error:
            seen.append(type(error).__name__)

    assert seen.count("content_block_delta") == after
    assert seen[-1] in ("RemoteProtocolError", "APIConnectionError")  # its HTTP library's own, or wrapped


def test_an_error_event_breaks_the_stream(create: Create) -> None:
    """Anthropic's overload comes inside a stream of status 200, too."""
    told = {"kind": "stream_error", "after": 1, "error": "overloaded"}
    with Simulator({"sk-a": told}) as sim, pytest.raises(anthropic.APIStatusError) as caught:
        for _ in create(sim, stream=True):
            pass

    body: Any = caught.value.body
    assert body["error"]["type"] == "overloaded_error"


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"model": None}, "model: Field required"),
    ({"messages": None}, "messages: Field required"),
    ({"messages": 5}, "messages: Input should be a valid list"),
    ({"messages": []}, "messages: at least one message is required"),
    ({"messages": ["x"]}, "messages.0: Input should be a valid dictionary"),
    (
        {"messages": [{"role": "tool", "content": "x"}]},
        "messages.0.role: Input should be 'user', 'assistant' or 'system'",
    ),
    ({"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
    ({"max_tokens": None}, "max_tokens: Field required"),
    ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
    ({"stream": "yes"}, "stream: Input should be a valid boolean"),
]


@pytest.mark.parametrize(("change", "message"), INVALID)
def test_an_invalid_request_is_refused_whatever_the_key(change: dict[str, Any], message: str) -> None:
    """What is wrong with the request itself is a 400 naming the field, even for a key that would hang."""
    body = {"model": "claude", "max_tokens": 50, "messages": MESSAGES} | change
    with Simulator({"sk-a": "hang"}) as sim:
        answer = httpx.post(f"{sim.base_url}/messages", json=body, headers={"x-api-key": "sk-a"})

    assert answer.status_code == 400
    assert answer.json()["error"] == {"type": "invalid_request_error", "message": message}


def test_tokens_can_be_counted(connect: Connect) -> None:
    """Counting costs a request and answers with words."""
    with Simulator({"sk-a": "healthy"}) as sim:
        assert connect(sim).messages.count_tokens(model="claude", messages=MESSAGES).input_tokens == 3


def test_an_unknown_path_is_refused_in_anthropics_words() -> None:
    """The dialect follows the header every Anthropic client sends."""
    with Simulator({"sk-a": "healthy"}) as sim:
        answer = httpx.get(f"{sim.base_url}/nothing", headers={"anthropic-version": "2023-06-01"})

    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")
