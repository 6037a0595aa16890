"""Connections of an event loop that has ended are no key's fault."""

from __future__ import annotations

import asyncio
import threading

import httpx
import openai
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI

import sparekey as sk
from langchain_sparekey import ChatSparekey, ModelsExhaustedError


async def gather(model, calls=6):
    """Several calls at once, so that the loop leaves several connections behind."""
    return [answer.content for answer in await asyncio.gather(*[model.ainvoke("hello") for _ in range(calls)])]


async def streamed(model):
    return "".join([part.content async for part in model.astream("hello")])


@pytest.fixture(params=["openai", "anthropic"])
def model(request, simulate, keys):
    """A model of two healthy keys, at each of the two providers whose clients are made to mind the loop."""
    sim = simulate("healthy", "healthy")
    base = sim.base_url if request.param == "openai" else sim.url
    options = {"api_keys": keys[:2], "api_base": base, "max_tokens": 50, "tracker": sk.CooldownTracker()}
    return ChatSparekey(model=f"{request.param}/some-model", **options), sim


def test_many_loops_one_after_another(model, keys):
    """Each call of ``asyncio.run`` is served at once, and the provider sees no call twice."""
    model, sim = model
    for _ in range(5):
        assert "key-1" in asyncio.run(gather(model))[5]
        assert "key-1" in asyncio.run(streamed(model))

    assert sim.counts == {keys[0]: 35, keys[1]: 0}
    assert model.tracker.snapshot() == {}


def test_loops_side_by_side(model, keys):
    """Threads with a loop each share a model."""
    model, sim = model
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.extend(asyncio.run(gather(model)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 24
    assert sim.counts == {keys[0]: 24, keys[1]: 0}
    assert model.tracker.snapshot() == {}


def test_a_loop_that_never_shut_down_is_let_go(model, keys):
    """A loop closed without ceremony leaves its connections to Python, and the next loop has its own."""
    model, sim = model
    for _ in range(3):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(gather(model))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

    assert sim.counts == {keys[0]: 18, keys[1]: 0}
    assert model.tracker.snapshot() == {}


def test_models_of_the_users_own_survive_too(simulate, keys):
    """``from_models`` gives them clients that mind the loop, and leaves the user's own as they are."""
    sim = simulate("healthy", "healthy")
    given = [
        ChatOpenAI(model="gpt-4o", api_key=keys[0], base_url=sim.base_url, max_retries=0),
        ChatAnthropic(model="claude-next", api_key=keys[1], base_url=sim.url, max_retries=0),
    ]
    before = given[0].root_async_client
    model = ChatSparekey.from_models(given, tracker=sk.CooldownTracker())
    for _ in range(3):
        asyncio.run(gather(model))

    assert sim.counts == {keys[0]: 18, keys[1]: 0}
    assert model.tracker.snapshot() == {}
    assert given[0].root_async_client is before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # dead connections complain when freed
def test_a_client_of_the_users_own_is_kept(simulate, keys):
    """It may be there for a proxy or a certificate; what its dead connections break is tried again at once."""
    sim = simulate("healthy", "healthy")
    theirs = openai.DefaultAsyncHttpxClient(timeout=httpx.Timeout(5))
    model = ChatSparekey(
        model="openai/gpt-4o",
        api_keys=keys[:2],
        api_base=sim.base_url,
        http_async_client=theirs,
        tracker=sk.CooldownTracker(),
    )
    for _ in range(3):
        assert "key-1" in asyncio.run(gather(model))[0]

    assert model.clients.model(model.candidates[0]).root_async_client._client is theirs
    assert sim.count(keys[1]) == 0
    assert model.tracker.snapshot() == {}


def test_a_proxy_of_the_users_is_used_in_async_too(simulate, keys):
    """The client that minds the loop goes through it too; here it is a simulator, which takes no proxy's requests."""
    sim = simulate("healthy")
    model = ChatSparekey(
        model="openai/gpt-4o",
        api_keys=keys[:1],
        api_base="http://provider.invalid/v1",
        openai_proxy=sim.url,
        tracker=sk.CooldownTracker(),
    )
    with pytest.raises(ModelsExhaustedError, match="Unknown request URL"):
        asyncio.run(gather(model, calls=1))


def dead_loop():
    """What an SDK raises when it meets a connection of a loop that has ended."""
    error = ConnectionError("Connection error.")
    error.__cause__ = RuntimeError("Event loop is closed")
    return error


@pytest.mark.parametrize("how", ["whole", "stream"])
def test_other_models_are_asked_again_without_a_cooldown(streaming, how):
    """A net for clients that cannot be made to mind the loop: each dead connection is used up by a try."""
    first = streaming(name_="first", errors=[dead_loop() for _ in range(20)], chunks=["first"])
    model = ChatSparekey.from_models([first, streaming(name_="second")], tracker=sk.CooldownTracker())
    answer = asyncio.run(streamed(model)) if how == "stream" else asyncio.run(gather(model, 1))[0]

    assert answer == "first"
    assert model.tracker.snapshot() == {}
    assert len(first.calls) - first.calls.count("closed") == 21


def test_the_net_has_an_end(scripted):
    """A client that is dead for good is a network failure like any other."""
    first = scripted(errors=[dead_loop() for _ in range(999)])
    model = ChatSparekey.from_models([first, scripted(name_="second")], tracker=sk.CooldownTracker())

    assert asyncio.run(gather(model, 1)) == ["second"]
    assert not model.tracker.is_available(model.candidates[0])


async def test_a_loop_that_lives_on_is_not_disturbed(model, keys):
    """A server's loop goes on with its own connections while others come and go beside it."""
    model, sim = model
    await gather(model)
    for _ in range(2):
        await asyncio.to_thread(lambda: asyncio.run(gather(model)))
        assert "key-1" in (await gather(model))[5]

    assert sim.counts == {keys[0]: 30, keys[1]: 0}
    assert model.tracker.snapshot() == {}


@pytest.mark.parametrize("behaviour", ["rate_limited", "bad_request"])
async def test_what_the_caller_is_handling_is_not_behind_a_refusal(simulate, chat, keys, behaviour):
    """A program that asks again after a closed loop has that error in its context; the refusal is told once."""
    sim = simulate(behaviour)
    try:
        raise RuntimeError("Event loop is closed")
    except RuntimeError:
        with pytest.raises((ModelsExhaustedError, openai.BadRequestError)):
            [part async for part in chat(sim).astream("hello")]

    assert sim.counts[keys[0]] == 1
