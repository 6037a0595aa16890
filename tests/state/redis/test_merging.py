"""What Redis's script merges is what Python would, and nothing of it is lost on the way."""

from __future__ import annotations

import multiprocessing
import threading
import time

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from sparekey.state._redis import RedisStore
from sparekey.state._store import Kept, merged

NUMBERS = st.one_of(
    st.floats(allow_nan=False), st.integers(-(2**60), 2**60), st.floats(1.7e9, 1.8e9), st.sampled_from([0.0, -0.0])
)
WORDS = st.one_of(NUMBERS.map(repr), st.sampled_from(["nan", "inf", "0x10", "rubbish", "1.5.2", "+7", ".5", "1e400"]))
VALUES = st.lists(WORDS, max_size=5).map(" ".join)
FIELDS = st.dictionaries(st.sampled_from(["billing", "cleared", "rate limit", "größe", "a:b|c"]), VALUES, max_size=4)


@given(copies=st.lists(FIELDS, min_size=1, max_size=4))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_redis_merges_as_python_does_and_keeps_the_winner_to_the_last_bit(copies, place):
    """Of any copies in any order the same text stays, whatever the numbers: huge, tiny, infinite or an integer."""
    name, expires = f"key-{time.time_ns()}", time.time() + 60
    store = RedisStore.from_url(place)
    store.open()
    try:
        expected: dict[str, str] = {}
        for fields in copies:
            store.save([Kept(name, fields, expires)])
            expected = merged(expected, fields)
        (kept,) = [record for record in store.load() if record.id == name]
    finally:
        store.close()

    assert kept == Kept(name, expected, expires)


@pytest.mark.parametrize("name", ["openai/gpt-4o|ab12", "a b\nc", "ключ", "%41", "<clock>", "x" * 500, "\ud800", ""])
def test_an_id_may_be_any_text(place, stores, record, hears, name):
    """An id comes back as it went, and none is taken for something else."""
    one, other = stores(place), stores(place)

    one.save([record(name)])

    assert hears(other)[name].fields == record().fields
    assert [kept.id for kept in other.load()] == [name]


def test_what_changes_nothing_is_not_told(place, stores, record, hears):
    """A repeated or older value travels to nobody."""
    one, other = stores(place), stores(place)
    told = Kept("key-1", {"billing": "5.0 9.0 1"}, time.time() + 60)
    one.save([told])
    hears(other)

    one.save([told, told._replace(fields={"billing": "4.0 99.0 7"})])
    one.save([record("key-2")])

    assert set(hears(other)) == {"key-2"}


def test_only_a_later_expiry_replaces_one(place, stores, record):
    """A record saved with less time to live keeps what it had."""
    store = stores(place)
    long, short = record(seconds=600.0), record(seconds=60.0)
    store.save([long])
    store.save([short])

    (kept,) = store.load()

    assert kept.expires == long.expires


def _many_saves(place, worker, together):
    store = RedisStore.from_url(place)
    store.open()
    together.wait()
    for count in range(50):
        value = f"{1000 + (count * 7 + worker * 13) % 97} {worker} {count}"
        store.save([Kept(f"key-{count % 5}", {"shared": value, f"own-{worker}": f"{count}"}, time.time() + 60)])
    store.close()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_eight_at_once_lose_nothing(place, stores, kind):
    """Whatever the interleaving, every field ends with the greatest value anybody saved."""
    if kind == "threads":
        together = threading.Barrier(8)
        workers = [threading.Thread(target=_many_saves, args=(place, n, together)) for n in range(8)]
    else:
        context = multiprocessing.get_context("fork")
        together = context.Barrier(8)
        workers = [context.Process(target=_many_saves, args=(place, n, together)) for n in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(50)

    expected: dict[str, dict[str, str]] = {}
    for worker in range(8):
        for count in range(50):
            value = f"{1000 + (count * 7 + worker * 13) % 97} {worker} {count}"
            before = expected.get(f"key-{count % 5}", {})
            expected[f"key-{count % 5}"] = merged(before, {"shared": value, f"own-{worker}": f"{count}"})
    assert {record.id: record.fields for record in stores(place).load()} == expected


def test_a_thousand_records_go_and_come_in_one_call(place, stores, hears, record):
    """A save is cut into batches; the listener gets each of its records."""
    one, other = stores(place), stores(place)
    records = [record(f"key-{n}") for n in range(1000)]

    one.save(records)

    assert set(hears(other, 1000)) == {kept.id for kept in other.load()} == {kept.id for kept in records}
