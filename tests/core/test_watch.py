"""A config file that is watched: what counts as a change, what a broken file does, and when the watching ends."""

from __future__ import annotations

import gc
import json
import logging
import os
import subprocess
import sys
import threading
import time
import weakref

import pytest

import sparekey as sk

ONE, TWO, THREE = (f"sk-watch-{name}-0123456789abcdef" for name in ("alpha", "bravo", "charlie"))


def config(*keys, **settings):
    return json.dumps({"model_list": [{"model_name": "chat", "model": "openai/gpt-4o", "api_keys": keys, **settings}]})


@pytest.fixture
def file(tmp_path):
    """A config of one key."""
    path = tmp_path / "config.json"
    path.write_text(config(ONE), encoding="utf-8")
    return path


@pytest.fixture
def told():
    """What was heard of: the keys of each list."""
    return []


@pytest.fixture
def watch(file, told):
    """A watch that looks when it is told to."""

    def hear(entries):
        told.append([key.get_secret_value() for entry in entries for key in entry.api_keys])

    watch = sk.ConfigWatch(file, hear, every=None)
    yield watch
    watch.close()


def settle(watch):
    """As many looks as a change needs; whether one of them was told."""
    return any(watch.check() for _ in range(5))


def replace(file, text):
    """As editors and ``mv`` do: another file takes its name."""
    new = file.with_name("new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def wait_for(what, seconds=20):
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends, "it did not come to be"
        time.sleep(0.01)


# -- what counts as a change -------------------------------------------------------------------


def test_nothing_is_told_of_what_is_as_it_was(watch, file, told):
    """Neither at the beginning, nor after a touch, a comment or a setting of the policy."""
    assert not settle(watch)
    os.utime(file, (1, 1))
    assert not settle(watch)
    file.write_text(json.dumps({**json.loads(config(ONE)), "sparekey_settings": {"max_wait": 3}}), encoding="utf-8")
    assert not settle(watch)
    assert told == []


@pytest.mark.parametrize("write", [lambda file, text: file.write_text(text, encoding="utf-8"), replace])
def test_a_change_is_told_once(watch, file, told, write):
    """Written in place or replaced, back and forth."""
    write(file, config(ONE, TWO))
    assert settle(watch)
    assert not settle(watch)
    write(file, config(TWO))
    assert settle(watch)
    write(file, config(ONE))
    assert settle(watch)
    assert told == [[ONE, TWO], [TWO], [ONE]]


def test_a_change_of_equal_length_at_the_same_time_is_seen(watch, file, told):
    """A copying tool puts back the time it found; the inode's own time or number tells."""
    settle(watch)
    before = file.stat()
    replace(file, config(TWO.replace("bravo", "alphb")))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert settle(watch)
    assert len(told) == 1


def test_a_change_is_read_when_two_looks_see_the_same(watch, file, told):
    """A file that is half written may be a good one with a key too few."""
    settle(watch)
    file.write_text(config(TWO), encoding="utf-8")
    assert not watch.check()
    file.write_text(config(TWO, THREE), encoding="utf-8")
    assert not watch.check()
    assert told == []
    assert watch.check()
    assert told == [[TWO, THREE]]


def test_a_file_that_is_away_for_a_moment_is_no_trouble(watch, file, told, caplog):
    """Some editors rename the old file before they write the new."""
    settle(watch)
    file.rename(file.with_name("config.json~"))
    watch.check()
    file.write_text(config(TWO), encoding="utf-8")
    assert settle(watch)
    assert told == [[TWO]]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_files_that_references_name_are_watched(watch, file, told, tmp_path):
    """A mounted secret is rotated without a change of the config."""
    secret = tmp_path / "a key"
    secret.write_text(TWO, encoding="utf-8")
    reference = f"file://{tmp_path}/a%20key"
    file.write_text(config(ONE, reference), encoding="utf-8")
    assert settle(watch)
    secret.write_text(f"{THREE}\n", encoding="utf-8")
    assert settle(watch)
    assert told == [[ONE, TWO], [ONE, THREE]]

    file.write_text(config(ONE), encoding="utf-8")
    assert settle(watch)
    secret.write_text("no matter any more", encoding="utf-8")
    assert not settle(watch)


def test_a_folder_swapped_as_kubernetes_does_is_seen(tmp_path, told):
    """The file is a link through a link to a folder, and the folder's link is exchanged."""

    def version(name, key):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "config.json").write_text(config("file://" + str(tmp_path / "key")), encoding="utf-8")
        (folder / "key").write_text(key, encoding="utf-8")
        (tmp_path / "..tmp").symlink_to(name)
        (tmp_path / "..tmp").rename(tmp_path / "..data")

    version("..2026_01", ONE)
    for name in ("config.json", "key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    watch = sk.ConfigWatch(tmp_path / "config.json", told.append, every=None)
    settle(watch)

    version("..2026_02", TWO)
    assert settle(watch)
    ((entry,),) = told
    assert entry.api_keys[0].get_secret_value() == TWO


# -- what cannot be used -----------------------------------------------------------------------


def warnings_in(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


BROKEN = {
    "not JSON": ('{"model_list": [', "not valid JSON"),
    "no entries": ('{"model_list": []}', "must be a list of entries"),
    "a lost fallback": (config(TWO, fallbacks=["chta"]), "no entry is called 'chta'"),
    "a file that is not there": (config("file:///nowhere/key"), "cannot read /nowhere/key"),
    "bytes": (b"\xff\xfe", "is not a text file"),
    "gone": (None, "No such file"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_one_warning_until_it_is_mended(watch, file, told, caplog, case):
    """The list there is stays in use, and nobody has to start anything again."""
    content, said = BROKEN[case]
    settle(watch)
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert not settle(watch)
    assert not settle(watch)
    (warning,) = warnings_in(caplog)
    assert warning.startswith(f"{file}:")
    assert said in warning
    assert warning.endswith("the entries before it stay in use")
    assert TWO not in warning

    file.write_text(config(TWO, THREE), encoding="utf-8")
    assert settle(watch)
    assert told == [[TWO, THREE]]
    assert len(warnings_in(caplog)) == 1


def test_what_was_missing_is_found_when_it_comes(watch, file, told, tmp_path, caplog):
    """A key file may come after the config that names it."""
    secret = tmp_path / "late"
    file.write_text(config(f"file://{secret}"), encoding="utf-8")
    assert not settle(watch)
    secret.write_text(TWO, encoding="utf-8")
    assert settle(watch)
    assert told == [[TWO]]
    assert len(warnings_in(caplog)) == 1


def test_a_broken_file_put_back_as_it_was_is_told_to_nobody(watch, file, told):
    """The list in use is the one in the file again."""
    settle(watch)
    file.write_text("{", encoding="utf-8")
    settle(watch)
    file.write_text(config(ONE), encoding="utf-8")
    assert not settle(watch)
    assert told == []


@pytest.mark.parametrize(
    ("error", "said"), [(sk.ConfigError("another space"), "another space"), (OSError(f"no {TWO}"), "OSError: no [key")]
)
def test_entries_that_are_refused_count_as_not_taken(file, caplog, error, said):
    """One warning without a key in it; they are not offered again until the file says something else."""
    offered = []

    def refuse(entries):
        offered.append(entries)
        raise error

    watch = sk.ConfigWatch(file, refuse, every=None)
    file.write_text(config(TWO), encoding="utf-8")
    assert not settle(watch)
    assert not settle(watch)
    assert len(offered) == 1
    (warning,) = warnings_in(caplog)
    assert said in warning
    assert TWO not in warning
    file.write_text(config(THREE, TWO), encoding="utf-8")
    settle(watch)
    assert len(offered) == 2


def test_what_cannot_be_used_at_the_beginning_is_an_error(file, told):
    """A program that starts with a broken file should not."""
    file.write_text("{", encoding="utf-8")
    with pytest.raises(sk.ConfigError, match="not valid JSON"):
        sk.ConfigWatch(file, told.append)
    with pytest.raises(sk.ConfigError, match="not valid JSON"):
        sk.FallbackChain().watch(file)


@pytest.mark.parametrize("every", [0, -1, float("nan"), float("inf"), "1", True])
def test_seconds_between_looks_are_seconds(file, told, every):
    """Anything else is said at once."""
    with pytest.raises(sk.ConfigError, match="every: must be a number of seconds above 0"):
        sk.ConfigWatch(file, told.append, every=every)


# -- chains, threads and processes -------------------------------------------------------------


def watchers():
    return [thread for thread in threading.enumerate() if thread.name == "sparekey-watch"]


def keys_of(chain):
    return [chain.config_for(candidate).api_key.get_secret_value() for candidate in chain.candidates_for("chat")]


def test_a_chain_follows_its_file_by_itself(file):
    """A thread looks; when the chain is gone, the thread goes too."""

    def follow():
        chain = sk.FallbackChain()
        watch = chain.watch(file, every=0.01)
        assert keys_of(chain) == [ONE]
        replace(file, config(TWO, THREE))
        wait_for(lambda: keys_of(chain) == [TWO, THREE])
        assert len(watchers()) == 1
        return weakref.ref(watch)

    watch = follow()
    wait_for(lambda: not watchers())
    gc.collect()
    assert watch() is None


def test_what_is_dropped_from_a_file_ends_with_the_request_that_has_it(file):
    """A rotation by file is a reload like any other."""
    chain = sk.FallbackChain()
    watch = chain.watch(file, every=None)
    asked = []

    def fn(candidate):
        asked.append(chain.config_for(candidate).api_key.get_secret_value())
        if len(asked) == 1:
            file.write_text(config(TWO, THREE), encoding="utf-8")
            assert settle(watch)
        return chain.config_for(candidate).api_key.get_secret_value()

    assert chain.execute("chat", fn).response == ONE
    assert chain.execute("chat", fn).response == TWO


def test_many_chains_leave_nothing(file):
    """Watches of chains that are gone keep neither threads nor memory."""
    for _ in range(50):
        chain = sk.FallbackChain()
        chain.watch(file, every=0.01)
    del chain
    wait_for(lambda: not watchers())


def test_a_watch_of_a_function_lasts_until_it_is_closed(file, told):
    """There is nothing else it could end with; after close() nothing is told."""
    watch = sk.ConfigWatch(file, told.append, every=0.01)
    file.write_text(config(TWO), encoding="utf-8")
    wait_for(lambda: told)
    watch.close()
    wait_for(lambda: not watchers())
    file.write_text(config(THREE, TWO), encoding="utf-8")
    assert not settle(watch)
    assert len(told) == 1


def test_a_watch_can_be_closed_by_what_it_tells(file):
    """No thread waits for itself."""
    closed = []

    def close(_entries):
        watch.close()
        closed.append(True)

    watch = sk.ConfigWatch(file, close, every=0.01)
    file.write_text(config(TWO), encoding="utf-8")
    wait_for(lambda: closed)
    wait_for(lambda: not watchers())


def test_a_file_named_from_here_is_found_from_elsewhere(file, told, monkeypatch, tmp_path):
    """A program may change its working directory."""
    monkeypatch.chdir(file.parent)
    watch = sk.ConfigWatch(file.name, told.append, every=None)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    file.write_text(config(TWO), encoding="utf-8")
    assert settle(watch)


FORKED = """
import os, sys, time
import sparekey as sk

path = sys.argv[1]
chain = sk.FallbackChain()
watch = chain.watch(path, every=0.01)
key = lambda: chain.config_for(chain.candidates_for("chat")[0]).api_key.get_secret_value()
watch._lock.acquire()  # as if the thread were in the middle of a look
child = os.fork()
if child:
    watch._lock.release()
    os.replace(path + ".new", path)
ends = time.monotonic() + 20
while key() != sys.argv[2]:
    if time.monotonic() > ends:
        os._exit(3)
    time.sleep(0.01)
if child == 0:
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "the child did not see it"
print("both saw it")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_goes_on_watching(file):
    """As under gunicorn's prefork: threads are not inherited, and a lock may be held."""
    file.with_name("config.json.new").write_text(config(TWO), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED, str(file), TWO],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("both saw it\n", "")


def test_a_program_ends_although_a_file_is_watched(file):
    """The thread is nobody's reason to stay."""
    program = f"import sparekey as sk; chain = sk.FallbackChain(); chain.watch({str(file)!r}); print('ends')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ends\n", "")
