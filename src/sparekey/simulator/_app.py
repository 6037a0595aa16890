"""The application: reads a request, lets its key decide, answers in the dialect it came in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from sparekey._secrets import fingerprint
from sparekey.simulator._anthropic import ANTHROPIC
from sparekey.simulator._delivery import Delivery, Sleep, pause
from sparekey.simulator._exchange import CARRY_OUT, Exchange
from sparekey.simulator._journal import Journal, RequestRecord
from sparekey.simulator._openai import OPENAI
from sparekey.simulator._pictures import PICTURES, drawn
from sparekey.simulator._roster import Holder, Roster
from sparekey.simulator._store import Store
from sparekey.simulator._wire import Call, Dialect, Fault, Operation

DIALECTS = (OPENAI, ANTHROPIC)
_BY_NAME = {dialect.name: dialect for dialect in DIALECTS}
DEFAULT_MODELS = ("gpt-4o", "gpt-4o-mini", "text-embedding-3-small", "text-embedding-3-large")
CREDENTIAL_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "cookie"})


@dataclass(frozen=True, slots=True)
class World:
    """What all endpoints of one simulator share."""

    roster: Roster
    journal: Journal
    models: tuple[str, ...] | None
    """The models there are; None serves every name."""
    clock: Callable[[], float]
    sleep: Sleep
    heard: Callable[[RequestRecord], object] | None
    numbers: Iterator[int]
    """Numbers the requests, for their ids."""
    store: Store


def build(world: World, more: list[BaseRoute]) -> Starlette:
    """The application for one simulator; ``more`` are routes beside the providers' own."""
    served: dict[tuple[str, str], dict[str, Operation]] = {}
    for dialect in DIALECTS:
        for operation in dialect.operations:
            served.setdefault((operation.path, operation.method), {})[dialect.name] = operation
    routes = [Route(path, Endpoint(world, each), methods=[method]) for (path, method), each in served.items()]
    routes.append(Route(PICTURES, _picture))
    return Starlette(routes=[*routes, *more], exception_handlers={404: _unknown_url, 405: _unknown_url})


async def _picture(request: Request) -> Response:
    """A picture at the address that an answer gave; as at the providers, the address is all one needs."""
    return Response(drawn(**request.path_params), media_type="image/png")


def _spoken(headers: Mapping[str, str]) -> Dialect:
    """The dialect of a request whose path does not tell; every client of Anthropic's sends this header."""
    return ANTHROPIC if "anthropic-version" in headers else OPENAI


async def _unknown_url(request: Request, _error: Exception) -> Response:
    dialect = _spoken(request.headers)
    fault = dialect.faults["unknown_url"]
    return JSONResponse(dialect.error(fault, "req_unknown"), status_code=fault.status)


class Endpoint:
    """One path and method as an ASGI application, in each dialect that has an operation there."""

    def __init__(self, world: World, operations: Mapping[str, Operation]) -> None:
        self._world = world
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        delivery, delay = self._decide(request, await request.body())
        if delay and not await pause(delay, self._world.sleep, receive):
            return
        await delivery(scope, receive, send)

    def _decide(self, request: Request, raw: bytes) -> tuple[Delivery, float]:
        """What to answer and after how many seconds; recorded here, so that hanging requests count too."""
        world = self._world
        dialect = _spoken(request.headers) if len(self._operations) > 1 else _BY_NAME[next(iter(self._operations))]
        operation = self._operations[dialect.name]
        key = dialect.key_of(request.headers)
        holder = world.roster.find(key)
        body = operation.read(raw, request.headers) if operation.method == "POST" else {}
        said = {**(body if isinstance(body, dict) else {}), **request.path_params}
        model = said.get("model")
        call = Call(
            number=next(world.numbers),
            now=world.clock(),
            model=model if isinstance(model, str) else "",
            body=said,
            name=holder.name if holder else f"unknown-{fingerprint(key)}" if key else "no-key",
            reply=holder.reply if holder else None,
            models=world.models or DEFAULT_MODELS,
            origin=str(request.base_url).rstrip("/"),
            key=key,
            store=world.store,
        )
        exchange = Exchange(dialect, operation, call)
        if holder is None:
            behaviour, delay = "unknown_key", 0.0
            delivery = exchange.fault(exchange.worded("revoked" if key else "no_key"))
        elif (fault := self._invalid(exchange, body)) and not self._is_revoked(holder, call.model):
            behaviour, delay = "invalid", 0.0
            delivery = exchange.fault(fault)
        else:
            behaviour, delay, delivery = self._take_turn(exchange, holder)
        record = RequestRecord(
            at=call.now,
            name=call.name,
            fingerprint=fingerprint(key) if key else "",
            path=request.url.path,
            model=call.model or None,
            stream=exchange.stream is not None,
            behaviour=behaviour,
            status=delivery.status,
            key=key,
            headers={name: text for name, text in request.headers.items() if name not in CREDENTIAL_HEADERS},
            body=body,
        )
        world.journal.add(record)
        if world.heard:
            world.heard(record)
        return delivery, delay

    def _invalid(self, exchange: Exchange, body: object) -> Fault | None:
        """What is wrong with a request, whichever key it came with."""
        if not isinstance(body, dict):
            return exchange.worded("no_json")
        known = self._world.models
        if (fault := exchange.operation.check(body)) is None and known and exchange.call.model:
            fault = None if exchange.call.model in known else exchange.worded("model_not_found")
        return fault

    def _is_revoked(self, holder: Holder, model: str) -> bool:
        """Whether the key is turned away before anybody looks at what it asks for."""
        now = self._world.roster.current(holder)
        return now.get(model, now[None]).kind == "revoked"

    def _take_turn(self, exchange: Exchange, holder: Holder) -> tuple[str, float, Delivery]:
        turn = self._world.roster.turn(holder, exchange.call.model or None)
        carry_out = CARRY_OUT[type(turn.behaviour)]
        delivery = carry_out(turn.behaviour, replace(exchange, quota=turn.quota))
        return turn.behaviour.kind, turn.behaviour.delay, delivery
