"""Chat models the user has already built: what they are, and how their own retries are turned off."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr

import sparekey as sk
from langchain_sparekey._loops import survives_loops
from langchain_sparekey._providers import parameter, secret_of

# Made by the constructor from other fields: handed on, they would bring the old settings with them.
_MADE = frozenset({"async_client", "async_client_running", "client", "profile", "root_async_client", "root_client"})

_ADDRESSES = ("base_url", "api_base", "azure_endpoint", "endpoint_url")
_OWN_ADDRESSES = frozenset({"https://api.openai.com/v1", "https://api.anthropic.com"})
"""Addresses that fields hold although nobody set them."""

_OWNERS = ("openai_organization", "organization", "project")
"""Whose credential it is: the same key in two of them has two quotas."""


def candidate_of(model: BaseChatModel, position: int) -> sk.Candidate:
    """Who ``model`` is: its provider, model, address and credential, or its position where it shows no credential."""
    params = model._get_ls_params()  # noqa: SLF001 - every LangChain model says there what it is
    provider = params.get("ls_provider") or type(model).__name__
    name = f"{provider}/{params.get('ls_model_name') or type(model).__name__}"
    secrets = {field: text for field, value in _fields(model).items() if (text := secret_of(value))}
    settings: dict[str, Any] = {"model_name": name, "model": name, "api_base": _address(model)}
    if len(secrets) == 1:
        # Under this name, so that the same key in a model list is the same credential.
        settings["api_key"] = next(iter(secrets.values()))
    else:
        settings |= secrets
    owners = {field: getattr(model, field, None) for field in _OWNERS}
    settings |= {field: owner for field, owner in owners.items() if isinstance(owner, str) and owner}
    entry = sk.ModelConfig.model_validate(settings)
    (candidate,) = sk.resolve_candidates(name, lookup=lambda _: entry)
    return candidate if candidate.credential else replace(candidate, position=position)


def _fields(model: BaseChatModel) -> dict[str, Any]:
    return {name: getattr(model, name, None) for name in type(model).model_fields}


def _address(model: BaseChatModel) -> str | None:
    for name, field in type(model).model_fields.items():
        if (field.alias or name) in _ADDRESSES:
            value = getattr(model, name, None)
            if isinstance(value, str) and value and value.rstrip("/") not in _OWN_ADDRESSES:
                return value
    return None


def prepared(model: BaseChatModel) -> BaseChatModel:
    """``model`` as a candidate's: without retries of its own, and not tied to one event loop.

    The model itself is left as it is; where something has to change, another one is built.
    """
    return survives_loops(_without_retries(model))


def _without_retries(model: BaseChatModel) -> BaseChatModel:
    """Built anew rather than copied: a copy keeps the SDK's client, and its retries with it."""
    cls = type(model)
    retries = parameter(cls, "max_retries")
    streams = getattr(model, "streaming", None) is True  # its _generate would ask for a stream
    if (retries is None or getattr(model, "max_retries", None) == 0) and not streams:
        return model
    leave = _MADE | {"http_client", "http_async_client"} if getattr(model, "openai_proxy", None) else _MADE
    settings = {
        field.alias or name: getattr(model, name)
        for name, field in cls.model_fields.items()
        if name in model.model_fields_set and name not in leave and name != "streaming"
    }
    if not streams and "streaming" in model.model_fields_set:
        settings["streaming"] = False
    if retries is not None:
        settings[retries] = 0
    try:
        made = cls(**settings)
    except Exception as error:
        why = type(error).__name__  # its text may hold the key
    else:
        if _secrets(made) == _secrets(model):
            return made
        why = "its key was lost"
    warnings.warn(
        f"{cls.__name__} could not be built without retries ({why}), so it makes its own before sparekey hears of a "
        "failure; build it with max_retries=0",
        stacklevel=2,
    )
    return model


def _secrets(model: BaseChatModel) -> dict[str, SecretStr]:
    return {name: value for name, value in _fields(model).items() if isinstance(value, SecretStr)}
