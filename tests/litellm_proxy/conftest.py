"""A real proxy: ``litellm --config``, as a process of its own, with the simulator for a provider."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest
import yaml

from sparekey.simulator import Simulator

ROOT = Path(__file__).parents[2]
LITELLM = Path(os.environ.get("SPAREKEY_TEST_LITELLM", ROOT / ".venv-proxy" / "bin" / "litellm"))
"""The command of an environment that has ``litellm[proxy]``, whose pinned packages would bend everybody else's."""
HOOK = "litellm_sparekey.proxy:startup"
MASTER_KEY = "sk-master-0123456789-abcdefgh"
_STARTS_WITHIN = 120.0


class Proxy:
    """One running proxy, and how to ask it."""

    def __init__(self, config, folder, *, hook=True, workers=1, env=(), command=None):
        self.folder = folder
        self.config = folder / "config.yaml"
        self.config.write_text(config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False))
        self.output = folder / "output.log"
        self.url = f"http://127.0.0.1:{free_port()}"
        self.port = self.url.rpartition(":")[2]
        own = [LITELLM, "--config", self.config, "--host", "127.0.0.1", "--port", self.port]
        # By gunicorn, because uvicorn ends workers that are not there within seconds, on a slow machine all of them.
        several = ["--run_gunicorn", "--num_workers", str(workers)] if workers > 1 else []
        self._command = [str(word) for word in command or [*own, *several]]
        self.env = {
            "PATH": f"{LITELLM.parent}:{os.environ['PATH']}",
            "PORT": self.port,
            "HOME": str(folder),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_MASTER_KEY": MASTER_KEY,
            **({"LITELLM_WORKER_STARTUP_HOOKS": HOOK} if hook else {}),
            **dict(env),
        }
        self.process = None

    def begin(self):
        """Let it start, without waiting for that."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                env=self.env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def ready(self):
        """Wait until it serves."""
        until = time.monotonic() + _STARTS_WITHIN
        while time.monotonic() < until:
            assert self.process.poll() is None, f"the proxy ended:\n{self.said()[-4000:]}"
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/health/liveliness", timeout=5).status_code == 200:
                    return self
            time.sleep(0.1)
        raise AssertionError(f"the proxy did not start:\n{self.said()[-4000:]}")

    def ended(self):
        """Wait until it has given up starting; its exit code."""
        return self.process.wait(timeout=_STARTS_WITHIN)

    def kill(self):
        """End it, workers and all, without a word."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=30)

    def said(self):
        """All that it printed and logged."""
        return self.output.read_text(errors="replace")

    def post(self, path, body, **headers):
        """One request of a client's."""
        asked = {"Authorization": f"Bearer {MASTER_KEY}", **headers}
        return httpx.post(f"{self.url}{path}", json=body, headers=asked, timeout=60)

    def get(self, path):
        """What it tells of itself."""
        return httpx.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {MASTER_KEY}"}, timeout=60)

    def chat(self, model, text="hello", **settings):
        """A chat completion."""
        messages = [{"role": "user", "content": text}]
        return self.post("/v1/chat/completions", {"model": model, "messages": messages, **settings})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def proxies(tmp_path_factory):
    """Makes proxies, and ends them."""
    assert LITELLM.exists(), f"{LITELLM} is not there; 'make test' makes it, or SPAREKEY_TEST_LITELLM names another"
    made = []

    def make(config, **settings):
        made.append(Proxy(config, tmp_path_factory.mktemp("proxy"), **settings))
        return made[-1]

    yield make
    for proxy in made:
        proxy.kill()


@pytest.fixture(scope="session")
def python():
    """The proxy's own Python, for what has to be looked at from inside."""
    return LITELLM.with_name("python")


@pytest.fixture(scope="session")
def provider():
    """Keys that are healthy until somebody says otherwise."""
    with Simulator({}) as simulator:
        yield simulator
