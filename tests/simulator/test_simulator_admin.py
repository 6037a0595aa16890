"""Looking into a running simulator from outside, without ever seeing a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest

from sparekey._secrets import fingerprint
from sparekey.simulator import Simulator

Ask = Callable[..., Any]

KEY = "sk-live-0123456789abcdef0123"


def test_requests_are_shown_by_name(ask_sync: Ask) -> None:
    """Counts and the log name entries; the key is nowhere in them."""
    with Simulator([{"name": "spare", "key": KEY, "behaviour": "revoked"}]) as sim:
        ask_sync(sim, KEY)
        ask_sync(sim, "sk-stranger", model="m")
        answer = httpx.get(f"{sim.url}/_sparekey/requests")

    assert answer.json()["counts"] == {"spare": 1}
    first, second = answer.json()["requests"]
    assert first.pop("at") > 0
    assert first == {
        "name": "spare",
        "fingerprint": fingerprint(KEY),
        "path": "/v1/chat/completions",
        "model": "gpt-4o",
        "stream": False,
        "behaviour": "revoked",
        "status": 401,
    }
    assert second["name"] == f"unknown-{fingerprint('sk-stranger')}"
    assert KEY not in answer.text
    assert "sk-stranger" not in answer.text


def test_the_log_can_be_cleared(ask_sync: Ask) -> None:
    """DELETE forgets what was asked."""
    with Simulator({"sk-a": "healthy"}) as sim:
        ask_sync(sim, "sk-a")
        assert httpx.delete(f"{sim.url}/_sparekey/requests").status_code == 204
        assert sim.requests == []
        assert sim.counts == {"sk-a": 0}


def test_keys_are_shown_with_what_they_do_now(ask_sync: Ask) -> None:
    """The list follows the schedule, and holds no key."""
    with Simulator([{"name": "spare", "key": KEY, "behaviour": ["revoked", "hang"]}]) as sim:
        ask_sync(sim, KEY)
        answer = httpx.get(f"{sim.url}/_sparekey/keys")

    expected = {"name": "spare", "fingerprint": fingerprint(KEY), "count": 1, "now": {"*": "hang"}}
    assert answer.json() == [expected]


@pytest.mark.parametrize("address", ["spare", fingerprint(KEY)], ids=["name", "fingerprint"])
def test_a_behaviour_can_be_changed_from_outside(address: str, ask_sync: Ask) -> None:
    """By name or by fingerprint, for all models or for one."""
    with Simulator([{"name": "spare", "key": KEY}]) as sim:
        where = f"{sim.url}/_sparekey/keys/{address}"
        changed = httpx.post(where, json={"behaviour": "revoked"})
        assert isinstance(ask_sync(sim, KEY).error, openai.AuthenticationError)

        httpx.post(where, json={"behaviour": {"kind": "rate_limited", "retry_after": 3}, "model": "m"})
        assert isinstance(ask_sync(sim, KEY, model="m").error, openai.RateLimitError)
        assert isinstance(ask_sync(sim, KEY).error, openai.AuthenticationError)

    assert changed.json()["now"] == {"*": "revoked"}
    assert KEY not in changed.text


@pytest.mark.parametrize(
    ("name", "body", "status", "text"),
    [
        ("nobody", b'{"behaviour": "hang"}', 404, "no key of this name or fingerprint"),
        ("key-1", b"{", 400, 'send {"behaviour": …}'),
        ("key-1", b"{}", 400, 'send {"behaviour": …}'),
        ("key-1", b'{"behaviour": "hang", "modle": "m"}', 400, 'send {"behaviour": …}'),
        ("key-1", b'{"behaviour": "hang", "model": 5}', 400, "model: this is a text"),
        ("key-1", b'{"behaviour": "hnag"}', 400, "did you mean 'hang'?"),
    ],
)
def test_a_wrong_change_is_refused_and_changes_nothing(
    name: str, body: bytes, status: int, text: str, ask_sync: Ask
) -> None:
    """The answer says in one line what was wrong."""
    with Simulator({"sk-a": "healthy"}) as sim:
        answer = httpx.post(f"{sim.url}/_sparekey/keys/{name}", content=body)
        assert ask_sync(sim, "sk-a").error is None

    assert answer.status_code == status
    assert text in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "requests"), ("DELETE", "requests"), ("GET", "keys"), ("POST", "keys/key-1")],
)
async def test_other_machines_may_not_look_in(method: str, path: str) -> None:
    """The admin paths answer to loopback clients only, wherever the simulator listens."""
    stranger = httpx.ASGITransport(Simulator({"sk-a": "healthy"})._app, client=("192.0.2.7", 4711))
    async with httpx.AsyncClient(transport=stranger, base_url="http://simulator") as client:
        answer = await client.request(method, f"/_sparekey/{path}")

    assert answer.status_code == 403
