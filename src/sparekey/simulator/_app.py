"""The application: reads a request, lets its key decide, answers in the dialect it came in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
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
from sparekey.simulator._roster import Holder, Roster
from sparekey.simulator._wire import Call, Dialect, Fault, Operation

DIALECTS = (OPENAI, ANTHROPIC)
DEFAULT_MODELS = ("gpt-4o", "gpt-4o-mini", "text-embedding-3-small", "text-embedding-3-large")
DEEPEST = 100
"""Levels of JSON in a request."""
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


def build(world: World, more: list[BaseRoute]) -> Starlette:
    """The application for one simulator; ``more`` are routes beside the providers' own."""
    routes = [
        Route(operation.path, Endpoint(world, dialect, operation), methods=[operation.method])
        for dialect in DIALECTS
        for operation in dialect.operations
    ]
    return Starlette(routes=[*routes, *more], exception_handlers={404: _unknown_url, 405: _unknown_url})


async def _unknown_url(request: Request, _error: Exception) -> Response:
    dialect = ANTHROPIC if "anthropic-version" in request.headers else OPENAI
    fault = dialect.faults["unknown_url"]
    return JSONResponse(dialect.error(fault, "req_unknown"), status_code=fault.status)


class Endpoint:
    """One operation of one dialect, as an ASGI application."""

    def __init__(self, world: World, dialect: Dialect, operation: Operation) -> None:
        self._world = world
        self._dialect = dialect
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        delivery, delay = self._decide(request, await request.body())
        if delay and not await pause(delay, self._world.sleep, receive):
            return
        await delivery(scope, receive, send)

    def _decide(self, request: Request, raw: bytes) -> tuple[Delivery, float]:
        """What to answer and after how many seconds; recorded here, so that hanging requests count too."""
        world = self._world
        key = self._dialect.key_of(request.headers)
        holder = world.roster.find(key)
        body = {} if self._operation.method == "GET" else _parse(raw)
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
        )
        exchange = Exchange(self._dialect, self._operation, call, key)
        if holder is None:
            behaviour, delay = "unknown_key", 0.0
            delivery = exchange.fault(exchange.worded("revoked" if key else "no_key"))
        elif fault := self._invalid(exchange, body):
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
        if (fault := self._operation.check(body)) is None and known and exchange.call.model:
            fault = None if exchange.call.model in known else exchange.worded("model_not_found")
        return fault

    def _take_turn(self, exchange: Exchange, holder: Holder) -> tuple[str, float, Delivery]:
        turn = self._world.roster.turn(holder, exchange.call.model or None)
        carry_out = CARRY_OUT[type(turn.behaviour)]
        delivery = carry_out(turn.behaviour, replace(exchange, quota=turn.quota))
        return turn.behaviour.kind, turn.behaviour.delay, delivery


def _parse(raw: bytes) -> object:
    try:
        body = json.loads(raw, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return None
    return body if _is_shallow(body) else None


def _no_json(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _is_shallow(body: object) -> bool:
    """Whether a body has so few levels that all of it can be walked and sent back."""
    level = [body]
    for _ in range(DEEPEST):
        level = [
            each
            for value in level
            if isinstance(value, dict | list)
            for each in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return True
    return False
