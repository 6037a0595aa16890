"""The simulator as a Python object."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sparekey.errors import ConfigError
from sparekey.simulator import _admin
from sparekey.simulator._app import World, build
from sparekey.simulator._behaviours import AnyBehaviour
from sparekey.simulator._delivery import Sleep
from sparekey.simulator._journal import Journal, RequestRecord
from sparekey.simulator._roster import Roster
from sparekey.simulator._scenario import Scenario, load_scenario, read_scenario, read_steps
from sparekey.simulator._server import Server
from sparekey.simulator._store import Store


class Simulator:
    """A provider on this machine whose keys behave as told.

    Serves inside ``with`` or ``async with``, in a thread of its own, on a port of its own::

        with Simulator({"sk-a": "revoked", "sk-b": {"kind": "limited", "requests": 3}}) as sim:
            client = openai.OpenAI(base_url=sim.base_url, api_key="sk-b", max_retries=0)
            ...
            assert sim.counts == {"sk-a": 0, "sk-b": 1}

    Args:
        keys: from key to behaviour, or a list of entries, or a whole :class:`Scenario`.
        default: what keys do that are not listed; None refuses them with 401.
        reply: what healthy keys answer, word for word; None names the key that answered.
        models: the models there are; None serves every name.
        host: where to listen.
        port: 0 takes a free one.
        allow_remote: listen on a host that other machines can reach.
        clock: epoch seconds; windows and schedules go by it.
        sleep: how delays are waited for; given the seconds.
        on_request: told of every request, in the simulator's thread.
        keep: how many requests to remember; counts go on.

    Raises:
        ConfigError: a behaviour that cannot work, or a host that other machines can reach.
    """

    def __init__(
        self,
        keys: Mapping[str, Any] | Sequence[Any] | Scenario,
        *,
        default: Any = None,
        reply: str | None = None,
        models: list[str] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_remote: bool = False,
        clock: Callable[[], float] = time.time,
        sleep: Sleep = asyncio.sleep,
        on_request: Callable[[RequestRecord], object] | None = None,
        keep: int = 10_000,
    ) -> None:
        if not (allow_remote or _admin.is_loopback(host)):
            raise ConfigError(f"host {host!r}: other machines can reach it; allow that, or use 127.0.0.1")
        if not isinstance(keys, Scenario):
            keys = read_scenario({"keys": keys, "default": default, "reply": reply, "models": models})
        elif (default, reply, models) != (None, None, None):
            raise ConfigError("default, reply and models are said by the scenario")
        self._host = host
        self._port = port
        self._roster = Roster(keys, clock)
        self._journal = Journal(keep)
        self._server: Server | None = None
        world = World(self._roster, self._journal, keys.models, clock, sleep, on_request, itertools.count(1), Store())
        self._app = build(world, _admin.routes(self._roster, self._journal))

    @classmethod
    def from_file(cls, path: str | Path, **options: Any) -> Self:
        """A simulator of the scenario in a YAML or JSON file; ``options`` as for the class.

        Raises:
            ConfigError: in one line that names the file and the field.
        """
        return cls(load_scenario(path), **options)

    # Serving

    def start(self) -> Self:
        """Begin to serve; returns when requests are answered.

        Raises:
            ConfigError: the port is taken.
        """
        if self._server is None:
            server = Server(self._app, self._host, self._port)
            server.start()
            self._server = server
        return self

    def stop(self) -> None:
        """Drop every connection, hanging ones too, and stop serving. What was asked stays readable."""
        server, self._server = self._server, None
        if server:
            server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    @property
    def url(self) -> str:
        """Without a path, as Anthropic's SDK wants it.

        Raises:
            RuntimeError: the simulator is not serving.
        """
        if self._server is None:
            raise RuntimeError("the simulator is not serving: use it in a with statement, or call start()")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._server.port}"

    @property
    def base_url(self) -> str:
        """With ``/v1``, as OpenAI's SDK wants it."""
        return f"{self.url}/v1"

    # Steering

    def set(self, key: str, behaviour: Any, *, model: str | None = None, **settings: Any) -> None:
        """From now on, ``key`` behaves so: ``sim.set("sk-a", "slow", delay=2)``.

        With ``model``, for that model only; without, for all of them.

        Raises:
            ConfigError: the behaviour cannot work.
        """
        if settings:
            behaviour = {"kind": behaviour, **settings}
        steps: tuple[AnyBehaviour, ...] = read_steps(behaviour)
        self._roster.set(key, steps, model)

    # Looking

    @property
    def requests(self) -> list[RequestRecord]:
        """The latest requests, oldest first."""
        return self._journal.records()

    @property
    def counts(self) -> dict[str, int]:
        """Requests per key, refused ones too; keys of the scenario nobody used are there with 0."""
        return {holder.key: 0 for holder in self._roster.holders} | self._journal.counts()

    def count(self, key: str, *, model: str | None = None) -> int:
        """How often ``key`` was used, for ``model`` or at all."""
        return self._journal.counts(model)[key]

    def clear(self) -> None:
        """Forget what was asked; behaviours go on where they are."""
        self._journal.clear()

    def __repr__(self) -> str:
        where = self.url if self._server else "not serving"
        return f"<Simulator {where}: {', '.join(holder.name for holder in self._roster.holders)}>"
