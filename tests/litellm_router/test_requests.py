"""Requests side by side, abandoned ones, and what is left of them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import threading
import weakref
from contextvars import copy_context

import litellm
import openai
import pytest

import sparekey as sk
from litellm_sparekey import expand_model_list, install, uninstall

MESSAGES = [{"role": "user", "content": "Hi"}]


def test_twenty_requests_that_share_one_metadata_dict_all_succeed(loop, provider, entry, router_of):
    """LiteLLM writes into the caller's dict, so nothing may be read from it."""
    sim = provider({"sk-a": {"kind": "server_error", "delay": 0.05}, "sk-b": "healthy"}, reply="Hi")
    router = router_of(entry(sim, ["sk-a", "sk-b"]))
    shared = {"trace": "one for all"}

    async def together():
        calls = (router.acompletion("chat", MESSAGES, metadata=shared) for _ in range(20))
        return [answer.choices[0].message.content for answer in await asyncio.gather(*calls)]

    assert loop.run(together()) == ["Hi"] * 20
    assert sim.count("sk-b") == 20

    sim.clear()
    assert loop.run(together()) == ["Hi"] * 20
    assert sim.counts == {"sk-a": 0, "sk-b": 20}


def test_a_burst_of_failures_counts_once(loop, provider, entry, router_of):
    """Twenty requests in flight are one incident, not a ladder climbed to its top."""
    sim = provider({"sk-a": {"kind": "rate_limited", "retry_after": None, "delay": 0.05}, "sk-b": "healthy"})
    router = router_of(entry(sim, ["sk-a", "sk-b"]))

    async def together():
        await asyncio.gather(*(router.acompletion("chat", MESSAGES) for _ in range(20)))

    loop.run(together())

    (record,) = router.strategy.tracker.snapshot().values()
    assert record["remaining"] == 30


def test_threads_do_not_get_in_each_others_way(provider, entry, router_of):
    """Sync calls, each with an event loop of its own inside LiteLLM."""
    sim = provider({"sk-a": "no_credit", "sk-b": "healthy"}, reply="Hi")
    router = router_of(entry(sim, ["sk-a", "sk-b"]))
    answers = []

    def call():
        answers.append(router.completion("chat", MESSAGES).choices[0].message.content)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == ["Hi"] * 8


def test_a_cancelled_request_blames_nobody(loop, provider, entry, router_of, attempts):
    """Nor does it keep the next from asking the same key."""
    asked = threading.Event()
    sim = provider({"sk-a": ["hang", "healthy"]}, reply="Hi", on_request=lambda _: asked.set())
    router = router_of(entry(sim, ["sk-a"]))

    async def cancelled():
        task = asyncio.create_task(router.acompletion("chat", MESSAGES))
        await asyncio.to_thread(asked.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await router.acompletion("chat", MESSAGES)

    assert loop.run(cancelled()).choices[0].message.content == "Hi"
    assert router.strategy.tracker.snapshot() == {}
    assert [a.error for a in attempts] == [None]


def test_a_cancelled_probe_is_free_for_the_next_request(loop, provider, entry, router_of, clock):
    """A key that is due again is not kept waiting by a caller that went away."""
    sim = provider({"sk-a": {"kind": "rate_limited", "retry_after": 9}, "sk-b": "healthy"})
    router = router_of(entry(sim, ["sk-a", "sk-b"]))

    async def cancelled():
        await router.acompletion("chat", MESSAGES)
        clock.advance(9)
        sim.set("sk-a", ["hang", "healthy"])
        task = asyncio.create_task(router.acompletion("chat", MESSAGES))
        while sim.count("sk-a") < 2:  # noqa: ASYNC110 - the simulator is in another thread
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await router.acompletion("chat", MESSAGES)

    loop.run(cancelled())

    assert sim.counts == {"sk-a": 3, "sk-b": 1}


def test_nothing_is_kept_of_a_request_that_is_over(loop, provider, entry, router_of, attempts, monkeypatch):
    """Served, refused, exhausted or streamed."""
    sim = provider({"sk-a": "no_credit", "sk-b": "healthy", "sk-c": "revoked"})
    router = router_of(entry(sim, ["sk-a", "sk-b"]), entry(sim, ["sk-c"], name="dead"))
    walks, begin = [], router.strategy.begin

    def remembered(*given):
        walk = begin(*given)
        walks.append(weakref.ref(walk))
        return walk

    monkeypatch.setattr(router.strategy, "begin", remembered)

    def left():
        gc.collect()
        return [walk for walk in walks if walk() is not None]

    async def requests():
        for _ in range(3):
            await router.acompletion("chat", MESSAGES)
            async for _chunk in await router.acompletion("chat", MESSAGES, stream=True):
                pass
            for model, settings in (("dead", {}), ("chat", {"max_tokens": -1})):
                with contextlib.suppress(openai.OpenAIError):
                    await router.acompletion(model, MESSAGES, **settings)

    logging.disable(logging.CRITICAL)  # pytest would keep the records, and they the errors
    try:
        loop.run(requests())
    finally:
        logging.disable(logging.NOTSET)
    attempts.clear()  # errors have tracebacks, those have frames, and those the walk
    for _ in range(20):
        if not left():
            break
        loop.run(asyncio.sleep(0.05))  # LiteLLM logs errors in tasks and threads of its own, and keeps them until then

    assert len(walks) == 12
    assert left() == []


def test_what_remembers_a_request_keeps_no_router(loop, provider, entry):
    """Contexts of requests live on, in connections and tasks; the router that they came through does not."""
    sim = provider({"sk-a": "healthy"})
    contexts = []

    async def request():
        router = litellm.Router(model_list=expand_model_list([entry(sim, ["sk-a"])]))
        strategy = install(router, tracker=sk.CooldownTracker(), on_attempt=lambda _: contexts.append(copy_context()))
        await router.acompletion("chat", MESSAGES)
        uninstall(router)
        getattr(router, "retire", router.discard)()
        return weakref.ref(strategy)

    strategy = loop.run(request())
    gc.collect()

    assert len(contexts) == 1
    assert strategy() is None


def test_a_selection_by_itself_leaves_no_trace(loop, provider, entry, router_of):
    """The router's own selection may be asked outside any request."""
    sim = provider({"sk-a": "healthy", "sk-b": "healthy"})
    router = router_of(entry(sim, ["sk-a", "sk-b"]))

    row = loop.run(router.strategy.async_get_available_deployment("chat", request_kwargs={}))

    assert row["model_info"]["id"] == "chat__key_0"
    assert router.strategy.get_available_deployment("chat")["model_info"]["id"] == "chat__key_0"
    assert router.strategy.tracker.snapshot() == {}
    assert isinstance(router.strategy.tracker, sk.CooldownTracker)
