"""Many routers in a process, and many requests at a time."""

from __future__ import annotations

import asyncio

import litellm

import sparekey as sk
from litellm_sparekey import expand_model_list, install, uninstall

MESSAGES = [{"role": "user", "content": "Hi"}]


def answered_by(response):
    """The deployment, as the response tells it."""
    return response._hidden_params["additional_headers"]["x-sparekey-candidate"]


def test_a_hundred_and_fifty_routers_all_fail_over(loop, provider, entry, clock):
    """LiteLLM's own memory needs callbacks of the whole process, and it keeps no more than thirty of a kind."""
    sim = provider({"sk-a": "no_credit", "sk-b": "healthy"})
    rows = expand_model_list([entry(sim, ["sk-a", "sk-b"])])
    routers = [litellm.Router(model_list=rows) for _ in range(150)]
    for router in routers:
        install(router, tracker=sk.CooldownTracker(clock=clock))  # each has to find out by itself

    async def ask_all():
        for _ in range(2):
            for router in routers:
                response = await router.acompletion("chat", MESSAGES)
                assert answered_by(response) == "chat__key_1"

    loop.run(ask_all())

    assert sim.counts == {"sk-a": 150, "sk-b": 300}
    for router in routers:
        uninstall(router)
        getattr(router, "retire", router.discard)()


def test_two_hundred_requests_share_one_metadata_dict(loop, provider, entry, router_of):
    """LiteLLM writes into the caller's dict; what one request writes is not read by another."""
    sim = provider(
        {
            "sk-a": {"kind": "server_error", "delay": 0.2},
            "sk-b": {"kind": "server_error", "delay": 0.2},
            "sk-c": "healthy",
            "sk-d": "healthy",
        },
    )
    router = router_of(entry(sim, ["sk-a", "sk-b", "sk-c"]), entry(sim, ["sk-d"], name="other"))
    shared = {"trace": "one for all"}

    async def together():
        names = ["chat", "other"] * 100
        return await asyncio.gather(*(router.acompletion(name, MESSAGES, metadata=shared) for name in names))

    answers = loop.run(together())

    assert [answered_by(answer) for answer in answers] == ["chat__key_2", "other__key_0"] * 100
    assert (sim.count("sk-c"), sim.count("sk-d")) == (100, 100)
    sim.clear()
    loop.run(together())
    assert sim.counts == {"sk-a": 0, "sk-b": 0, "sk-c": 100, "sk-d": 100}
