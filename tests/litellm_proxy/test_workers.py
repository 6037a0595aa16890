"""Several workers, one memory: what one of them learned, the others and the next ones know."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(240)

KEYS = {
    "chat": ["sk-shared-1", "sk-shared-2"],
    "later": ["sk-later-1", "sk-later-2"],
}
_HEARD_WITHIN = 3.0
"""Seconds for word of a dead key to get about: one is promised, and nothing outside tells that it has happened."""


@pytest.fixture(scope="module")
def config(provider, tmp_path_factory):
    """Groups of two keys, the first of which is dead, and a state in a file."""
    for first, second in KEYS.values():
        provider.set(first, "no_credit")
        provider.set(second, "healthy")
    state = tmp_path_factory.mktemp("state") / "state.db"
    rows = [
        {
            "model_name": name,
            "litellm_params": {"model": "openai/gpt-4o", "api_keys": keys, "api_base": provider.base_url},
        }
        for name, keys in KEYS.items()
    ]
    return {"model_list": rows, "sparekey_settings": {"state": f"sqlite:///{state}"}}


@pytest.fixture(scope="module")
def two(proxies, config):
    """Two proxies, so that one knows whom one asks; the second has two workers."""
    begun = [proxies(config).begin(), proxies(config, workers=2).begin()]
    return [proxy.ready() for proxy in begun]


def attempts(proxy, group):
    """How many keys a request took."""
    answer = proxy.chat(group)
    assert answer.status_code == 200
    return int(answer.headers["x-sparekey-attempts"])


def asked(provider, key):
    """How often a key was asked for a completion; LiteLLM looks at each one's list of models when it starts, too."""
    return sum(request.key == key and request.path.endswith("/chat/completions") for request in provider.requests)


def test_a_key_that_died_in_one_worker_is_skipped_in_the_others(two, provider):
    """One call in all finds out that a key has no credit, however many workers there are."""
    first, others = two

    assert attempts(first, "chat") == 2
    time.sleep(_HEARD_WITHIN)
    took = [attempts(others, "chat") for _ in range(12)]

    assert took == [1] * 12
    assert asked(provider, "sk-shared-1") == 1


def test_a_worker_that_was_killed_forgets_nothing(two, proxies, config, provider):
    """Killed without a word and started again, it does not ask a key that it knew to be dead."""
    first, _ = two
    assert attempts(first, "later") == 2
    time.sleep(_HEARD_WITHIN)
    first.kill()

    again = proxies(config).begin().ready()

    assert attempts(again, "later") == 1
    assert asked(provider, "sk-later-1") == 1


def test_no_key_is_in_the_file(two, config):
    """What workers share is fingerprints."""
    two[1].chat("chat")  # which finds a dead key, if no test before did
    folder = Path(config["sparekey_settings"]["state"].removeprefix("sqlite:///")).parent
    kept = b""
    until = time.monotonic() + 20
    while b"billing" not in kept:  # it may be on its way from the log to the file
        assert time.monotonic() < until, "nothing is kept"
        kept = b"".join(each.read_bytes() for each in folder.iterdir())

    assert b"sk-shared" not in kept
