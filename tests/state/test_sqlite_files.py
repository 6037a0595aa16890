"""What can become of a file: requests go on, there is one warning, and all is shared again when it heals."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
import tempfile
import time
from pathlib import Path

import pytest

import sparekey as sk
from sparekey.state import Kept, SQLiteStore, _sqlite_file


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


@pytest.fixture
def url(path):
    return f"sqlite:///{path}"


@pytest.fixture
def knows(path):
    """Whether the file has the record of each of these ids."""

    def look(*ids):
        store = SQLiteStore(path)
        try:
            store.open()
            return set(ids) <= {record.id for record in store.load()}
        except (sqlite3.Error, OSError, sk.SparekeyError):
            return False
        finally:
            store.close()

    return look


def warnings(told):
    return [text for level, text in told() if level == "WARNING"]


def test_the_file_is_its_owners_only(url, path):
    """Whom a program asks, and who is out of credit, is nobody else's business."""
    tracker = sk.CooldownTracker(state=url)
    tracker.mark_failure("x", "billing")
    assert tracker.sync()

    files = sorted(path.parent.glob("state.db*"))
    assert len(files) == 3
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


def test_no_key_is_in_the_file(url, path):
    """Fingerprints only: not in the database, and not in what SQLite keeps beside it."""
    canary = "sk-canary-0123456789abcdef"
    models = [{"model_name": "m", "model": "openai/gpt-4o", "api_key": canary, "api_base": f"https://u:{canary}@h.com"}]
    (candidate,) = sk.candidates_for("m", models)
    tracker = sk.CooldownTracker(state=url)
    for reason in sk.Reason:
        tracker.mark_failure(candidate, reason)
    tracker.mark_success(candidate)
    assert tracker.sync()

    written = b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert candidate.id.encode() in written
    assert b"canary" not in written


def test_a_corrupt_file_is_left_alone_until_it_is_gone(url, path, told, until, knows):
    """It may be anybody's; whoever deletes it has sharing back at once."""
    path.write_text("Dear diary, this is no database. " * 200)
    tracker = sk.CooldownTracker(state=url)
    tracker.mark_failure("x", "billing")

    until(lambda: warnings(told))
    assert not tracker.is_available("x")
    assert path.read_text().startswith("Dear diary")
    path.unlink()
    until(lambda: knows("x"))
    assert len(warnings(told)) == 1
    assert "not a database" in warnings(told)[0]


def test_a_file_damaged_in_the_middle_is_told(url, path, told, until):
    """A database whose pages are overwritten is trouble like any other."""
    first = sk.CooldownTracker(state=SQLiteStore(path))
    for number in range(300):
        first.mark_failure(f"x{number}", "billing")
    assert first.sync()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    damaged = path.parent / "damaged.db"
    whole = path.read_bytes()
    damaged.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))

    tracker = sk.CooldownTracker(state=f"sqlite:///{damaged}")
    tracker.mark_failure("y", "billing")

    until(lambda: warnings(told))
    assert "malformed" in warnings(told)[0]
    assert not tracker.is_available("y")


LOCKS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
input()
connection.execute("ROLLBACK")
"""


def test_a_file_locked_by_another_process(url, path, told, until, knows, program):
    """However long somebody keeps a transaction open."""
    tracker = sk.CooldownTracker(state=url)
    assert tracker.sync()
    locker = program(LOCKS, path)
    assert locker.stdout.readline() == "locked\n"

    tracker.mark_failure("x", "billing")
    until(lambda: warnings(told))
    assert not tracker.is_available("x")
    assert "locked" in warnings(told)[0]
    locker.stdin.write("\n")
    locker.stdin.flush()
    until(lambda: knows("x"))
    assert len(warnings(told)) == 1


def test_a_file_deleted_while_running(url, path, told, until, knows):
    """Everybody notices, one makes it anew, and all that anybody knew is in it."""
    one, other = sk.CooldownTracker(state=url), sk.CooldownTracker(state=SQLiteStore(path))
    one.mark_failure("x", "billing")
    other.mark_failure("y", "billing")
    assert one.sync()
    assert other.sync()

    for each in path.parent.glob("state.db*"):
        each.unlink()

    until(lambda: knows("x", "y"))
    one.mark_failure("z", "auth")
    until(lambda: not other.is_available("z"))
    assert len(warnings(told)) == 2  # each store its own


@pytest.mark.parametrize("harm", ["emptied", "its log deleted"])
def test_a_file_harmed_while_running(url, path, told, until, knows, harm):
    """It is noticed, and when what is left of it is moved away, at the latest, all is shared again."""
    one, other = sk.CooldownTracker(state=url), sk.CooldownTracker(state=SQLiteStore(path))
    one.mark_failure("x", "billing")
    assert one.sync()
    assert other.sync()

    if harm == "emptied":
        os.truncate(path, 0)
    else:
        (path.parent / "state.db-wal").unlink()
    until(lambda: len(warnings(told)) == 2)
    assert not one.is_available("x")
    other.mark_failure("y", "auth")
    for each in path.parent.glob("state.db*"):
        each.rename(path.parent / f"moved {each.name}")

    until(lambda: knows("x", "y"))
    until(lambda: not one.is_available("y"))
    assert all("deleted, emptied or replaced" in text for text in warnings(told)[:2])


def test_a_file_replaced_while_running(url, path, told, until, knows):
    """A copy put in its place, from a backup say, is the file from then on."""
    tracker = sk.CooldownTracker(state=url)
    assert tracker.sync()
    backup = SQLiteStore(path.parent / "backup.db")
    backup.open()
    backup.save([Kept("old", {"billing": f"{time.time()} {time.time() + 600} 1 0 1"}, time.time() + 3600)])
    backup.close()
    tracker.mark_failure("x", "billing")
    assert tracker.sync()

    for beside in ("state.db-wal", "state.db-shm"):
        (path.parent / beside).unlink()
    os.replace(path.parent / "backup.db", path)

    until(lambda: not tracker.is_available("old"))
    until(lambda: knows("x", "old"))


def test_a_folder_deleted_and_made_again(tmp_path, told, until):
    """Sharing goes on where there is a place for it again."""
    folder = tmp_path / "folder"
    folder.mkdir()
    tracker = sk.CooldownTracker(state=f"sqlite:///{folder}/state.db")
    tracker.mark_failure("x", "billing")
    assert tracker.sync()

    shutil.rmtree(folder)
    until(lambda: warnings(told))
    folder.mkdir()
    assert not tracker.is_available("x")
    until(lambda: tracker.sync(1))
    assert (folder / "state.db").exists()


def test_a_folder_that_never_was_is_a_mistake(tmp_path):
    """Said when the tracker is made, not in a log an hour later."""
    with pytest.raises(sk.ConfigError, match=r"^state: the folder .*/nowhere is not there, or may not be looked into$"):
        sk.CooldownTracker(state=f"sqlite:///{tmp_path}/nowhere/state.db")


def test_a_folder_in_the_place_of_the_file(url, path, told, until):
    """Nothing can be opened there."""
    path.mkdir()
    tracker = sk.CooldownTracker(state=url)
    tracker.mark_failure("x", "billing")

    until(lambda: warnings(told))
    assert not tracker.is_available("x")
    path.rmdir()
    until(lambda: tracker.sync(1))


READ_ONLY = """
import os, sys, logging
import sparekey as sk
from sparekey.state import _sqlite
if os.getuid() == 0:
    os.setuid(65534)
logging.basicConfig(format="%(levelname)s %(message)s")
tracker = sk.CooldownTracker(state=f"sqlite:///{sys.argv[1]}")
tracker.mark_failure("x", "billing")
tracker.sync(1)
print(tracker.is_available("x"), flush=True)
input()
print(tracker.sync(10))
"""


def test_a_file_that_may_only_be_read(program):
    """One warning; when it may be written again, it is."""
    with tempfile.TemporaryDirectory() as name:  # the one that pytest makes is closed to others
        folder = Path(name)
        SQLiteStore(folder / "state.db").open()
        folder.chmod(0o555)
        (folder / "state.db").chmod(0o444)
        process = program(READ_ONLY, folder / "state.db")
        try:
            assert process.stdout.readline() == "False\n", process.stderr.read()
        finally:
            folder.chmod(0o777)
            for each in folder.iterdir():
                each.chmod(0o666)
        out, err = process.communicate("\n", timeout=20)
    assert out == "True\n"
    assert err.count("WARNING") == 1


FULL = """
import resource, signal, sys, logging
import sparekey as sk
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
logging.basicConfig(format="%(levelname)s %(message)s")
tracker = sk.CooldownTracker(state=f"sqlite:///{sys.argv[1]}")
tracker.sync()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
for number in range(2000):
    tracker.mark_failure(f"record number {number}", "billing")
print(tracker.sync(1), sum(not tracker.is_available(f"record number {number}") for number in range(2000)))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(tracker.sync(10))
"""


def test_a_full_disk(path, program, knows):
    """What finds no room is remembered here, and saved when there is some."""
    out, err = program(FULL, path).communicate(timeout=30)

    assert out == "False 2000\nTrue\n", err
    assert err.count("WARNING") == 1, err
    assert knows(*(f"record number {number}" for number in range(2000)))


def test_another_programs_database_is_not_touched(url, path, told, until):
    """A wrong path costs nobody their data."""
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE records (id TEXT, precious TEXT); INSERT INTO records VALUES ('a', 'b')")
    connection.close()
    before = path.read_bytes()
    tracker = sk.CooldownTracker(state=url)
    tracker.mark_failure("x", "billing")

    until(lambda: warnings(told))
    assert "another program's" in warnings(told)[0]
    assert not tracker.sync(0.3)
    assert path.read_bytes() == before


def test_an_older_file_is_brought_up_to_date(path, url, monkeypatch, knows):
    """With all that is in it."""
    old = sk.CooldownTracker(state=SQLiteStore(path))
    old.mark_failure("x", "billing")
    assert old.sync()
    later = "ALTER TABLE records ADD COLUMN novelty TEXT"
    monkeypatch.setattr(_sqlite_file, "_STEPS", (*_sqlite_file._STEPS, later))

    new = sk.CooldownTracker(state=url)

    assert not new.is_available("x")
    new.mark_failure("y", "billing")
    assert new.sync()
    assert knows("x", "y")
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    assert connection.execute("SELECT count(novelty) FROM records").fetchone() == (0,)
    connection.close()


def test_a_newer_file_is_left_alone(url, path, told, until):
    """Only the version that made it knows what it means."""
    tracker = sk.CooldownTracker(state=SQLiteStore(path))
    assert tracker.sync()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    older = sk.CooldownTracker(state=url)
    older.mark_failure("x", "billing")

    until(lambda: warnings(told))
    assert "version 99" in warnings(told)[0]
    assert not older.is_available("x")


def test_an_emptied_file_is_filled_again(path, until, knows):
    """Also when its numbering began anew."""
    tracker = sk.CooldownTracker(state=SQLiteStore(path))
    for _ in range(3):
        tracker.mark_failure("x", "billing")
        assert tracker.sync()

    connection = sqlite3.connect(path)
    connection.executescript("BEGIN; DELETE FROM records; DELETE FROM sqlite_sequence; COMMIT")
    connection.close()

    until(lambda: knows("x"))


def test_rubbish_in_a_row_gives_way(path, url, knows):
    """Somebody's experiments with the file brick no key."""
    store = SQLiteStore(path)
    store.open()
    rows = [('"x"', "not json", 9e99), ("not json", "{}", 9e99), ('"y"', "[1]", 9e99), ('"z"', '{"t": null}', 9e99)]
    with store._used() as connection:
        connection.executemany("INSERT INTO records (id, fields, expires) VALUES (?, ?, ?)", rows)
    store.close()
    tracker = sk.CooldownTracker(state=url)
    for key in ("x", "y", "z"):
        assert tracker.is_available(key)
        tracker.mark_failure(key, "billing")
    assert tracker.sync()

    assert knows("x", "y", "z")
    again = sk.CooldownTracker(state=SQLiteStore(path))
    assert [again.is_available(key) for key in ("x", "y", "z")] == [False] * 3


def test_what_has_expired_leaves_the_file(path):
    """It does not grow for ever."""
    store = SQLiteStore(path)
    store.open()
    store.save([Kept(f"x{number}", {"t": "1"}, time.time() - 1) for number in range(100)])
    assert store.load() == []

    with store._used() as connection:
        assert connection.execute("SELECT count(*) FROM records").fetchone() == (0,)
    store.close()


def test_many_begin_on_a_new_file_at_once(path, program, finished):
    """Whoever comes first makes it; nobody sees it half made."""
    text = """
import logging, sys
import sparekey as sk
logging.basicConfig()
tracker = sk.CooldownTracker(state=f"sqlite:///{sys.argv[1]}")
tracker.mark_failure(sys.argv[2], "billing")
assert tracker.sync(10)
input()
assert tracker.sync(10)
print(sorted(tracker.snapshot()))
"""
    processes = [program(text, path, f"x{number}") for number in range(4)]
    while not path.exists() or len(_ids(path)) < 4:
        time.sleep(0.01)
    answers = [process.communicate("\n", timeout=20) for process in processes]

    assert answers == [(f"{[f'x{number}' for number in range(4)]}\n", "")] * 4


def _ids(path):
    store = SQLiteStore(path)
    store.open()
    found = [record.id for record in store.load()]
    store.close()
    return found


def test_a_wake_that_interrupts_another_returns(path):
    """A handler of SIGTERM that calls sync() must not hang because a failure was just being noted."""
    store = SQLiteStore(path)
    interrupted = []

    def interrupt(_frame, event, _argument):
        interrupted.append(event)
        store.wake()

    sys.setprofile(interrupt)
    try:
        store.wake()
    finally:
        sys.setprofile(None)
    assert len(interrupted) > 3
