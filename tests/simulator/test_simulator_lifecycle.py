"""Starting, stopping, several at once, and what a simulator says of itself."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

import sparekey.simulator
from sparekey.errors import ConfigError
from sparekey.simulator import RequestRecord, Scenario, Simulator

Ask = Callable[..., Any]

KEY = "sk-live-0123456789abcdef0123"


def test_it_works_in_async_with(ask_sync: Ask) -> None:
    """The event loop of the test goes on while the simulator serves from its own thread."""

    async def scene() -> str:
        async with Simulator({"sk-a": "healthy"}, reply="yes") as sim:
            seen = await asyncio.to_thread(ask_sync, sim, "sk-a")
            return str(seen.answer.choices[0].message.content)

    assert asyncio.run(scene()) == "yes"


def test_several_run_side_by_side(ask_sync: Ask) -> None:
    """Each has its own port, keys and counts."""
    with Simulator({"sk-a": "healthy"}) as one, Simulator({"sk-a": "revoked"}) as two:
        assert one.base_url != two.base_url
        assert ask_sync(one, "sk-a").error is None
        assert ask_sync(two, "sk-a").error is not None
        assert ask_sync(two, "sk-a").error is not None

        assert (one.count("sk-a"), two.count("sk-a")) == (1, 2)


def test_what_was_asked_stays_readable_after_the_end(ask_sync: Ask) -> None:
    """Counts are for asserting after the with block, too; the address is gone."""
    with Simulator({"sk-a": "healthy"}) as sim:
        ask_sync(sim, "sk-a")

    assert sim.count("sk-a") == 1
    with pytest.raises(RuntimeError, match="not serving"):
        _ = sim.base_url


def test_it_can_be_started_again(ask_sync: Ask) -> None:
    """A stopped simulator serves again, where its schedules left off; starting or stopping twice is harmless."""
    sim = Simulator({"sk-a": ["revoked", "healthy"]})
    for _ in range(2):
        sim.start().start()
        ask_sync(sim, "sk-a")
        sim.stop()
        sim.stop()

    assert [record.status for record in sim.requests] == [401, 200]


def test_no_thread_is_left_behind(ask_sync: Ask) -> None:
    """After the with block, everything the simulator started has ended."""
    before = set(threading.enumerate())
    with Simulator({"sk-a": "hang"}) as sim:
        ask_sync(sim, "sk-a", timeout=0.05)

    assert set(threading.enumerate()) <= before


def test_it_is_silent(caplog: pytest.LogCaptureFixture, ask_sync: Ask) -> None:
    """No request, break or stop is logged, whatever level the program logs at."""
    with caplog.at_level(logging.DEBUG):
        told = {
            "a": "healthy",
            "b": "reset",
            "c": "stream_cut",
            "d": "hang",
            "e": {"kind": "slow", "delay": 60},
        }
        with Simulator(told) as sim:
            for key in told:
                ask_sync(sim, key, stream=True, timeout=0.05)

    ours = [record for record in caplog.records if record.name.startswith(("uvicorn", "sparekey"))]
    assert ours == []


def test_records_say_what_was_asked(ask_sync: Ask) -> None:
    """In Python the key, the headers and the body are there; credentials are not among the headers."""
    with Simulator({KEY: "revoked"}) as sim:
        ask_sync(sim, KEY, stream=True, extra_headers={"x-trace": "7"}, extra_body={"api_keys": ["oops"]})
        (record,) = sim.requests

    assert (record.key, record.model, record.stream, record.status) == (KEY, "gpt-4o", True, 401)
    assert record.headers["x-trace"] == "7"
    assert "authorization" not in record.headers
    assert record.body["api_keys"] == ["oops"]


def test_no_repr_shows_a_key(ask_sync: Ask) -> None:
    """Simulator, scenario and records can be printed."""
    with Simulator(Scenario.model_validate({"keys": {KEY: "healthy"}})) as sim:
        ask_sync(sim, KEY)
        shown = f"{sim!r} {sim.requests!r} {Scenario.model_validate({'keys': {KEY: 'healthy'}})!r}"

    assert KEY not in shown
    assert "key-1" in shown


def test_only_the_latest_requests_are_kept_and_all_are_counted(ask_sync: Ask) -> None:
    """Memory is bounded by keep; counts are not."""
    with Simulator({"sk-a": "healthy"}, keep=2) as sim:
        for model in ("one", "two", "three"):
            ask_sync(sim, "sk-a", model=model)

    assert [record.model for record in sim.requests] == ["two", "three"]
    assert sim.count("sk-a") == 3


def test_clear_forgets_requests_but_not_schedules(ask_sync: Ask) -> None:
    """A test can look at its second half alone."""
    with Simulator({"sk-a": ["revoked", "healthy"]}) as sim:
        ask_sync(sim, "sk-a")
        sim.clear()
        assert ask_sync(sim, "sk-a").error is None

    assert sim.counts == {"sk-a": 1}


def test_a_listener_hears_every_request(ask_sync: Ask) -> None:
    """on_request is told when the request is decided, before its answer is over."""
    heard: list[RequestRecord] = []
    with Simulator({"sk-a": "revoked"}, on_request=heard.append) as sim:
        ask_sync(sim, "sk-a")
        ask_sync(sim, "sk-x")

    assert [record.behaviour for record in heard] == ["revoked", "unknown_key"]
    assert heard == sim.requests


def test_many_requests_at_once_are_all_counted(ask_sync: Ask) -> None:
    """Concurrent clients lose no count, and a window is never overrun."""
    with Simulator({"sk-a": {"kind": "limited", "requests": 5}}) as sim:

        async def scene() -> None:
            await asyncio.gather(*(asyncio.to_thread(ask_sync, sim, "sk-a") for _ in range(20)))

        asyncio.run(scene())

    assert sorted(record.status or 0 for record in sim.requests) == [200] * 5 + [429] * 15


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org", ""])
def test_other_machines_are_kept_out_by_default(host: str) -> None:
    """A host that is not loopback needs an explicit word."""
    with pytest.raises(ConfigError, match="other machines can reach it"):
        Simulator({"sk-a": "healthy"}, host=host)


def test_remote_access_can_be_allowed(ask_sync: Ask) -> None:
    """With that word it listens where it is told."""
    with Simulator({"sk-a": "healthy"}, host="0.0.0.0", allow_remote=True) as sim:
        assert ask_sync(sim, "sk-a").error is None


def test_a_taken_port_is_a_config_error() -> None:
    """One line, naming the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1 port {port}: Address already in use"):
            Simulator({}, port=port).start()


def test_a_scenario_says_everything_itself() -> None:
    """Two places for one setting would have to be merged; there is one."""
    with pytest.raises(ConfigError, match="said by the scenario"):
        Simulator(Scenario(), reply="no")


def test_sync_and_async_clients_see_the_same(ask_sync: Ask, ask_async: Ask) -> None:
    """One simulator serves both colours at once."""
    with Simulator({"sk-a": "healthy"}, reply="yes") as sim:
        answers = [ask(sim, "sk-a").answer.choices[0].message.content for ask in (ask_sync, ask_async)]

    assert answers == ["yes", "yes"]


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "yaml"])
def test_without_the_extra_the_import_says_what_to_install(missing: str) -> None:
    """The error names the extra, not only the module that is not there."""
    program = f"import sys; sys.modules[{missing!r}] = None; import sparekey.simulator"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert f"sparekey.simulator needs {missing}: pip install 'sparekey[simulator]'" in ran.stderr


def test_the_public_names_are_these() -> None:
    """What is exported is sorted, and is there."""
    names = sparekey.simulator.__all__

    assert names == sorted(names)
    assert all(hasattr(sparekey.simulator, name) for name in names)
