"""A provider that fails on request, real routers in front of it, and the four ways to ask one."""

from __future__ import annotations

import asyncio
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or importing litellm fetches a price map

from pathlib import Path

import litellm
import pytest

import sparekey as sk
from litellm_sparekey import expand_model_list, install, uninstall
from sparekey.simulator import Simulator

litellm.suppress_debug_info = True
HERE = Path(__file__).parent

# LiteLLM's and its dependencies' own; what sparekey calls must not warn.
NOT_OURS = [
    "ignore:Items? .* on TypedDict class:UserWarning",
    "ignore:Accessing the .* attribute on the instance:DeprecationWarning",
]


def pytest_collection_modifyitems(items):
    """Warnings are errors here as everywhere, but for those."""
    for item in items:
        if item.path.parent == HERE:
            for line in NOT_OURS:
                item.add_marker(pytest.mark.filterwarnings(line))


MESSAGES = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def loop():
    """One event loop for a whole test, as an application has."""
    with asyncio.Runner() as runner:
        yield runner
        # LiteLLM logs from a task of its own, which would outlive the loop.
        runner.run(asyncio.sleep(0))


@pytest.fixture
def provider():
    """Starts a simulator for a mapping of keys to behaviours."""
    started = []

    def start(keys, **options):
        sim = Simulator(keys, **options)
        sim.start()
        started.append(sim)
        return sim

    yield start
    for sim in started:
        sim.stop()


@pytest.fixture
def entry():
    """One row of a ``model_list``, with several keys."""

    def build(sim, keys, name="chat", model="openai/gpt-4o", info=None, **params):
        row = {
            "model_name": name,
            "litellm_params": {"model": model, "api_base": sim.base_url, "api_keys": keys, **params},
        }
        return row if info is None else {**row, "model_info": info}

    return build


@pytest.fixture
def attempts():
    """Every attempt that was reported, in order."""
    return []


@pytest.fixture
def router_of(clock, attempts):
    """Builds a router of rows with several keys, with sparekey installed and a memory of its own."""
    built = []

    def build(*rows, policy=None, **options):
        router = litellm.Router(model_list=expand_model_list(rows), **options)
        built.append(router)
        router.strategy = install(router, tracker=sk.CooldownTracker(policy, clock=clock), on_attempt=attempts.append)
        return router

    yield build
    for router in built:
        uninstall(router)
        getattr(router, "retire", router.discard)()


async def _astream(router, model, settings):
    chunks = [chunk async for chunk in await router.acompletion(model, MESSAGES, stream=True, **settings)]
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


async def _acompletion(router, model, settings):
    return (await router.acompletion(model, MESSAGES, **settings)).choices[0].message.content


def _stream(router, model, settings):
    chunks = list(router.completion(model, MESSAGES, stream=True, **settings))
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def _completion(router, model, settings):
    return router.completion(model, MESSAGES, **settings).choices[0].message.content


WAYS = {"acompletion": _acompletion, "completion": _completion, "astream": _astream, "stream": _stream}


@pytest.fixture(params=WAYS)
def ask(request, loop):
    """Asks a router, in each of the four ways."""

    def call(router, model="chat", **settings):
        answer = WAYS[request.param](router, model, settings)
        return loop.run(answer) if asyncio.iscoroutine(answer) else answer

    return call


@pytest.fixture
def aask(loop):
    """Asks a router with ``acompletion``, where the way makes no difference."""

    def call(router, model="chat", **settings):
        return loop.run(_acompletion(router, model, settings))

    return call
