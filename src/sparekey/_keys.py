"""One entry with several keys becomes several entries with one key each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from pydantic import SecretStr

from sparekey._config import ModelConfig, parse
from sparekey._references import resolve
from sparekey.errors import ConfigError

Key: TypeAlias = str | SecretStr | None
Entry: TypeAlias = ModelConfig | Mapping[str, Any]


def merge_api_keys(api_key: Key, api_keys: Iterable[Key] | None = ()) -> list[str]:
    """All keys in order: ``api_key`` first, each trimmed, without empties and repeats."""
    texts = (_reveal(key).strip() for key in (api_key, *(api_keys or ())))
    return list(dict.fromkeys(text for text in texts if text))


def expand_model_list(models: Iterable[Entry]) -> list[ModelConfig]:
    """Single-key entries for ``models``, in their order; expanding twice changes nothing.

    The first key keeps the entry's name and gets ``fallbacks = [the other keys' entries, then its
    own fallbacks]``; the others are ``name__key_1``, ``name__key_2`` …, equal in every other
    setting, without fallbacks and marked ``virtual``. Where a name is repeated the numbering goes
    on. References (``os.environ/NAME``, ``${NAME}``, ``file:///path``) in keys are resolved.

    Raises:
        ConfigError: an entry is malformed, its keys are all blank, a reference leads nowhere, or
            an expanded name is already taken.
    """
    entries = [parse(entry, f"model_list[{i}]") for i, entry in enumerate(models)]
    taken = {entry.model_name: i for i, entry in enumerate(entries) if not entry.virtual}
    numbers: dict[str, int] = {}
    expanded: list[ModelConfig] = []
    for i, entry in enumerate(entries):
        if entry.virtual:
            numbers[_base(entry)] = numbers.get(_base(entry), 0) + 1
        where = f"model_list[{i}] ({entry.model_name})"
        keys: list[str | None] = [*_keys_of(entry, where)] or [None]
        first, *others = keys
        names = []
        for _ in others:
            number = numbers.get(entry.model_name, 0) + 1
            numbers[entry.model_name] = number
            name = f"{entry.model_name}__key_{number}"
            if name in taken:
                raise ConfigError(
                    f"{where}: api_keys: its keys expand to the name {name!r}, which model_list[{taken[name]}] "
                    "already has; rename one of the two"
                )
            names.append(name)
        fallbacks = [*names, *entry.fallbacks]
        expanded.append(_with_key(entry, first, fallbacks=fallbacks))
        expanded += [
            _with_key(entry, key, model_name=name, fallbacks=[], virtual=True)
            for name, key in zip(names, others, strict=True)
        ]
    return expanded


def _keys_of(entry: ModelConfig, where: str) -> list[str]:
    given: list[str] = []
    if entry.api_key is not None:
        given.append(resolve(_reveal(entry.api_key), f"{where}: api_key"))
    given += [resolve(_reveal(key), f"{where}: api_keys[{i}]") for i, key in enumerate(entry.api_keys)]
    keys = merge_api_keys(None, given)
    if entry.api_keys and not keys:
        raise ConfigError(f"{where}: api_keys: has no key in it, only blanks")
    return keys


def _with_key(entry: ModelConfig, key: str | None, **changes: object) -> ModelConfig:
    secret = None if key is None else SecretStr(key)
    return entry.model_copy(update={"api_key": secret, "api_keys": [], **changes})


def _base(entry: ModelConfig) -> str:
    return entry.model_name.rpartition("__key_")[0]


def _reveal(key: Key) -> str:
    return key.get_secret_value() if isinstance(key, SecretStr) else key or ""


def is_expanded(entries: Sequence[Entry]) -> bool:
    """Whether every entry is a :class:`ModelConfig` of one key at most."""
    return all(isinstance(entry, ModelConfig) and not entry.api_keys for entry in entries)
