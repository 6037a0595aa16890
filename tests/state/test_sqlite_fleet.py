"""Eight processes and one file: a key that died in one of them costs the others nothing."""

from __future__ import annotations

import pytest

import sparekey as sk
from sparekey.simulator import Simulator

PROCESSES = 8
BEHAVIOURS = {
    **{f"sk-revoked-{number}-0123456789": "revoked" for number in range(4)},
    **{f"sk-unpaid-{number}-0123456789": "no_credit" for number in range(4)},
    "sk-throttled-0123456789": {"kind": "rate_limited", "retry_after": 600},
    "sk-good-0123456789": "healthy",
}
*DEAD, GOOD = BEHAVIOURS

WORKER = """
import logging, sys
import httpx
import sparekey as sk

logging.basicConfig()
base_url, state, *keys = sys.argv[1:]
models = [{"model_name": "m", "model": "openai/gpt-4o", "api_keys": keys, "api_base": base_url}]
models = sk.expand_model_list(models)
candidates = sk.candidates_for("m", models)
chain = None

def ask(candidate):
    key = sk.config_for(candidate, models).api_key.get_secret_value()
    body = {"model": candidate.model, "messages": [{"role": "user", "content": "Hello"}]}
    answer = httpx.post(f"{base_url}/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"})
    answer.raise_for_status()
    return answer

print("ready", flush=True)
for line in sys.stdin:
    if chain is None:
        chain = sk.FallbackChain(sk.CooldownTracker(state=state))
    for _ in range(int(line)):
        chain.execute(candidates, ask)
    print("asked", flush=True)
"""


@pytest.fixture
def sim():
    with Simulator(BEHAVIOURS) as simulator:
        yield simulator


@pytest.fixture
def state(tmp_path):
    return f"sqlite:///{tmp_path}/state.db"


@pytest.fixture
def start(program, sim, state):
    """Starts so many workers, and returns when all of them could ask."""

    def start(number):
        workers = [program(WORKER, sim.base_url, state, *BEHAVIOURS) for _ in range(number)]
        for worker in workers:
            assert worker.stdout.readline() == "ready\n", worker.stderr.read()
        return workers

    return start


@pytest.fixture
def all_known(state, until):
    """Waits until somebody who only listens has heard of every dead key."""
    listener = sk.CooldownTracker(state=state)
    return lambda: until(lambda: len(listener.snapshot()) == len(DEAD))


def told(workers, requests):
    """The workers begin to ask, all at once."""
    for worker in workers:
        worker.stdin.write(f"{requests}\n")
        worker.stdin.flush()


def asked(workers):
    """The workers have been answered."""
    for worker in workers:
        assert worker.stdout.readline() == "asked\n", worker.stderr.read()


def test_started_apart_nine_calls_are_wasted_in_all(sim, start, all_known):
    """The first learns for all; those that a kill -9 takes away are replaced by others who know."""
    workers = start(PROCESSES)
    for worker in workers:
        told([worker], 3)
        asked([worker])
        all_known()
    assert {key: sim.count(key) for key in DEAD} == dict.fromkeys(DEAD, 1)

    for worker in workers:
        worker.kill()
        worker.wait()
    again = start(2)
    told(again, 3)
    asked(again)
    assert {key: sim.count(key) for key in DEAD} == dict.fromkeys(DEAD, 1)
    assert sim.count(GOOD) == 3 * (PROCESSES + 2)


def test_started_at_once_each_learns_for_itself_and_never_again(sim, start, all_known):
    """Nobody waits for anybody, and nobody asks a dead key twice."""
    workers = start(PROCESSES)
    told(workers, 3)
    asked(workers)
    all_known()
    wasted = {key: sim.count(key) for key in DEAD}
    assert max(wasted.values()) <= PROCESSES

    told(workers, 3)
    asked(workers)
    assert {key: sim.count(key) for key in DEAD} == wasted
    assert sim.count(GOOD) == 6 * PROCESSES
