"""A model that leaves its process leaves its keys behind, and finds them again."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.caches import InMemoryCache
from langchain_core.load import dumps
from langchain_openai import ChatOpenAI

import sparekey as sk
from langchain_sparekey import ChatSparekey

ASK = "import pickle, sys; print(pickle.load(sys.stdin.buffer).invoke('hello').content)"


def again(model, keys):
    """The model as a pickle brings it back; the pickle is searched for keys."""
    data = pickle.dumps(model)
    assert not [key for key in keys if key.encode() in data]
    return pickle.loads(data)


def elsewhere(data, **variables):
    """What another process gets from a pickled model, and its last line of trouble."""
    environment = {**os.environ, **variables}
    done = subprocess.run([sys.executable, "-c", ASK], input=data, capture_output=True, env=environment, check=False)
    return done.stdout.decode().strip(), done.stderr.decode().strip().rpartition("\n")[2]


def test_a_model_goes_on_where_it_was(three_dead, chat, ask, keys):
    """It has its keys, its settings and its memory; what was learned before is known after, and the other way round."""
    model = chat(three_dead, temperature=0.5, default_headers={"X-Auth": f"Bearer {keys[1]}"})
    model.invoke("hello")
    back = again(model, keys)

    assert "key-4" in ask(back, "hello")
    assert three_dead.counts == {**dict.fromkeys(keys, 1), keys[3]: 2}
    assert three_dead.requests[-1].body["temperature"] == 0.5
    assert back.tracker is model.tracker
    assert back.candidates == model.candidates


@pytest.mark.parametrize(
    "bound",
    [
        lambda model: model.bind(stop=["."]),
        lambda model: model.with_config(tags=["a"]),
        lambda model: model.with_retry(),
        lambda model: model.with_fallbacks([model]),
        lambda model: model.bind_tools(
            [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
        ),
    ],
    ids=["bind", "with_config", "with_retry", "with_fallbacks", "bind_tools"],
)
def test_what_is_bound_to_it_comes_along(simulate, chat, keys, bound):
    """LangChain's wrappings of a model are pickled with it."""
    assert "key-1" in again(bound(chat(simulate("healthy"))), keys).invoke("hello").content


def test_a_worker_reads_the_keys_that_it_is_referred_to(simulate, keys, monkeypatch):
    """The pickle has the names of the variables, and the worker's own environment the keys."""
    sim = simulate("revoked", "healthy")
    monkeypatch.setenv("PICKLED_KEY_1", keys[0])
    monkeypatch.setenv("PICKLED_KEY_2", keys[1])
    names = ["os.environ/PICKLED_KEY_1", "os.environ/PICKLED_KEY_2"]
    data = pickle.dumps(ChatSparekey("openai/gpt-4o", api_keys=names, api_base=sim.base_url))
    monkeypatch.delenv("PICKLED_KEY_1")

    assert keys[0].encode() not in data
    assert elsewhere(data, PICKLED_KEY_1=keys[0])[0] == "Hello from key-2 (gpt-4o): you said 'hello'"
    assert elsewhere(data)[1].endswith("the environment variable PICKLED_KEY_1 is not set")


def test_a_worker_that_cannot_know_a_key_says_which(simulate, chat):
    """By its fingerprint."""
    written = "sk-test-written-0123456789"
    sim = simulate("healthy")
    data = pickle.dumps(ChatSparekey("openai/gpt-4o", api_key=written, api_base=sim.base_url))

    assert f"this process does not know the key {sk.fingerprint(written)}" in elsewhere(data)[1]


def test_models_of_the_users_own_are_built_again(simulate, keys, ask):
    """LangChain's classes hold locks and connections that cannot be pickled; their settings can."""
    sim = simulate("revoked", "healthy")
    given = [
        ChatOpenAI(model="gpt-4o", api_key=keys[0], base_url=sim.base_url, temperature=0.5),
        ChatAnthropic(model="claude-next", api_key=keys[1], base_url=sim.url, max_tokens=50),
    ]
    model = ChatSparekey.from_models(given, tracker=sk.CooldownTracker())
    model.invoke("hello")
    back = again(model, keys)

    assert "key-2 (claude-next)" in ask(back, "hello")
    assert sim.counts == {keys[0]: 1, keys[1]: 2}
    assert back.clients.model(back.candidates[0]).temperature == 0.5


def test_a_model_that_cannot_be_pickled_is_named(scripted):
    """A function somewhere in its settings, say."""
    model = ChatSparekey.from_models([scripted(custom_get_token_ids=lambda text: [])])

    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(model)


def test_a_cached_answer_holds_no_key(simulate, chat, keys):
    """Though a 401 before it quoted one."""
    cache = InMemoryCache()
    model = chat(simulate("revoked", "healthy"), cache=cache)
    answers = [model.invoke("hello") for _ in range(2)]
    written = "".join(dumps(generation) for found in cache._cache.values() for generation in found)

    assert answers[0].content == answers[1].content
    assert '"reason": "auth"' in written
    assert not [key for key in keys if key in written + str(cache._cache.keys())]
