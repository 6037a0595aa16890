"""What the engine adds to a call: against the same failover written by hand, without a memory.

Run it with ``make bench``. Each figure is the median of several rounds, the two sides taken in
turn; the ratio to the hand-written loop says more than the microseconds of this machine.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable

import sparekey as sk

ROUNDS, CALLS = 9, 5_000
HERE = "http://127.0.0.1/v1"


def main() -> None:
    """Print every figure beside what there is to reach."""
    print(f"{'':42}{'by hand':>10}{'sparekey':>10}{'adds':>10}   to reach")
    for n in (1, 3, 1000):
        candidates = chain_of(n)
        chain = sk.FallbackChain()
        line(
            f"healthy call, sync, {n} candidates",
            *paired(by_hand(candidates), lambda c=candidates, chain=chain: chain.execute(c, answer)),
            "3 µs",
        )
        line(
            f"healthy call, async, {n} candidates",
            *apaired(aby_hand(candidates), lambda c=candidates, chain=chain: chain.aexecute(c, aanswer)),
            "3 µs",
        )
    candidates, chain = chain_of(3), sk.FallbackChain()
    line(
        "with a deadline, sync",
        *paired(by_hand(candidates), lambda: chain.execute(candidates, answer, deadline=9)),
        "8 µs",
    )
    line(
        "with a deadline, async",
        *apaired(aby_hand(candidates), lambda: chain.aexecute(candidates, aanswer, deadline=9)),
        "8 µs",
    )
    cooling()
    building()


def cooling() -> None:
    """A thousand candidates, all but the last cooling."""
    candidates, chain = chain_of(1000), sk.FallbackChain()
    for candidate in candidates[:-1]:
        chain.tracker.mark_failure(candidate, "auth")
    unread = timed(lambda: chain.execute(candidates, answer), 50)
    read = timed(lambda: chain.execute(candidates, answer).attempts, 50)
    print(f"{'each of 999 cooling ones skipped':42}{'':10}{unread / 999 * 1e6:9.2f}µ{'':10}   0.3 µs")
    print(f"{'... and the attempts read':42}{'':10}{read / 999 * 1e6:9.2f}µ{'':10}   1 µs")


def building() -> None:
    """A thousand keys, from the entry to the candidates."""
    began = time.perf_counter()
    candidates = chain_of(1000)
    took = time.perf_counter() - began
    del candidates
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    candidates = chain_of(1000)
    size = (tracemalloc.get_traced_memory()[0] - before) / len(candidates)
    tracemalloc.stop()
    print(f"{'1,000 candidates built':42}{'':10}{took * 1e3:8.1f}ms{'':10}   30 ms")
    print(f"{'memory of one':42}{'':10}{size:8.0f} B{'':10}   1 KB")


def chain_of(n: int) -> list[sk.Candidate]:
    """The candidates of one entry with ``n`` keys."""
    keys = [f"sk-benchmark-{i:05}-0123456789" for i in range(n)]
    return sk.candidates_for("m", [{"model_name": "m", "model": "openai/gpt-4o", "api_keys": keys, "api_base": HERE}])


def answer(_candidate: sk.Candidate) -> str:
    """A provider that costs nothing."""
    return "ok"


async def aanswer(_candidate: sk.Candidate) -> str:
    """A provider that costs nothing."""
    return "ok"


def by_hand(candidates: list[sk.Candidate]) -> Callable[[], object]:
    """The loop people write first."""

    def call() -> object:
        last: Exception | None = None
        for candidate in candidates:
            try:
                return answer(candidate)
            except Exception as error:
                last = error
        raise RuntimeError("all failed") from last

    return call


def aby_hand(candidates: list[sk.Candidate]) -> Callable[[], Awaitable[object]]:
    """The same in async."""

    async def call() -> object:
        last: Exception | None = None
        for candidate in candidates:
            try:
                return await aanswer(candidate)
            except Exception as error:
                last = error
        raise RuntimeError("all failed") from last

    return call


def timed(call: Callable[[], object], calls: int) -> float:
    """Seconds of one call, the median over the rounds."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(calls):
            call()
        rounds.append((time.perf_counter() - began) / calls)
    return statistics.median(rounds)


def paired(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """The two sides in turn, so that both see the same machine."""
    ones, others = [], []
    timed(one, CALLS), timed(other, CALLS)  # warm
    for _ in range(ROUNDS):
        for call, found in ((one, ones), (other, others)):
            began = time.perf_counter()
            for _ in range(CALLS):
                call()
            found.append((time.perf_counter() - began) / CALLS)
    return statistics.median(ones), statistics.median(others)


def apaired(one: Callable[[], Awaitable[object]], other: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """:func:`paired` in one event loop."""

    async def rounds() -> tuple[float, float]:
        ones, others = [], []
        for _ in range(ROUNDS):
            for call, found in ((one, ones), (other, others)):
                began = time.perf_counter()
                for _ in range(CALLS):
                    await call()
                found.append((time.perf_counter() - began) / CALLS)
        return statistics.median(ones), statistics.median(others)

    return asyncio.run(rounds())


def line(what: str, hand: float, ours: float, reach: str) -> None:
    """One figure."""
    print(f"{what:42}{hand * 1e6:9.2f}µ{ours * 1e6:9.2f}µ{(ours - hand) * 1e6:9.2f}µ   {reach}")


if __name__ == "__main__":
    sys.exit(main())
