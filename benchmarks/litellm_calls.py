"""What sparekey costs a call of LiteLLM's Router, beside the same router without it (``simple-shuffle``).

    python benchmarks/litellm_calls.py [--sync] [--picture FILE.svg] [--rounds N]

Two routers of the same deployments in one process, one with sparekey installed. Both call
``acompletion`` (or ``completion``) in turn, some milliseconds each, so that both see the same machine. What is measured
is the processor time of the event loop's thread: what a call keeps others in it waiting for. Time in
which it waits itself, as for a provider, would only hide the difference. The ratio is the median over
the rounds of one side's time to the other's in that round, with its quartiles; "noise" is the same
ratio of two routers that are both without sparekey. 1.05 at most is the aim.

"HTTP" asks a server on loopback that answers always the same, through a client that all
deployments share, for LiteLLM keeps two hundred clients and builds the rest anew. "mock" is
LiteLLM's ``mock_response``: the router's own work and no network.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import inspect
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or importing LiteLLM fetches a price map

import litellm
import openai
from _answers import answering
from _picture import Spread, draw_ratios

import sparekey as sk
from litellm_sparekey import expand_model_list, install

ROUNDS, ROUND_SECONDS = 60, 0.05
AIM = 1.05
SIZES = (3, 30, 300, 1000)
MESSAGES = [{"role": "user", "content": "hello"}]

Ask = Callable[[Any, int], Awaitable[None]]


@dataclass(frozen=True)
class Ratio:
    """How much longer one side takes than the other."""

    low: float
    middle: float
    high: float
    theirs: float
    """Seconds of processor time that a call takes without sparekey."""

    def __str__(self) -> str:
        return f"{self.middle:.3f}  ({self.low:.3f} to {self.high:.3f})"


def rows(shape: str, size: int, address: str) -> list[dict[str, Any]]:
    """``size`` keys: those of one entry, or one each of as many rows."""
    keys = [f"sk-benchmark-{i:04}-0123456789" for i in range(size)]
    params = {"model": "openai/gpt-4o", "api_base": address}
    if shape == "keys of one entry":
        return [{"model_name": "chat", "litellm_params": {**params, "api_keys": keys}}]
    return [{"model_name": "chat", "litellm_params": {**params, "api_key": key}} for key in keys]


def router_of(listed: list[dict[str, Any]], *, ours: bool) -> Any:
    """A router as people build one, with sparekey or without."""
    router = litellm.Router(model_list=expand_model_list(listed))
    if ours:
        install(router, tracker=sk.CooldownTracker())
    return router


async def measure(ask: Ask, first: Any, second: Any, rounds: int) -> Ratio:
    """The second router's time to the first's."""
    for router in (first, second):
        await ask(router, 20)  # warm: what is built once, is
    began = time.thread_time()
    await ask(first, 10)
    times = max(3, round(ROUND_SECONDS * 10 / (time.thread_time() - began)))
    gc.collect()
    gc.freeze()  # a thousand deployments are much to look through in the midst of a round
    theirs, ratios = [], []
    for turn in range(rounds):
        spent = [0.0, 0.0]
        for i in (0, 1) if turn % 2 else (1, 0):
            began = time.thread_time()
            await ask((first, second)[i], times)
            spent[i] = (time.thread_time() - began) / times
        theirs.append(spent[0])
        ratios.append(spent[1] / spent[0])
    gc.unfreeze()
    low, middle, high = statistics.quantiles(ratios, n=4)
    return Ratio(low, middle, high, statistics.median(theirs))


async def calls(address: str, rounds: int, *, sync: bool) -> dict[tuple[str, str], Ratio]:
    """Measure every case, printing as it goes."""
    method = "completion" if sync else "acompletion"
    client = (openai.OpenAI if sync else openai.AsyncOpenAI)(
        base_url=address, api_key="sk-benchmark-client", max_retries=0
    )
    asks: dict[str, Ask] = {"HTTP": _asking(method, client=client), "mock": _asking(method, mock_response="word")}
    found: dict[tuple[str, str], Ratio] = {}
    print(f"{method:36}{'ms without':>12}  with sparekey (quartiles)")
    for size in SIZES:
        for shape in ("keys of one entry", "rows of one key"):
            listed = rows(shape, size, address)
            first, second, ours = (router_of(listed, ours=mine) for mine in (False, False, True))
            for way, ask in asks.items():
                what = f"{size:,} {shape}"
                found[what, way] = ratio = await measure(ask, first, ours, rounds)
                over = "" if ratio.middle <= AIM else f"  over {AIM}"
                print(f"  {what:28}{way:6}{ratio.theirs * 1e3:12.2f}  {ratio}{over}")
            noise = await measure(asks["HTTP"], first, second, rounds)
            print(f"  {'':28}{'noise':6}{noise.theirs * 1e3:12.2f}  {noise}")
            for router in (first, second, ours):
                getattr(router, "retire", None or getattr(router, "discard", None))()
    return found


def _asking(method: str, **settings: Any) -> Ask:
    async def ask(router: Any, times: int) -> None:
        for _ in range(times):
            answer = getattr(router, method)("chat", MESSAGES, **settings)
            if inspect.isawaitable(answer):
                await answer

    return ask


def main() -> None:
    """Measure, print, and draw when asked to."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--sync", action="store_true", help="completion, instead of acompletion")
    arguments.add_argument("--picture", type=Path, metavar="FILE.svg", help="draw the ratios into a file")
    arguments.add_argument("--rounds", type=int, default=ROUNDS, help=f"for each figure; {ROUNDS} if not said")
    given = arguments.parse_args()
    with answering() as address:
        found = asyncio.run(calls(address, given.rounds, sync=given.sync))
    within = sum(ratio.middle <= AIM for ratio in found.values())
    most = max(ratio.middle for ratio in found.values())
    print(f"\n{within} of {len(found)} ratios are {AIM} or less; the largest is {most:.3f}.")
    if given.picture is not None:
        picture(given.picture, "completion" if given.sync else "acompletion", found)


def picture(path: Path, method: str, found: dict[tuple[str, str], Ratio]) -> None:
    """Draw the ratios."""
    groups: dict[str, list[Spread]] = {}
    for (what, way), ratio in found.items():
        figures = f"{ratio.middle:.3f} of {ratio.theirs * 1e3:.1f} ms"
        groups.setdefault(what, []).append((way, ratio.low, ratio.middle, ratio.high, figures))
    draw_ratios(
        path,
        f"{method} with sparekey, as a multiple of the same router without",
        "Processor time of the event loop, medians and quartiles of interleaved rounds. Dashed: 1.05, the aim.",
        AIM,
        groups,
        (0.7, 1.3),
    )


if __name__ == "__main__":
    main()
