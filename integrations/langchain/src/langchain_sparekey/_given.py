"""Chat models the user has already built: what they are, and how their own retries are turned off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from pydantic import BaseModel

import sparekey as sk
from langchain_sparekey._loops import survives_loops
from langchain_sparekey._provider_fields import ADDRESSES, secrets_of, spelling
from langchain_sparekey._provider_loops import has_own_connections, mind_loops
from langchain_sparekey._provider_retries import is_silenced_by_hand, silence, warn, without_retries

# Made by the constructor from other fields: handed on, they would bring the old settings with them.
_MADE = frozenset({"async_client", "async_client_running", "client", "profile", "root_async_client", "root_client"})

_OWN_ADDRESSES = frozenset(
    {
        "https://api.anthropic.com",
        "https://api.fireworks.ai/inference",
        "https://api.mistral.ai/v1",
        "https://api.openai.com/v1",
        "https://integrate.api.nvidia.com/v1",
    }
)
"""Addresses that constructors put into fields that nobody has set."""

_OWNERS = ("openai_organization", "organization", "project")
"""Whose credential it is: the same key in two of them has two quotas."""


def candidate_of(model: BaseChatModel, position: int) -> sk.Candidate:
    """Who ``model`` is: its provider, model, address and credential, or its position where it shows no credential."""
    params = model._get_ls_params()  # noqa: SLF001 - every LangChain model says there what it is
    provider = params.get("ls_provider") or type(model).__name__
    name = f"{provider}/{params.get('ls_model_name') or type(model).__name__}"
    secrets = secrets_of(model)
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


def _address(model: BaseChatModel) -> str | None:
    for name, field in type(model).model_fields.items():
        if name in ADDRESSES or spelling(name, field) in ADDRESSES:
            value = getattr(model, name, None)
            if not isinstance(value, str) or not value or value.rstrip("/") in _OWN_ADDRESSES:
                continue
            if value != field.get_default(call_default_factory=True, validated_data={}):
                return value
    return None


def prepared(model: BaseChatModel) -> BaseChatModel:
    """``model`` as a candidate's: without retries of its own, and not tied to one event loop.

    The model itself is left as it is; where something has to change, another one is built.
    """
    return survives_loops(_without_retries(model))


def settings_of(model: BaseModel) -> dict[str, Any]:
    """What ``model`` was built from, by the names that its constructor takes."""
    leave = _MADE | {"http_client", "http_async_client"} if getattr(model, "openai_proxy", None) else _MADE
    return {
        spelling(name, field): getattr(model, name)
        for name, field in type(model).model_fields.items()
        if name in model.model_fields_set and name not in leave
    }


def _without_retries(model: BaseChatModel) -> BaseChatModel:
    """Built anew rather than copied: a copy keeps the SDK's client, and its retries with it."""
    cls = type(model)
    given = settings_of(model)
    wanted = without_retries(cls, given)
    if given.get("streaming"):
        wanted["streaming"] = False  # its _generate would ask for a stream
    if wanted == given and not is_silenced_by_hand(cls) and not has_own_connections(cls):
        return model
    if hasattr(getattr(model, "client", None), "with_options"):
        return _with_quiet_clients(model, wanted)
    try:
        made = cls(**wanted)
    except Exception as error:
        warn(cls, error)
        return model
    if secrets_of(made) != secrets_of(model) or _account(made) != _account(model):
        warn(cls, "its key was lost")
        return model
    silence(made)
    mind_loops(made)
    return made


def _with_quiet_clients(model: Any, wanted: dict[str, Any]) -> BaseChatModel:
    # The SDK's own clients are there to be seen, and may be the user's: they know an address that no field does.
    quiet = {name: getattr(model, name).with_options(max_retries=0) for name in ("client", "async_client")}
    changes = {name: value for name, value in wanted.items() if name in ("max_retries", "streaming")}
    copied: BaseChatModel = model.model_copy(update={**changes, **quiet})
    return copied


def _account(model: BaseChatModel) -> tuple[Any, ...]:
    """Where a client that may be the user's own asks, and as whom: no field says so."""
    client = getattr(model, "client", None)
    aws = getattr(getattr(client, "_request_signer", None), "_credentials", None)
    address = getattr(getattr(client, "meta", None), "endpoint_url", None) or getattr(client, "base_url", None)
    return str(address), getattr(aws, "access_key", None)
