"""Ten keys and fifty, all dead but one: every request is served, and each dead key is called once."""

from __future__ import annotations

import pytest

FAULTS = {
    "throttled": ("rate_limited", "rate_limit"),
    "out of credit": ("no_credit", "billing"),
    "revoked": ("revoked", "auth"),
    "forbidden": ("forbidden", "auth"),
    "server error": ("server_error", "server_error"),
    "overloaded": ("overloaded", "overloaded"),
    "reset": ("reset", "network"),
    "hanging": ("hang", "timeout"),
}
REQUESTS = 3
HANGS = 0.25
"""Seconds that a hanging key is waited for."""


@pytest.fixture(params=FAULTS)
def dying(request, provider, entry, router_of, attempts):
    """Builds a router of some keys that are dead in one way and a last one that answers, and checks what it did."""
    behaviour, reason = FAULTS[request.param]

    class Dying:
        def __init__(self, dead):
            self.keys = [f"sk-dead-{i}" for i in range(dead)]
            self.sim = provider({**dict.fromkeys(self.keys, behaviour), "sk-alive": "healthy"}, reply="Hi")
            # The last one has time to answer, on whatever machine.
            limit = {"timeout": HANGS} if behaviour == "hang" else {}
            self.router = router_of(
                entry(self.sim, self.keys, order=1, **limit), entry(self.sim, ["sk-alive"], order=2)
            )

        def check(self):
            tried = [attempt for attempt in attempts if not attempt.skipped]
            assert [attempt.reason for attempt in tried] == [reason] * len(self.keys) + [None] * REQUESTS
            called = self.sim.counts
            assert called.pop("sk-alive") == REQUESTS
            if behaviour == "hang":  # a busy machine may give up on one before it is heard
                assert set(called.values()) <= {0, 1}
            else:
                assert called == dict.fromkeys(self.keys, 1)

    return Dying


def test_nine_of_ten_keys_are_dead(ask, dying):
    """In each of the four ways to ask."""
    case = dying(9)

    assert [ask(case.router) for _ in range(REQUESTS)] == ["Hi"] * REQUESTS

    case.check()


def test_forty_nine_of_fifty_keys_are_dead(aask, dying):
    """LiteLLM's own window on what was tried has four places."""
    case = dying(49)

    assert [aask(case.router) for _ in range(REQUESTS)] == ["Hi"] * REQUESTS

    case.check()
