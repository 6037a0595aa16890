"""LangChain's embedding classes: whose they are, how they are kept from retrying, and what one request may hold."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from copy import copy
from functools import lru_cache, partial
from importlib import import_module
from typing import Any, NamedTuple

from langchain_sparekey._loops import loop_minding_client


class Served(NamedTuple):
    """The class for a provider, and what has to be known of it."""

    module: str
    name: str
    calm: Callable[[Any], Mapping[str, Any]] = lambda _: {}
    """What is other in a copy of a model that makes no retries of its own, and is not tied to one event loop."""
    unless_said: Callable[[], Mapping[str, Any]] = dict
    """Settings that it is given when nobody says otherwise."""
    texts: int | Callable[[Any], int] = 96
    """The most texts of one HTTP request."""
    size: int = 1_000_000
    """The most bytes of text of one HTTP request."""
    address: str = ""
    """Where a provider is asked in OpenAI's language."""
    variable: str = ""
    """The environment's variable for such a provider's key."""


def shared_connections(settings: Mapping[str, Any], *, proxy_setting: bool) -> dict[str, Any]:
    """The HTTP clients for a model to be built with ``settings``: none where they bring their own.

    Its class would make two of its own, which takes 80 ms for each key; connections know no keys, so all can share.

    Args:
        settings: what its class is to be given.
        proxy_setting: whether its class takes ``openai_proxy``, which it refuses beside a client.
    """
    import openai

    if settings.get("http_client") is not None or settings.get("http_async_client") is not None:
        return {}
    proxy = None
    if proxy_setting:
        proxy = settings["openai_proxy"] if "openai_proxy" in settings else os.environ.get("OPENAI_PROXY")
    clients: dict[str, Any] = {
        "http_client": _shared_client(openai.DefaultHttpxClient, proxy),
        "http_async_client": loop_minding_client(openai.DefaultAsyncHttpxClient, proxy),
    }
    return {**clients, "openai_proxy": None} if proxy_setting else clients


@lru_cache(maxsize=64)
def _shared_client(base: Any, proxy: str | None) -> Any:
    return base(proxy=proxy) if proxy else base()


def _calm_clients(model: Any) -> dict[str, Any]:
    """Clients for a copy of ``model``: the SDK's own retries off, async calls in the running loop's connections."""
    changes: dict[str, Any] = {}
    proxy = getattr(model, "openai_proxy", None)
    theirs = getattr(model, "http_async_client", None) is not None and not proxy
    for field in ("client", "async_client"):
        resource: Any = getattr(model, field, None)
        sdk: Any = resource if hasattr(resource, "with_options") else getattr(resource, "_client", None)
        if not hasattr(sdk, "with_options"):
            continue  # built without a key for it, or not the SDK's
        how: dict[str, Any] = {} if sdk.max_retries == 0 else {"max_retries": 0}
        if field == "async_client" and not theirs:
            package = sys.modules[type(sdk).__module__.partition(".")[0]]
            how["http_client"] = loop_minding_client(package.DefaultAsyncHttpxClient, proxy)
        if how:
            calm = sdk.with_options(**how)
            changes[field] = calm if sdk is resource else calm.embeddings
    if changes and hasattr(model, "max_retries"):
        changes["max_retries"] = 0
    return changes


def _minding(client: Any, *path: str) -> Any:
    """A copy of an SDK's async ``client``, whose requests go over connections of the loop they are sent in.

    It is a copy as far as the HTTP client at the end of ``path``, which is not public. An SDK that looks otherwise by
    now is left as it is: what it sends into a connection of a loop that has ended is sent again.
    """
    root = http = copy(client)
    for name in path:
        if not hasattr(http, name):
            return client
        setattr(http, name, copy(getattr(http, name)))
        http = getattr(http, name)
    base = next((parent for parent in type(http).__mro__ if parent.__name__ == "AsyncClient"), None)
    if base is None:
        return client
    minding = loop_minding_client(base)

    async def send(request: Any, *, follow_redirects: Any = None, **how: Any) -> Any:
        # What is neither yes nor no stands for the client's own choice, and would mean that of the one that sends.
        chosen = follow_redirects if isinstance(follow_redirects, bool) else http.follow_redirects
        return await minding.send(request, follow_redirects=chosen, **how)

    http.send = send
    return root


def _calm_openai(model: Any) -> Mapping[str, Any]:
    # Unless it was asked for: it would fetch a tokenizer from the network.
    counts = "check_embedding_ctx_length" in model.model_fields_set
    return _calm_clients(model) | ({} if counts else {"check_embedding_ctx_length": False})


def _calm_cohere(model: Any) -> Mapping[str, Any]:
    """Cohere's SDK retries below its class, and sleeps for as long as a throttled key is told to wait."""
    changes: dict[str, Any] = {"max_retries": 1}
    for field in ("client", "async_client"):
        client = copy(getattr(model, field))
        if field == "async_client":
            client = _minding(client, "_raw_client", "_client_wrapper", "httpx_client", "httpx_client")
        changes[field] = client
        client.embed = partial(client.embed, request_options={"max_retries": 0})
    return changes


def _calm_mistral(model: Any) -> Mapping[str, Any]:
    return {"max_retries": None, "async_client": _minding(model.async_client)}


def _calm_ollama(model: Any) -> Mapping[str, Any]:
    """It makes no retries. One that was told how to connect, by a certificate perhaps, keeps its connections."""
    said = [getattr(model, field, None) or {} for field in ("client_kwargs", "async_client_kwargs")]
    if any(settings.keys() - {"headers", "timeout"} for settings in said):
        return {}
    return {"_async_client": _minding(getattr(model, "_async_client", None), "_client")}


class _NoRetries(int):
    """0; LiteLLM takes a plain 0 for nothing said, and then OpenAI's SDK makes two."""

    def __bool__(self) -> bool:
        return True


def _calm_litellm(model: Any) -> Mapping[str, Any]:
    return {"max_retries": 1, "model_kwargs": {**model.model_kwargs, "max_retries": _NoRetries()}}


def _bedrock() -> Mapping[str, Any]:
    return {"config": import_module("botocore.config").Config(retries={"total_max_attempts": 1})}


def _letters_for_tokens() -> Mapping[str, Any]:
    """Mistral's class would fetch a tokenizer from the network; where it cannot, it counts letters, too."""
    package = import_module("tokenizers")
    letters = package.Tokenizer(package.models.WordLevel({"?": 0}, unk_token="?"))  # noqa: S106 - of text, not of access
    letters.pre_tokenizer = package.pre_tokenizers.Split(package.Regex(r"[\s\S]"), "isolated")
    return {"tokenizer": letters}


def _vertex() -> Mapping[str, Any]:
    return {"vertexai": True}


def _bedrock_texts(model: Any) -> int:
    return 96 if "cohere" in model.model_id else 1


# The limits are those of the classes (langchain-openai 1.7, -aws 1.9, -google-genai 4.4, -mistralai 1.1, -together
# 0.4): what is more they ask for in several requests, and lose with the first of them that fails. A token has at least
# one byte. Where a class knows no limit, 96 is Cohere's, and 32 that of Hugging Face's server unless told otherwise.
_OPENAI = Served("langchain_openai", "OpenAIEmbeddings", _calm_openai, texts=2048, size=300_000)
_AZURE = _OPENAI._replace(name="AzureOpenAIEmbeddings")
# LangChain's class for Fireworks sends what OpenAI's sends, but has no async calls.
_FIREWORKS = _OPENAI._replace(address="https://api.fireworks.ai/inference/v1", variable="FIREWORKS_API_KEY")
_GOOGLE = Served("langchain_google_genai", "GoogleGenerativeAIEmbeddings", texts=100, size=20_000)
_VERTEX = _GOOGLE._replace(unless_said=_vertex)
_BEDROCK = Served("langchain_aws", "BedrockEmbeddings", unless_said=_bedrock, texts=_bedrock_texts)
_MISTRAL = Served("langchain_mistralai", "MistralAIEmbeddings", _calm_mistral, _letters_for_tokens, 1000, 16_000)
_NVIDIA = Served("langchain_nvidia_ai_endpoints", "NVIDIAEmbeddings")
_TOGETHER = Served("langchain_together", "TogetherEmbeddings", _calm_clients, texts=1)

OTHERS = Served("langchain_litellm", "LiteLLMEmbeddings", _calm_litellm)
"""Who asks the providers that have no class of their own, or whose package is not installed."""
OPENAIS = _OPENAI
"""Who asks those that speak OpenAI's language at an address of their own."""

OWN_LANGUAGE = frozenset(
    {"azure", "azure_openai", "bedrock", "cohere", "gemini", "google_genai", "google_vertexai", "huggingface", "ollama"}
    | {"vertex_ai"}
)
"""Providers whose addresses do not speak OpenAI's."""

BATCHES = ("chunk_size", "max_batch_size", "batch_size")
"""What classes call the most texts of one request."""

CLASSES = {
    "openai": _OPENAI,
    "azure": _AZURE,
    "azure_openai": _AZURE,
    "bedrock": _BEDROCK,
    "cohere": Served("langchain_cohere", "CohereEmbeddings", _calm_cohere),
    "fireworks_ai": _FIREWORKS,
    "fireworks": _FIREWORKS,
    "gemini": _GOOGLE,
    "google_genai": _GOOGLE,
    "huggingface": Served("langchain_huggingface", "HuggingFaceEndpointEmbeddings", texts=32),
    "mistral": _MISTRAL,
    "mistralai": _MISTRAL,
    "nvidia_nim": _NVIDIA,
    "nvidia": _NVIDIA,
    "ollama": Served("langchain_ollama", "OllamaEmbeddings", _calm_ollama),
    "together_ai": _TOGETHER,
    "together": _TOGETHER,
    "vertex_ai": _VERTEX,
    "google_vertexai": _VERTEX,
}
"""By LiteLLM's name of the provider, and by LangChain's."""

# By the class, for models that a user has built: LangChain's for Fireworks is among them. Where a provider has two
# names, the first is LiteLLM's, which is the one in model lists.
_BUILT = {
    **CLASSES,
    "fireworks_ai": Served("langchain_fireworks", "FireworksEmbeddings", _calm_clients),
    "": OTHERS,  # whose model names its provider itself
}
_KNOWN = {(served.module, served.name): (provider, served) for provider, served in reversed(_BUILT.items())}


def known(model: object) -> tuple[str, Served]:
    """The provider of ``model``, as a model list would name it, and what is known of its class."""
    for parent in type(model).__mro__:
        if (found := _KNOWN.get((parent.__module__.partition(".")[0], parent.__name__))) is not None:
            return found
    return type(model).__name__, Served("", "")


def batch(model: Any) -> tuple[int, int]:
    """How many texts, and how many bytes of them, go into one HTTP request of ``model``."""
    _, served = known(model)
    most = served.texts(model) if callable(served.texts) else served.texts
    said = (getattr(model, name, None) for name in BATCHES)
    own = next((number for number in said if type(number) is int and number > 0), most)
    return (min(own, most) if served.name else own), served.size
