"""Requests wasted on dead keys by a batch of 100: ChatSparekey beside ``with_fallbacks``, over real HTTP.

Three keys at the provider simulator, the first two revoked and throttled. Each side asks 100 prompts
at once, then 100 more; counted is how often it asked the two. The counts are the same on every
machine, but for a sync batch without a limit, which LangChain runs in as many threads as there are
processors and four more: that many requests may be under way when the first refusal comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI

import sparekey as sk
from langchain_sparekey import ChatSparekey
from sparekey.simulator import Simulator

PROMPTS = [f"question {i}" for i in range(100)]
DEAD = {"sk-benchmark-revoked-0123456789": "revoked", "sk-benchmark-throttled-0123456789": "rate_limited"}
KEYS: dict[str, Any] = {**DEAD, "sk-benchmark-good-0123456789": "healthy"}

Batch = Callable[[Any, RunnableConfig], Awaitable[list[Any]]]


async def batch(model: Any, config: RunnableConfig) -> list[Any]:
    """In threads."""
    answers: list[Any] = model.batch(PROMPTS, config)
    return answers


async def abatch(model: Any, config: RunnableConfig) -> list[Any]:
    """In tasks."""
    answers: list[Any] = await model.abatch(PROMPTS, config)
    return answers


def with_fallbacks(address: str) -> Any:
    """LangChain's own, its clients' retries off."""
    first, *others = [ChatOpenAI(model="gpt-4o", api_key=key, base_url=address, max_retries=0) for key in KEYS]
    return first.with_fallbacks(others)


def sparekey(address: str) -> Any:
    """Ours, with a memory of its own."""
    return ChatSparekey(model="openai/gpt-4o", api_keys=list(KEYS), api_base=address, tracker=sk.CooldownTracker())


async def wasted(make: Callable[[str], Any], how: Batch, config: RunnableConfig) -> list[int]:
    """How often the dead keys were asked: by the first hundred, and by the second."""
    found = []
    with Simulator(KEYS) as provider:
        model = make(provider.base_url)
        for _ in range(2):
            answers = await how(model, config)
            assert all("Hello from key-3" in answer.content for answer in answers), "not everybody was answered"
            found.append(sum(provider.count(key) for key in DEAD))
            provider.clear()
    return found


async def main() -> None:
    """Count, and print."""
    print(f"{'requests to two dead keys, 100 prompts':40}{'with_fallbacks':>20}{'ChatSparekey':>20}")
    print(f"{'':40}{'first':>10}{'then':>10}{'first':>10}{'then':>10}")
    cases: list[tuple[str, Batch, RunnableConfig]] = [
        ("batch", batch, {}),
        ("batch, max_concurrency 8", batch, {"max_concurrency": 8}),
        ("batch, max_concurrency 1", batch, {"max_concurrency": 1}),
        ("abatch, all 100 at once", abatch, {}),
        ("abatch, max_concurrency 8", abatch, {"max_concurrency": 8}),
    ]
    for what, how, config in cases:
        peer, ours = [await wasted(make, how, config) for make in (with_fallbacks, sparekey)]
        print(f"  {what:38}{peer[0]:10}{peer[1]:10}{ours[0]:10}{ours[1]:10}")
    print("\nBoth answer every prompt. What is wasted is a wave: who was asked before the first refusal came back.")


if __name__ == "__main__":
    asyncio.run(main())
