"""Models the user has built: who they are, and how they are asked."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_openai import AzureChatOpenAI, ChatOpenAI

import sparekey as sk
from langchain_sparekey import ChatSparekey


def test_the_next_model_answers_for_the_first(simulate, ask, keys):
    """Two providers, two keys; the models' own retries are off, so the dead one is asked once."""
    sim = simulate("overloaded", "healthy")
    given = [
        ChatOpenAI(model="gpt-4o", api_key=keys[0], base_url=sim.base_url),
        ChatAnthropic(model="claude-next", api_key=keys[1], base_url=sim.url, max_tokens=50),
    ]
    model = ChatSparekey.from_models(given, tracker=sk.CooldownTracker())

    for _ in range(2):
        assert "key-2 (claude-next)" in ask(model, "hello")
    assert sim.counts == {keys[0]: 1, keys[1]: 2}


def test_two_models_of_one_key_share_its_fate(simulate, keys):
    """A revoked key is revoked for the second model too, so that one is not asked."""
    sim = simulate("revoked", "healthy")
    options = {"base_url": sim.base_url}
    given = [ChatOpenAI(model=name, api_key=keys[0], **options) for name in ("gpt-4o", "gpt-4o-mini")]
    given.append(ChatOpenAI(model="gpt-4o", api_key=keys[1], **options))
    model = ChatSparekey.from_models(given, tracker=sk.CooldownTracker())

    assert "key-2" in model.invoke("hello").content
    assert sim.counts == {keys[0]: 1, keys[1]: 1}


def test_a_key_is_the_same_in_a_list_and_in_a_model(simulate, keys):
    """What one learned of a key the other knows."""
    sim = simulate("revoked", "healthy")
    given = ChatSparekey.from_models([ChatOpenAI(model="gpt-4o", api_key=keys[0], base_url=sim.base_url)])
    listed = ChatSparekey(model="openai/gpt-4o", api_keys=keys[:1], api_base=sim.base_url)

    assert given.candidates == listed.candidates
    unset = [ChatOpenAI(model="gpt-4o", api_key=keys[0]), ChatAnthropic(model="claude-next", api_key=keys[1])]
    assert [who.endpoint for who in ChatSparekey.from_models(unset).candidates] == ["", ""]


def test_models_that_show_no_key_are_told_apart_by_position(scripted):
    """Nothing else tells them apart."""
    fetched = ChatOpenAI(model="gpt-4o", api_key=lambda: "fetched")
    model = ChatSparekey.from_models([fetched, scripted(), scripted()])

    assert [who.position for who in model.candidates] == [0, 1, 2]
    assert len({who.id for who in model.candidates}) == 3


def test_an_organization_is_part_of_whose_key_it_is():
    """The same key in two organizations has two quotas."""
    given = [ChatOpenAI(model="gpt-4o", api_key="sk-same", organization=name) for name in ("one", "two")]

    assert len(ChatSparekey.from_models(given).candidates) == 2


@pytest.mark.parametrize(
    "given",
    [
        ChatOpenAI(
            model="gpt-4o", api_key="sk-none", temperature=0.3, timeout=7, streaming=True, model_kwargs={"a": 1}
        ),
        ChatAnthropic(model="claude-next", api_key="sk-none", temperature=0.3, timeout=7, streaming=True),
        AzureChatOpenAI(
            azure_deployment="d",
            azure_endpoint="https://x.invalid",
            api_version="2024-06-01",
            api_key="sk-none",
            temperature=0.3,
            timeout=7,
        ),
        ChatOpenAI(model="gpt-4o", api_key="sk-none", temperature=0.3, timeout=7, openai_proxy="http://proxy.invalid"),
    ],
    ids=["openai", "anthropic", "azure", "proxied"],
)
def test_a_model_is_rebuilt_without_retries_and_otherwise_the_same(given):
    """Its settings stay, the user's own object too; one that streams by itself is asked for whole answers."""
    model = ChatSparekey.from_models([given])
    built = model.clients.model(model.candidates[0])
    timeout = "request_timeout" if isinstance(given, (ChatOpenAI, AzureChatOpenAI)) else "default_request_timeout"

    assert type(built) is type(given)
    assert (built.max_retries, built.temperature, getattr(built, timeout)) == (0, 0.3, 7)
    assert not built.streaming
    assert given.max_retries != 0
    assert getattr(built, "model_kwargs", {}) == getattr(given, "model_kwargs", {})


def test_a_model_that_streams_by_itself_still_gives_whole_answers(simulate, keys):
    """``ChatOpenAI(streaming=True)`` would otherwise ask for a stream and choke on it."""
    sim = simulate("healthy")
    given = ChatOpenAI(model="gpt-4o", api_key=keys[0], base_url=sim.base_url, streaming=True)

    assert "key-1" in ChatSparekey.from_models([given]).invoke("hello").content


def test_a_model_that_cannot_be_rebuilt_is_left_with_a_warning(simulate, keys):
    """Its own retries come first then, which the user should know."""
    sim = simulate("healthy")

    class Peculiar(ChatOpenAI):
        def __init__(self, **settings):
            if settings.get("max_retries") == 0:
                raise ZeroDivisionError
            super().__init__(**settings)

    model = ChatSparekey.from_models([Peculiar(model="gpt-4o", api_key=keys[0], base_url=sim.base_url)])
    with pytest.warns(UserWarning, match=r"Peculiar could not be built without retries \(ZeroDivisionError\)"):
        assert "key-1" in model.invoke("hello").content


class Limiter(BaseRateLimiter):
    """Has room at once only as often as it is told to; who waits for it moves the clock."""

    def __init__(self, room: int, clock: Any) -> None:
        self.room, self.clock, self.waits = room, clock, 0

    def acquire(self, *, blocking: bool = True) -> bool:
        if self.room:
            self.room -= 1
            return True
        if blocking:
            self.waits += 1
            self.clock.advance(60)
        return blocking

    async def aacquire(self, *, blocking: bool = True) -> bool:
        return self.acquire(blocking=blocking)


def test_a_models_own_rate_limiter_is_waited_for(scripted, ask_whole, clock):
    """LangChain minds it around a model, and the model is asked underneath; the wait is not the key's."""
    limiter = Limiter(1, clock)
    tracker = sk.CooldownTracker(sk.Policy(attempt_timeout=5), clock=clock)
    model = ChatSparekey.from_models([scripted(name_="limited", rate_limiter=limiter), scripted()], tracker=tracker)

    assert [ask_whole(model, "hello") for _ in range(2)] == ["limited", "limited"]
    assert (limiter.waits, tracker.snapshot()) == (1, {})


def test_a_sync_wait_for_a_limiter_ends_with_the_deadline(scripted, clock):
    """And blames nobody."""
    limiter = Limiter(0, clock)
    model = ChatSparekey.from_models(
        [scripted(rate_limiter=limiter)], tracker=sk.CooldownTracker(clock=clock), deadline=0.5
    )
    began = clock()

    with pytest.raises(sk.FallbackExhaustedError, match="the deadline was spent"):
        model.invoke("hello")
    assert (limiter.waits, model.tracker.snapshot()) == (0, {})
    assert 0.5 <= clock() - began < 0.6


def test_an_error_nothing_is_known_of_stops_at_once(scripted, ask_whole):
    """One honest failure is better than fifty."""
    model = ChatSparekey.from_models([scripted(errors=[ZeroDivisionError("odd")]), scripted()])

    with pytest.raises(ZeroDivisionError, match="odd"):
        ask_whole(model, "hello")


def test_a_models_keys_are_scrubbed_from_its_errors(simulate, keys):
    """The key is known even of a model that sparekey did not build."""
    sim = simulate({"kind": "bad_request", "message": f"What is {keys[0]}?"})
    model = ChatSparekey.from_models([ChatOpenAI(model="gpt-4o", api_key=keys[0], base_url=sim.base_url)])

    with pytest.raises(openai.BadRequestError) as raised:
        model.invoke("hello")
    assert keys[0] not in str(raised.value)
