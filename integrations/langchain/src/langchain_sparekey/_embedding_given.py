"""Embedding models the user has already built: who they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from langchain_core.embeddings import Embeddings
from pydantic import SecretStr

import sparekey as sk
from langchain_sparekey._embedding_classes import known
from langchain_sparekey._embedding_space import deployment, space_of_model

_ADDRESSES = (
    "azure_endpoint",
    "openai_api_base",
    "together_api_base",
    "base_url",
    "api_base",
    "endpoint_url",
    "endpoint",
)
_OWN_ADDRESSES = ("https://api.openai.com/v1", "https://api.mistral.ai/v1", "https://api.together.xyz/v1")
"""Addresses that fields hold although nobody set them."""

_KEYS = ("api_key", "huggingfacehub_api_token")
"""Fields that hold a key although their class does not call it secret."""
_OWNERS = ("openai_organization", "organization", "project")
"""Whose credential it is: the same key in two of them has two quotas."""


def candidate_of(model: Embeddings, position: int) -> sk.Candidate:
    """Who ``model`` is: its provider, model, address and credential, or its position where it shows no credential.

    The same key at the same address is the same credential as a chat model's.
    """
    provider, _ = known(model)
    name = f"{provider}/{deployment(model) or space_of_model(model).model}" if provider else model.model  # type: ignore[attr-defined]  # LiteLLM's
    said = {field: _text(getattr(model, field, None)) for field in (*_ADDRESSES, *_OWNERS, *_KEYS)}
    addresses = [said[field] for field in _ADDRESSES if said[field] and said[field].rstrip("/") not in _OWN_ADDRESSES]
    settings: dict[str, Any] = {"model_name": name, "model": name, "api_base": next(iter(addresses), None)}
    secrets = _secrets(model) or {field: said[field] for field in _KEYS if said[field]}
    settings |= {"api_key": next(iter(secrets.values()))} if len(secrets) == 1 else secrets
    settings |= {field: said[field] for field in _OWNERS if said[field]}
    entry = sk.ModelConfig.model_validate(settings)
    (candidate,) = sk.resolve_candidates(name, lookup=lambda _: entry)
    return candidate if candidate.credential else replace(candidate, position=position)


def _secrets(model: Any) -> dict[str, str]:
    fields: dict[str, Any] = {name: getattr(model, name, None) for name in getattr(type(model), "model_fields", ())}
    return {name: text for name, value in fields.items() if isinstance(value, SecretStr) and (text := _text(value))}


def _text(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return value.strip() if isinstance(value, str) else ""
