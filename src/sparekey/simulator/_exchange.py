"""One request and the behaviour it meets: what goes on the wire.

Adding a behaviour is a class in ``_behaviours`` and a line in ``CARRY_OUT``; how its error is
worded is a line in each dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sparekey.simulator._behaviours import (
    Behaviour,
    Custom,
    Disconnect,
    Healthy,
    Malformed,
    RateLimited,
    Refusal,
    Slow,
    StreamBreak,
)
from sparekey.simulator._delivery import Delivery, End
from sparekey.simulator._roster import Quota
from sparekey.simulator._wire import Call, Dialect, Event, Fault, Media, Operation, Part, encoded

_JSON = {"content-type": "application/json"}
_TEXT = {"content-type": "text/plain; charset=utf-8"}
_EVENTS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and all that is needed to answer it."""

    dialect: Dialect
    operation: Operation
    call: Call
    quota: Quota | None = None

    @property
    def stream(self) -> Callable[[Call], Iterator[Event]] | None:
        """How to answer as a stream; None when a whole answer was asked for."""
        return self.operation.stream if self.operation.streams(self.call.body) else None

    @property
    def request_id(self) -> str:
        return f"req_{self.call.id}"

    def whole(self, status: int, body: bytes, headers: Mapping[str, str], retry_after: float | None = None) -> Delivery:
        own = self.dialect.headers(self.request_id, self.call.now, self.quota, retry_after)
        return Delivery(status, {**own, "content-length": str(len(body)), **headers}, [body])

    def events(self, events: Iterator[bytes], end: End = End.DONE) -> Delivery:
        own = self.dialect.headers(self.request_id, self.call.now, self.quota, None)
        return Delivery(200, {**own, **_EVENTS}, events, end)

    def fault(self, fault: Fault, retry_after: float | None = None) -> Delivery:
        body = encoded(self.dialect.error(fault, self.request_id))
        return self.whole(fault.status, body, _JSON, retry_after)

    def worded(self, kind: str, retry_after: float | None = None) -> Fault:
        """The dialect's fault of this kind, filled in."""
        fault = self.dialect.faults[kind]
        again = "" if retry_after is None else f" Please try again in {self.dialect.duration(retry_after)}."
        limit = self.quota.limit if self.quota else 3
        words = {"key": self.call.key, "model": self.call.model, "limit": limit, "again": again}
        return replace(fault, message=fault.message.format(**words))


def _answer(_behaviour: Behaviour, exchange: Exchange) -> Delivery:
    if fault := exchange.operation.missing(exchange.call):
        return exchange.fault(fault)
    if stream := exchange.stream:
        return exchange.events(event.data for event in stream(exchange.call))
    answer = exchange.operation.answer(exchange.call)
    if isinstance(answer, Media):
        return exchange.whole(200, answer.content, {"content-type": answer.type})
    return exchange.whole(200, encoded(answer), _JSON)


def _refuse(behaviour: Refusal | RateLimited, exchange: Exchange) -> Delivery:
    fault = exchange.worded(behaviour.kind, behaviour.retry_after)
    fault = replace(fault, status=behaviour.status or fault.status, message=behaviour.message or fault.message)
    return exchange.fault(fault, behaviour.retry_after)


def _disconnect(behaviour: Disconnect, _exchange: Exchange) -> Delivery:
    return Delivery(None, end={"hang": End.HANG, "reset": End.RESET}[behaviour.kind])


def _break_stream(behaviour: StreamBreak, exchange: Exchange) -> Delivery:
    if not (stream := exchange.stream) or exchange.operation.missing(exchange.call):
        return _answer(behaviour, exchange)
    sent = [event.data for event in _until_break(stream(exchange.call), behaviour)]
    if behaviour.kind == "stream_error":
        error = exchange.dialect.error(exchange.worded(behaviour.error), exchange.request_id)
        sent.append((exchange.operation.error_event or exchange.dialect.error_event)(error))
    end = {"stream_cut": End.CUT, "stream_error": End.DONE, "stream_hang": End.HANG}[behaviour.kind]
    return exchange.events(iter(sent), end)


def _until_break(events: Iterator[Event], behaviour: StreamBreak) -> Iterator[Event]:
    left = behaviour.after
    held: list[Event] = []
    for event in events:
        if event.part is Part.BETWEEN:
            held.append(event)
            continue
        if event.part is Part.CLOSING or (event.part is Part.TOKEN and left == 0):
            return
        left -= event.part is Part.TOKEN
        if event.part is Part.TOKEN or behaviour.opening:
            yield from held
            yield event
        held = []


def _malformed(behaviour: Malformed, exchange: Exchange) -> Delivery:
    body = behaviour.body.encode()
    if exchange.stream:
        return exchange.events(iter([b"data: " + body + b"\n\n"]))
    return exchange.whole(200, body, _JSON)


def _custom(behaviour: Custom, exchange: Exchange) -> Delivery:
    is_text = isinstance(behaviour.body, str)
    body = behaviour.body.encode() if is_text else encoded(behaviour.body)
    said = {name.lower(): value for name, value in behaviour.headers.items()}
    return exchange.whole(behaviour.status, body, {**(_TEXT if is_text else _JSON), **said})


CARRY_OUT: Mapping[type[Behaviour], Callable[[Any, Exchange], Delivery]] = {
    Healthy: _answer,
    Slow: _answer,
    Refusal: _refuse,
    RateLimited: _refuse,
    Disconnect: _disconnect,
    StreamBreak: _break_stream,
    Malformed: _malformed,
    Custom: _custom,
}
"""What each behaviour does. ``Limited`` is not here: the roster turns it into one of these."""
