"""Dead keys are met once, the good one answers, and the right error leaves when nobody can."""

from __future__ import annotations

import pickle

import openai
import pytest
from langchain_core.exceptions import ContextOverflowError, ModelError
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

import sparekey as sk
from langchain_sparekey import ChatSparekey, ModelsExhaustedError


def test_each_dead_key_costs_one_call_and_then_none(three_dead, chat, ask, keys):
    """The first request wastes exactly three calls, whichever way it is made; the second none."""
    model = chat(three_dead)

    assert "Hello from key-4" in ask(model, "hello")
    assert three_dead.counts == dict.fromkeys(keys, 1)
    assert "Hello from key-4" in ask(model, "again")
    assert three_dead.counts == {**dict.fromkeys(keys, 1), keys[3]: 2}


def test_a_chain_of_runnables_is_served(three_dead, chat):
    """A prompt before it and a parser after it change nothing."""
    chain = ChatPromptTemplate.from_template("Tell me of {topic}") | chat(three_dead) | StrOutputParser()

    assert "you said 'Tell me of keys'" in chain.invoke({"topic": "keys"})


def test_a_wrong_request_reaches_one_key_and_leaves_as_the_sdk_raised_it(simulate, chat, ask, keys):
    """A 400 would fail with every key, and code that catches the SDK's own class goes on working."""
    sim = simulate("bad_request", "healthy")

    with pytest.raises(openai.BadRequestError) as raised:
        ask(chat(sim), "hello")

    assert sim.counts == {keys[0]: 1, keys[1]: 0}
    assert any("raised by openai/gpt-4o" in note for note in raised.value.__notes__)


def test_a_prompt_too_long_leaves_as_langchains_own_error(simulate, chat, ask, keys):
    """Middleware that shortens a conversation catches that class."""
    sim = simulate("context_overflow", "healthy")

    with pytest.raises(ContextOverflowError):
        ask(chat(sim), "hello")

    assert sim.counts == {keys[0]: 1, keys[1]: 0}


def test_when_all_keys_are_dead_one_error_lists_every_attempt(simulate, chat, ask, keys):
    """It names each key by its fingerprint, says when to come back, and has the last error as its cause."""
    sim = simulate("revoked", {"kind": "rate_limited", "retry_after": 7}, "no_credit")

    with pytest.raises(sk.FallbackExhaustedError) as raised:
        ask(chat(sim), "hello")

    error = raised.value
    assert isinstance(error, ModelsExhaustedError)
    assert [attempt.reason for attempt in error.attempts] == ["auth", "rate_limit", "billing"]
    assert 6 < error.retry_after <= 7
    assert isinstance(error.__cause__, openai.APIStatusError)
    assert all(sk.fingerprint(key) in str(error) for key in keys[:3])
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.retry_after, again.is_retryable) == (type(error), error.retry_after, True)


@pytest.mark.parametrize(
    ("behaviours", "retryable"),
    [(["revoked", "rate_limited"], True), (["overloaded", "no_credit"], True), (["revoked", "no_credit"], False)],
)
def test_the_exhausted_error_says_whether_to_try_again(simulate, chat, behaviours, retryable):
    """LangChain's retry middleware asks: what passes by itself is worth a retry, a revoked key is not."""
    with pytest.raises(ModelError) as raised:
        chat(simulate(*behaviours)).invoke("hello")

    assert raised.value.is_retryable is retryable


def test_only_cooling_is_worth_a_retry(simulate, chat, keys):
    """When nobody was asked because all are throttled, the error says so, and when to come back."""
    sim = simulate("rate_limited", "rate_limited")
    model = chat(sim)
    for _ in range(2):
        with pytest.raises(ModelsExhaustedError) as raised:
            model.invoke("hello")

    assert [attempt.skipped for attempt in raised.value.attempts] == [True, True]
    assert raised.value.is_retryable
    assert 0 < raised.value.retry_after <= 20
    assert sim.counts == {keys[0]: 1, keys[1]: 1}


def test_three_keys_are_three_candidates(simulate, chat):
    """They have three ids and three names, and an id shows no key."""
    candidates = chat(simulate("healthy", "healthy", "healthy")).candidates

    assert len({who.id for who in candidates}) == 3
    assert [who.name for who in candidates] == ["openai/gpt-4o", "openai/gpt-4o__key_1", "openai/gpt-4o__key_2"]


def test_the_fallback_model_answers_when_all_keys_of_the_first_are_dead(simulate, ask, keys):
    """A list in LiteLLM's nested form, with a fallback of another provider."""
    sim = simulate("revoked", "rate_limited", "healthy")
    model = ChatSparekey(
        model="chat",
        model_list=[
            {
                "model_name": "chat",
                "litellm_params": {"model": "openai/gpt-4o", "api_keys": list(keys[:2]), "api_base": sim.base_url},
                "fallbacks": ["spare"],
                "model_info": {"mode": "chat"},
            },
            {"model_name": "spare", "model": "anthropic/claude-next", "api_key": keys[2], "base_url": sim.url},
        ],
        max_tokens=50,
        tracker=sk.CooldownTracker(),
    )

    for _ in range(2):
        assert "Hello from key-3 (claude-next)" in ask(model, "hello")
    assert sim.counts == {keys[0]: 1, keys[1]: 1, keys[2]: 2}


def test_two_models_built_for_two_requests_share_what_is_known(three_dead, keys):
    """A web handler that builds its model for every request still learns."""
    for _ in range(2):
        model = ChatSparekey(model="openai/gpt-4o", api_keys=keys, api_base=three_dead.base_url)
        assert "key-4" in model.invoke("hello").content

    assert three_dead.counts == {**dict.fromkeys(keys, 1), keys[3]: 2}


def test_settings_reach_the_provider_and_an_entrys_own_go_first(simulate, keys):
    """Whatever is not about keys is the candidates' own; what LiteLLM's router would read is not sent."""
    sim = simulate("healthy", "healthy")
    row = {"model": "openai/gpt-4o", "api_base": sim.base_url}
    rows = [
        {**row, "model_name": "plain", "api_key": keys[0], "tpm": 9, "weight": 2},
        {**row, "model_name": "own", "api_key": keys[1], "temperature": 0.7},
    ]
    for name in ("plain", "own"):
        model = ChatSparekey(model=name, model_list=rows, temperature=0.2, seed=3, tracker=sk.CooldownTracker())
        model.invoke("hello", stop=["."])

    plain, own = (request.body for request in sim.requests)
    assert (plain["temperature"], plain["seed"], plain["stop"]) == (0.2, 3, ["."])
    assert own["temperature"] == 0.7
    assert not {"tpm", "weight"} & plain.keys()
