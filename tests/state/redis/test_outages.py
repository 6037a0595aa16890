"""Redis is killed, paused, cut off and garbled under load: no request fails or waits, and all agree afterwards."""

from __future__ import annotations

import contextlib
import gc
import itertools
import logging
import threading
import time
from pathlib import Path

import openai
import pytest

import sparekey as sk
from sparekey.simulator import Simulator
from sparekey.state import RedisStore

CANARY = "sk-canary-71c0ffee71c0ffee"
KEYS = ["sk-busy-one-0123456789", "sk-busy-two-0123456789", "sk-flaky-0123456789", CANARY, "sk-good-0123456789"]
HELLO = [{"role": "user", "content": "Hello"}]


class Watched(RedisStore):
    """Notes which threads do anything with it that could take time."""

    def __init__(self, client, **options):
        super().__init__(client, **options)
        self.threads = set()

    def open(self):
        self.threads.add(threading.current_thread().name)
        super().open()

    def load(self):
        self.threads.add(threading.current_thread().name)
        return super().load()

    def save(self, records):
        self.threads.add(threading.current_thread().name)
        super().save(records)

    def changes(self, seconds):
        self.threads.add(threading.current_thread().name)
        return super().changes(seconds)


class Side:
    """One process's part, in a thread each: a tracker with a store of its own, and requests without end."""

    def __init__(self, sim, where):
        self.store = Watched.from_url(where)
        self.tracker = sk.CooldownTracker(state=self.store)
        self.chain = sk.FallbackChain(self.tracker)
        entries = [{"model_name": "m", "model": "openai/gpt-4o", "api_keys": KEYS, "api_base": sim.base_url}]
        self.models = sk.expand_model_list(entries)
        self.candidates = sk.candidates_for("m", self.models)
        self.clients = {
            candidate: openai.OpenAI(
                base_url=sim.base_url,
                api_key=sk.config_for(candidate, self.models).api_key.get_secret_value(),
                max_retries=0,
                timeout=20,
            )
            for candidate in self.candidates
        }
        self.served, self.failed = 0, []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._ask, name="requests")
        self.thread.start()

    def _ask(self):
        def call(candidate):
            return self.clients[candidate].chat.completions.create(model=candidate.model, messages=HELLO)

        while not self.stopped.is_set():
            try:
                self.chain.execute(self.candidates, call)
                self.served += 1
            except Exception as error:
                self.failed.append(error)

    def stop(self):
        self.stopped.set()
        self.thread.join()
        for client in self.clients.values():
            client.close()

    @property
    def known(self):
        return dict(self.tracker.records)


class Fleet:
    """Three sides under load, and what is promised of them."""

    def __init__(self, sim, wheres, until):
        self.sides = [Side(sim, where) for where in wheres]
        self.until = until
        until(lambda: all(side.known for side in self.sides))

    def goes_on(self, requests=20):
        """Every side serves some more requests."""
        before = [side.served for side in self.sides]
        self.until(lambda: all(s.served >= b + requests for s, b in zip(self.sides, before, strict=True)), 30)

    def ends(self):
        for side in self.sides:
            side.stop()

    def agrees(self):
        """The load ends; then every side knows the same, and so does Redis."""
        self.ends()
        one, *others = self.sides
        self.until(lambda: one.known and all(one.known == other.known for other in others), 30)
        late = sk.CooldownTracker(state=RedisStore(one.store._client))
        self.until(lambda: dict(late.records) == one.known, 30)

    def no_request_failed_or_waited(self):
        """Requests were served all along, and no thread but the store's own has called it."""
        assert [side.failed for side in self.sides] == [[], [], []]
        for side in self.sides:
            assert {name.split()[0] for name in side.store.threads} == {"sparekey"}


@pytest.fixture
def sim():
    """Keys that cool and recover all the time, one that is revoked, and one that is well."""
    busy_one, busy_two, flaky, revoked, good = KEYS
    behaviours = {
        busy_one: {"kind": "rate_limited", "retry_after": 1},
        busy_two: {"kind": "limited", "requests": 2, "window": 1},
        flaky: [{"kind": "server_error", "times": 1}, {"kind": "healthy", "times": 3}] * 500,
        revoked: "revoked",
        good: "healthy",
    }
    with Simulator(behaviours) as simulator:
        yield simulator


@pytest.fixture
def fleet(sim, until):
    made = []

    def make(*wheres):
        made.append(Fleet(sim, wheres, until))
        return made[-1]

    yield make
    while made:
        made.pop().ends()
    gc.collect()
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("sparekey redis")])


def _warnings(caplog):
    return [entry.getMessage() for entry in caplog.records if entry.levelno >= logging.WARNING]


def test_killed_and_restarted(start_redis, fleet, caplog, until):
    """A Redis that dies, stays away, and comes back empty costs one warning each, and ends as full as it was."""
    server = start_redis()
    sides = fleet(server.url, server.url, server.url)
    sides.goes_on()
    server.kill()
    sides.goes_on()
    until(lambda: len(_warnings(caplog)) == 3)
    sides.goes_on()
    server.start()
    sides.goes_on()
    sides.agrees()

    sides.no_request_failed_or_waited()
    assert len(_warnings(caplog)) == 3


def test_paused_and_resumed(start_redis, fleet, caplog, until):
    """A Redis that accepts and never answers (SIGSTOP) is the same as one that is gone."""
    server = start_redis()
    sides = fleet(server.url, server.url, server.url)
    sides.goes_on()
    server.pause()
    until(lambda: len(_warnings(caplog)) == 3)
    sides.goes_on()
    sides.ends()
    server.resume()
    sides.agrees()

    sides.no_request_failed_or_waited()
    assert len(_warnings(caplog)) == 3


def test_flushed_again_and_again(start_redis, fleet, caplog):
    """FLUSHALL is no outage: it is not worth a warning, and the next look heals it."""
    server = start_redis()
    sides = fleet(server.url, server.url, server.url)
    for _ in range(5):
        server.client().flushall()
        sides.goes_on()
    sides.agrees()

    sides.no_request_failed_or_waited()
    assert _warnings(caplog) == []


def test_one_side_is_cut_off(start_redis, proxy, fleet, caplog, until):
    """A network split leaves each side with what it learns itself, and both with everything afterwards."""
    server = start_redis()
    between = proxy(server.port)
    sides = fleet(between.url, server.url, server.url)
    sides.goes_on()
    between.silent = True
    until(lambda: len(_warnings(caplog)) == 1)
    sides.goes_on()
    sides.ends()
    between.heal()
    between.cut()
    sides.agrees()

    sides.no_request_failed_or_waited()


HARM = {
    "slow": {"delay": 0.3},
    "too slow": {"delay": 2.0},
    "truncated": {"cut_after": 700},
    "corrupted": {"corrupt": 0.1},
    "all of it": {"delay": 0.02, "cut_after": 5000, "corrupt": 0.05},
}


@pytest.mark.parametrize("harm", HARM)
def test_traffic_is_harmed(start_redis, proxy, fleet, caplog, harm, until):
    """Delayed, cut short or with bytes changed: nothing wrong is ever believed, and in the end all is known to all."""
    server = start_redis()
    betweens = [proxy(server.port) for _ in range(3)]
    sides = fleet(*(between.url for between in betweens))
    sides.goes_on()
    for between in betweens:
        for name, value in HARM[harm].items():
            setattr(between, name, value)
    if harm not in ("slow", "too slow"):
        until(lambda: all(between.damaged >= 4 for between in betweens), 40)
    sides.goes_on()
    sides.ends()
    for between in betweens:
        between.heal()
    sides.agrees()

    sides.no_request_failed_or_waited()
    ends = [record.until for side in sides.sides for record in side.known.values()]
    assert max(ends) < time.time() + 6 * 3600, "no ladder is longer"
    assert not [text for text in _warnings(caplog) if "not believed" in text]


def test_nothing_of_a_key_is_in_redis(start_redis, fleet, tmp_path):
    """Neither a dump of all that Redis has nor its file on disk has a key's text."""
    server = start_redis()
    sides = fleet(server.url, server.url, server.url)
    sides.goes_on()
    sides.agrees()
    client = server.client()
    client.config_set("rdbcompression", "no")
    client.save()

    files = [path.read_bytes() for path in Path(server.directory).rglob("*") if path.is_file()]
    values = [client.dump(key) for key in client.scan_iter()]
    raw = list(itertools.chain.from_iterable(client.hgetall("sparekey:records").items()))
    for found in [*files, *values, *raw]:
        for key in KEYS:
            assert key.encode() not in found
            assert key[3:].encode() not in found
    assert any(b"sparekey:records" in file for file in files)
    assert raw


def test_a_password_is_in_no_log(start_redis, fleet, caplog, until):
    """Through an outage and back, nothing that is logged has the password."""
    caplog.set_level(logging.DEBUG)
    server = start_redis("--requirepass", "hunter2hunter2")
    where = server.url.replace("//", "//:hunter2hunter2@")
    sides = fleet(where, where, where)
    server.kill()
    until(lambda: len(_warnings(caplog)) == 3)
    server.start()
    sides.goes_on()
    sides.agrees()

    with contextlib.suppress(Exception):
        RedisStore.from_url(server.url.replace("//", "//:hunter2hunter3@")).open()
    assert "hunter2" not in caplog.text
