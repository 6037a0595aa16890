"""Eight processes, ten keys, nine of them dead: what one learned costs the others nothing."""

from __future__ import annotations

import multiprocessing
import ssl
import time

import httpx
import pytest

import sparekey as sk
from sparekey.simulator import Simulator

DEAD = [f"sk-dead-{n}-0123456789abcdef" for n in range(9)]
KEYS = [*DEAD, "sk-good-0123456789abcdef"]
FORK = multiprocessing.get_context("fork")  # eight that import everything anew would take most of the time
TLS = ssl.create_default_context()  # never used, but a client takes a while to make its own

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def work(place, api_base, told):
    """What one process does: a request whenever it is told so."""
    entries = [{"model_name": "m", "model": "openai/gpt-4o", "api_keys": KEYS, "api_base": api_base}]
    models = sk.expand_model_list(entries)
    candidates = sk.candidates_for("m", models)
    tracker = sk.CooldownTracker(state=place)
    chain = sk.FallbackChain(tracker)
    client = httpx.Client(base_url=api_base, timeout=20, verify=TLS)

    def call(candidate):
        key = sk.config_for(candidate, models).api_key.get_secret_value()
        body = {"model": candidate.model, "messages": [{"role": "user", "content": "Hello"}]}
        answer = client.post("/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"})
        answer.raise_for_status()

    told.send("ready")
    while True:
        if told.recv() == "request":
            attempts = chain.execute(candidates, call).attempts
            told.send(sum(not attempt.skipped for attempt in attempts))
        else:
            now = time.time()
            told.send(sum(record.until > now for record in dict(tracker.records).values()))


class Worker:
    """A process of its own."""

    def __init__(self, place, sim):
        self.pipe, its = FORK.Pipe()
        self.process = FORK.Process(target=work, args=(place, sim.base_url, its), daemon=True)
        self.process.start()
        its.close()

    def tell(self, word):
        self.pipe.send(word)

    def heard(self):
        assert self.pipe.poll(30), "a worker does not answer"
        return self.pipe.recv()

    def requests(self):
        """Makes one; returns how many keys failed it."""
        self.tell("request")
        return self.heard()

    def knows(self):
        """How many keys cool, for all it knows."""
        self.tell("knows")
        return self.heard()

    def kill(self):
        """Without a chance to save anything."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


@pytest.fixture
def sim():
    """Nine dead keys, of three kinds, and one that is well."""
    kinds = ["revoked", "no_credit", {"kind": "rate_limited", "retry_after": 3600}]
    with Simulator({key: kinds[n % 3] for n, key in enumerate(DEAD)} | {KEYS[-1]: "healthy"}) as simulator:
        yield simulator


@pytest.fixture
def start(place, sim):
    """Starts processes that share their state, and waits until they are ready."""
    started = []

    def start(count):
        fresh = [Worker(place, sim) for _ in range(count)]
        started.extend(fresh)
        assert [worker.heard() for worker in fresh] == ["ready"] * count
        return fresh

    yield start
    for worker in started:
        worker.kill()


def wasted(sim):
    return sum(sim.count(key) for key in DEAD)


def test_what_the_first_learned_the_others_know(start, sim, until):
    """One after the other, eight processes waste a call per dead key in all, and a restart after kill -9 none."""
    workers = start(8)
    for worker in workers:
        worker.requests()
        until(lambda: all(other.knows() == 9 for other in workers))

    assert wasted(sim) == 9
    assert sim.count(KEYS[-1]) == 8

    for worker in workers:
        worker.kill()
    workers = start(8)
    until(lambda: all(worker.knows() == 9 for worker in workers))

    assert [worker.requests() for worker in workers] == [0] * 8
    assert wasted(sim) == 9


def test_all_at_once_learn_for_themselves_and_never_again(start, sim, until):
    """Eight that ask in the same instant may each meet each dead key, once; from then on nobody does."""
    workers = start(8)
    for worker in workers:
        worker.tell("request")
    failed = [worker.heard() for worker in workers]
    assert max(failed) <= 9
    assert max(sim.count(key) for key in DEAD) <= 8
    until(lambda: all(worker.knows() == 9 for worker in workers))
    before = wasted(sim)

    for _ in range(3):
        assert [worker.requests() for worker in workers] == [0] * 8

    assert wasted(sim) == before <= 72
