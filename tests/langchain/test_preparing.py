"""A candidate that cannot make a call is skipped and none the worse; what is not about a candidate passes by."""

from __future__ import annotations

import asyncio
import logging

import pytest
from langchain_core.exceptions import ContextOverflowError
from langgraph.errors import GraphInterrupt
from langgraph.types import Interrupt

import sparekey as sk
from langchain_sparekey import ChatSparekey, ModelsExhaustedError

KEYS = ("sk-first-0123456789abcdef", "sk-second-0123456789abcdef")


@pytest.fixture
def made(scripted):
    """Builds a model whose factory fails for the first key, as it is told to, and answers for the second."""

    def build(error, **options):
        def factory(entry):
            if entry.api_key.get_secret_value() == KEYS[0]:
                raise error
            return scripted(name_="second")

        options.setdefault("tracker", sk.CooldownTracker())
        return ChatSparekey(model="mine/some", api_keys=KEYS, factory=factory, **options)

    return build


def test_who_cannot_be_built_is_skipped_without_a_cooldown(made, ask, listener, caplog):
    """The next one answers; the attempt, a retry event and a warning say what was wrong, without the key."""
    heard = []
    model = made(ValueError(f"no such region for {KEYS[0]}"), on_attempt=heard.append)
    with caplog.at_level(logging.WARNING, "langchain_sparekey"):
        assert ask(model.with_config(callbacks=[listener]), "hello") == "second"

    assert model.tracker.snapshot() == {}
    skipped, served = heard
    assert (skipped.skipped, skipped.reason, served.error) == (True, "format", None)
    assert "no such region for [key " in str(skipped.error)
    assert "is passed over: it cannot make this call: ValueError: no such region" in caplog.text
    assert KEYS[0] not in caplog.text + str(heard)


def test_a_warning_is_given_once(made, caplog):
    """A key that nobody can use is not told of with every request."""
    model = made(ValueError("no such region"))
    with caplog.at_level(logging.WARNING, "langchain_sparekey"):
        for _ in range(3):
            model.invoke("hello")

    assert caplog.text.count("passed over") == 1


def test_when_nobody_can_be_built_the_first_problem_leaves(scripted, ask_whole):
    """A request that no model can be built for fails as it would with one model."""

    def factory(entry):
        raise LookupError(f"no region for {entry.model_name}")

    model = ChatSparekey(model="mine/some", api_keys=KEYS, factory=factory)
    with pytest.raises(LookupError, match=r"no region for mine/some$"):
        ask_whole(model, "hello")


def test_an_outage_while_building_is_an_attempt_like_any_other(made, ask_whole):
    """Some classes call their provider when they are built, and a provider that is down is down."""
    model = made(ConnectionRefusedError("nobody there"))

    assert ask_whole(model, "hello") == "second"
    assert not model.tracker.is_available(model.candidates[0])


def test_an_interrupt_of_a_graph_passes(scripted, ask, three_dead):
    """LangGraph stops a graph by an exception; that is no failure, whatever the policy does with unknown errors."""
    heard = []
    policy = sk.Policy(unclassified=sk.Action.NEXT_CANDIDATE)
    given = [scripted(errors=[GraphInterrupt([Interrupt("ask me")])]), scripted()]
    model = ChatSparekey.from_models(given, tracker=sk.CooldownTracker(policy), on_attempt=heard.append)

    with pytest.raises(GraphInterrupt, match="ask me"):
        ask(model, "hello")
    assert given[1].calls == heard == []
    assert model.tracker.snapshot() == {}


async def test_a_cancelled_request_blames_nobody(simulate, chat, keys):
    """The caller went away; the key did nothing wrong."""
    sim = simulate("hang", "healthy")
    model = chat(sim)
    task = asyncio.create_task(model.ainvoke("hello"))
    while not sim.counts[keys[0]]:  # noqa: ASYNC110 - the provider is in another thread
        await asyncio.sleep(0.001)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert sim.counts[keys[1]] == 0
    assert model.tracker.snapshot() == {}


class TooLong(Exception):  # noqa: N818 - a provider's class, as it comes
    """What a package raises that knows nothing of LangChain's errors."""

    status_code = 400
    code = "context_length_exceeded"


def test_a_prompt_too_long_is_langchains_error_whatever_the_package(scripted, ask_whole):
    """Middleware that shortens conversations catches that class; the package's own is caught as well."""
    model = ChatSparekey.from_models([scripted(errors=[TooLong("the prompt is too long")]), scripted()])

    with pytest.raises(TooLong) as raised:
        ask_whole(model, "hello")
    assert isinstance(raised.value, ContextOverflowError)
    assert type(raised.value).__name__ == "TooLong"


def test_an_error_of_pythons_own_cannot_be_given_a_parent_and_becomes_the_cause(scripted, ask_whole):
    """langchain-openai raises a ValueError for what OpenAI's Responses say within a stream."""
    said = "context_length_exceeded: This model's maximum context length is 8192 tokens."
    given = [scripted(errors=[ValueError(said)]), scripted()]

    with pytest.raises(ContextOverflowError, match="maximum context length") as raised:
        ask_whole(ChatSparekey.from_models(given), "hello")
    assert isinstance(raised.value, ValueError)
    assert type(raised.value.__cause__) is ValueError
    assert given[1].calls == []


def test_a_prompt_too_long_for_every_model_is_that_error_too(scripted, ask_whole):
    """With a policy that tries larger models, when none is large enough."""
    policy = sk.Policy().with_rule("context_overflow", action=sk.Action.NEXT_MODEL)
    given = [scripted(name_=name, errors=[TooLong(f"too long for {name}")]) for name in ("small", "large")]

    with pytest.raises(ContextOverflowError, match="too long for large"):
        ask_whole(ChatSparekey.from_models(given, policy=policy), "hello")


def test_among_other_failures_it_is_one_of_them(scripted, ask_whole):
    """When a key was revoked, too, shortening the conversation is not what helps."""

    class Revoked(Exception):  # noqa: N818 - as above
        status_code = 401

    policy = sk.Policy().with_rule("context_overflow", action=sk.Action.NEXT_MODEL)
    given = [scripted(name_="a", errors=[Revoked("no")]), scripted(name_="b", errors=[TooLong("too long")])]

    with pytest.raises(ModelsExhaustedError):
        ask_whole(ChatSparekey.from_models(given, tracker=sk.CooldownTracker(policy)), "hello")


def test_a_complaint_that_speaks_of_a_timeout_is_no_outage(made, ask_whole):
    """A setting's name or a tool's description may; the key is none the worse."""
    model = made(ValueError("request_timeout: Input should be a valid number"))

    assert ask_whole(model, "hello") == "second"
    assert model.tracker.snapshot() == {}


def test_building_a_model_takes_no_time_of_its_first_attempt(scripted, clock, ask_whole):
    """The first request of a process imports a package, which may take longer than an answer may."""

    def factory(entry):
        clock.advance(30)
        return scripted(name_=entry.model)

    tracker = sk.CooldownTracker(sk.Policy(attempt_timeout=5), clock=clock)
    model = ChatSparekey(model="mine/some", api_keys=KEYS, factory=factory, tracker=tracker)

    assert ask_whole(model, "hello") == "mine/some"
    assert tracker.snapshot() == {}


def test_two_models_are_built_side_by_side(scripted):
    """One that takes long does not hold up another, and a factory may ask for a model itself."""
    built = []

    def factory(entry):
        if entry.model == "mine/outer":
            model.clients.model(model.candidates[1])
        built.append(entry.model)
        return scripted(name_=entry.model)

    rows = [
        {"model_name": "chat", "model": "mine/outer", "api_key": "sk-one", "fallbacks": ["spare"]},
        {"model_name": "spare", "model": "mine/inner", "api_key": "sk-two"},
    ]
    model = ChatSparekey("chat", model_list=rows, factory=factory)

    assert model.invoke("hello").content == "mine/outer"
    assert built == ["mine/inner", "mine/outer"]


def test_a_model_named_for_one_call_cools_by_itself(simulate, chat, keys):
    """The usual model of the key is not to blame for the other's limit."""
    sim = simulate("healthy", "healthy")
    sim.set(keys[0], "rate_limited", model="gpt-4o-mini")
    model = chat(sim)

    assert "key-2 (gpt-4o-mini)" in model.invoke("hello", model="gpt-4o-mini").content
    assert "key-1 (gpt-4o)" in model.invoke("hello").content
    assert "key-2 (gpt-4o-mini)" in model.bind(model="gpt-4o-mini").invoke("hello").content
    assert sim.count(keys[0], model="gpt-4o-mini") == 1


def test_a_model_named_for_one_call_is_the_first_providers(simulate, keys, ask):
    """Another provider has no model of that name, and answers with its own."""
    sim = simulate("revoked", "healthy")
    rows = [
        {"model_name": "chat", "model": "openai/gpt-4o", "api_key": keys[0], "api_base": sim.base_url},
        {"model_name": "claude", "model": "anthropic/claude-next", "api_key": keys[1], "api_base": sim.url},
    ]
    rows[0]["fallbacks"] = ["claude"]
    model = ChatSparekey("chat", model_list=rows, max_tokens=99, tracker=sk.CooldownTracker())

    assert "key-2 (claude-next)" in ask(model.bind(model="gpt-4o-mini"), "hello")
    assert [request.model for request in sim.requests] == ["gpt-4o-mini", "claude-next"]
