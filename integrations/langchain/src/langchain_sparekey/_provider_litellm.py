"""``ChatLiteLLM``, for the providers that LangChain has no package for, or whose package is not installed.

LiteLLM is imported when such a candidate is built, and not before: that takes seconds. It then asks GitHub
for its price list, unless the variable ``LITELLM_LOCAL_MODEL_COST_MAP`` is set.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

import sparekey as sk
from langchain_sparekey._provider_names import LITELLM_NAMES, langchain_name_of

# Providers whose requests go through OpenAI's SDK, though LiteLLM lists them neither as compatible nor as taking
# ``max_retries``.
_THROUGH_OPENAI = frozenset({"azure", "azure_text", "bigmodel", "text-completion-inception"})

# To these LiteLLM hands it on in the request; its own client for them makes no retries anyway.
_WOULD_BE_SENT = frozenset({"huggingface"})


def is_litellm(cls: type[BaseModel]) -> bool:
    """Whether ``cls`` is LangChain's class for LiteLLM, or made from it."""
    return any(parent.__name__ == "ChatLiteLLM" for parent in cls.__mro__)


def litellm_model(candidate: sk.Candidate) -> str:
    """The model of ``candidate`` as LiteLLM writes it; ``litellm/groq/some-model`` asks for LiteLLM by name.

    Raises:
        ConfigError: LiteLLM does not know the provider.
    """
    if candidate.provider == "litellm":
        return candidate.model
    known = importlib.import_module("litellm").provider_list
    theirs = LITELLM_NAMES.get(langchain_name_of(candidate.provider), "")
    for provider in (candidate.provider, theirs):
        if provider in known:
            return f"{provider}/{candidate.model}"
    raise sk.ConfigError(
        f"model: LiteLLM knows no provider {candidate.provider!r} either; with its address as api_base it is taken to "
        "speak OpenAI's language"
    )


def without_sdk_retries(settings: Mapping[str, Any]) -> dict[str, Any]:
    """``settings`` for ``ChatLiteLLM``, such that OpenAI's SDK, which LiteLLM uses for most providers, does not retry.

    Its own ``max_retries`` is about LangChain's retries, not about those. LiteLLM drops the setting for
    providers without such a parameter, though the SDK retries for them, too; it has to be let through.
    """
    litellm = importlib.import_module("litellm")
    given: dict[str, Any] = settings.get("model_kwargs") or {}
    model = str(settings.get("model_name") or settings.get("model") or "")
    provider = settings.get("custom_llm_provider") or model.partition("/")[0]
    if provider not in litellm.provider_list:
        return {**settings, "model_kwargs": {**given, "max_retries": 0}}  # a model of OpenAI's, by its bare name
    takes = litellm.get_supported_openai_params(model=model, custom_llm_provider=provider) or ()
    through_openai = provider in litellm.openai_compatible_providers or provider in _THROUGH_OPENAI
    if provider in _WOULD_BE_SENT or not (through_openai or "max_retries" in takes):
        return dict(settings)
    allowed = list(dict.fromkeys([*(given.get("allowed_openai_params") or ()), "max_retries"]))
    return {**settings, "model_kwargs": {**given, "max_retries": 0, "allowed_openai_params": allowed}}
