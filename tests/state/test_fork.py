"""Processes that fork: web servers that load first and fork then, and multiprocessing in both its ways."""

from __future__ import annotations

import os
import sqlite3
import threading
import time

import pytest

import sparekey as sk

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    # What Python 3.12 says of any fork beside threads; that it is safe here is what is tested.
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
]


@pytest.fixture
def tracker(tmp_path):
    return sk.CooldownTracker(state=f"sqlite:///{tmp_path}/state.db")


def in_child(work):
    """Fork, and return whether ``work`` did its work there."""
    child = os.fork()
    if child == 0:
        done = False
        try:
            done = bool(work())
        finally:
            os._exit(0 if done else 1)
    _, status = os.waitpid(child, 0)
    return status == 0


def test_a_child_knows_what_its_parent_knew_and_tells_what_it_learns(tracker, until):
    """The way of gunicorn with an application loaded before the fork."""
    tracker.mark_failure("before", "billing")

    def child():
        assert not tracker.is_available("before")
        tracker.mark_failure("child", "billing")
        return tracker.sync(20)

    assert in_child(child)
    until(lambda: not tracker.is_available("child"))


def test_a_child_hears_of_others_without_asking_for_it(tracker):
    """Reading what cools is enough to be part of it again."""

    def child():
        assert in_child(lambda: not tracker.mark_failure("grandchild", "billing") and tracker.sync(20))
        ends = time.monotonic() + 20
        while not tracker.records.get("grandchild") and time.monotonic() < ends:
            time.sleep(0.01)
        return "grandchild" in tracker.records

    assert in_child(child)


def test_a_child_starts_no_thread_before_it_needs_one(tracker):
    """One that only runs another program costs nothing."""
    assert tracker.sync()

    assert in_child(lambda: threading.active_count() == 1)
    assert in_child(lambda: tracker.is_available("x") and threading.active_count() == 2)


def test_forks_while_everything_is_busy(tracker, tmp_path):
    """Threads that fork and threads that fail beside the replicator: nobody hangs, nothing is lost, no file breaks."""
    stop = threading.Event()

    def fail(name):
        number = 0
        while not stop.is_set():
            tracker.mark_failure(f"{name} {number % 20}", "timeout")
            number += 1
            time.sleep(0.001)

    done = []

    def fork(name):
        for number in range(8):
            key = f"{name} {number}"
            done.append(in_child(lambda key=key: not tracker.mark_failure(key, "auth") and tracker.sync(20)))

    failing = [threading.Thread(target=fail, args=(f"busy {number}",)) for number in range(2)]
    forking = [threading.Thread(target=fork, args=(f"child {number}",)) for number in range(3)]
    for thread in (*failing, *forking):
        thread.start()
    for thread in forking:
        thread.join()
    stop.set()
    for thread in failing:
        thread.join()

    assert done == [True] * 24
    assert tracker.sync(20)
    assert {f"child {name} {number}" for name in range(3) for number in range(8)} <= set(tracker.records)
    with sqlite3.connect(tmp_path / "state.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_locks_held_at_the_fork_are_free_in_the_child(tracker):
    """Whatever another thread was about: of trackers of memory, of shared ones and of those that are being made."""
    alone = sk.CooldownTracker()
    held, release = threading.Event(), threading.Event()

    def hold():
        with alone._book.lock, tracker._book.lock, sk._tracker._shared_lock:
            held.set()
            release.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()

    def child():
        for one in (alone, tracker, sk.shared_tracker(sk.Policy(max_wait=12.5))):
            one.mark_failure("x", "auth")
        return not alone.is_available("x") and tracker.sync(20)

    try:
        assert in_child(child)
    finally:
        release.set()
        holder.join()


def test_a_child_forked_in_the_middle_of_a_long_transaction_shares_nothing(tracker, told, tmp_path):
    """SQLite's own locks are in an unknown state there, so it is let alone; requests go on."""
    store = tracker._book._store
    with store._in_use:  # longer than a fork waits

        def child():
            tracker.mark_failure("x", "auth")
            return not tracker.is_available("x") and not tracker.sync(0.5) and len(told()) == 1

        assert in_child(child)
    assert tracker.sync(20)
    assert tracker.is_available("x")


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_worker_of_multiprocessing_tells_what_it_learned_last(tracker, method, until, tmp_path, program, finished):
    """However it was started, and although such workers end without the interpreter's own exit."""
    text = f"""
import multiprocessing, sys
import sparekey as sk

def work(tracker, name):
    tracker.mark_failure(name, "billing")

if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    tracker = sk.CooldownTracker(state=f"sqlite:///{{sys.argv[1]}}")
    workers = [context.Process(target=work, args=(tracker, f"worker {{number}}")) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0] * 3
    assert tracker.sync(20)
    print(sorted(tracker.snapshot()))
"""
    assert finished(program(text, tmp_path / "state.db")) == "['worker 0', 'worker 1', 'worker 2']\n"


def test_multiprocessing_makes_no_end_wait_twice(tmp_path, program, finished):
    """Its finalizers run at the end of every process that imported it; the one wait there is comes with the exit."""
    text = """
import multiprocessing.util, sys
import sparekey as sk
from sparekey.state import SQLiteStore, _replica

waits = []
_replica.Replicator.wait_for_end = lambda self, timeout: waits.append(timeout)
tracker = sk.CooldownTracker(state=SQLiteStore(sys.argv[1]))
multiprocessing.util._exit_function()
print(waits)
"""
    assert finished(program(text, tmp_path / "state.db")) == "[]\n"
