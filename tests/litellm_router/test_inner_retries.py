"""Nobody below the router asks a dead key again: not LiteLLM's clients, not OpenAI's SDK under them."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging

import litellm
import openai
import pytest

import sparekey as sk
from litellm_sparekey import _host, expand_model_list, install, uninstall
from litellm_sparekey._private import SDK_RETRIES
from litellm_sparekey._retries import InnerRetries

MESSAGES = [{"role": "user", "content": "Hello"}]
TRANSIENT = ["server_error", "overloaded", {"kind": "rate_limited", "retry_after": 0}]
EMBEDDING, IMAGE = "openai/text-embedding-3-small", "openai/gpt-image-1"
ASKED = {
    "embedding": (EMBEDDING, {"input": ["Hello"]}),
    "aembedding": (EMBEDDING, {"input": ["Hello"]}),
    "image_generation": (IMAGE, {"prompt": "x"}),
    "aimage_generation": (IMAGE, {"prompt": "x"}),
    "aspeech": ("openai/tts-1", {"input": "x", "voice": "alloy"}),
    "atranscription": ("openai/whisper-1", {"file": ("a.wav", b"RIFF" + bytes(4000), "audio/wav")}),
    "atext_completion": ("text-completion-openai/gpt-3.5-turbo-instruct", {"prompt": "x"}),
    "aresponses": ("openai/gpt-4o", {"input": "x"}),
}
# LiteLLM tells these providers' clients nothing of retries.
CHATTY = ["zai", "deepinfra", "nvidia_nim", "sambanova", "baseten", "featherless_ai", "nscale", "hyperbolic", "v0"]


@pytest.fixture
def alone(monkeypatch):
    """A process in which no router has sparekey yet, whatever other tests have left; the setting it had."""
    options = SDK_RETRIES.owner()
    monkeypatch.setattr(litellm, "DEFAULT_MAX_RETRIES", 2)
    monkeypatch.setattr(options, SDK_RETRIES.name, inspect.unwrap(getattr(options, SDK_RETRIES.name)))
    monkeypatch.setattr(_host, "inner_retries", InnerRetries())
    return 2


@pytest.fixture
def bare(entry, alone):
    """A router without sparekey, of one group."""
    built = []

    def build(sim, **options):
        row = entry(sim, ["sk-a"], model=EMBEDDING)
        built.append(litellm.Router(model_list=expand_model_list([row]), num_retries=0, **options))
        return built[-1]

    yield build
    for router in built:
        uninstall(router)
        getattr(router, "retire", router.discard)()


@pytest.fixture
def untouched(alone):
    """What a process has of itself, after the test as before."""
    before = litellm.DEFAULT_MAX_RETRIES, vars(SDK_RETRIES.owner())[SDK_RETRIES.name]
    yield alone
    assert (litellm.DEFAULT_MAX_RETRIES, vars(SDK_RETRIES.owner())[SDK_RETRIES.name]) == before


@pytest.mark.parametrize("way", ASKED)
@pytest.mark.parametrize("fault", TRANSIENT, ids=str)
def test_a_key_that_fails_is_called_once(loop, provider, entry, router_of, way, fault):
    """By none of the endpoints three times, as LiteLLM by itself does for embeddings."""
    model, settings = ASKED[way]
    sim = provider({"sk-a": fault})
    router = router_of(entry(sim, ["sk-a"], model=model))

    def ask():
        answer = getattr(router, way)(model="chat", **settings)
        return loop.run(answer) if asyncio.iscoroutine(answer) else answer

    with pytest.raises(sk.FallbackExhaustedError):
        ask()

    assert sim.counts == {"sk-a": 1}


@pytest.mark.parametrize("name", CHATTY)
def test_nor_by_the_clients_of_other_providers(ask, provider, entry, router_of, name):
    """Which ask OpenAI's SDK how often to try."""
    sim = provider({"sk-a": "server_error", "sk-b": "healthy"}, reply="Hi")
    router = router_of(entry(sim, ["sk-a", "sk-b"], model=f"{name}/m"))

    assert ask(router) == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-b": 1}


@pytest.mark.parametrize("setting", ["max_retries", "num_retries"])
@pytest.mark.parametrize("where", ["row", "request"])
def test_nor_because_the_user_asked_for_it(aask, loop, provider, entry, router_of, setting, where):
    """A walk asks every key once."""
    sim = provider({"sk-a": "server_error"})
    router = router_of(entry(sim, ["sk-a"], **({setting: 3} if where == "row" else {})))

    with pytest.raises(sk.FallbackExhaustedError):
        aask(router, **({setting: 3} if where == "request" else {}))

    assert sim.counts == {"sk-a": 1}


def test_calls_past_the_router_go_on_as_ever(provider, router_of, entry):
    """A client of the user's own, beside a router with sparekey."""
    sim = provider({"sk-a": [{"kind": "server_error"}, "healthy"], "sk-b": "healthy"})
    router_of(entry(sim, ["sk-b"]))

    with openai.OpenAI(base_url=sim.base_url, api_key="sk-a", max_retries=1) as client:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    assert sim.count("sk-a") == 2


def test_the_last_router_gives_back_what_the_first_one_took(provider, bare, untouched):
    """Whichever of them goes first."""
    sim = provider({"sk-a": "healthy"})
    one, two = bare(sim), bare(sim)

    install(one)
    install(two)
    install(two)
    assert litellm.DEFAULT_MAX_RETRIES == 0

    uninstall(one)
    uninstall(one)
    assert litellm.DEFAULT_MAX_RETRIES == 0

    uninstall(two)
    assert untouched == litellm.DEFAULT_MAX_RETRIES


def test_a_router_that_is_no_more_gives_it_back_too(provider, entry, untouched):
    """Without having been asked to."""
    sim = provider({"sk-a": "healthy"})
    router = litellm.Router(model_list=expand_model_list([entry(sim, ["sk-a"])]))
    install(router, tracker=sk.CooldownTracker())
    assert litellm.DEFAULT_MAX_RETRIES == 0

    getattr(router, "retire", router.discard)()
    del router
    gc.collect()

    assert untouched == litellm.DEFAULT_MAX_RETRIES


@pytest.mark.parametrize("said", [0, 5])
def test_what_the_user_says_meanwhile_stays(provider, bare, said):
    """Even if it is what sparekey had said."""
    sim = provider({"sk-a": "healthy"})
    router = bare(sim)

    install(router)
    litellm.DEFAULT_MAX_RETRIES = said
    uninstall(router)

    assert said == litellm.DEFAULT_MAX_RETRIES


def test_what_somebody_made_of_the_sdk_meanwhile_stays(provider, bare):
    """It calls what it found, which then does as it did."""
    options = SDK_RETRIES.owner()
    router = bare(provider({"sk-a": "healthy"}))

    install(router)
    ours = getattr(options, SDK_RETRIES.name)

    def theirs(*args):
        return ours(*args)

    setattr(options, SDK_RETRIES.name, theirs)
    uninstall(router)

    assert getattr(options, SDK_RETRIES.name) is theirs
    assert options.construct(method="get", url="/").get_max_retries(4) == 4


def test_an_sdk_that_has_moved_it_is_told(provider, bare, monkeypatch, caplog):
    """Keys still fail over; some are asked more often than they should be."""
    monkeypatch.delattr(SDK_RETRIES.owner(), SDK_RETRIES.name)
    router = bare(provider({"sk-a": "healthy"}))

    with caplog.at_level(logging.WARNING, "litellm_sparekey"):
        install(router)

    assert "has no openai._models.FinalRequestOptions.get_max_retries" in caplog.text
