"""From an entry of a model list to the LangChain chat model that serves it."""

from __future__ import annotations

import importlib
from typing import Any

from langchain_core.language_models import BaseChatModel
from pydantic import BaseModel

import sparekey as sk
from langchain_sparekey._errors import OUTAGES, explained
from langchain_sparekey._provider_fields import (
    ADDRESSES,
    MODELS,
    NO_KEY,
    STEERING,
    TIMEOUTS,
    fitted_key,
    fitted_timeout,
    holds,
    key_parameter,
    parameter,
)
from langchain_sparekey._provider_litellm import is_litellm, litellm_model
from langchain_sparekey._provider_loops import mind_loops
from langchain_sparekey._provider_names import CLASSES, Source, find_source, langchain_name_of, what_is_missing
from langchain_sparekey._provider_retries import silence, without_retries

_NOT_THE_MODELS = STEERING | {"mock_response", "stream", "streaming"}
"""Settings of an entry that are not for the model: whether it streams is decided here."""

# What LiteLLM, and most classes, call a setting, where a class calls it otherwise.
_RENAMED = {
    "aws_profile_name": "credentials_profile_name",
    "aws_region_name": "region_name",
    "max_tokens": "max_new_tokens",
    "vertex_location": "location",
    "vertex_project": "project",
}


def langchain_name(candidate: sk.Candidate) -> str:
    """What LangChain's traces call the candidate's provider."""
    source = _source(candidate)
    return langchain_name_of(candidate.provider) if source is None else source.traced


def is_langchain_provider(name: str) -> bool:
    """Whether LangChain has a provider of this name."""
    return name in CLASSES


def check_provider(candidate: sk.Candidate) -> None:
    """See that a chat model can be had for ``candidate``, without importing anything.

    The answer is the same for all candidates of one provider that have an address, and for all that have none.

    Raises:
        ConfigError: nobody knows the provider, or its package is not installed.
    """
    if _source(candidate) is None:
        missing = what_is_missing(candidate.provider, candidate.model, addressed=bool(candidate.endpoint))
        raise sk.ConfigError(f"{candidate.name}: model: {missing}")


def build(candidate: sk.Candidate, entry: sk.ModelConfig) -> BaseChatModel:
    """The chat model of one candidate, its own retries off.

    Raises:
        ConfigError: the entry's settings are not ones its class takes; the text shows no value.
    """
    try:
        return _construct(candidate, entry)
    except sk.ConfigError as error:
        text = str(error)
    except Exception as error:
        verdict = sk.classify(error)
        if verdict is not None and verdict.reason in OUTAGES:
            raise  # some classes call their provider when they are constructed: that is an attempt like any other
        text = explained(error)
    # Outside the except block: pydantic's own error, with the key in it, must not hang on to ours.
    raise sk.ConfigError(f"{candidate.name}: {text}")


def _source(candidate: sk.Candidate) -> Source | None:
    return find_source(candidate.provider, addressed=bool(candidate.endpoint))


def _construct(candidate: sk.Candidate, entry: sk.ModelConfig) -> BaseChatModel:
    source = _source(candidate)
    assert source is not None, "check_provider comes first"
    cls = source.load()
    name = litellm_model(candidate) if source.name == "litellm" else candidate.model
    settings = without_retries(cls, _further_settings(cls, entry) | _own_settings(cls, name, entry))
    if entry.api_key is None and source.name == "openai" != langchain_name_of(candidate.provider):
        settings["api_key"] = NO_KEY
    made = cls(**settings)
    if entry.api_key is not None and not holds(made, entry.api_key.get_secret_value().strip()):
        raise sk.ConfigError(
            f"api_key: {cls.__name__} has no place for it; leave it out, name its field as key_field, or make the "
            "model with a factory"
        )
    if entry.api_base and parameter(cls, *ADDRESSES) is None:
        _readdress(made, entry.api_base)
    silence(made)
    mind_loops(made)
    if source.name == "huggingface":
        made = importlib.import_module(source.module).ChatHuggingFace(llm=made)
    chat: BaseChatModel = made
    return chat


def _further_settings(cls: type[BaseModel], entry: sk.ModelConfig) -> dict[str, Any]:
    """What the entry says besides its model, key, address and time, in the words of ``cls``."""
    settings = {name: value for name, value in entry.settings.items() if name not in _NOT_THE_MODELS}
    for theirs, ours in _RENAMED.items():
        if theirs in settings and parameter(cls, theirs) is None and parameter(cls, ours) is not None:
            settings[ours] = settings.pop(theirs)
    if is_litellm(cls):
        # LiteLLM has settings for each provider, and takes them all with the call.
        for_litellm = {name: settings.pop(name) for name in list(settings) if parameter(cls, name) is None}
        settings["model_kwargs"] = {**for_litellm, **settings.get("model_kwargs", {})}
    return settings


def _own_settings(cls: type[BaseModel], model: str, entry: sk.ModelConfig) -> dict[str, Any]:
    """The model, key, address and time of the entry, under the names that ``cls`` has for them."""
    own: dict[str, Any] = {parameter(cls, *MODELS) or "model": model}
    if parameter(cls, "azure_deployment") is not None:
        own["azure_deployment"] = model
    if entry.api_key is not None:
        name = entry.settings.get("key_field") or key_parameter(cls)
        own[name] = fitted_key(cls, name, entry.api_key)
    if entry.api_base and (address := parameter(cls, *ADDRESSES)) is not None:
        own[address] = entry.api_base
    if entry.timeout is not None:
        if (timeout := parameter(cls, *TIMEOUTS)) is not None:
            own[timeout] = fitted_timeout(cls, timeout, entry.timeout)
        elif parameter(cls, "client_kwargs") is not None:
            own["client_kwargs"] = {"timeout": entry.timeout, **entry.settings.get("client_kwargs", {})}
    return own


def _readdress(model: Any, address: str) -> None:
    """Point the SDK's clients elsewhere, for a class that has no field for an address.

    Raises:
        ConfigError: its clients cannot be pointed elsewhere either.
    """
    clients: dict[str, Any] = {name: getattr(model, name, None) for name in ("client", "async_client")}
    if not all(hasattr(client, "with_options") for client in clients.values()):
        raise sk.ConfigError(f"api_base: {type(model).__name__} takes none; give a factory that uses it")
    for name, client in clients.items():
        setattr(model, name, client.with_options(base_url=address))


def from_factory(made: Any, entry: sk.ModelConfig) -> BaseChatModel:
    """What a user's factory made, if it is a chat model.

    Raises:
        ConfigError: it is something else.
    """
    if not isinstance(made, BaseChatModel):
        raise sk.ConfigError(f"{entry.model_name}: factory: must return a chat model, not {type(made).__name__}")
    return made
