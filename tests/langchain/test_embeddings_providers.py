"""How entries become models of other providers' classes, whose packages are stood in for by classes of their shape."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings
from langchain_openai import OpenAIEmbeddings
from pydantic import BaseModel, ConfigDict, Field, SecretStr

import sparekey as sk
from langchain_sparekey import SparekeyEmbeddings

KEY = "sk-test-0123456789abcdef"


class Standin(BaseModel, Embeddings):
    """What all of them have in common; it remembers how many texts it was asked about at a time."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, arbitrary_types_allowed=True)
    asked: list[int] = Field(default_factory=list)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.asked.append(len(texts))
        return [[0.25, 0.5]] * len(texts)

    def embed_query(self, text: str) -> list[float]:
        return [0.25, 0.5]


class Sdk:
    """A client as Cohere's is: it retries unless told otherwise with each call."""

    def embed(self, *, request_options: Any = None) -> Any:
        return request_options


class CohereEmbeddings(Standin):
    client: Any = Field(default_factory=Sdk)
    async_client: Any = Field(default_factory=Sdk)
    model: str | None = None
    cohere_api_key: SecretStr | None = None
    max_retries: int = 3
    request_timeout: float | None = None
    base_url: str | None = None


class MistralAIEmbeddings(Standin):
    mistral_api_key: SecretStr = Field(alias="api_key", default=SecretStr(""))
    endpoint: str = "https://api.mistral.ai/v1/"
    max_retries: int | None = 5
    timeout: int = 120
    tokenizer: Any = None
    async_client: Any = None
    model: str = "mistral-embed"


class GoogleGenerativeAIEmbeddings(Standin):
    model: str
    google_api_key: SecretStr | None = Field(alias="api_key", default=None)
    vertexai: bool | None = None
    project: str | None = None
    location: str | None = None
    output_dimensionality: int | None = None


class BedrockEmbeddings(Standin):
    region_name: str | None = None
    aws_access_key_id: SecretStr | None = None
    aws_secret_access_key: SecretStr | None = None
    model_id: str = "amazon.titan-embed-text-v1"
    config: Any = None


class OllamaEmbeddings(Standin):
    model: str
    secret_key: str = ""
    base_url: str | None = None
    dimensions: int | None = None


class HuggingFaceEndpointEmbeddings(Standin):
    model: str | None = None
    huggingfacehub_api_token: str | None = None


class NVIDIAEmbeddings(Standin):
    model: str | None = None
    max_batch_size: int = 50

    def __init__(self, *, nvidia_api_key: str | None = None, api_key: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._key = api_key or nvidia_api_key


class LiteLLMEmbeddings(Standin):
    model: str = "openai/text-embedding-3-small"
    api_key: str | None = None
    max_retries: int = 2
    dimensions: int | None = None
    model_kwargs: dict[str, Any] = Field(default_factory=dict)


PACKAGES = {
    "langchain_aws": BedrockEmbeddings,
    "langchain_cohere": CohereEmbeddings,
    "langchain_google_genai": GoogleGenerativeAIEmbeddings,
    "langchain_huggingface": HuggingFaceEndpointEmbeddings,
    "langchain_litellm": LiteLLMEmbeddings,
    "langchain_mistralai": MistralAIEmbeddings,
    "langchain_nvidia_ai_endpoints": NVIDIAEmbeddings,
    "langchain_ollama": OllamaEmbeddings,
}


@pytest.fixture(autouse=True)
def _packages(monkeypatch):
    """All of them installed."""
    for name, standin in PACKAGES.items():
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        monkeypatch.setattr(standin, "__module__", f"{name}.embeddings")
        setattr(module, standin.__name__, standin)
        monkeypatch.setitem(sys.modules, name, module)


def built(model, **options):
    """What stands behind the first candidate of a model and one key."""
    options = {"api_keys": [KEY], "tracker": sk.CooldownTracker(), **options}
    embeddings = SparekeyEmbeddings(model, **options)
    assert len(embeddings.embed_query("which?")) == 2
    return embeddings.clients.model(embeddings.candidates[0])


@pytest.mark.parametrize("name", ["cohere/embed-v4", "cohere:embed-v4"])
def test_cohere(name):
    """Its key has a name of its own, and its SDK retries below its class."""
    model = built(name, timeout=7, api_base="http://x.invalid")

    assert (model.model, model.cohere_api_key.get_secret_value()) == ("embed-v4", KEY)
    assert (model.base_url, model.request_timeout, model.max_retries) == ("http://x.invalid", 7, 1)
    assert model.client.embed() == model.async_client.embed() == {"max_retries": 0}


@pytest.mark.parametrize("name", ["mistral/mistral-embed", "mistralai/mistral-embed"])
def test_mistral(name):
    """It takes whole seconds, and would fetch a tokenizer when it is made."""
    pytest.importorskip("tokenizers")  # comes with its package
    model = built(name, timeout=6.5, api_base="http://x.invalid/v1", dimensions=2)

    assert (model.mistral_api_key.get_secret_value(), model.endpoint) == (KEY, "http://x.invalid/v1")
    assert (model.timeout, model.max_retries) == (7, None)
    assert [len(tokens) for tokens in model.tokenizer.encode_batch(["a b\nc", "日本"])] == [5, 2]


@pytest.mark.parametrize("name", ["gemini/gemini-embedding-001", "google/gemini-embedding-001"])
def test_google(name):
    """It calls the dimensions otherwise."""
    model = built(name, dimensions=2)

    assert (model.google_api_key.get_secret_value(), model.output_dimensionality) == (KEY, 2)
    assert model.vertexai is None


def test_vertex_ai():
    """The same class, with LiteLLM's names for what it needs."""
    options = {"vertex_project": "mine", "vertex_location": "europe-west4"}
    model = built("vertex_ai/gemini-embedding-001", api_keys=None, **options)

    assert (model.vertexai, model.project, model.location) == (True, "mine", "europe-west4")


def test_bedrock():
    """Amazon's credentials by LiteLLM's names; Amazon's SDK makes one attempt."""
    pytest.importorskip("botocore")  # comes with its package
    options = {"aws_access_key_id": "AKIA", "aws_secret_access_key": KEY, "aws_region_name": "eu-west-1"}
    model = built("bedrock/amazon.titan-embed-text-v2:0", api_keys=None, **options)

    assert (model.model_id, model.region_name) == ("amazon.titan-embed-text-v2:0", "eu-west-1")
    assert model.aws_secret_access_key.get_secret_value() == KEY
    assert model.config.retries == {"total_max_attempts": 1}


def test_hugging_face():
    """Of its key the class keeps a plain text."""
    assert built("huggingface/BAAI/bge-m3").huggingfacehub_api_token == KEY


@pytest.mark.parametrize("name", ["nvidia_nim/nv-embed-v1", "nvidia/nv-embed-v1"])
def test_nvidia(name):
    """Its key is no field, but its constructor takes one."""
    assert built(name)._key == KEY


def test_ollama_takes_no_key():
    """A key that nobody would use is a mistake that is told."""
    assert built("ollama/bge-m3", api_keys=None, dimensions=2).dimensions == 2
    with pytest.raises(sk.ConfigError, match="api_key: OllamaEmbeddings takes none; give a factory that uses it"):
        built("ollama/bge-m3")


def test_all_others_are_asked_through_litellm():
    """What its class has no field for goes to LiteLLM."""
    model = built("voyage/voyage-3", dimensions=2, input_type="document", model_kwargs={"user": "me"})

    assert (model.model, model.api_key, model.dimensions, model.max_retries) == ("voyage/voyage-3", KEY, 2, 1)
    assert model.model_kwargs == {"input_type": "document", "user": "me", "max_retries": 0}
    assert (model.model_kwargs["max_retries"] or 2) == 0  # LiteLLM takes what is false for nothing said


@pytest.mark.parametrize("key", [{"api_key": KEY}, {}], ids=["given", "from the environment"])
def test_fireworks_is_asked_in_openais_language(monkeypatch, key):
    """OpenAI's own key in the environment is not for it."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openais-own-0123456789")
    monkeypatch.setenv("FIREWORKS_API_KEY", KEY)
    model = SparekeyEmbeddings("fireworks_ai/nomic-ai/nomic-embed-text-v1.5", **key)
    made = model.clients.model(model.candidates[0])

    assert type(made) is OpenAIEmbeddings
    assert (made.openai_api_base, made.model) == (
        "https://api.fireworks.ai/inference/v1",
        "nomic-ai/nomic-embed-text-v1.5",
    )
    assert made.openai_api_key.get_secret_value() == KEY
    assert model.candidates[0].endpoint == ""


def test_fireworks_without_a_key_is_told(monkeypatch):
    """Rather than sending somebody else's."""
    monkeypatch.delenv("FIREWORKS_API_KEY", raising=False)

    with pytest.raises(sk.ConfigError, match="fireworks/some: api_key: there is none, nor one in FIREWORKS_API_KEY"):
        SparekeyEmbeddings("fireworks/some", tracker=sk.CooldownTracker()).embed_query("which?")


@pytest.mark.parametrize("model", ["zhipu/embedding-3", "embedding-3", "hosted_vllm/BAAI/bge-m3"])
def test_an_unknown_provider_with_an_address_speaks_openais_language(model):
    """As most of them do."""
    embeddings = SparekeyEmbeddings(model, api_keys=[KEY], base_url="http://provider.invalid/v1")
    made = embeddings.clients.model(embeddings.candidates[0])

    assert type(made) is OpenAIEmbeddings
    assert (made.model, made.openai_api_base) == (model.partition("/")[2] or model, "http://provider.invalid/v1")


def test_an_endpoint_that_wants_no_key_gets_none(simulate, keys, monkeypatch):
    """OpenAI's own key in the environment is OpenAI's."""
    monkeypatch.setenv("OPENAI_API_KEY", keys[0])
    sim = simulate("healthy")
    model = SparekeyEmbeddings("hosted_vllm/bge-m3", api_base=sim.base_url, tracker=sk.CooldownTracker())

    with pytest.raises(sk.FallbackExhaustedError):
        model.embed_query("which?")
    assert [record.key for record in sim.requests] == ["none"]


@pytest.mark.parametrize(
    ("model", "options", "served"),
    [
        ("cohere/embed-v4", {}, LiteLLMEmbeddings),
        ("cohere/embed-v4", {"api_base": "http://x.invalid"}, None),
        ("mistral/mistral-embed", {"api_base": "http://x.invalid/v1"}, OpenAIEmbeddings),
    ],
)
def test_others_stand_in_for_a_package_that_is_missing(monkeypatch, model, options, served):
    """LiteLLM's, or OpenAI's where the address speaks its language."""
    missing = {"langchain_cohere", "langchain_mistralai", "langchain_litellm" if served is None else ""}
    looked_for = "langchain_sparekey._embedding_providers.find_spec"
    monkeypatch.setattr(looked_for, lambda package: None if package in missing else find_spec(package))
    if served is None:
        with pytest.raises(sk.ConfigError, match="'cohere' needs the package langchain-cohere: pip install"):
            SparekeyEmbeddings(model, api_keys=[KEY], **options)
        return
    embeddings = SparekeyEmbeddings(model, api_keys=[KEY], **options)
    assert type(embeddings.clients.model(embeddings.candidates[0])) is served


def test_the_field_of_a_key_can_be_named():
    """Where it is none that could be guessed."""
    assert built("ollama/bge-m3", key_field="secret_key").secret_key == KEY


@pytest.mark.parametrize(
    ("model", "options", "sizes"),
    [
        ("cohere/embed-v4", {}, [96, 96, 8]),
        ("nvidia/nv-embed-v1", {}, [50, 50, 50, 50]),
        ("gemini/gemini-embedding-001", {}, [100, 100]),
        ("huggingface/BAAI/bge-m3", {}, [32, 32, 32, 32, 32, 32, 8]),
        ("bedrock/amazon.titan-embed-text-v2:0", {"api_keys": None}, [1] * 200),
        ("bedrock/cohere.embed-v4:0", {"api_keys": None}, [96, 96, 8]),
    ],
)
def test_a_slice_is_one_request_of_the_class(model, options, sizes):
    """As many texts as it would put into one; more would be lost together."""
    if model.startswith("bedrock"):
        pytest.importorskip("botocore")
    options = {"api_keys": [KEY], "tracker": sk.CooldownTracker(), **options}
    embeddings = SparekeyEmbeddings(model, **options)
    embeddings.embed_documents(["text"] * 200)

    assert embeddings.clients.model(embeddings.candidates[0]).asked == sizes


def test_a_slice_of_mistral_is_as_long_as_its_class_makes_one():
    """Sixteen thousand letters."""
    pytest.importorskip("tokenizers")
    embeddings = SparekeyEmbeddings("mistral/mistral-embed", api_keys=[KEY], tracker=sk.CooldownTracker())
    embeddings.embed_documents(["a" * 5_000] * 7)

    assert embeddings.clients.model(embeddings.candidates[0]).asked == [3, 3, 1]


def test_a_setting_is_not_shared_between_keys():
    """OpenAI's class puts what it does not know into a dict that it is given."""
    more = {"model_kwargs": {"user": "me"}, "encoding_format": "float"}
    embeddings = SparekeyEmbeddings("openai/text-embedding-3-small", api_keys=["sk-one", "sk-two"], **more)

    for who in embeddings.candidates:
        with pytest.warns(UserWarning, match="encoding_format was transferred to model_kwargs"):
            made = embeddings.clients.model(who)
        assert made.model_kwargs == {"user": "me", "encoding_format": "float"}


def test_what_steers_a_router_is_not_sent():
    """Nor the mode, nor a number of retries."""
    row = {
        "model_name": "docs",
        "litellm_params": {
            "model": "cohere/embed-v4",
            "api_key": KEY,
            "max_retries": 5,
            "rpm": 9,
            "tpm": 9,
            "weight": 2,
        },
        "model_info": {"mode": "embedding", "id": "1", "base_model": "cohere/embed-v4"},
    }
    embeddings = SparekeyEmbeddings(model_list=[row], tracker=sk.CooldownTracker())

    assert len(embeddings.embed_query("which?")) == 2
