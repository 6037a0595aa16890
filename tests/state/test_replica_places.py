"""What ``state`` may be, and trackers that travel with it."""

from __future__ import annotations

import copy
import os
import pickle
import sys

import pytest

import sparekey as sk
from sparekey.state import SQLiteStore


def test_a_file_is_named_from_here_or_from_the_root(tmp_path, monkeypatch):
    """Three slashes and four, as in SQLAlchemy; both are one state."""
    monkeypatch.chdir(tmp_path)
    one = sk.CooldownTracker(state="sqlite:///my%20state.db")
    one.mark_failure("x", "billing")
    assert one.sync()

    assert (tmp_path / "my state.db").exists()
    assert not sk.CooldownTracker(state=f"sqlite:///{tmp_path}/my%20state.db").is_available("x")


@pytest.mark.parametrize(
    "reference", ["os.environ/SPAREKEY_STATE", "${SPAREKEY_STATE}", "sqlite:///${FOLDER}/state.db"]
)
def test_a_state_may_be_a_reference(tmp_path, monkeypatch, reference):
    """As a key may, since a URL may hold a password."""
    monkeypatch.setenv("SPAREKEY_STATE", f"sqlite:///{tmp_path}/state.db")
    monkeypatch.setenv("FOLDER", str(tmp_path))

    tracker = sk.CooldownTracker(state=reference)
    tracker.mark_failure("x", "billing")
    assert tracker.sync()

    assert not sk.CooldownTracker(state=SQLiteStore(tmp_path / "state.db")).is_available("x")


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("carrier-pigeon://loft:hunter2secret@x", "'carrier-pigeon' is not a kind of state"),
        ("memory", "not a URL; there are memory://, sqlite:///file, redis://"),
        ("hunter2secret", "not a URL"),
        ("", "not a URL"),
        ("memory://hunter2secret", "'memory' is not a kind of state"),
        ("sqlite://", "write sqlite:///file.db"),
        ("sqlite://file.db", "write sqlite:///file.db"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///a.db?mode=ro", "with no options"),
        ("os.environ/SPAREKEY_NO_SUCH_STATE", "state: the environment variable SPAREKEY_NO_SUCH_STATE is not set"),
        ("redis://:hunter2secret@host:port/0", "state: "),
        ("redis://:hunter2secret@[half/0", "state: "),
        (5, "not int"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_state_is_a_mistake_in_one_line(state, told):
    """Found when the tracker is made; the text shows no password."""
    with pytest.raises(sk.ConfigError) as caught:
        sk.CooldownTracker(state=state)

    text = str(caught.value)
    assert text.startswith("state: ")
    assert told in text
    assert len(text.splitlines()) == 1
    assert "hunter2secret" not in text
    assert caught.value.__cause__ is None


def test_what_a_reference_leads_to_is_judged_and_not_shown(monkeypatch):
    """A variable with a password in it and no URL."""
    monkeypatch.setenv("SPAREKEY_STATE", "hunter2secret")

    with pytest.raises(
        sk.ConfigError, match=r"^state: os\.environ/SPAREKEY_STATE leads to what is not a URL"
    ) as caught:
        sk.CooldownTracker(state="os.environ/SPAREKEY_STATE")
    assert "hunter2secret" not in str(caught.value)


def test_without_redis_py_the_extra_is_named(monkeypatch):
    """It is not installed with the core."""
    for name in [name for name in sys.modules if name.split(".")[0] == "redis" or "state._redis" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(sk.ConfigError, match=r"^state: redis:// needs redis-py: pip install 'sparekey\[redis\]'$"):
        sk.CooldownTracker(state="redis://:hunter2secret@localhost/0")


def test_a_shared_tracker_is_one_for_each_policy_and_state(tmp_path, shelf_store):
    """Given as a URL or as an object, even one that is equal to others and so has no hash."""

    class Equal(type(shelf_store())):
        __hash__ = None

        def __eq__(self, other):
            return True

    url, store = f"sqlite:///{tmp_path}/state.db", Equal(shelf_store().shelf)

    assert sk.shared_tracker(state=url) is sk.shared_tracker(state=url)
    assert sk.shared_tracker(state=url) is not sk.shared_tracker()
    assert sk.shared_tracker(state=store) is sk.shared_tracker(state=store)
    assert sk.shared_tracker(state=store) is not sk.shared_tracker(state=Equal(store.shelf))
    assert pickle.loads(pickle.dumps(sk.shared_tracker(state=store))) is sk.shared_tracker(state=store)


ELSEWHERE = """
import pickle, sys
with open(sys.argv[1], "rb") as file:
    one, again, other = pickle.load(file)
assert one is again
print(one.is_available("x"), one is other)
one.mark_failure("y", "auth")
assert one.sync(10)
"""


def test_a_tracker_travels_to_the_same_state(tmp_path, monkeypatch, program, finished, until):
    """Pickled with what uses it, it is one tracker there too, on the same records."""
    monkeypatch.setenv("SPAREKEY_STATE", f"sqlite:///{tmp_path}/state.db")
    own = sk.CooldownTracker(state="os.environ/SPAREKEY_STATE")
    shared = sk.shared_tracker(state=f"sqlite:///{tmp_path}/state.db")
    own.mark_failure("x", "billing")
    assert own.sync()
    (tmp_path / "pickled").write_bytes(pickle.dumps((own, own, shared)))

    assert finished(program(ELSEWHERE, tmp_path / "pickled")) == "False False\n"
    until(lambda: not own.is_available("y"))
    assert pickle.loads(pickle.dumps(own)) is own
    assert pickle.loads(pickle.dumps(shared)) is shared
    assert copy.deepcopy(own) is own


def test_a_pickle_holds_the_reference_or_nothing(monkeypatch):
    """Never the password of a URL; one that was written out is known only to who has seen it."""
    pytest.importorskip("redis")
    url = "redis://:hunter2secret@127.0.0.1:1/0"
    monkeypatch.setenv("SPAREKEY_STATE", url)
    by_reference = pickle.dumps(sk.CooldownTracker(state="os.environ/SPAREKEY_STATE"))
    written_out = sk.CooldownTracker(state=url)
    by_url = pickle.dumps(written_out)

    assert b"os.environ/SPAREKEY_STATE" in by_reference
    assert b"hunter2secret" not in by_reference + by_url
    assert pickle.loads(by_url) is written_out
    del written_out
    assert isinstance(pickle.loads(by_url), sk.CooldownTracker)


def test_a_pickled_url_that_nobody_knows_is_a_mistake(tmp_path, program):
    """One line says to give it by reference."""
    pytest.importorskip("redis")
    pickled = tmp_path / "pickled"
    pickled.write_bytes(pickle.dumps(sk.CooldownTracker(state="redis://:hunter3secret@127.0.0.1:1/0")))
    process = program("import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))", pickled)

    _, err = process.communicate(timeout=20)
    last = err.splitlines()[-1]
    assert "ConfigError: this process does not know the key" in last
    assert "os.environ/NAME" in last


def test_a_store_object_stays_where_it_is(tmp_path, program, shelf_store):
    """The same tracker in its own process, and one line elsewhere."""
    tracker = sk.CooldownTracker(state=shelf_store())
    pickled = tmp_path / "pickled"
    pickled.write_bytes(pickle.dumps(tracker))

    assert pickle.loads(pickle.dumps(tracker)) is tracker
    process = program("import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))", pickled)
    _, err = process.communicate(timeout=20)
    assert "ConfigError: state: a tracker whose store is an object (shelf)" in err.splitlines()[-1]


def test_no_state_is_no_file_and_no_thread(tmp_path, monkeypatch, replicators):
    """Memory is the default, and costs nothing more than it did."""
    monkeypatch.chdir(tmp_path)
    before = replicators("sparekey ")
    tracker = sk.CooldownTracker()
    tracker.mark_failure("x", "billing")

    assert [name for name in replicators("sparekey ") if name not in before] == []
    assert os.listdir(tmp_path) == []
