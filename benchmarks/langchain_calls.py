"""What ChatSparekey adds to a chat model's call, beside what LangChain's own ``with_fallbacks`` adds.

    python benchmarks/langchain_calls.py [--picture FILE.svg]

Three sides in one process: a chat model that answers at once, the same as the first of a
``with_fallbacks``, and as the first of a ``ChatSparekey``. They are called in turn, a few
milliseconds each, so that all see the same machine, and what a side adds is the median over the
rounds of its time less the bare model's in that round. Microseconds are this machine's; what holds
elsewhere is the last column, the share of what ``with_fallbacks`` adds: a third or less is the aim.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _constant import AsyncListening, Constant, Listening, look_up
from _picture import draw_shares
from langchain_core.runnables import Runnable, RunnableConfig

import sparekey as sk
from langchain_sparekey import ChatSparekey

ROUNDS, ROUND_SECONDS = 41, 0.006
AIM = 1 / 3


# -- the ways of calling a model ---------------------------------------------------------------

Model = Runnable[Any, Any]
Ask = Callable[[Model, RunnableConfig, int], Awaitable[None]]


async def _invoke(model: Model, config: RunnableConfig, times: int) -> None:
    for _ in range(times):
        model.invoke("hello", config)


async def _ainvoke(model: Model, config: RunnableConfig, times: int) -> None:
    for _ in range(times):
        await model.ainvoke("hello", config)


async def _stream(model: Model, config: RunnableConfig, times: int) -> None:
    for _ in range(times):
        for _chunk in model.stream("hello", config):
            pass


async def _astream(model: Model, config: RunnableConfig, times: int) -> None:
    for _ in range(times):
        async for _chunk in model.astream("hello", config):
            pass


WAYS: dict[str, Ask] = {"invoke": _invoke, "ainvoke": _ainvoke, "stream": _stream, "astream": _astream}


# -- what is measured --------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One circumstance under which all ways are measured."""

    title: str
    candidates: int = 3
    chunks: int = 20
    dead: int = 0
    heard: bool = False
    tools: bool = False
    deadline: float | None = None

    def sides(self) -> list[Model]:
        """The bare model, ``with_fallbacks`` and ``ChatSparekey``."""
        models = [Constant(chunks=self.chunks, dead=i < self.dead) for i in range(self.candidates)]
        ours = ChatSparekey.from_models(models, tracker=sk.CooldownTracker(), deadline=self.deadline)
        sides: list[Any] = [models[self.dead], models[0].with_fallbacks(models[1:]), ours]
        return [side.bind_tools([look_up]) for side in sides] if self.tools else sides

    def config(self, way: str) -> RunnableConfig:
        """With a listener, or without."""
        if not self.heard:
            return {}
        return {"callbacks": [AsyncListening() if way.startswith("a") else Listening()]}


CASES = (
    Case("3 candidates"),
    Case("30 candidates", candidates=30),
    Case("1,000 candidates", candidates=1000),
    Case("3, with a callback handler listening", heard=True),
    Case("3, with tools bound", tools=True),
    Case("3, with a deadline (ChatSparekey only)", deadline=30),
    Case("3, the first two dead; ChatSparekey knows", dead=2),
)


@dataclass(frozen=True)
class Added:
    """Seconds: a bare call, and what each side adds to it."""

    bare: float
    fallbacks: float
    ours: float

    @property
    def share(self) -> float:
        """What we add, of what ``with_fallbacks`` adds."""
        return self.ours / self.fallbacks


async def measure(case: Case, way: str) -> Added:
    """One figure for each side."""
    ask, config, sides = WAYS[way], case.config(way), case.sides()
    for side in sides:
        await ask(side, config, 20)  # warm: what is built once, is
    began = time.perf_counter()
    await ask(sides[0], config, 20)
    times = max(3, round(ROUND_SECONDS * 20 / (time.perf_counter() - began)))
    rounds: list[list[float]] = []
    for turn in range(ROUNDS):
        spent = [0.0, 0.0, 0.0]
        for i in (0, 1, 2) if turn % 2 else (2, 1, 0):
            began = time.perf_counter()
            await ask(sides[i], config, times)
            spent[i] = (time.perf_counter() - began) / times
        rounds.append(spent)
    bare, fallbacks, ours = zip(*rounds, strict=True)
    return Added(
        statistics.median(bare),
        statistics.median(other - alone for other, alone in zip(fallbacks, bare, strict=True)),
        statistics.median(other - alone for other, alone in zip(ours, bare, strict=True)),
    )


async def measure_chunks(way: str, few: int = 20, many: int = 220) -> Added:
    """What one more chunk costs: the slope between a short stream and a long one."""
    short, long = [await measure(Case("", chunks=chunks), way) for chunks in (few, many)]
    return Added(
        *((getattr(long, side) - getattr(short, side)) / (many - few) for side in ("bare", "fallbacks", "ours"))
    )


async def calls() -> dict[tuple[str, str], Added]:
    """Measure every case in every way, printing as it goes."""
    found: dict[tuple[str, str], Added] = {}
    print(f"{'µs a call':44}{'bare':>9}{'with_fallbacks':>17}{'ChatSparekey':>15}{'share':>9}")
    for case in CASES:
        print(case.title)
        for way in WAYS:
            what = f"{way}, {case.chunks} chunks" if "stream" in way else way
            found[case.title, what] = line(what, await measure(case, way))
    print("each further chunk of a stream")
    for way in ("stream", "astream"):
        found["each further chunk of a stream", way] = line(way, await measure_chunks(way))
    return found


def line(what: str, added: Added) -> Added:
    """Print one."""
    over = "" if added.share <= AIM else "  over a third"
    print(
        f"  {what:42}{added.bare * 1e6:9.1f}{added.fallbacks * 1e6:+17.1f}{added.ours * 1e6:+15.1f}"
        f"{added.share:9.2f}{over}"
    )
    return added


# -- construction and memory -------------------------------------------------------------------


def construction(keys: int = 1000) -> None:
    """A thousand keys: built, and used for the first time."""
    wanted: dict[str, Any] = {
        "model": "openai/gpt-4o",
        "api_keys": [f"sk-benchmark-{i:05}-0123456789" for i in range(keys)],
        "factory": lambda _entry: Constant(),
        "tracker": sk.CooldownTracker(),
    }
    ChatSparekey(**{**wanted, "api_keys": ["sk-benchmark-warm"]})
    built, first, second = [], [], []
    for _ in range(7):
        began = time.perf_counter()
        model = ChatSparekey(**wanted)
        built.append(time.perf_counter() - began)
        for spent in (first, second):
            began = time.perf_counter()
            model.invoke("hello")
            spent.append(time.perf_counter() - began)
    gc.collect()
    tracemalloc.start()
    model = ChatSparekey(**wanted)
    gc.collect()
    size = tracemalloc.get_traced_memory()[0] / keys
    model.invoke("hello")
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] / keys
    tracemalloc.stop()
    ChatSparekey(**{**wanted, "factory": None})
    imported = "yes" if "langchain_openai" in sys.modules else "no"
    print(f"\n{keys:,} keys of one model{'':39}to reach")
    print(f"  {'constructed':42}{statistics.median(built) * 1e3:9.1f} ms   50 ms")
    print(f"  {'the provider imported by it':42}{imported:>9}      no")
    print(f"  {'the first call':42}{statistics.median(first) * 1e3:9.2f} ms")
    print(f"  {'the second call':42}{statistics.median(second) * 1e3:9.2f} ms")
    print(f"  {'memory of a candidate, constructed':42}{size / 1024:9.2f} KB   1 KB")
    print(f"  {'memory of a candidate, after the first call':42}{used / 1024:9.2f} KB")


def memory(times: int = 1000) -> None:
    """What calls leave behind, and what they need meanwhile."""
    print(f"\n{f'KB of {times:,} calls, 3 candidates':44}{'bare':>9}{'with_fallbacks':>17}{'ChatSparekey':>15}")
    peaks, kept = [], []
    for side in CASES[0].sides():
        for _ in range(20):
            side.invoke("hello")
        gc.collect()
        tracemalloc.start()
        for _ in range(times):
            side.invoke("hello")
        peaks.append(tracemalloc.get_traced_memory()[1] / 1024)
        gc.collect()
        kept.append(tracemalloc.get_traced_memory()[0] / 1024)
        tracemalloc.stop()
    for what, found in (("at the most", peaks), ("kept", kept)):
        print(f"  {what:42}{found[0]:9.1f}{found[1]:17.1f}{found[2]:15.1f}")


# -- the program -------------------------------------------------------------------------------


def main() -> None:
    """Measure, print, and draw when asked to."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--picture", type=Path, metavar="FILE.svg", help="draw the calls into a file")
    given = arguments.parse_args()
    found = asyncio.run(calls())
    construction()
    memory()
    over = {name: added.share for name, added in found.items() if added.share > AIM}
    print(
        f"\nChatSparekey adds a third or less of what with_fallbacks adds in {len(found) - len(over)} of {len(found)} "
        f"rows; the largest share is {max(added.share for added in found.values()):.2f}."
    )
    if given.picture is not None:
        picture(given.picture, found)


def picture(path: Path, found: dict[tuple[str, str], Added]) -> None:
    """Draw the calls."""
    groups: dict[str, list[tuple[str, float, str]]] = {}
    for (title, what), added in found.items():
        figures = f"+{added.ours * 1e6:.1f} of +{added.fallbacks * 1e6:.1f} µs"
        groups.setdefault(title, []).append((what, added.share, figures))
    draw_shares(
        path,
        "What ChatSparekey adds to a call (filled), of what with_fallbacks adds (the whole rail)",
        "A model without a network, medians of interleaved rounds. The dashed line is a third, the aim.",
        AIM,
        groups,
    )


if __name__ == "__main__":
    main()
