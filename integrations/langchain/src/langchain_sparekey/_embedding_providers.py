"""From an entry of a model list to the LangChain embedding model that serves it."""

from __future__ import annotations

import importlib
import os
from importlib.util import find_spec
from typing import Any

from langchain_core.embeddings import Embeddings

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
from langchain_sparekey._embedding_space import SIZES, bare_name
from langchain_sparekey._entries import EMBEDDING
from langchain_sparekey._errors import OUTAGES, explained
from langchain_sparekey._provider_fields import (
    ADDRESSES,
    MODELS,
    NO_KEY,
    RETRIES,
    STEERING,
    TIMEOUTS,
    fitted_timeout,
    key_parameter,
    parameter,
)

# What LiteLLM calls a setting, where a class calls it otherwise.
_LANGCHAIN_NAMES = {
    "aws_bedrock_runtime_endpoint": "endpoint_url",
    "aws_profile_name": "credentials_profile_name",
    "aws_region_name": "region_name",
    "vertex_location": "location",
    "vertex_project": "project",
}

_NAMES = {
    "model": MODELS,
    "dimensions": SIZES,
    "api_base": ADDRESSES,
    "timeout": TIMEOUTS,
    "max_retries": RETRIES,
}
"""What classes call what an entry says; how they call the key is asked of each."""


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
        if verdict is not None and verdict.reason in OUTAGES:
            raise  # some classes call their provider when they are constructed: that is an attempt like any other
        text = explained(error)
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
    cls: Any = getattr(importlib.import_module(served.module), served.name)
    settings = {
        _named(name, cls): dict(value) if type(value) is dict else value  # some classes put things into one
        for name, value in entry.settings.items()
        if name not in STEERING
    }
    given: dict[str, Any] = {
        "model": candidate.model,
        "dimensions": settings.pop("dimensions", None),
        "api_key": _key(candidate, entry, served),
        "api_base": entry.api_base or served.address or None,
        "timeout": entry.timeout,
        "max_retries": 0,
    }
    names = {**_NAMES, "api_key": (entry.settings.get("key_field") or key_parameter(cls),)}
    for setting, value in given.items():
        if value is None:
            continue
        if (name := parameter(cls, *names[setting])) is not None:
            settings[name] = fitted_timeout(cls, name, value) if setting == "timeout" else value
        elif setting in ("api_key", "api_base"):
            raise sk.ConfigError(f"{candidate.name}: {setting}: {served.name} takes none; give a factory that uses it")
    if parameter(cls, "azure_deployment") is not None:
        settings.setdefault("azure_deployment", candidate.model)
        settings["model"] = bare_name(entry) or candidate.model
    if served is OTHERS:
        settings["model"] = f"{candidate.provider}/{candidate.model}"
        further = {name: settings.pop(name) for name in list(settings) if parameter(cls, name) is None}
        settings["model_kwargs"] = {**further, **settings.get("model_kwargs", {})}
    if parameter(cls, "http_async_client") is not None:
        settings |= shared_connections(settings, proxy_setting=parameter(cls, "openai_proxy") is not None)
    made: Embeddings = cls(**{**served.unless_said(), **settings})
    return made


def _key(candidate: sk.Candidate, entry: sk.ModelConfig, served: Served) -> str | None:
    """The key to hand to the class; None leaves it to the class to find one.

    Raises:
        ConfigError: the class would find another provider's.
    """
    key = entry.api_key.get_secret_value() if entry.api_key is not None else os.environ.get(served.variable)
    if served.variable and not key:
        raise sk.ConfigError(f"{candidate.name}: api_key: there is none, nor one in {served.variable}")
    return key or (NO_KEY if served is OPENAIS and candidate.provider != "openai" else None)


def _named(setting: str, cls: Any) -> str:
    other = _LANGCHAIN_NAMES.get(setting, setting)
    return other if parameter(cls, setting) is None and parameter(cls, other) is not None else setting
