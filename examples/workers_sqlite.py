"""Workers of one machine share what they learn in a SQLite file, and a restart forgets nothing.

Runs offline, the provider is simulated on this machine: python examples/workers_sqlite.py
"""

import multiprocessing
import tempfile
import time
from multiprocessing.connection import Connection
from typing import Any

import openai

import sparekey as sk
from sparekey.simulator import Simulator

DEAD = {"sk-example-revoked": "revoked", "sk-example-unpaid": "no_credit", "sk-example-deleted": "revoked"}
FORKS = multiprocessing.get_context("forkserver")  # as prefork servers do: a process loads the program, and is forked


def work(pipe: Connection, keys: list[str], api_base: str, state: str) -> None:
    """One worker: a chain for all its requests, with a state that all workers have."""
    entry = {"model_name": "chat", "model": "openai/gpt-4o", "api_keys": keys, "api_base": api_base}
    chain = sk.FallbackChain(sk.CooldownTracker(state=state), models=[entry])

    def call(candidate: sk.Candidate) -> None:
        key = chain.config_for(candidate).api_key
        assert key is not None
        with openai.OpenAI(api_key=key.get_secret_value(), base_url=api_base, max_retries=0) as client:
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello"}])

    while True:
        if pipe.recv() == "request":
            result = chain.execute("chat", call)
            wasted = [f"{attempt.reason}" for attempt in result.attempts if not attempt.skipped]
            pipe.send(f"answered by {result.candidate.name}, calls wasted: {', '.join(wasted) or 'none'}")
        else:
            pipe.send(sorted(view["reason"] or "" for view in chain.tracker.snapshot().values()))


class Worker:
    """A worker seen from outside."""

    def __init__(self, *arguments: Any) -> None:
        self._pipe, theirs = FORKS.Pipe()
        self.process = FORKS.Process(target=work, args=(theirs, *arguments), daemon=True)
        self.process.start()

    def told(self, what: str) -> Any:
        """What it says to that."""
        self._pipe.send(what)
        return self._pipe.recv()


def all_know(workers: list[Worker], *reasons: str) -> None:
    """Wait until each of them knows of keys that cool for these reasons, and of no others."""
    began = time.monotonic()
    while any(worker.told("what do you know?") != sorted(reasons) for worker in workers):
        time.sleep(0.01)
    print(f"  {time.monotonic() - began:.2f} s later all know of {', '.join(reasons)}")


def main() -> None:
    """One worker finds out and the others know; all are killed, and the next ones know."""
    with tempfile.TemporaryDirectory() as folder, Simulator(DEAD | {"sk-example-spare": "healthy"}) as sim:
        for title in ("four workers", "four new ones, after kill -9"):
            print(title)
            workers = [Worker(list(sim.counts), sim.base_url, f"sqlite:///{folder}/state.db") for _ in range(4)]
            for number, worker in enumerate(workers, 1):
                print(f"  worker {number}: {worker.told('request')}")
                if number == 1:
                    all_know(workers, "auth", "auth", "billing")
            for worker in workers:
                worker.process.kill()
        print("calls with dead keys, as the provider counts:", sum(map(sim.count, DEAD)))


if __name__ == "__main__":
    main()
