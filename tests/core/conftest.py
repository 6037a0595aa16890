"""The four ways to walk a chain, as one fixture, so that one table promises the same of each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

import sparekey as sk


@dataclass
class Outcome:
    """What came of one request, however it was driven."""

    response: Any
    error: BaseException | None
    attempts: list[sk.Attempt]
    candidate: sk.Candidate | None


def _sync(chain, candidates, fn, **options):
    return chain.execute(candidates, fn, **options)


def _async(chain, candidates, fn, **options):
    async def afn(candidate):
        await asyncio.sleep(0)
        return fn(candidate)

    return asyncio.run(chain.aexecute(candidates, afn, **options))


def _stream(chain, candidates, fn, **options):
    def opens(candidate):
        yield fn(candidate)

    result = chain.stream(candidates, opens, **options)
    (response,) = list(result.response)
    return sk.FallbackResult(response, result.candidate, lambda: result.attempts)


def _astream(chain, candidates, fn, **options):
    async def opens(candidate):
        yield fn(candidate)

    async def call():
        result = await chain.astream(candidates, opens, **options)
        (response,) = [chunk async for chunk in result.response]
        return sk.FallbackResult(response, result.candidate, lambda: result.attempts)

    return asyncio.run(call())


@pytest.fixture(params=[_sync, _async, _stream, _astream], ids=["execute", "aexecute", "stream", "astream"])
def drive(request):
    """Runs one request and reports its outcome, never raising an Exception."""

    def run(chain, candidates, fn, **options):
        try:
            result = request.param(chain, candidates, fn, **options)
        except Exception as error:
            return Outcome(None, error, getattr(error, "attempts", []), None)
        return Outcome(result.response, None, result.attempts, result.candidate)

    return run
