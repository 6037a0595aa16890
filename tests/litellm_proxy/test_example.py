"""The example: one command starts it, and its curl lines show what it says they show."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "litellm_proxy"

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def example(proxies):
    """The example, up and running."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return proxies("", command=["sh", FOLDER / "start.sh"], env={"PROVIDER_PORT": str(port)}).begin().ready()


def test_the_curl_lines_show_failover_memory_and_the_end(example):
    """Answers of the third key, at once the second time, 400 for a wrong request, 429 when all keys are dead."""
    output = subprocess.check_output(["sh", FOLDER / "ask.sh"], env=example.env, text=True, timeout=90)

    said = [line.strip().lower() for line in output.splitlines() if not line.startswith("#")]
    assert [line.split()[1] for line in said if line.startswith("http/")] == ["200", "200", "200", "400", "429"]
    assert [line for line in said if line.startswith("x-sparekey-candidate")] == [
        "x-sparekey-candidate: chat__key_2",
        "x-sparekey-candidate: chat__key_2",
        "x-sparekey-candidate: vectors__key_2",
    ]
    assert "x-sparekey-tried: chat__key_0=rate_limit;chat__key_1=billing" in said
    assert any(line.startswith("retry-after: ") for line in said)


def test_it_ends_without_leaving_its_provider_behind(example):
    """Ctrl-C ends the proxy, its workers, and the simulated provider."""
    os.killpg(example.process.pid, signal.SIGINT)

    example.process.wait(timeout=60)
    until = time.monotonic() + 60
    while _alive(example.process.pid):
        assert time.monotonic() < until, "a process of the example goes on"
        time.sleep(0.1)


def _alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
