"""What a store of shared state has to do, as tests for pytest.

For a store of your own, subclass :class:`StoreContract` in a test module and say how one is made::

    from sparekey.testing import StoreContract

    class TestMyStore(StoreContract):
        @pytest.fixture
        def make_store(self, tmp_path):
            return lambda: MyStore(tmp_path / "state")
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from threading import Thread, Timer
from typing import TypeAlias

import pytest

from sparekey._tracker import CooldownTracker
from sparekey.state import Kept, Store

MakeStore: TypeAlias = Callable[[], Store]

_LATER = 3600.0
"""Seconds for which a record is kept that must not expire during a test."""
_PATIENCE = 10.0
"""Seconds after which something that should have happened has not."""


class StoreContract:
    """Tests that every store passes. Override :meth:`make_store`; the rest is inherited."""

    @pytest.fixture
    def make_store(self) -> MakeStore:
        """A function that makes a store, not yet opened, always on the same place; it is empty when a test begins."""
        raise NotImplementedError("override the fixture make_store")

    @pytest.fixture
    def one(self, make_store: MakeStore) -> Iterator[Store]:
        """An open store."""
        yield from _opened(make_store())

    @pytest.fixture
    def other(self, make_store: MakeStore) -> Iterator[Store]:
        """Another, open on the same place, as in another process."""
        yield from _opened(make_store())

    def test_a_new_place_is_empty(self, one: Store) -> None:
        """Nothing is found where nothing was saved."""
        assert list(one.load()) == []

    def test_the_name_says_where_it_is(self, make_store: MakeStore) -> None:
        """A log can name a store before it is opened, and in one line."""
        assert make_store().name.strip()
        assert len(make_store().name.splitlines()) == 1

    def test_what_is_saved_is_loaded_elsewhere(self, one: Store, other: Store) -> None:
        """Ids, fields, numbers and the end of a record arrive as they were."""
        record = _kept("openai/gpt-4o#1a2b", t="1700000000.125", billing="1700000001.5 1700003600.0 3 1 4")

        one.save([record])

        (found,) = other.load()
        assert (found.id, _numbers(found)) == (record.id, _numbers(record))
        assert found.expires == pytest.approx(record.expires, abs=1.0)

    @pytest.mark.parametrize(
        "key",
        [
            "with blanks, \"quotes\", 'others' and : / # ? % & * [ ] { } \\",
            "two\nlines\tand a tab",
            "智谱/GLM-4.7 é 🔑",
            "\ud800 half a character",
            "x" * 400,
        ],
    )
    def test_an_id_is_any_text(self, one: Store, other: Store, key: str) -> None:
        """Ids have names in them that users chose."""
        one.save([_kept(key, t="1"), _kept(f"{key}!", t="2")])

        assert {found.id: dict(found.fields) for found in other.load()} == {key: {"t": "1"}, f"{key}!": {"t": "2"}}

    @pytest.mark.parametrize(
        ("less", "greater"),
        [
            ("9", "10"),
            ("9 100", "10 1"),
            ("10 1", "10 2"),
            ("10", "10 0"),
            ("1700000000.1234567", "1700000000.1234569"),
            ("-5", "0"),
            ("1e3", "1001.0"),
            ("rubbish", "1"),
            ("", "1"),
        ],
    )
    def test_of_two_values_the_greater_holds(self, one: Store, other: Store, less: str, greater: str) -> None:
        """Number by number, not letter by letter; whoever comes last, and rubbish gives way."""
        one.save([_kept("first", t=less), _kept("last", t=greater)])
        other.save([_kept("first", t=greater), _kept("last", t=less)])

        assert {found.id: found.fields["t"] for found in one.load()} == {"first": greater, "last": greater}

    def test_fields_merge_apart_from_each_other(self, one: Store, other: Store) -> None:
        """A field that one side does not know, of a later version say, is left where it is."""
        one.save([_kept("a", t="5", auth="1 2 3", novelty="7")])
        other.save([_kept("a", t="4", auth="2 1 1", billing="9 9 9")])

        (found,) = one.load()
        assert found.fields == {"t": "5", "auth": "2 1 1", "billing": "9 9 9", "novelty": "7"}

    def test_order_and_repeats_do_not_matter(self, make_store: MakeStore) -> None:
        """What holds is the same however the records came."""
        parts = [_kept("a", t="1", auth="3 1 1"), _kept("a", t="2"), _kept("a", auth="2 9 9", billing="1 1 1")]
        for number, order in enumerate(itertools.permutations(parts)):
            for store in _opened(make_store()):
                mine = [part._replace(id=f"a{number}") for part in (*order, order[0])]
                for part in mine:
                    store.save([part])

        for store in _opened(make_store()):
            found = [dict(record.fields) for record in store.load()]
        assert found == [{"t": "2", "auth": "3 1 1", "billing": "1 1 1"}] * 6

    def test_many_are_saved_at_once(self, one: Store, other: Store) -> None:
        """A process that comes back has all it knows to tell."""
        records = [_kept(f"record {number}", t=repr(number), auth="1 2 3 0 1") for number in range(2000)]

        one.save(iter(records))

        assert {found.id: found.fields["t"] for found in other.load()} == {r.id: r.fields["t"] for r in records}

    def test_those_who_save_at_once_lose_nothing(self, make_store: MakeStore) -> None:
        """Each record is merged atomically."""
        failures: list[Exception] = []

        def save(field: str) -> None:
            try:
                for store in _opened(make_store()):
                    for number in range(1, 21):
                        store.save([_kept("a", **{field: repr(number)})])
            except Exception as error:
                failures.append(error)

        threads = [Thread(target=save, args=(f"field{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert not failures
        for store in _opened(make_store()):
            (found,) = store.load()
        assert found.fields == {f"field{number}": "20" for number in range(4)}

    def test_a_change_is_found_by_others(self, one: Store, other: Store) -> None:
        """Whoever waits for changes gets them, new records and newer fields alike."""
        list(other.load())

        one.save([_kept("a", t="1")])
        assert _awaited(other, "a")["t"] == "1"
        one.save([_kept("a", t="2")])
        assert _awaited(other, "a", t="2")["t"] == "2"

    def test_no_change_is_missed_from_the_moment_of_opening(self, one: Store, other: Store) -> None:
        """What is saved while another loads is in what it loads, or among the changes."""
        one.save([_kept("before", t="1")])
        list(other.load())
        one.save([_kept("after", t="1")])

        assert _awaited(other, "after")["t"] == "1"

    def test_changes_waits_when_there_are_none(self, one: Store) -> None:
        """A loop around it does not spin, also after it was woken once."""
        one.load()
        one.wake()
        one.changes(0.0)
        one.changes(0.0)
        began = time.monotonic()
        for _ in range(10):
            found = one.changes(0.1)
            assert found is not None
            assert not list(found)

        assert time.monotonic() - began > 0.5

    def test_changes_does_not_wait_longer_than_it_is_told(self, one: Store) -> None:
        """With 0 it looks and returns."""
        one.load()
        began = time.monotonic()
        one.changes(0.0)

        assert time.monotonic() - began < _PATIENCE

    def test_waking_ends_the_waiting(self, one: Store) -> None:
        """From another thread, and also when it comes just before the waiting."""
        one.load()
        one.wake()
        one.changes(_PATIENCE)
        began = time.monotonic()
        waker = Timer(0.05, one.wake)
        waker.start()
        one.changes(6 * _PATIENCE)
        waker.join()

        assert time.monotonic() - began < _PATIENCE

    def test_waking_is_allowed_at_any_time(self, make_store: MakeStore) -> None:
        """Before it is opened, and after it was closed."""
        store = make_store()
        store.wake()
        for _ in _opened(store):
            pass
        store.wake()

    def test_a_record_expires(self, one: Store, other: Store) -> None:
        """It is not loaded after its end; merging keeps the later end."""
        soon = time.time() + 0.5
        one.save([Kept("gone", {"t": "1"}, soon), Kept("stays", {"t": "1"}, soon)])
        one.save([Kept("stays", {"t": "1"}, soon + _LATER), Kept("past", {"t": "1"}, time.time() - 5)])
        one.save([Kept("stays", {"t": "1"}, soon)])

        assert _until(lambda: {found.id for found in other.load()} == {"stays"})

    def test_it_can_be_closed_twice_and_opened_again(self, make_store: MakeStore) -> None:
        """After trouble a store is closed, whatever state it is in, and opened anew."""
        store = make_store()
        store.close()
        for _ in range(3):
            store.open()
            list(store.load())
            store.save([_kept("a", t="1")])
            store.close()
            store.close()
        for again in _opened(store):
            assert [found.id for found in again.load()] == ["a"]

    def test_what_changed_while_it_was_closed_is_loaded(self, make_store: MakeStore, one: Store) -> None:
        """A store that was closed begins anew."""
        store = make_store()
        for _ in _opened(store):
            list(store.load())
        one.save([_kept("meanwhile", t="1")])

        for _ in _opened(store):
            assert [found.id for found in store.load()] == ["meanwhile"]

    def test_a_forsaken_store_is_opened_anew_and_harms_no_other(self, make_store: MakeStore, one: Store) -> None:
        """A forked child lets its parent's connection alone, and makes its own."""
        store = make_store()
        store.open()
        list(store.load())
        store.forsake()
        for _ in _opened(store):
            store.save([_kept("child", t="1")])
        one.save([_kept("parent", t="1")])

        assert {found.id for found in one.load()} == {"child", "parent"}

    def test_trackers_share_what_they_learn(self, make_store: MakeStore) -> None:
        """The whole way: a failure and a reset in one process are seen in another."""
        one, other = CooldownTracker(state=make_store()), CooldownTracker(state=make_store())

        one.mark_failure("a", "billing")
        assert _until(lambda: not other.is_available("a"))
        assert other.snapshot()["a"]["reason"] == "billing"
        other.reset("a")
        assert _until(lambda: one.is_available("a"))

    def test_a_tracker_begins_with_what_is_known(self, make_store: MakeStore) -> None:
        """A restart forgets nothing."""
        before = CooldownTracker(state=make_store())
        before.mark_failure("a", "billing")
        assert before.sync(_PATIENCE)

        after = CooldownTracker(state=make_store())

        assert after.sync(_PATIENCE)
        assert not after.is_available("a")


def _kept(key: str, **fields: str) -> Kept:
    return Kept(key, fields, time.time() + _LATER)


def _numbers(record: Kept) -> dict[str, list[float]]:
    return {name: [float(number) for number in value.split()] for name, value in record.fields.items()}


def _opened(store: Store) -> Iterator[Store]:
    store.open()
    try:
        yield store
    finally:
        store.close()


def _awaited(store: Store, key: str, **fields: str) -> dict[str, str]:
    """The fields of ``key`` as changes bring them, until they hold ``fields``; None is answered as it has to be."""
    known: dict[str, str] = {}

    def heard() -> bool:
        found: Iterable[Kept] | None = store.changes(0.2)
        for record in store.load() if found is None else found:
            if record.id == key:
                known.update(record.fields)
        return bool(known) and fields.items() <= known.items()

    assert _until(heard), f"no change of {key!r} was found in {_PATIENCE:.0f} s"
    return known


def _until(condition: Callable[[], bool]) -> bool:
    ends = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.01)
    return True
