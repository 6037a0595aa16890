"""From an entry of a model list to the LangChain chat model that serves it."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr, ValidationError

import sparekey as sk

# Provider: where LangChain's class for it is.
_CLASSES = {
    "anthropic": ("langchain_anthropic", "ChatAnthropic"),
    "azure_openai": ("langchain_openai", "AzureChatOpenAI"),
    "bedrock_converse": ("langchain_aws", "ChatBedrockConverse"),
    "cohere": ("langchain_cohere", "ChatCohere"),
    "deepseek": ("langchain_deepseek", "ChatDeepSeek"),
    "fireworks": ("langchain_fireworks", "ChatFireworks"),
    "google_genai": ("langchain_google_genai", "ChatGoogleGenerativeAI"),
    "groq": ("langchain_groq", "ChatGroq"),
    "mistralai": ("langchain_mistralai", "ChatMistralAI"),
    "ollama": ("langchain_ollama", "ChatOllama"),
    "openai": ("langchain_openai", "ChatOpenAI"),
    "openrouter": ("langchain_openrouter", "ChatOpenRouter"),
    "perplexity": ("langchain_perplexity", "ChatPerplexity"),
    "together": ("langchain_together", "ChatTogether"),
    "xai": ("langchain_xai", "ChatXAI"),
}

# Those that ``init_chat_model`` knows besides.
_BY_LANGCHAIN = frozenset(
    {"anthropic_bedrock", "azure_ai", "baseten", "bedrock", "google_anthropic_vertex", "google_vertexai", "huggingface"}
    | {"ibm", "meta", "nvidia", "upstage"}
)

# What LiteLLM, or sparekey, calls a provider, where LangChain calls it otherwise.
_LANGCHAIN_NAMES = {
    "azure": "azure_openai",
    "bedrock": "bedrock_converse",
    "cohere_chat": "cohere",
    "fireworks_ai": "fireworks",
    "gemini": "google_genai",
    "mistral": "mistralai",
    "nvidia_nim": "nvidia",
    "ollama_chat": "ollama",
    "together_ai": "together",
    "vertex_ai": "google_vertexai",
    "watsonx": "ibm",
}

# Settings of an entry that steer a router, which no chat model takes; retries and streaming are decided here.
_NOT_THE_MODELS = frozenset(
    {"allowed_fails", "base_model", "budget_duration", "cooldown_time", "custom_llm_provider", "drop_params"}
    | {"input_cost_per_token", "litellm_credential_name", "max_budget", "max_parallel_requests", "max_retries"}
    | {"mock_response", "model_info", "num_retries", "order", "output_cost_per_token", "stream", "stream_timeout"}
    | {"streaming", "tags", "tpm", "use_in_pass_through", "use_litellm_proxy", "weight"}
)

_OUTAGES = frozenset({sk.Reason.NETWORK, sk.Reason.TIMEOUT, sk.Reason.OVERLOADED, sk.Reason.SERVER_ERROR})


def langchain_name(candidate: sk.Candidate) -> str:
    """What LangChain calls the candidate's provider; for an unknown one with an address, OpenAI."""
    name = _LANGCHAIN_NAMES.get(candidate.provider, candidate.provider)
    return name if is_langchain_provider(name) or not candidate.endpoint else "openai"


def is_langchain_provider(name: str) -> bool:
    """Whether LangChain has a provider of this name."""
    return name in _CLASSES or name in _BY_LANGCHAIN


def check_provider(candidate: sk.Candidate) -> None:
    """See that a chat model can be had for ``candidate``, without importing anything.

    Raises:
        ConfigError: nobody knows the provider, or its package is not installed.
    """
    name = langchain_name(candidate)
    where = f"{candidate.name}: model"
    if not name:
        raise sk.ConfigError(f"{where}: {candidate.model!r} does not name its provider, as 'openai/gpt-4o' does")
    if name in _CLASSES:
        package = _CLASSES[name][0]
        if find_spec(package) is None:
            pip = package.replace("_", "-")
            raise sk.ConfigError(f"{where}: {candidate.provider!r} needs the package {pip}: pip install {pip}")
    elif name not in _BY_LANGCHAIN:
        raise sk.ConfigError(
            f"{where}: LangChain knows no provider {candidate.provider!r}; with its address as api_base it is taken "
            "to speak OpenAI's language"
        )
    elif find_spec("langchain") is None:
        raise sk.ConfigError(
            f"{where}: {candidate.provider!r} needs the package langchain: pip install 'langchain-sparekey[providers]'"
        )


def build(candidate: sk.Candidate, entry: sk.ModelConfig) -> BaseChatModel:
    """The chat model of one candidate, its own retries off.

    Raises:
        ConfigError: the entry's settings are not ones its class takes; the text shows no value.
    """
    settings = {name: value for name, value in entry.settings.items() if name not in _NOT_THE_MODELS}
    try:
        model = _construct(candidate, entry, settings)
    except sk.ConfigError:
        raise
    except Exception as error:
        verdict = sk.classify(error)
        if verdict is not None and verdict.reason in _OUTAGES:
            raise  # some classes call their provider when they are constructed: that is an attempt like any other
        text = _explained(error)
    else:
        return model
    # Outside the except block: pydantic's own error, with the key in it, must not hang on to ours.
    raise sk.ConfigError(f"{candidate.name}: {text}")


def _construct(candidate: sk.Candidate, entry: sk.ModelConfig, settings: dict[str, Any]) -> BaseChatModel:
    name = langchain_name(candidate)
    if name not in _CLASSES:
        from langchain.chat_models import init_chat_model

        given = {"api_key": entry.api_key, "base_url": entry.api_base, "timeout": entry.timeout}
        settings = {**{k: v for k, v in given.items() if v is not None}, **settings}
        made: BaseChatModel = init_chat_model(candidate.model, model_provider=name, max_retries=0, **settings)
        return made
    module, class_name = _CLASSES[name]
    cls: type[BaseChatModel] = getattr(importlib.import_module(module), class_name)
    own = {parameter(cls, "model", "model_name", "model_id") or "model": candidate.model}
    if (deployment := parameter(cls, "azure_deployment")) is not None:
        own[deployment] = candidate.model
    wanted: dict[str, tuple[Any, tuple[str, ...]]] = {
        "api_key": (entry.api_key, ("api_key", f"{name}_api_key")),
        "api_base": (entry.api_base, ("azure_endpoint", "base_url", "api_base", "endpoint_url")),
        "timeout": (entry.timeout, ("timeout", "request_timeout", "timeout_seconds")),
        "max_retries": (0, ("max_retries",)),
    }
    for setting, (value, spellings) in wanted.items():
        spelling = parameter(cls, *spellings)
        if spelling is not None and value is not None:
            own[spelling] = value
        elif value is not None and setting in ("api_key", "api_base"):
            raise sk.ConfigError(f"{candidate.name}: {setting}: {class_name} takes none; give a factory that uses it")
    return cls(**{**settings, **own})


def parameter(cls: type[BaseChatModel], *spellings: str) -> str | None:
    """The first of ``spellings`` that the constructor of ``cls`` has a field for."""
    taken = {field.alias or name for name, field in cls.model_fields.items()}
    return next((spelling for spelling in spellings if spelling in taken), None)


def from_factory(made: Any, entry: sk.ModelConfig) -> BaseChatModel:
    """What a user's factory made, if it is a chat model.

    Raises:
        ConfigError: it is something else.
    """
    if not isinstance(made, BaseChatModel):
        raise sk.ConfigError(f"{entry.model_name}: factory: must return a chat model, not {type(made).__name__}")
    return made


def secret_of(value: Any) -> str:
    """The text of a key field; empty when it is none, or a function that fetches one."""
    return value.get_secret_value().strip() if isinstance(value, SecretStr) else ""


def _explained(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        text = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'settings'}: {p['msg']}" for p in problems)
    else:
        text = f"{type(error).__name__}: {error}"
    return sk.scrub(" ".join(text.split()))
