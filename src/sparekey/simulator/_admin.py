"""Looking into a running simulator, and changing it: for this machine only, and without keys."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sparekey._secrets import fingerprint
from sparekey.errors import ConfigError
from sparekey.simulator._behaviours import describe
from sparekey.simulator._journal import Journal
from sparekey.simulator._roster import Holder, Roster
from sparekey.simulator._scenario import read_steps


def is_loopback(host: str) -> bool:
    """Whether ``host`` can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def routes(roster: Roster, journal: Journal) -> list[BaseRoute]:
    """The routes below ``/_sparekey/``."""

    def shown(holder: Holder, count: int) -> dict[str, Any]:
        now = {model or "*": describe([step]) for model, step in roster.current(holder).items()}
        return {"name": holder.name, "fingerprint": fingerprint(holder.key), "count": count, "now": now}

    async def keys(_request: Request) -> Response:
        counts = journal.counts()
        return JSONResponse([shown(holder, counts[holder.key]) for holder in roster.holders])

    async def change(request: Request) -> Response:
        holder = roster.named(request.path_params["name"])
        if holder is None:
            return _problem(404, "no key of this name or fingerprint")
        try:
            said = json.loads(await request.body())
        except ValueError:
            said = None
        if not isinstance(said, dict) or "behaviour" not in said or set(said) - {"behaviour", "model"}:
            return _problem(400, 'send {"behaviour": …}, with "model" to change one model only')
        model = said.get("model")
        if model is not None and not isinstance(model, str):
            return _problem(400, "model: this is a text")
        try:
            roster.set(holder.key, read_steps(said["behaviour"]), model)
        except ConfigError as error:
            return _problem(400, str(error))
        return JSONResponse(shown(holder, journal.counts()[holder.key]))

    async def requests(_request: Request) -> Response:
        counts = journal.counts()
        by_name = {holder.name: counts[holder.key] for holder in roster.holders}
        return JSONResponse({"counts": by_name, "requests": [record.public() for record in journal.records()]})

    async def clear(_request: Request) -> Response:
        journal.clear()
        return Response(status_code=204)

    return [
        Route("/_sparekey/keys", _local(keys)),
        Route("/_sparekey/keys/{name}", _local(change), methods=["POST"]),
        Route("/_sparekey/requests", _local(requests)),
        Route("/_sparekey/requests", _local(clear), methods=["DELETE"]),
    ]


Handler = Callable[[Request], Awaitable[Response]]


def _local(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        if request.client is None or not is_loopback(request.client.host):
            return _problem(403, "only from the machine the simulator runs on")
        return await handler(request)

    return guarded


def _problem(status: int, text: str) -> Response:
    return JSONResponse({"error": text}, status_code=status)
