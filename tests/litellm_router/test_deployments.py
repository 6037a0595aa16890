"""Deployments that come, go and get other keys while the router is in use."""

from __future__ import annotations

import asyncio
import importlib
import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from litellm.types.router import Deployment

import sparekey as sk
from litellm_sparekey import expand_model_list

MESSAGES = [{"role": "user", "content": "Hello"}]


def put(router, row):
    """Add a deployment to a running router, or replace the one with its id."""
    deployment = Deployment(**row)
    if hasattr(router, "apply"):
        router.apply(importlib.import_module("litellm.router_api").ChangeSet(upsert=[deployment]))
    else:
        router.upsert_deployment(deployment)


def drop(router, name):
    """Take one out."""
    if hasattr(router, "apply"):
        router.apply(importlib.import_module("litellm.router_api").ChangeSet(delete=[name]))
    else:
        router.delete_deployment(name)


def row(entry, sim, key, name):
    """One deployment of the group, of one key."""
    (built,) = expand_model_list([entry(sim, [key], info={"id": name})])
    return built


def test_another_list_takes_over_at_once(ask, provider, entry, router_of):
    """Though the ids in it are those of the list before."""
    sim = provider({"sk-old-1": "revoked", "sk-old-2": "healthy", "sk-new-1": "revoked", "sk-new-2": "healthy"})
    router = router_of(entry(sim, ["sk-old-1", "sk-old-2"]))
    ask(router)

    router.set_model_list(expand_model_list([entry(sim, ["sk-new-1", "sk-new-2"])]))
    ask(router)
    ask(router)

    assert sim.counts == {"sk-old-1": 1, "sk-old-2": 1, "sk-new-1": 1, "sk-new-2": 2}


def test_a_deployment_can_be_added(ask, provider, entry, router_of):
    """In the way that is for new ones only."""
    sim = provider({"sk-a": "revoked", "sk-b": "healthy"}, reply="Hi")
    router = router_of(entry(sim, ["sk-a"]))
    with pytest.raises(sk.FallbackExhaustedError):
        ask(router)

    router.add_deployment(Deployment(**row(entry, sim, "sk-b", "later")))

    assert ask(router) == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-b": 1}


@pytest.mark.parametrize("way", ["list", "upsert"])
def test_a_list_of_keys_that_slips_in_is_refused(aask, provider, entry, router_of, way):
    """Beside the key that was there already, in the deployment that was there already."""
    sim = provider({"sk-a": "healthy", "sk-hidden-b": "healthy"})
    router = router_of(entry(sim, ["sk-a"], info={"id": "mine"}))
    aask(router)
    unexpanded = entry(sim, ["sk-hidden-b"], info={"id": "mine"}, api_key="sk-a")

    if way == "list":
        router.set_model_list([unexpanded])
    else:
        put(router, unexpanded)

    with pytest.raises(sk.ConfigError, match="expand_model_list"):
        aask(router)
    assert sim.counts == {"sk-a": 1, "sk-hidden-b": 0}


@pytest.mark.parametrize("way", ["list", "upsert", "add and delete"])
def test_requests_under_way_are_served_whatever_is_changed(loop, provider, entry, router_of, way):
    """A hundred of them, among changes of which each leaves one key that lives; no dead key is asked twice."""
    dead = {f"sk-dead-{at}": "revoked" for at in range(12)}
    live = {f"sk-live-{at}": {"kind": "healthy", "delay": 0.01} for at in range(3)}
    sim = provider({**dead, **live}, reply="Hi")
    keys = list(zip(dead, itertools.cycle(live)))
    router = router_of(entry(sim, list(keys[0])))
    changes = 0

    def change(at):
        one, other = keys[at % len(keys)]
        if way == "list":
            router.set_model_list(expand_model_list([entry(sim, [one, other])]))
        elif way == "upsert":
            put(router, row(entry, sim, other, "chat__key_1"))
            put(router, row(entry, sim, one, "chat__key_0"))
        else:
            router.add_deployment(Deployment(**row(entry, sim, other, f"live-{at}")))
            router.add_deployment(Deployment(**row(entry, sim, one, f"dead-{at}")))
            drop(router, f"dead-{at - 1}")
            drop(router, f"live-{at - 1}")

    async def one():
        return (await router.acompletion("chat", MESSAGES)).choices[0].message.content

    async def everything():
        nonlocal changes
        requests = [asyncio.create_task(one()) for _ in range(20)]
        while len(requests) < 100 or not all(request.done() for request in requests):
            change(changes := changes + 1)
            await asyncio.sleep(0.002)
            requests += [asyncio.create_task(one()) for _ in range(min(5, 100 - len(requests)))]
        return [request.result() for request in requests]

    assert loop.run(everything()) == ["Hi"] * 100
    assert changes >= 16
    # Requests that were under way together may each have found a key dead; later ones do not ask it.
    found = [key for key in dead if sim.counts[key]]
    assert found
    sim.clear()
    for _ in dead:
        change(changes := changes + 1)
        assert loop.run(one()) == "Hi"
    assert not any(sim.counts[key] for key in found)


def test_threads_are_served_while_keys_are_exchanged(provider, entry, router_of):
    """The sync calls of eight threads, while a deployment is replaced by a ninth; for LiteLLM it is gone in between."""
    sim = provider({"sk-dead": "revoked", "sk-a": "healthy", "sk-b": "healthy", "sk-stays": "healthy"}, reply="Hi")
    router = router_of(entry(sim, ["sk-dead", "sk-stays"]))

    def ask(_):
        return router.completion("chat", MESSAGES).choices[0].message.content

    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(ask, range(80))
        for key in ["sk-a", "sk-dead", "sk-b"] * 2:
            put(router, row(entry, sim, key, "chat__key_0"))
        assert list(answers) == ["Hi"] * 80

    sim.clear()
    assert ask(1) == "Hi"
    assert sim.count("sk-dead") == 0
