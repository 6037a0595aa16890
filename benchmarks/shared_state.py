"""What sharing state costs and how soon others know, with SQLite and with Redis, beside ``memory://``.

    python benchmarks/shared_state.py [--picture FILE.svg]

Milliseconds and microseconds are this machine's. What holds elsewhere is counted: calls wasted on
dead keys, what a request asks of a store, what a store is sent.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sqlite3
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _fleet import Redis, workers
from _picture import draw_shares

import sparekey as sk
from sparekey.simulator import Simulator
from sparekey.state import RedisStore, Store

CHANGES, ROUNDS, CALLS, NOISE = 200, 41, 300, 1.1
AIMS = {"sqlite": 1.0, "redis": 0.1}
"""Seconds within which a change is to be known in every other process."""
DEAD = [f"sk-benchmark-dead-{n}-0123456789" for n in range(9)]
KINDS = ["revoked", "no_credit", {"kind": "rate_limited", "retry_after": 3600}]
KEYS: dict[str, Any] = {key: KINDS[n % 3] for n, key in enumerate(DEAD)} | {"sk-benchmark-good-0123456789": "healthy"}
PROCESSES = 8
Rows = list[tuple[str, float, str]]


# -- how soon others know ----------------------------------------------------------------------


def delays(state: str) -> list[float]:
    """Seconds from a failure here to its being known in another process."""
    tracker, found = sk.CooldownTracker(state=state), []
    with workers(1, state, []) as (watcher,):
        for number in range(CHANGES):
            watcher.tell("watch", f"key-{number}")
            watcher.heard()
            time.sleep(random.uniform(0.0, 0.15))  # at any point of a store's own rhythm
            began = time.time()
            tracker.mark_failure(f"key-{number}", "billing")
            found.append(watcher.heard() - began)
    return found


def soon(name: str, state: str) -> Rows:
    """Print and return them beside what was aimed at."""
    found, aim, rows = delays(state), AIMS[name], []
    for what, seconds in (("median", statistics.median(found)), (f"worst of {CHANGES}", max(found))):
        rows.append((f"{name}, {what}", seconds / aim, f"{seconds * 1e3:.1f} of {aim * 1e3:.0f} ms"))
        print(f"  {name + ', ' + what:34}{seconds * 1e3:10.1f} ms{aim * 1e3:14.0f} ms{seconds / aim:10.3f}")
    return rows


# -- what a request pays -----------------------------------------------------------------------


def calls(state: str | Store, *, fails: bool) -> Callable[[], None]:
    """Some calls. If each fails, then with its first key, which is reset after it: that changes the state twice."""
    chain = sk.FallbackChain(sk.CooldownTracker(state=state))
    keys = [f"sk-benchmark-{n}-0123456789" for n in range(3)]
    candidates = sk.candidates_for("chat", [{"model_name": "chat", "model": "openai/gpt-4o", "api_keys": keys}])

    def answer(candidate: sk.Candidate) -> str:
        if fails and candidate is candidates[0]:
            raise TimeoutError
        return "word"

    def some() -> None:
        for _ in range(CALLS):
            chain.execute(candidates, answer)
            if fails:
                chain.tracker.reset(candidates[0])

    return some


def paid(title: str, states: dict[str, str], *, fails: bool) -> Rows:
    """The time of a call with each state, and its ratio to one with ``memory://``: medians of interleaved rounds."""
    sides = {name: calls(state, fails=fails) for name, state in states.items()}
    rounds: dict[str, list[float]] = {name: [] for name in sides}
    print(f"  {title}")
    for turn in range(ROUNDS):
        for name in sides if turn % 2 else reversed(sides):
            began = time.perf_counter()
            sides[name]()
            rounds[name].append((time.perf_counter() - began) / CALLS)
    rows = []
    for name, times in rounds.items():
        ratio = statistics.median(mine / alone for mine, alone in zip(times, rounds["memory"], strict=True))
        if name != "memory":
            rows.append((f"{title}, {name}", ratio / NOISE, f"{ratio:.2f} of one with memory://"))
        print(f"    {name:32}{statistics.median(times) * 1e6:10.1f} µs{'':17}{ratio:10.2f}")
    return rows


def effort(name: str, state: str, failures: int = 300) -> None:
    """Processor time that this process spends on a failure when they come at a rate that is bad, but happens."""
    tracker, spent = sk.CooldownTracker(state=state), []
    for fails in (False, True):
        began = time.process_time()
        for number in range(failures):
            if fails:
                tracker.mark_failure(f"openai/gpt-4o#{number:012x}", "billing")
            time.sleep(0.01)
        spent.append(time.process_time() - began)
    print(f"  {name:34}{(spent[1] - spent[0]) / failures * 1e6:10.0f} µs")


def counted(store: Store) -> Counter[bool]:
    """How often ``store`` is called from now on, by whether that is by the thread that makes the requests."""
    found: Counter[bool] = Counter()

    def noting(call: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any) -> Any:
            found[threading.current_thread() is threading.main_thread()] += 1
            return call(*arguments)

        return noted

    for name in ("open", "load", "save", "changes", "close"):  # what may take time; wake sets a flag
        setattr(store, name, noting(getattr(store, name)))
    return found


def trips(redis: Redis) -> Rows:
    """What requests ask of a store, and what the thread behind it asks meanwhile."""
    rows = []
    for title, fails in (("none fails", False), ("each fails", True)):
        store = RedisStore.from_url(f"{redis.url}?prefix=trips")
        found = counted(store)
        some, requests, ends = calls(store, fails=fails), 0, time.monotonic() + 3
        while time.monotonic() < ends:
            some()
            requests += CALLS
        rows.append((title, float(found[True] > 0) * 2, f"{found[True]} times by {requests:,}"))
        behind = f"by the thread behind them {found[False] / 3:.0f} a second"
        print(f"  {title:34}{found[True]:10} by {requests:,} requests; {behind}")
    return rows


# -- calls wasted on dead keys -----------------------------------------------------------------


def wasted(name: str, state: str) -> Rows:
    """Eight processes and nine dead keys: one after the other, anew after kill -9, and all in the same instant."""
    rows, most = [], PROCESSES * len(DEAD)
    with Simulator(KEYS) as sim:
        for what, at, bound, apart in (
            ("one by one", "a", len(DEAD), AIMS.get(name, 0.1)),
            ("the same after kill -9", "a", 0, AIMS.get(name, 0.1)),
            ("all at once", "b", most, 0.0),
            ("the same after kill -9", "b", 0, 0.0),
        ):
            sim.clear()
            with workers(PROCESSES, state.format(at), list(KEYS), sim.base_url) as fleet:
                for worker in fleet:
                    worker.tell("request")
                    if apart:
                        worker.heard()
                        time.sleep(apart)
                for worker in fleet if not apart else ():
                    worker.heard()
                time.sleep(AIMS.get(name, 0.1))
            count = sum(map(sim.count, DEAD))
            rows.append((f"{name}, {what}", count / most if count <= bound else 2.0, f"{count} of {most}"))
            print(f"  {name + ', ' + what:34}{count:10}{bound:17}{count / most:10.2f}")
    return rows


# -- what is kept and sent ---------------------------------------------------------------------


def kept(name: str, state: str, size: Callable[[], int], records: int = 1000) -> None:
    """Bytes of a record in a store, and how long many take."""
    tracker, took = sk.CooldownTracker(state=state), []
    for _ in range(2):
        began = time.perf_counter()
        tracker.sync(30)
        took.append(time.perf_counter() - began)
        for number in range(records if len(took) == 1 else 0):
            tracker.mark_failure(f"openai/gpt-4o#{number:012x}", "billing")
    print(f"  {name + ', bytes of a record':34}{size() / records:10.0f}; {records:,} saved in {took[1] * 1e3:.0f} ms")


def sent(redis: Redis, failures: int = 100) -> None:
    """What a failure has Redis do, with eight processes listening."""
    state = f"{redis.url}?prefix=sent"
    time.sleep(3)  # those that others had opened are closed
    before = redis.load()
    with workers(PROCESSES - 1, state, []):
        tracker = sk.CooldownTracker(state=state)
        tracker.sync()
        idle = redis.load()
        time.sleep(5)
        still = redis.load()
        for number in range(failures):
            tracker.mark_failure(f"openai/gpt-4o#{number:012x}", "billing")
            time.sleep(5 / failures)
        busy = redis.load()
    print(f"  {'connections of a process':34}{(idle[2] - before[2]) / PROCESSES:10.1f}")
    print(f"  {'bytes a second and process, idle':34}{(still[1] - idle[1]) / 5 / PROCESSES:10.0f}")
    print(f"  {'scripts run for a failure':34}{(busy[0] - still[0]) / failures:10.2f}")
    more = (busy[1] - still[1]) - (still[1] - idle[1])
    print(f"  {'bytes sent for a failure':34}{more / failures:10.0f}, to Redis and from it to all {PROCESSES}")


# -- the program -------------------------------------------------------------------------------


def main() -> None:
    """Measure, print, and draw when asked to."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--picture", type=Path, metavar="FILE.svg", help="draw it into a file")
    given = arguments.parse_args()
    logging.getLogger("sparekey").setLevel(logging.ERROR)  # that a Redis is paused and killed here is no news
    groups: dict[str, Rows] = {}
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        redis, paused = Redis(folder), Redis(other)
        sqlite = f"sqlite:///{folder}/{{}}.db"
        shared = f"{redis.url}?prefix={{}}"
        places = {"memory": "memory://", "sqlite": sqlite.format("calls"), "redis": shared.format("calls")}

        print(f"{'':36}{'measured':>12}{'at most':>14}{'share':>13}")
        print("a change is seen in another process after")
        groups["A change is seen in another process after"] = [
            row for name, place in (("redis", shared), ("sqlite", sqlite)) for row in soon(name, place.format("soon"))
        ]
        print(f"calls wasted by {PROCESSES} processes on {len(DEAD)} dead keys of {len(KEYS)}")
        memory = wasted("memory", "memory://")
        groups[f"Calls wasted by {PROCESSES} processes on {len(DEAD)} dead keys; with memory:// all {memory[0][2]}"] = [
            row for name, place in (("redis", shared), ("sqlite", sqlite)) for row in wasted(name, place)
        ]
        print("a call, with nothing done in it")
        stopped = sk.CooldownTracker(state=paused.url)
        stopped.sync()
        paused.pause()
        places["redis, paused"] = paused.url
        groups[f"The time of a call with nothing done in it, where up to {NOISE} is noise"] = [
            row
            for title, fails in (("none fails", False), ("each fails", True))
            for row in paid(title, places, fails=fails)
        ]
        print("processor time of a failure, in the request and behind it")
        for name, place in places.items():
            effort(name, place)
        print("how often requests ask the store")
        groups["How often requests ask the store, in three seconds"] = trips(redis)
        print("what is kept and sent")
        kept("redis", shared.format("kept"), lambda: redis.client.memory_usage("kept:records", samples=0) or 0)
        kept("sqlite", sqlite.format("kept"), lambda: _size(Path(folder, "kept.db")))
        sent(redis)
        redis.close()
        paused.close()
    if given.picture is not None:
        draw_shares(
            given.picture,
            "State shared between processes: what was measured (filled), of what it may be (the whole rail)",
            f"All on one machine of {os.cpu_count()} processors. Counts hold everywhere, times do not.",
            1.0,
            groups,
        )


def _size(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        query = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        return int(connection.execute(query).fetchone()[0])


if __name__ == "__main__":
    main()
