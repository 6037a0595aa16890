"""``sparekey status``: what it shows of a state that programs share, and what it leaves alone."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time

import pytest

import sparekey as sk
from sparekey.state import Kept, SQLiteStore

KEY = "sk-status-0123456789abcdef"
PASSWORD = "hunter2-hunter2-hunter2"


@pytest.fixture
def url(tmp_path, monkeypatch):
    """A state that nobody has written to."""
    monkeypatch.delenv("SPAREKEY_STATE", raising=False)
    return f"sqlite:///{tmp_path}/state.db"


@pytest.fixture
def one():
    """A key, in an account, of a model at an address."""
    entry = {"model_name": "chat", "model": "openai/gpt-4o", "api_key": KEY, "account": "team"}
    (candidate,) = sk.candidates_for("chat", [{**entry, "api_base": "https://llm.example/v1"}])
    return candidate


def fails(url, *failures):
    """As a program that fails so: who, why, and the seconds that the provider asked for."""
    tracker = sk.CooldownTracker(state=url)
    for who, reason, *wait in failures:
        tracker.mark_failure(who, reason, retry_after=wait[0] if wait else None)
    assert tracker.sync(20)
    return tracker


def lines(result):
    return [line.split() for line in result.out.splitlines()]


def test_who_why_how_long_and_who_said_so(sparekey, url, one, monkeypatch):
    """What cools comes first, the soonest to recover before the others; keys are fingerprints."""
    monkeypatch.setenv("COLUMNS", "160")
    fails(url, (one, "rate_limit", 3000), (one, "billing"), (one, "billing"), (one.endpoints[1], "network", 1))
    time_is_up = time.monotonic() + 20
    while "recovering" not in (result := sparekey("status", "--state", url)).out.split("\n\n")[0]:
        assert time.monotonic() < time_is_up
        time.sleep(0.05)

    assert (result.code, result.err) == (0, "")
    head, billing, rate, network, _, summary = lines(result)
    assert head == ["who", "key", "reason", "left", "until", "since", "says", "failures"]
    assert billing[:6] == ["●", "openai@llm.example/v1", "(all", "models)", f"#{one.credential}", "billing"]
    assert billing[-2:] == ["ladder", "2"]
    assert rate[:4] == ["●", "openai@llm.example/v1/gpt-4o", "(account", "team)"]
    assert rate[4] == "rate_limit"
    assert rate[5] in ("50m", "49m59s", "49m58s")
    assert rate[-2:] == ["provider", "1"]
    assert network[:5] == ["○", "openai@llm.example/v1", "(endpoint)", "network", "recovering"]
    assert summary == ["●", f"{url}:", "2", "cooling,", "1", "recovering"]
    assert KEY not in result.out


def test_the_same_as_json(sparekey, url, one):
    """For scripts, with times in seconds."""
    before = time.time()
    fails(url, (one, "auth"), (one.for_images().scopes[0], "rate_limit", 60))
    result = sparekey("status", "--state", url, "--json")
    told = json.loads(result.out)

    assert told["state"] == url
    images, auth = told["records"]
    assert (images["kind"], images["said_by"], images["key"]) == ("images", "provider", one.credential)
    assert before <= auth["since"] <= told["at"] <= auth["until"]
    assert {name: auth[name] for name in ("id", "kind", "cooling", "reason", "said_by", "failures")} == {
        "id": one.scopes[1],
        "kind": "credential",
        "cooling": True,
        "reason": "auth",
        "said_by": "ladder",
        "failures": {"auth": 1},
    }


def test_nothing_that_cools_is_said_plainly(sparekey, url, one):
    """Before anything was, and after all was forgiven."""
    fails(url)
    assert "nothing cools down" in sparekey("status", "--state", url).out
    tracker = fails(url, (one, "auth"))
    tracker.mark_success(one)
    assert tracker.sync(20)
    assert "nothing cools down" in sparekey("status", "--state", url).out
    assert json.loads(sparekey("status", "--state", url, "--json").out)["records"] == []


def test_the_state_may_be_in_the_environment(sparekey, url, one, monkeypatch):
    """As programs have it."""
    fails(url, (one, "auth"))
    monkeypatch.setenv("SPAREKEY_STATE", url)
    assert "1 cooling" in sparekey("status").out


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200])
def test_a_terminal_of_any_width_shows_all_rows_within_it(sparekey, url, one, columns, monkeypatch):
    """What is long is folded, what is less important left out."""
    monkeypatch.setenv("COLUMNS", str(columns))
    who = [f"openai@a-rather-long.host.example:8443/v1/some-org/some-model-{n}#{n:012x}" for n in range(60)]
    fails(url, *((each, "auth") for each in who))
    result = sparekey("status", "--state", url)

    *table, _, summary = result.out.splitlines()
    assert max(map(len, table)) <= columns
    assert sum(line.startswith("●") for line in table) == 60
    assert summary == f"● {url}: 60 cooling, 0 recovering"
    assert "".join(result.out.split()).count("#") == 60


CANNOT = {
    "no state": ((), "state: say where it is kept"),
    "memory": (("--state", "memory://"), "memory:// is each program's own"),
    "an unknown kind": (("--state", "mysql://x"), "'mysql' is not a kind of state"),
    "a server that is not there": (("--state", f"redis://:{PASSWORD}@127.0.0.1:1/0"), "state redis://127.0.0.1:1/0: "),
    "both": (("--watch", "--json"), "status --watch: is for a terminal"),
    "no terminal": (("--watch",), "status --watch: is for a terminal"),
}


@pytest.mark.parametrize("case", CANNOT)
def test_what_cannot_be_looked_at_is_one_line(sparekey, case, monkeypatch):
    """Exit code 2, and no password."""
    monkeypatch.delenv("SPAREKEY_STATE", raising=False)
    arguments, said = CANNOT[case]
    result = sparekey("status", *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert said in result.err
    assert PASSWORD not in result.err


def test_a_file_that_is_not_there_is_not_made(sparekey, url, tmp_path):
    """A mistyped name is an error, and leaves nothing behind."""
    result = sparekey("status", "--state", url)
    assert result.code == 2
    assert f"state {url}: there is no such file" in result.err
    assert list(tmp_path.iterdir()) == []


def test_another_programs_file_is_left_alone(sparekey, tmp_path):
    """One line, and not a byte of it changed."""
    file = tmp_path / "notes.db"
    file.write_bytes(b"dear diary, " * 100)
    result = sparekey("status", "--state", f"sqlite:///{file}")
    assert result.code == 2
    assert result.err.startswith(f"error: state sqlite:///{file}: ")
    assert file.read_bytes() == b"dear diary, " * 100


def test_what_a_stranger_wrote_cannot_rewrite_the_terminal(sparekey, url, tmp_path, one):
    """Nor show a key that somebody put where an id belongs."""
    fails(url)
    now = time.time()
    store = SQLiteStore(tmp_path / "state.db")
    store.open()
    store.save([Kept(f"openai/\x1b[2J{KEY}", {"auth": f"{now} {now + 60} 1 0 1"}, now + 600)])
    store.close()
    for result in (sparekey("status", "--state", url), sparekey("status", "--state", url, "--json")):
        assert result.code == 0
        assert "\x1b[2J" not in result.out
        assert KEY not in result.out


class Screen:
    """``sparekey status --watch`` in a terminal of its own."""

    def __init__(self, *arguments):
        self.master, slave = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "24"}
        command = [sys.executable, "-c", "from sparekey.cli import main; main()", "status", "--watch", *arguments]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        self.shown = ""

    def wait_for(self, text):
        """Read until ``text`` is shown."""
        ends = time.monotonic() + 40
        while text not in " ".join(self.shown.split()):  # lines are folded
            assert time.monotonic() < ends, self.shown
            self._read()

    def _read(self):
        if select.select([self.master], [], [], 0.1)[0]:
            try:
                self.shown += os.read(self.master, 65536).decode()
            except OSError:  # the other side is closed
                return False
        return True

    def interrupt(self):
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(20)
        while self._read() and select.select([self.master], [], [], 0)[0]:
            pass
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)


@pytest.fixture
def screen():
    """Starts one; ended with the test."""
    started = []

    def start(*arguments):
        started.append(Screen(*arguments))
        return started[-1]

    yield start
    for each in started:
        each.close()


def test_watching_shows_what_changes_until_it_is_interrupted(screen, url, one):
    """A failure in a program is seen, and Ctrl-C is an end like any other."""
    tracker = fails(url)
    shown = screen("--state", url)
    shown.wait_for("nothing cools down")
    tracker.mark_failure(one, "auth")
    shown.wait_for("1 cooling")
    assert shown.interrupt() == 0
    assert "Traceback" not in shown.shown
    assert shown.shown.rstrip().endswith("\x1b[?25h"), "the cursor is there again"


def test_watching_goes_on_while_the_state_cannot_be_used(screen, url, one, tmp_path):
    """What was seen last stays on the screen, with what is wrong, until it can be used again."""
    fails(url, (one, "auth"))
    shown = screen("--state", url)
    shown.wait_for("1 cooling")
    for thread in threading.enumerate():
        if thread.name.startswith("sparekey "):
            thread.join(20)  # or it makes the file anew
    for file in tmp_path.iterdir():
        file.unlink()
    shown.wait_for("there is no such file")
    assert not (tmp_path / "state.db").exists()
    latest = " ".join(shown.shown.rpartition("\x1b[1A")[2].split())  # lines are folded
    assert " 1 cooling" in latest, "what was seen last"
    fails(url, ("openai/one", "billing"), ("openai/another", "billing"))
    shown.wait_for("openai/another")
    assert shown.interrupt() == 0
