"""Opening, closing, waking and forking: nothing is left behind, and nobody uses what is another's."""

from __future__ import annotations

import os
import threading
import time

import pytest

from sparekey.state._redis import RedisStore

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
with_threads = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")  # which is the point


def _listeners():
    return [thread for thread in threading.enumerate() if thread.name == "sparekey-redis"]


def test_closing_lets_go_of_thread_and_connections(start_redis, until):
    """After a hundred stores were opened and closed, neither a thread nor a connection is left."""
    server = start_redis()
    looking = server.client()
    for _ in range(100):
        store = RedisStore.from_url(server.url)
        store.open()
        store.load()
        store.close()
        store.close()

    until(lambda: not _listeners() and len(looking.client_list()) == 1)


def test_a_store_that_could_not_be_opened_lets_go_as_well(start_redis, proxy, until):
    """Attempts that fail half-way, again and again, pile nothing up."""
    server = start_redis()
    between = proxy(server.port)
    store = RedisStore.from_url(between.url)
    for cut_after in range(0, 200, 10):
        between.cut_after = cut_after
        with pytest.raises(Exception):  # noqa: B017 - whatever redis-py makes of half an answer
            store.open()
        store.close()

    until(lambda: not _listeners() and len(server.client().client_list()) == 1)


def test_a_forgotten_store_lets_go_by_itself(start_redis, until):
    """A store that nobody closed ends with its client."""
    server = start_redis()
    store = RedisStore.from_url(server.url)
    store.open()
    del store

    until(lambda: not _listeners() and len(server.client().client_list()) == 1)


def test_waking_ends_a_wait_or_the_next_one(place, stores):
    """A wake during the wait ends it, one before it as well, and each once."""
    store = stores(place)
    store.wake()
    assert store.changes(30) == []

    timer = threading.Timer(0.05, store.wake)
    timer.start()
    assert store.changes(30) == []
    timer.join()
    began = time.monotonic()
    store.changes(0.3)
    assert time.monotonic() - began >= 0.25  # to the end: a clock may be coarser than a wait


def test_a_thousand_wakes_pile_up_to_one(place, stores, record, hears):
    """Requests may wake a store that is busy, or down, as often as they like."""
    one, other = stores(place), stores(place)
    for _ in range(1000):
        other.wake()

    assert other._told.qsize() == 1
    one.save([record()])
    assert set(hears(other)) == {"key-1"}


def test_waiting_is_no_longer_than_asked_for(place, stores):
    """With nothing to hear, a wait of nothing returns at once, and one of a little after a little."""
    store = stores(place)

    assert store.changes(0) == []
    began = time.monotonic()
    assert store.changes(0.05) == []
    assert time.monotonic() - began > 0.04


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings(
    "ignore:.*multi-threaded.*fork:DeprecationWarning"
)  # being forked with threads is the point
def test_a_fork_leaves_the_parents_connections_alone(start_redis, stores, record, hears):
    """A child that forsakes, opens and closes has connections of its own; the parent's go on as they were."""
    server = start_redis()
    looking = server.client()
    parent = stores(server.url)
    parent.save([record("parent")])
    hears(parent)
    before = {each["id"] for each in looking.client_list()}
    looking.config_resetstat()

    child = os.fork()
    if child == 0:
        status = 1
        try:
            parent.forsake()
            parent.open()
            known = {kept.id for kept in parent.load()}
            parent.save([record("child")])
            status = 0 if known == {"parent"} and "child" in hears(parent) else 2
            parent.close()
            parent.__dict__.clear()
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert "quit" not in str(looking.info("commandstats"))
    parent.save([record("after")])
    assert set(hears(parent, 2)) == {"child", "after"}
    assert before <= {each["id"] for each in looking.client_list()}


@forks
@with_threads
def test_a_fork_in_the_middle_of_everything_stands_nothing_still(place, stores, record):
    """Children made while the parent saves, waits and wakes in threads can all use the store."""
    parent = stores(place)
    stopped = threading.Event()

    def busy():
        n = 0
        while not stopped.is_set():
            parent.save([record(f"key-{(n := n + 1) % 50}", busy=f"{n}")])
            parent.changes(0)

    threads = [threading.Thread(target=busy)]
    threads[0].start()
    children = []
    for _ in range(20):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                parent.forsake()
                parent.open()
                parent.load()
                parent.save([record(f"child-{os.getpid()}")])
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    stopped.set()
    threads[0].join()

    assert codes == [0] * 20
    known = {kept.id for kept in parent.load()}
    assert {f"child-{child}" for child in children} <= known
