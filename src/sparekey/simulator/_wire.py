"""What a dialect is: the few things the simulator asks of OpenAI's or Anthropic's wire format.

A dialect says how requests are checked and how answers and errors look. It knows nothing of
behaviours: when a key fails, and where a stream breaks, is decided outside.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from sparekey.simulator._reading import read_json
from sparekey.simulator._roster import Quota
from sparekey.simulator._store import Store

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """An error as a provider words it."""

    status: int
    type: str
    message: str
    """May use ``{key}``, ``{model}``, ``{limit}`` and ``{again}``."""
    code: str | None = None
    param: str | None = None


class Part(Enum):
    """Where in a stream an event stands."""

    OPENING = auto()
    TOKEN = auto()
    """A piece of what is answered: a word, the name of a tool, a piece of its arguments."""
    BETWEEN = auto()
    """Goes with the token after it."""
    CLOSING = auto()


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event, as bytes."""

    part: Part
    data: bytes


@dataclass(frozen=True, slots=True)
class Media:
    """An answer that is no JSON."""

    type: str
    """As Content-Type says it."""
    content: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One valid request, to be answered."""

    number: int
    """Counts the simulator's requests, and makes ids."""
    now: float
    """Epoch seconds."""
    model: str
    body: Mapping[str, Any]
    name: str
    """Which key answers."""
    reply: str | None
    models: tuple[str, ...]
    origin: str
    """The simulator's own address as the client wrote it, without a slash at its end."""
    key: str = field(repr=False)
    store: Store = field(repr=False)
    """What the provider keeps, for this key and others."""

    @property
    def id(self) -> str:
        return f"sim{self.number:08d}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a dialect can be asked for."""

    method: str
    path: str
    answer: Callable[[Call], Json | Media]
    check: Callable[[Mapping[str, Any]], Fault | None] = lambda _body: None
    """What is wrong with a body; None when it is valid."""
    stream: Callable[[Call], Iterator[Event]] | None = None
    missing: Callable[[Call], Fault | None] = lambda _call: None
    """What a valid request names that its key does not have; asked when the key would answer."""
    read: Callable[[bytes, Mapping[str, str]], object] = read_json
    """The body, of what was sent and the headers; None when it cannot be read."""
    error_event: Callable[[Json], bytes] | None = None
    """How an error looks inside a stream, where it is not as elsewhere in the dialect."""
    streams: Callable[[Mapping[str, Any]], bool] = lambda body: body.get("stream") is True
    """Whether a body asks for a stream."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One provider's wire format."""

    name: str
    operations: tuple[Operation, ...]
    faults: Mapping[str, Fault]
    """By behaviour; also ``no_key``, ``no_json`` and ``unknown_url``."""
    key_of: Callable[[Mapping[str, str]], str]
    """The key in the headers, empty when there is none."""
    error: Callable[[Fault, str], Json]
    """The body of an error, for a request id."""
    error_event: Callable[[Json], bytes]
    headers: Callable[[str, float, Quota | None, float | None], dict[str, str]]
    """For a request id, now, what is left of a window, and the seconds to wait where that is said."""
    duration: Callable[[float], str] = field(default=lambda seconds: f"{seconds:g}s")
    """How error texts write a time."""


def encoded(payload: object) -> bytes:
    """JSON, in ASCII: a lone surrogate in a prompt comes back as it came."""
    return json.dumps(payload).encode()


def named_event(payload: Json) -> bytes:
    """One server-sent event, named after its type."""
    return f"event: {payload['type']}\ndata: ".encode() + encoded(payload) + b"\n\n"


def milliseconds(seconds: float) -> int:
    """Rounded up, so never sooner than true, but for float noise: 20 s are no 20,001 ms."""
    return math.ceil(seconds * 1000 - 1e-3)


def bearer(headers: Mapping[str, str]) -> str:
    """The token of an Authorization header, empty when there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
