"""The command ``sparekey simulate``."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest

from sparekey._secrets import fingerprint
from sparekey.cli.simulate import simulate
from sparekey.errors import ConfigError

KEY = "sk-live-0123456789abcdef0123"
PROGRAM = "import typer; from sparekey.cli.simulate import simulate; typer.run(simulate)"


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "s.yaml"
    path.write_text(f"keys: [{{name: old, key: {KEY}, behaviour: revoked, models: {{m: [hang, healthy]}}}}]")
    return path


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
        # Where tests run in the background, Ctrl-C is ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one call, no locks
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_serves_until_ctrl_c_and_never_shows_a_key(scenario: Path) -> None:
    """The table, the addresses, a line per request and the end, with names and fingerprints only."""
    with running(str(scenario), "--port", "0") as process:
        assert process.stdout is not None
        shown = ""
        while "Ctrl-C stops" not in shown:
            line = process.stdout.readline()
            assert line, shown
            shown += line
        found = re.search(r"OpenAI\s+(http://127\.0\.0\.1:\d+/v1)", shown)
        assert found
        with (
            openai.OpenAI(base_url=found.group(1), api_key=KEY, max_retries=0, timeout=5) as client,
            pytest.raises(openai.AuthenticationError),
        ):
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=10)

    assert process.returncode == 0
    assert errors == ""
    assert re.search(rf"old\s+{fingerprint(KEY)}\s+\*\s+revoked", shown)
    assert re.search(r"m\s+hang, then healthy", shown)
    assert "curl http://127.0.0.1:" in shown
    assert re.search(r"\d\d:\d\d:\d\d  old\s+gpt-4o\s+401 revoked", rest)
    assert "stopped after 1 request\n" in rest
    assert KEY not in shown + rest


def test_a_bad_file_is_a_config_error(tmp_path: Path) -> None:
    """The command line turns it into one line; here it arrives as that one line."""
    with pytest.raises(ConfigError, match="No such file"):
        simulate(tmp_path / "missing.yaml")


def test_a_remote_host_needs_the_flag(scenario: Path) -> None:
    """Listening beyond this machine is never an accident."""
    with pytest.raises(ConfigError, match="other machines can reach it"):
        simulate(scenario, host="0.0.0.0", port=0)


def test_without_the_extra_it_says_what_to_install(scenario: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing extra is a config error like any other, not a traceback."""
    for name in [name for name in sys.modules if name.startswith("sparekey.simulator")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette", None)
    with pytest.raises(ConfigError, match=r"pip install 'sparekey\[simulator\]'"):
        simulate(scenario)
