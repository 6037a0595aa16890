"""Putting an answer on the wire, whole or broken."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from starlette.types import Receive, Scope, Send

Sleep = Callable[[float], Awaitable[object]]


class End(Enum):
    """How an exchange ends."""

    DONE = auto()
    CUT = auto()
    """The connection closes in the middle of the body."""
    RESET = auto()
    """The connection is reset: TCP RST."""
    HANG = auto()
    """Silence until the client leaves or the simulator stops."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An answer as an ASGI application."""

    status: int | None
    """None when there is no HTTP response at all."""
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: Iterable[bytes] = ()
    end: End = End.DONE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.status is not None:
            raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]
            await send({"type": "http.response.start", "status": self.status, "headers": raw})
            for chunk in self.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if self.end is End.DONE:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        # ASGI knows no way to break a connection; the server put its transport into the state.
        transport: asyncio.Transport = scope["state"]["transport"]
        if self.end is End.CUT:
            transport.close()  # what was sent arrives, the rest never does
        elif self.end is End.RESET:
            # Lingering for no time makes the kernel send RST instead of FIN.
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        await gone(receive)


async def gone(receive: Receive) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def pause(seconds: float, sleep: Sleep, receive: Receive) -> bool:
    """Wait; False when the client left before the time was over."""
    left = asyncio.ensure_future(gone(receive))
    over = asyncio.ensure_future(sleep(seconds))
    await asyncio.wait({left, over}, return_when=asyncio.FIRST_COMPLETED)
    left.cancel()
    over.cancel()
    return not left.done()
