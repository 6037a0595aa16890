"""The replicator: what a request never waits for, and what becomes of trouble."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

import sparekey as sk
from sparekey._cooldown import Record
from sparekey.state import Kept, _replica


def test_what_one_learns_the_other_knows(shelf_store, until):
    """A failure, a success and a reset travel, whoever saw them."""
    one, other = sk.CooldownTracker(state=shelf_store()), sk.CooldownTracker(state=shelf_store())

    one.mark_failure("x", "billing")
    until(lambda: not other.is_available("x"))
    assert other.failure_count("x", "billing") == 1
    other.mark_success("x")
    until(lambda: one.is_available("x"))
    one.mark_failure("y", "auth")
    until(lambda: not other.is_available("y"))
    other.reset()
    until(lambda: one.is_available("y"))


def test_a_start_waits_for_what_is_known(shelf_store):
    """The very first request after a restart asks no dead key, although a store takes its time."""

    class Far(type(shelf_store())):
        def load(self):
            time.sleep(0.05)
            return super().load()

    store = shelf_store()
    before = sk.CooldownTracker(state=store)
    before.mark_failure("x", "billing")
    assert before.sync()

    assert not sk.CooldownTracker(state=Far(store.shelf)).is_available("x")


def test_no_request_calls_a_store(shelf, shelf_store, candidates, provider_error):
    """All calls are made by the replicator's thread; a request's own thread makes none, whatever happens to it."""
    tracker = sk.CooldownTracker(state=shelf_store())
    tracker.sync()
    chain = sk.FallbackChain(tracker)

    def fails_on_first(candidate):
        if candidate is candidates[0]:
            raise provider_error(402)
        return "ok"

    for _ in range(3):
        assert chain.execute(candidates, fails_on_first).response == "ok"
    assert tracker.sync()

    assert {method for method, _ in shelf.calls} >= {"open", "load", "save", "changes"}
    assert {thread for _, thread in shelf.calls} == {"sparekey shelf"}


def test_what_changes_nothing_is_not_saved(shelf, shelf_store):
    """A success of a call that began before the cooldown forgives nothing, and others need not hear of it."""
    tracker = sk.CooldownTracker(state=shelf_store())
    tracker.mark_failure("x", "billing")
    tracker.mark_success("y")
    assert tracker.sync()
    tracker.mark_success("x", started_at=0)
    assert tracker.sync()
    told = len(shelf.log)

    tracker.mark_success("x", started_at=0)
    assert tracker.sync()

    assert len(shelf.log) == told
    assert not tracker.is_available("x")


def test_a_store_that_hangs_holds_nobody_up(shelf, shelf_store):
    """Making a tracker waits a moment; asking and marking do not wait at all."""
    shelf.stuck.clear()
    began = time.monotonic()
    tracker = sk.CooldownTracker(state=shelf_store())
    tracker.mark_failure("x", "billing")

    assert not tracker.is_available("x")
    assert not tracker.sync(0.01)
    assert time.monotonic() - began < 5
    shelf.stuck.set()
    assert tracker.sync()
    assert "x" in shelf.records


async def test_an_event_loop_can_make_a_tracker(shelf, shelf_store):
    """Also when the store hangs."""
    shelf.stuck.clear()

    tracker = await asyncio.wait_for(asyncio.to_thread(sk.CooldownTracker, state=shelf_store()), 5)
    again = sk.CooldownTracker(state=shelf_store())

    assert tracker.is_available("x")
    assert again.is_available("x")


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("no route to sk-canary-0123456789abcdef\nat all"),
        MemoryError(),
        asyncio.CancelledError(),
        SystemExit(1),
    ],
    ids=lambda error: type(error).__name__,
)
def test_trouble_is_told_once_and_so_is_its_end(shelf, shelf_store, told, until, error, monkeypatch):
    """One warning, in one line and without keys, however long it lasts; one line when it is over."""
    monkeypatch.setattr(_replica, "_ROUND", 0.05)
    tracker = sk.CooldownTracker(state=shelf_store())
    assert tracker.sync()
    opened = [method for method, _ in shelf.calls].count("open")
    shelf.broken = error
    until(lambda: [method for method, _ in shelf.calls].count("open") > opened + 3)
    tracker.mark_failure("x", "billing")
    shelf.broken = None
    until(lambda: "x" in shelf.records)
    until(lambda: len(told()) == 2)

    (level, trouble), (level_after, after) = told()
    assert (level, level_after) == ("WARNING", "INFO")
    assert trouble.startswith("state shelf: ")
    assert type(error).__name__ in trouble
    assert "\n" not in trouble
    assert "canary" not in trouble
    assert after == "state shelf: it can be used again"


def test_an_outage_loses_nothing(shelf, shelf_store, until):
    """What was learned on either side meanwhile is known on both when it is over."""
    one, other = sk.CooldownTracker(state=shelf_store()), sk.CooldownTracker(state=shelf_store())
    assert one.sync()
    shelf.broken = ConnectionError("down")
    one.mark_failure("x", "billing")
    other.mark_failure("y", "auth")
    one.reset("z")
    shelf.broken = None

    until(lambda: set(one.snapshot()) == set(other.snapshot()) == {"x", "y"})
    assert dict(one.records) == dict(other.records)


def test_a_place_that_was_emptied_is_filled_again(shelf, shelf_store, until):
    """Each process still knows what it knew."""
    tracker = sk.CooldownTracker(state=shelf_store())
    tracker.mark_failure("x", "billing")
    assert tracker.sync()

    shelf.empty()

    until(lambda: "x" in shelf.records)


def test_all_is_compared_now_and_then(shelf, shelf_store, monkeypatch, until):
    """What was lost without a word is found and told again."""
    monkeypatch.setattr(_replica, "_RESYNC", 0.05)
    monkeypatch.setattr(_replica, "_ROUND", 0.05)
    tracker = sk.CooldownTracker(state=shelf_store())
    tracker.mark_failure("x", "billing")
    assert tracker.sync()

    shelf.records.clear()

    until(lambda: "x" in shelf.records)


def test_a_success_is_not_undone_by_an_emptied_place(shelf, shelf_store, until):
    """A record that was cleared is told like any other, so that an old copy of the failure loses."""
    one = sk.CooldownTracker(state=shelf_store())
    one.mark_failure("x", "billing")
    assert one.sync()
    (old,) = shelf.records.values()
    one.reset("x")
    assert one.sync()

    shelf.records = {old.id: old}
    shelf.log.append(None)

    until(lambda: "t" in shelf.records["x"].fields)
    assert one.is_available("x")


def test_one_state_is_one_thread_and_one_memory(shelf_store, replicators):
    """Trackers of one state in one process know the same at once, whatever their policies."""
    store = shelf_store()
    store.name = "the only shelf"
    one, other = sk.CooldownTracker(state=store), sk.CooldownTracker(sk.Policy.classic(), state=store)

    one.mark_failure("x", "billing")

    assert not other.is_available("x")
    assert replicators("the only shelf") == ["sparekey the only shelf"]


def test_when_the_last_tracker_is_gone_so_is_the_thread(shelf, shelf_store, replicators, until):
    """With what was not saved saved, and the store closed."""
    store = shelf_store()
    store.name = "the last shelf"
    one, other = sk.CooldownTracker(state=store), sk.CooldownTracker(state=store)
    del one
    other.mark_failure("x", "billing")
    del other

    until(lambda: not replicators("the last shelf"))
    assert "x" in shelf.records
    assert not store.is_open
    again = sk.CooldownTracker(state=store)
    assert not again.is_available("x")


def test_thousands_of_trackers_leak_nothing(tmp_path, replicators, until):
    """Neither threads nor files, on one state or on many."""
    files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for number in range(2000):
        sk.CooldownTracker(state=f"sqlite:///{tmp_path}/one.db").mark_failure(f"x{number % 7}", "auth")
    assert len(replicators(f"{tmp_path}/one.db")) <= 1
    for number in range(40):
        sk.CooldownTracker(state=f"sqlite:///{tmp_path}/{number}.db")

    until(lambda: not replicators(str(tmp_path)))
    if files:
        assert len(os.listdir("/proc/self/fd")) <= files + 2


def test_a_store_that_breaks_the_rules_fails_no_request(shelf, shelf_store, told, until):
    """One that raises from wake and forsake, and gives rubbish, is the replicator's trouble only."""

    class Rude(type(shelf_store())):
        def wake(self):
            raise RuntimeError("do not wake me")

        forsake = wake

        def load(self):
            return [None]

    tracker = sk.CooldownTracker(state=Rude(shelf))
    tracker.mark_failure("x", "billing")

    assert not tracker.is_available("x")
    until(lambda: len(told()) == 1)


def test_rubbish_times_are_not_believed(shelf, shelf_store, told):
    """NaN, infinity, a clock that is wrong and a cooldown without end brick no key; what is sound beside them holds."""
    now = time.time()
    ends = now + 3600
    rubbish = {
        "nan": {"billing": f"nan {ends} 1 0 1"},
        "until nan": {"billing": f"{now} nan 1 0 1"},
        "inf": {"billing": f"{now} inf 1 0 1"},
        "far": {"billing": f"{now} {now + 1e9} 1 0 1"},
        "future": {"billing": f"{now + 3600} {now + 7200} 1 0 1"},
        "forgiven": {"t": repr(now + 1e9)},
        "words": {"billing": "never ever more", "auth": "", "t": "?"},
        "short": {"billing": f"{now} {ends}"},
        "none": {"billing": f"{now} {ends} 0 0 1"},
        "huge": {"billing": f"{now} {ends} 1e300 0 1"},
    }
    sound = {"sound": {"billing": f"{now} {ends} 2 1 3"}, "mixed": {"auth": f"{now} {ends} 1", "billing": "?"}}
    for key, fields in (rubbish | sound).items():
        shelf.records[key] = Kept(key, fields, ends)

    tracker = sk.CooldownTracker(state=shelf_store())

    assert tracker.sync()
    assert {key for key in rubbish if tracker.records.get(key, Record()) != Record()} == set()
    assert (tracker.snapshot()["sound"]["reason"], tracker.failure_count("sound", "billing")) == ("billing", 2)
    assert tracker.snapshot()["mixed"]["reason"] == "auth"
    for key in rubbish:
        tracker.mark_failure(key, "auth")
        assert not tracker.is_available(key)
        tracker.mark_success(key, started_at=time.time())
        assert tracker.is_available(key)
    assert [level for level, _ in told()] == ["WARNING"]


def test_what_a_later_version_writes_stays(shelf, shelf_store):
    """Fields, reasons and numbers not known here are neither read nor destroyed."""
    now = time.time()
    fields = {"novelty": "a b c", "quantum": f"{now} {now + 60} 1", "auth": f"{now} {now + 60} 1 0 1 77", "t": "5 6"}
    shelf.records["x"] = Kept("x", fields, now + 3600)
    tracker = sk.CooldownTracker(state=shelf_store())

    tracker.mark_failure("x", "billing")
    assert tracker.sync()

    assert set(tracker.snapshot()["x"]["counts"]) == {"auth", "billing"}
    there = dict(shelf.records["x"].fields)
    del there["billing"]
    assert there == fields


def test_clocks_may_differ_by_seconds(shelf_store, until):
    """A failure seen by a slow clock counts although a fast one forgave later by its own; nothing is stuck for long."""
    fast = sk.CooldownTracker(clock=lambda: time.time() + 5, state=shelf_store())
    slow = sk.CooldownTracker(clock=lambda: time.time() - 5, state=shelf_store())
    slow.mark_failure("x", "billing")
    until(lambda: not fast.is_available("x"))
    fast.mark_success("x")
    until(lambda: slow.is_available("x"))

    slow.mark_failure("x", "auth")
    until(lambda: not fast.is_available("x"))
    assert slow.remaining("x") == pytest.approx(600, abs=5)
    assert fast.remaining("x") == pytest.approx(590, abs=5)
    slow.reset("x")
    until(lambda: fast.is_available("x"))


def test_records_are_kept_for_a_day_and_forgotten_with_the_store(shelf, shelf_store, monkeypatch):
    """Or longer, as the policy says; counted from the last of a record's times."""
    long_ago = time.time() - 3 * 86400
    past = sk.CooldownTracker(clock=lambda: long_ago, state=shelf_store())
    past.mark_failure("old", "auth")
    patient = sk.CooldownTracker(sk.Policy(forget_after=7 * 86400), clock=lambda: long_ago, state=shelf_store())
    patient.mark_failure("kept", "auth")
    assert past.sync()
    assert patient.sync()

    assert shelf.records["kept"].expires == pytest.approx(long_ago + 600 + 7 * 86400)
    assert "old" not in past.records
    assert "kept" in patient.records


def test_sync_says_whether_it_came_about(shelf, shelf_store):
    """Nothing to do in memory; not while the store is down."""
    assert sk.CooldownTracker().sync()
    shelf.broken = ConnectionError("down")
    assert not sk.CooldownTracker(state=shelf_store()).sync(0.1)


EXIT = """
import sys
import sparekey as sk
tracker = sk.CooldownTracker(state=f"sqlite:///{sys.argv[1]}")
for number in range(50):
    tracker.mark_failure(f"x{number}", "billing")
"""


def test_what_is_learned_last_is_saved_at_exit(tmp_path, program, finished):
    """A program may end right after a failure."""
    finished(program(EXIT, tmp_path / "state.db"))

    tracker = sk.CooldownTracker(state=f"sqlite:///{tmp_path}/state.db")
    assert tracker.sync()
    assert len(tracker.snapshot()) == 50


def test_an_exit_is_not_held_up_by_a_store(tmp_path, program, finished):
    """One that hangs, or is not there, costs a second at most."""
    hangs = """
import threading, sys
import sparekey as sk
from sparekey.state import SQLiteStore
class Hangs(SQLiteStore):
    def open(self):
        threading.Event().wait()
tracker = sk.CooldownTracker(state=Hangs(sys.argv[1]))
tracker.mark_failure("x", "billing")
print("ends")
"""
    (tmp_path / "folder.db").mkdir()
    began = time.monotonic()

    assert finished(program(hangs, tmp_path / "state.db")) == "ends\n"
    finished(program(EXIT, tmp_path / "folder.db"))
    assert time.monotonic() - began < 15
