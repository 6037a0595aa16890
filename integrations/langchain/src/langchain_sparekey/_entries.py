"""From what a user hands to :class:`ChatSparekey` to the entries of an expanded model list."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from pydantic import SecretStr

import sparekey as sk
from langchain_sparekey._providers import is_langchain_provider

Key: TypeAlias = str | SecretStr | None
Entry: TypeAlias = sk.ModelConfig | Mapping[str, Any]


def one_model(model: str, api_key: Key, api_keys: Iterable[Key] | None, api_base: str | None) -> list[sk.ModelConfig]:
    """The entries of one model and its keys.

    Raises:
        ConfigError: keys were given, and all of them are blank, or they are not a list.
    """
    if isinstance(api_keys, (str, SecretStr, Mapping)):
        # A text is a sequence too, of one-letter keys.
        raise sk.ConfigError(f"ChatSparekey({model!r}): api_keys: must be a list of keys")
    keys = sk.merge_api_keys(api_key, api_keys)
    if not keys and (api_key is not None or api_keys is not None):
        which = "api_key" if api_keys is None else "api_keys"
        raise sk.ConfigError(f"ChatSparekey({model!r}): {which}: has no key in it, only blanks")
    row = {"model_name": model, "model": model, "api_keys": keys, "api_base": api_base}
    try:
        return sk.expand_model_list([row])
    except sk.ConfigError as error:
        text = str(error).removeprefix("model_list[0]").removeprefix(f" ({model})")
    raise sk.ConfigError(f"ChatSparekey({model!r}){text}")


def listed_models(model_list: Sequence[Entry]) -> list[sk.ModelConfig]:
    """The entries of a model list, one for each key.

    Raises:
        ConfigError: the list is empty, or an entry malformed or without a key that is not blank.
    """
    if isinstance(model_list, (str, Mapping)) or not model_list:
        raise sk.ConfigError("model_list: must be a list of entries with at least one in it")
    for i, row in enumerate(model_list):
        if isinstance(row, Mapping) and any(level.get("api_keys", ...) in ([], ()) for level in _levels(row)):
            raise sk.ConfigError(f"model_list[{i}] ({row.get('model_name')}): api_keys: is an empty list")
    return sk.expand_model_list(model_list)


def _levels(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    nested = row.get("litellm_params")
    return [row, nested] if isinstance(nested, Mapping) else [row]


def completed(
    entries: Iterable[sk.ModelConfig], settings: Mapping[str, Any], timeout: float | None
) -> list[sk.ModelConfig]:
    """``entries`` with what was said for all of them; what an entry says itself goes first."""
    if timeout is not None and not is_seconds(timeout, above_zero=True):
        raise sk.ConfigError(f"timeout must be a positive number of seconds, not {timeout!r}")
    return [_completed(entry, settings, timeout) for entry in entries]


def _completed(entry: sk.ModelConfig, settings: Mapping[str, Any], timeout: float | None) -> sk.ModelConfig:
    changes: dict[str, Any] = {name: value for name, value in settings.items() if name not in entry.settings}
    if timeout is not None and entry.timeout is None:
        changes["timeout"] = timeout
    provider, _, model = entry.model.partition(":")
    if model and is_langchain_provider(provider):
        changes["model"] = f"{provider}/{model}"  # "openai:gpt-4o" is how LangChain writes it
    if (address := entry.settings.get("base_url")) is not None:
        # LangChain's word for it. Where it points is part of who a candidate is, so it has to be in its place.
        given = {name: getattr(entry, name) for name in sk.ModelConfig.model_fields}
        extra = {name: value for name, value in entry.settings.items() if name != "base_url"}
        entry = sk.ModelConfig.model_validate({**given, **extra, "api_base": entry.api_base or address})
    return entry.model_copy(update=changes) if changes else entry


def is_seconds(value: object, *, above_zero: bool = False) -> bool:
    """Whether ``value`` is a number of seconds that a request could be given."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return (value > 0 or (value == 0 and not above_zero)) and value < math.inf


def refuse(settings: Mapping[str, Any], why: str) -> None:
    """Say of settings that were given that this is not their place.

    Raises:
        ConfigError: one was given.
    """
    if given := [name for name, value in settings.items() if value is not None]:
        raise sk.ConfigError(f"ChatSparekey: {', '.join(given)}: {why}")


def only_name(entries: Sequence[sk.ModelConfig]) -> str:
    """The one name there is in a list.

    Raises:
        ConfigError: there are several.
    """
    names = list(dict.fromkeys(entry.model_name for entry in entries if not entry.virtual))
    if len(names) > 1:
        raise sk.ConfigError(f"ChatSparekey: model: say which; there are {', '.join(map(repr, names))}")
    return names[0]
