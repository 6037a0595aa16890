"""An ASGI application on a socket of its own, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import Any

from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from sparekey.errors import ConfigError

_PATIENCE = 5.0
"""Seconds a start or a stop may take before something is taken to be wrong."""
_KEPT = 600
"""Seconds an idle connection stays open: longer than clients keep theirs, or one is closed just as it is used again."""


class _Connection(H11Protocol):
    """uvicorn's connection, silent, with its transport within reach of the application."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Changed here and not in uvicorn's loggers, which belong to the whole process.
        self.logger = logging.getLogger("sparekey.simulator")
        self.access_log = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {"transport": transport}
        super().connection_made(transport)


class Server:
    """Serves from :meth:`start` to :meth:`stop`.

    uvicorn's own ``Server`` polls its stop flag and waits for open connections to finish;
    here a hanging connection must not keep a test waiting, so its protocol is used without it.
    """

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app = app
        self._socket = _bind(host, port)
        self.port: int = self._socket.getsockname()[1]
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sparekey-simulator-{self.port}", daemon=True)

    def start(self) -> None:
        self._thread.start()
        if not self._ready.wait(_PATIENCE):
            raise RuntimeError("the simulator did not start")

    def stop(self) -> None:
        """Drop every connection and return when the thread has ended."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        config = Config(
            self._app,
            loop="asyncio",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            timeout_keep_alive=_KEPT,
        )
        config.load()
        state = ServerState()
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = await self._loop.create_server(
            lambda: _Connection(config=config, server_state=state, app_state={}),
            sock=self._socket,
            backlog=2048,
        )
        self._ready.set()
        await self._stopping.wait()
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        # Every wait in the application ends when its client is gone, as it is now.
        if state.tasks:
            await asyncio.wait(set(state.tasks), timeout=0.5)


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen(2048)  # from now on a client waits instead of being refused
        except OSError:
            bound.close()
            raise
        return bound
    except OSError as error:
        raise ConfigError(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
