"""No class asks a dead key twice, or sends a request twice: counted at the provider, for each that can be run here."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from starlette.routing import Mount

import sparekey as sk
from langchain_sparekey import ChatSparekey, ModelsExhaustedError
from langchain_sparekey._provider_names import CLASSES, Source, langchain_name_of
from sparekey.simulator._openai import chat as openai_chat

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # no look at GitHub when LiteLLM is imported

pytestmark = [
    # What pydantic says of LiteLLM's own code, and aiohttp of Google's, when it is first used.
    pytest.mark.filterwarnings("ignore:.* using the `ReadOnly` qualifier:UserWarning"),
    pytest.mark.filterwarnings("ignore:Accessing the 'model_.*fields':DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
]

FOUR_WAYS = pytest.mark.parametrize("ask", ["invoke", "ainvoke", "stream", "astream"], indirect=True)

# Whose class speaks a language of the simulator's, and the path that is part of the address it wants.
SPEAKERS = {
    "anthropic": "",
    "deepseek": "/v1",
    "fireworks_ai": "",
    "groq": "",
    "hosted_vllm": "/v1",  # nobody's class: OpenAI's, by its address
    "litellm/anthropic": "",
    "litellm/deepinfra": "/v1",  # one of those for which LiteLLM drops max_retries, and OpenAI's SDK retries
    "litellm/openai": "/v1",
    "mistral": "/v1",
    "nvidia_nim": "/v1",
    "openrouter": "/v1",
    "perplexity": "/v1",
    "together_ai": "/v1",
    "xai": "/v1",
}


def where(provider):
    """The class of ``provider``; skips where its package is missing, as it is beside the oldest packages."""
    name = langchain_name_of(provider.partition("/")[0])
    source = Source(name, *CLASSES[name]) if name in CLASSES else Source("openai", *CLASSES["openai"])
    pytest.importorskip(source.module)
    if "litellm" in sys.modules:
        sys.modules["litellm"].suppress_debug_info = True  # it prints a request for feedback with every error
    return source.load()


@pytest.fixture
def simulated(simulate, monkeypatch):
    """Starts a simulator that is Groq, too: at its path, and with the one parameter its class adds."""
    known = getattr(openai_chat, "PARAMETERS", frozenset())
    monkeypatch.setattr(openai_chat, "PARAMETERS", known | {"reasoning_format"}, raising=False)

    def start(*behaviours):
        sim = simulate(*behaviours)
        sim._app.router.routes.append(Mount("/openai", routes=list(sim._app.routes)))
        return sim

    return start


def listed(provider, sim):
    """A model of all keys of ``sim``, from their settings."""
    where(provider)
    keys, address = list(sim.counts), sim.url + SPEAKERS[provider]
    return ChatSparekey(f"{provider}/some-model", api_keys=keys, api_base=address, tracker=sk.CooldownTracker())


def given(provider, sim):
    """A model of all keys of ``sim``, from chat models built as their documentation says, with their own retries."""
    cls, address = where(provider), sim.url + SPEAKERS[provider]
    name = f"{provider.removeprefix('litellm/')}/some-model" if provider.startswith("litellm") else "some-model"
    models = []
    for key in sim.counts:
        settings = {"base_url": address}
        if provider == "perplexity":  # the one class without a field for it
            sdk = pytest.importorskip("perplexity")
            how = {"api_key": key, "base_url": address}
            settings = {"client": sdk.Perplexity(**how), "async_client": sdk.AsyncPerplexity(**how)}
        models.append(cls(model=name, api_key=key, **settings))
    return ChatSparekey.from_models(models, tracker=sk.CooldownTracker())


@FOUR_WAYS
@pytest.mark.parametrize("provider", SPEAKERS)
def test_each_dead_key_is_asked_once(provider, simulated, ask):
    """Overloaded, throttled without a word on how long, or cut off: the next key is asked at once."""
    sim = simulated("overloaded", {"kind": "rate_limited", "retry_after": None}, "reset", "healthy")

    assert "key-4" in ask(listed(provider, sim), "hello")
    assert list(sim.counts.values()) == [1, 1, 1, 1]
    assert not any("max_retries" in request.body for request in sim.requests)


@pytest.mark.parametrize("ask", ["invoke", "astream"], indirect=True)
@pytest.mark.parametrize("provider", SPEAKERS)
def test_the_retries_of_models_the_user_built_are_off_too(provider, simulated, ask):
    """In what is asked for them; the user's own objects stay as they are."""
    sim = simulated("overloaded", {"kind": "rate_limited", "retry_after": None}, "reset", "healthy")
    model = given(provider, sim)
    theirs = list(model.clients._given.values())
    before = [repr(each) for each in theirs]

    assert "key-4" in ask(model, "hello")
    assert list(sim.counts.values()) == [1, 1, 1, 1]
    assert [repr(each) for each in theirs] == before


async def gather(model):
    return await asyncio.gather(*[model.ainvoke("hello") for _ in range(6)])


async def streamed(model):
    return [part async for part in model.astream("hello")]


@pytest.mark.parametrize("made", [listed, given])
@pytest.mark.parametrize("provider", SPEAKERS)
def test_event_loops_that_end_cost_no_request_and_no_key(provider, simulated, made):
    """Six calls at once leave six connections behind, in a loop that is then gone; the next loop begins anew."""
    sim = simulated("healthy", "healthy")
    model = made(provider, sim)
    for _ in range(3):
        assert all("key-1" in answer.content for answer in asyncio.run(gather(model)))
        asyncio.run(streamed(model))

    first, second = sim.counts.values()
    # Clients of the user's own are kept, with their connections, and dead ones cost a request each.
    assert first == 21 or (first > 21 and (provider, made) == ("perplexity", given))
    assert second == 0
    assert model.tracker.snapshot() == {}


class _Refusing(BaseHTTPRequestHandler):
    """Refuses whatever is asked, with the status its server was told; writes down path and headers."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.asked.append((self.path, {name.lower(): text for name, text in self.headers.items()}))
        body = b'{"error": {"message": "try later"}, "message": "try later"}'
        self.send_response(self.server.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Silent."""


@pytest.fixture
def refusing():
    """A provider in no language at all."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    server.daemon_threads = True
    server.asked, server.status = [], 503
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


KEY = "sk-test-0123456789abcdef"
AWS = {"aws_access_key_id": "AKIA0123456789", "aws_secret_access_key": KEY, "aws_region_name": "eu-north-1"}


@FOUR_WAYS
@pytest.mark.parametrize(
    ("provider", "settings", "path", "header", "shown"),
    [
        ("bedrock", AWS, "/model/some-model/converse", "authorization", "AWS4-HMAC-SHA256 Credential=AKIA0123456789"),
        ("cohere", {"api_key": KEY}, "/v2/chat", "authorization", f"Bearer {KEY}"),
        ("gemini", {"api_key": KEY}, "/models/some-model:", "x-goog-api-key", KEY),
        ("ollama", {}, "/api/chat", "host", "127.0.0.1"),
    ],
)
def test_classes_of_other_languages_ask_once(refusing, ask, provider, settings, path, header, shown):
    """At the address and with the key of the entry; what they would say to an answer is not tried here."""
    where(provider)
    address = f"http://127.0.0.1:{refusing.server_port}"
    for status in (500, 503, 429):
        refusing.asked, refusing.status = [], status
        model = ChatSparekey(f"{provider}/some-model", api_base=address, tracker=sk.CooldownTracker(), **settings)
        with pytest.raises(ModelsExhaustedError):
            ask(model, "hello")

        ((asked, headers),) = refusing.asked
        assert path in asked  # before it may stand a version, which the SDKs raise now and then
        assert headers[header].startswith(shown)


def test_a_client_of_the_users_own_is_not_given_up(monkeypatch):
    """Amazon's knows an account that no field tells; built anew, the model would ask as somebody else."""
    cls = where("bedrock")
    account = {"ACCESS_KEY_ID": "AKIA-another", "SECRET_ACCESS_KEY": "sk-another-0123456789", "DEFAULT_REGION": "x"}
    for name, value in account.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    import boto3

    client = boto3.client("bedrock-runtime", region_name="x", aws_access_key_id="AKIA-mine", aws_secret_access_key=KEY)
    theirs = cls(model="some-model", client=client, bedrock_client=client)
    model = ChatSparekey.from_models([theirs])
    with pytest.warns(
        UserWarning, match=r"ChatBedrockConverse could not be built without retries \(its key was lost\)"
    ):
        assert model.clients.model(model.candidates[0]) is theirs


def test_a_setting_with_two_names_is_given_once():
    """Google's class calls it ``retries``, too, and would go by that."""
    theirs = where("gemini")(model="some-model", api_key=KEY, max_retries=6)
    model = ChatSparekey.from_models([theirs])

    assert (theirs.max_retries, model.clients.model(model.candidates[0]).max_retries) == (6, 1)


def test_retries_that_cannot_be_turned_off_are_told(scripted):
    """An SDK may have changed inside; the model serves all the same."""
    changed = type("ChatOpenRouter", (scripted,), {})
    model = ChatSparekey.from_models([changed(name_="served")], tracker=sk.CooldownTracker())

    with pytest.warns(UserWarning, match=r"ChatOpenRouter could not be built without retries \(AttributeError\)"):
        assert model.invoke("hello").content == "served"
