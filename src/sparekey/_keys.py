"""One entry with several keys becomes several entries with one key each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    made: dict[str, int] = {}
    for i, entry in enumerate(entries):
        if entry.virtual and made.setdefault(entry.model_name, i) != i:
            twin = f"model_list[{made[entry.model_name]}]"
            raise ConfigError(
                f"model_list[{i}] ({entry.model_name}): expansion made {twin} of the same name; "
                "put lists together before they are expanded"
            )
    numbers: dict[str, int] = {}
    expanded: list[ModelConfig] = []
    for i, unresolved in enumerate(entries):
        where = f"model_list[{i}] ({unresolved.model_name})"
        entry = followed(unresolved, where)
        keys: list[str | None] = [*_keys_of(entry, where)] or [None]
        first, *others = keys
        names = []
        for _ in others:
            name = ""
            while not name or name in made:
                numbers[entry.model_name] = numbers.get(entry.model_name, 0) + 1
                name = f"{entry.model_name}__key_{numbers[entry.model_name]}"
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


def followed(entry: ModelConfig, where: str) -> ModelConfig:
    """``entry`` with the references in its keys, address and further settings followed, once.

    Raises:
        ConfigError: one leads nowhere, or to what cannot be used there.
    """
    if entry.resolved:
        return entry
    raw: dict[str, Any] = {"api_base": entry.api_base, **(entry.model_extra or {})}
    raw["api_keys"] = [_reveal(key) for key in entry.api_keys]
    if entry.api_key is not None:
        raw["api_key"] = _reveal(entry.api_key)
    changes = {name: new for name, old in raw.items() if (new := resolve(old, f"{where}: {name}")) != old}
    if not changes:
        return entry.model_copy(update={"resolved": True})
    given = {name: getattr(entry, name) for name in type(entry).model_fields}
    name = where.partition(" (")[0]
    return parse({**given, **(entry.model_extra or {}), **changes, "resolved": True}, name)


def _keys_of(entry: ModelConfig, where: str) -> list[str]:
    keys = merge_api_keys(entry.api_key, entry.api_keys)
    if entry.api_keys and not keys:
        raise ConfigError(f"{where}: api_keys: has no key in it, only blanks")
    return keys


def _with_key(entry: ModelConfig, key: str | None, **changes: object) -> ModelConfig:
    secret = None if key is None else SecretStr(key)
    return entry.model_copy(update={"api_key": secret, "api_keys": [], **changes})


def _reveal(key: Key) -> str:
    return key.get_secret_value() if isinstance(key, SecretStr) else key or ""
