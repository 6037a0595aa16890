"""Which class of which package speaks to a provider, found out without importing any."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any, NamedTuple

from langchain_core.language_models import BaseChatModel

import sparekey as sk

# Where LangChain's class for a provider is: the names are those of its ``init_chat_model``.
CLASSES = {
    "anthropic": ("langchain_anthropic", "ChatAnthropic"),
    "anthropic_bedrock": ("langchain_aws", "ChatAnthropicBedrock"),
    "azure_ai": ("langchain_azure_ai.chat_models", "AzureAIOpenAIApiChatModel"),
    "azure_openai": ("langchain_openai", "AzureChatOpenAI"),
    "baseten": ("langchain_baseten", "ChatBaseten"),
    "bedrock": ("langchain_aws", "ChatBedrock"),  # a name of LiteLLM's too, and taken for that: see below
    "bedrock_converse": ("langchain_aws", "ChatBedrockConverse"),
    "bedrock_mantle_anthropic": ("langchain_aws", "ChatAnthropicMantle"),
    "bedrock_mantle_openai": ("langchain_aws", "ChatOpenAIMantle"),
    "cohere": ("langchain_cohere", "ChatCohere"),
    "deepseek": ("langchain_deepseek", "ChatDeepSeek"),
    "fireworks": ("langchain_fireworks", "ChatFireworks"),
    "google_anthropic_vertex": ("langchain_google_vertexai.model_garden", "ChatAnthropicVertex"),
    "google_genai": ("langchain_google_genai", "ChatGoogleGenerativeAI"),
    "google_vertexai": ("langchain_google_vertexai", "ChatVertexAI"),
    "groq": ("langchain_groq", "ChatGroq"),
    "huggingface": ("langchain_huggingface", "HuggingFaceEndpoint"),  # which ChatHuggingFace is put around
    "ibm": ("langchain_ibm", "ChatWatsonx"),
    "litellm": ("langchain_litellm", "ChatLiteLLM"),
    "meta": ("langchain_meta", "ChatMetaModel"),
    "mistralai": ("langchain_mistralai", "ChatMistralAI"),
    "nvidia": ("langchain_nvidia_ai_endpoints", "ChatNVIDIA"),
    "ollama": ("langchain_ollama", "ChatOllama"),
    "openai": ("langchain_openai", "ChatOpenAI"),
    "openrouter": ("langchain_openrouter", "ChatOpenRouter"),
    "perplexity": ("langchain_perplexity", "ChatPerplexity"),
    "together": ("langchain_together", "ChatTogether"),
    "upstage": ("langchain_upstage", "ChatUpstage"),
    "xai": ("langchain_xai", "ChatXAI"),
}

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
LITELLM_NAMES = {name: litellm for litellm, name in _LANGCHAIN_NAMES.items()}

# What a class calls its provider in traces, where that is another name still.
_TRACED = {
    "anthropic_bedrock": "anthropic-bedrock",
    "azure_ai": "openai",
    "azure_openai": "azure",
    "bedrock": "amazon_bedrock",
    "bedrock_converse": "amazon_bedrock",
    "bedrock_mantle_anthropic": "anthropic-mantle",
    "bedrock_mantle_openai": "openai-mantle",
    "mistralai": "mistral",
    "nvidia": "NVIDIA",
}

# Providers whose own address does not speak OpenAI's language.
_OWN_LANGUAGE = frozenset(
    {"anthropic", "anthropic_bedrock", "azure_openai", "bedrock", "bedrock_converse", "bedrock_mantle_anthropic"}
    | {"cohere", "google_anthropic_vertex", "google_genai", "google_vertexai", "ibm", "ollama"}
)

_found: dict[tuple[str, bool], Source] = {}
"""What was looked for once; what was missing then is looked for again."""


class Source(NamedTuple):
    """Where the class of a candidate's model is."""

    name: str
    """What LangChain calls the provider."""
    module: str
    class_name: str
    """Empty when it is for the package to say: whichever chat model it has."""

    @property
    def traced(self) -> str:
        """What the class calls the provider in traces, where LangSmith looks prices up."""
        return _TRACED.get(self.name, self.name)

    def load(self) -> Any:
        """Import the class.

        Raises:
            ConfigError: which one it is cannot be told.
        """
        module = importlib.import_module(self.module)
        if self.class_name:
            return getattr(module, self.class_name)
        chats = {made for made in vars(module).values() if _is_chat_model(made, self.module)}
        named = {chat for chat in chats if chat.__name__.lower() == f"chat{self.name.replace('_', '')}"}
        if len(named or chats) != 1:
            raise sk.ConfigError(f"{self.module} has {len(chats)} chat models; make the right one with a factory")
        return (named or chats).pop()


def _is_chat_model(made: Any, package: str) -> bool:
    return isinstance(made, type) and issubclass(made, BaseChatModel) and made.__module__.startswith(package)


def langchain_name_of(provider: str) -> str:
    """What LangChain calls a provider."""
    return _LANGCHAIN_NAMES.get(provider, provider)


def find_source(provider: str, *, addressed: bool) -> Source | None:
    """Where the class for a provider is, in this order, as far as it is installed.

    Its own LangChain package; OpenAI's class, for any that has an address and does not speak a language
    of its own; LiteLLM's, which knows a hundred more. None when nothing will do.
    """
    source = _found.get((provider, addressed)) or _look_for(langchain_name_of(provider), addressed)
    if source is not None:
        _found[provider, addressed] = source
    return source


def _look_for(name: str, addressed: bool) -> Source | None:
    module, class_name = CLASSES.get(name, (f"langchain_{name.replace('-', '_')}", ""))
    if name and is_installed(module) and not (addressed and name == "huggingface"):
        return Source(name, module, class_name)  # Hugging Face's takes a model or an address, not both
    if addressed and name not in _OWN_LANGUAGE and is_installed("langchain_openai"):
        return Source("openai", *CLASSES["openai"])
    if name and is_installed("langchain_litellm"):
        return Source("litellm", *CLASSES["litellm"])
    return None


def what_is_missing(provider: str, model: str, *, addressed: bool) -> str:
    """Why there is no class for a provider, and what to do about it."""
    name = langchain_name_of(provider)
    if name in CLASSES:
        package = pip_name(CLASSES[name][0])
        others = [] if name == "litellm" else ["langchain-litellm"]
        return f"{provider!r} needs the package {' or '.join([package, *others])}: pip install {package}"
    if addressed:
        return f"{model!r} at an address of its own needs the package langchain-openai: pip install langchain-openai"
    if not name:
        return f"{model!r} does not name its provider, as 'openai/gpt-4o' does"
    return (
        f"LangChain knows no provider {provider!r}; with its address as api_base it is taken to speak OpenAI's "
        "language, and with the package langchain-litellm LiteLLM is asked"
    )


def pip_name(module: str) -> str:
    """The package a module is in, as pip calls it."""
    return module.partition(".")[0].replace("_", "-")


def is_installed(module: str) -> bool:
    """Whether the package that ``module`` is in is there."""
    package = module.partition(".")[0]
    return package.isidentifier() and find_spec(package) is not None
