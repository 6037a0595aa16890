"""From an entry of a model list to the LangChain embedding model that serves it."""

from __future__ import annotations

import importlib
import inspect
import math
import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from langchain_core.embeddings import Embeddings
from pydantic import ValidationError

import sparekey as sk
from langchain_sparekey._embedding_classes import (
    CLASSES,
    OPENAIS,
    OTHERS,
    OWN_LANGUAGE,
    Served,
    known,
    shared_connections,
)
from langchain_sparekey._embedding_space import bare_name
from langchain_sparekey._entries import EMBEDDING

# Settings of an entry that steer a router, which no class takes; retries are decided here.
_NOT_THE_MODELS = frozenset(
    {"allowed_fails", "base_model", "budget_duration", "cooldown_time", "custom_llm_provider", "drop_params"}
    | {"input_cost_per_token", "key_field", "litellm_credential_name", "max_budget", "max_parallel_requests"}
    | {"max_retries", "model_info", "num_retries", "order", "output_cost_per_token", "stream_timeout", "tags", "tpm"}
    | {"use_in_pass_through", "use_litellm_proxy", "weight"}
)

# What LiteLLM calls a setting, where a class calls it otherwise.
_LANGCHAIN_NAMES = {
    "aws_bedrock_runtime_endpoint": "endpoint_url",
    "aws_profile_name": "credentials_profile_name",
    "aws_region_name": "region_name",
    "vertex_location": "location",
    "vertex_project": "project",
}

_NO_KEY = "none"
"""The key of an endpoint that wants none; without one OpenAI's class would send it the key that is OpenAI's."""

_OUTAGES = frozenset({sk.Reason.NETWORK, sk.Reason.TIMEOUT, sk.Reason.OVERLOADED, sk.Reason.SERVER_ERROR})


def _served(candidate: sk.Candidate) -> Served | None:
    """The class for a candidate, as far as there is one installed; None when nothing will do."""
    own = CLASSES.get(candidate.provider)
    if own is not None and find_spec(own.module) is not None:
        return own
    if candidate.endpoint and candidate.provider not in OWN_LANGUAGE and find_spec(OPENAIS.module) is not None:
        return OPENAIS
    return OTHERS if candidate.provider and find_spec(OTHERS.module) is not None else None


def check_provider(candidate: sk.Candidate) -> None:
    """See that an embedding model can be had for ``candidate``, without importing anything.

    Raises:
        ConfigError: its provider is not named, or the package for it is not installed.
    """
    if _served(candidate) is not None:
        return
    own = CLASSES.get(candidate.provider, OPENAIS if candidate.endpoint else OTHERS)
    pip = own.module.replace("_", "-")
    if not candidate.provider and not candidate.endpoint:
        missing = f"{candidate.model!r} does not name its provider, as {EMBEDDING.example!r} does"
    elif own is OTHERS:
        missing = (
            f"{candidate.provider!r} needs the package {pip}: pip install {pip}; with its address as api_base it is "
            "taken to speak OpenAI's language"
        )
    else:
        missing = f"{candidate.provider or candidate.model!r} needs the package {pip}: pip install {pip}"
    raise sk.ConfigError(f"{candidate.name}: model: {missing}")


def build(candidate: sk.Candidate, entry: sk.ModelConfig) -> Embeddings:
    """The embedding model of one candidate, its own retries off.

    Raises:
        ConfigError: the entry's settings are not ones its class takes; the text shows no value.
    """
    try:
        model = _construct(candidate, entry)
    except sk.ConfigError:
        raise
    except Exception as error:
        verdict = sk.classify(error)
        if verdict is not None and verdict.reason in _OUTAGES:
            raise  # some classes call their provider when they are constructed: that is an attempt like any other
        text = _explained(error)
    else:
        return prepared(model)
    # Outside the except block: pydantic's own error, with the key in it, must not hang on to ours.
    raise sk.ConfigError(f"{candidate.name}: {text}")


def adopted(made: Any, entry: sk.ModelConfig) -> Embeddings:
    """What a user's factory made, if it is an embedding model, as a candidate's.

    Raises:
        ConfigError: it is something else.
    """
    if not isinstance(made, Embeddings):
        raise sk.ConfigError(f"{entry.model_name}: factory: must return an embedding model, not {type(made).__name__}")
    return prepared(made)


def prepared(model: Embeddings) -> Embeddings:
    """``model``, or a copy of it, without retries of its own and not tied to one event loop."""
    _, served = known(model)
    changes = served.calm(model)
    if not changes:
        return model
    fields = {name: value for name, value in changes.items() if not name.startswith("_")}
    copied: Embeddings = model.model_copy(update=fields)  # type: ignore[attr-defined]  # known ones are pydantic's
    for name in changes.keys() - fields.keys():
        setattr(copied, name, changes[name])
    return copied


def _construct(candidate: sk.Candidate, entry: sk.ModelConfig) -> Embeddings:
    served = _served(candidate)
    assert served is not None, "check_provider comes first"
    cls: type[Embeddings] = getattr(importlib.import_module(served.module), served.name)
    takes = _taken(cls)
    settings = {
        _named(name, takes): dict(value) if type(value) is dict else value  # some classes put things into one
        for name, value in entry.settings.items()
        if name not in _NOT_THE_MODELS
    }
    key = entry.api_key.get_secret_value() if entry.api_key is not None else os.environ.get(served.variable)
    if served.variable and not key:
        raise sk.ConfigError(f"{candidate.name}: api_key: there is none, nor one in {served.variable}")
    if served is OPENAIS and candidate.provider != "openai":
        key = key or _NO_KEY
    keys = (entry.settings.get("key_field", "api_key"), f"{candidate.provider}_api_key", "huggingfacehub_api_token")
    own: dict[str, Any] = {}
    wanted: dict[str, tuple[Any, tuple[str, ...]]] = {
        "model": (candidate.model, ("model", "model_name", "model_id")),
        "dimensions": (settings.pop("dimensions", None), ("dimensions", "output_dimensionality")),
        "api_key": (key, keys),
        "api_base": (
            entry.api_base or served.address or None,
            ("azure_endpoint", "base_url", "api_base", "endpoint_url", "endpoint"),
        ),
        "timeout": (entry.timeout, ("timeout", "request_timeout")),
        "max_retries": (0, ("max_retries",)),
    }
    for setting, (value, spellings) in wanted.items():
        spelling = next((each for each in spellings if each in takes), None)
        if spelling is not None and value is not None:
            own[spelling] = math.ceil(value) if takes[spelling] is int else value
        elif value is not None and setting in ("api_key", "api_base"):
            raise sk.ConfigError(f"{candidate.name}: {setting}: {served.name} takes none; give a factory that uses it")
    if "azure_deployment" in takes:
        own["azure_deployment"] = settings.get("azure_deployment", candidate.model)
        own["model"] = bare_name(entry) or candidate.model
    if served is OTHERS:
        own["model"] = f"{candidate.provider}/{candidate.model}"
        further = {name: settings.pop(name) for name in list(settings) if name not in takes}
        settings["model_kwargs"] = {**further, **settings.get("model_kwargs", {})}
    if "http_async_client" in takes:
        own |= shared_connections(settings, proxy_setting="openai_proxy" in takes)
    return cls(**{**served.unless_said(), **settings, **own})


def _taken(cls: type[Embeddings]) -> Mapping[str, Any]:
    """What the constructor of ``cls`` takes, and what of."""
    fields: Mapping[str, Any] = getattr(cls, "model_fields", {})
    taken = {field.alias or name: field.annotation for name, field in fields.items()}
    return {**dict.fromkeys(inspect.signature(cls.__init__).parameters), **taken}


def _named(setting: str, takes: Mapping[str, Any]) -> str:
    other = _LANGCHAIN_NAMES.get(setting, setting)
    return other if setting not in takes and other in takes else setting


def _explained(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        text = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'settings'}: {p['msg']}" for p in problems)
    else:
        text = f"{type(error).__name__}: {error}"
    return sk.scrub(" ".join(text.split()))
