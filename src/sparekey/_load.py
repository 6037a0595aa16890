"""Reading a ``model_list`` from a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sparekey._candidates import check_fallbacks, check_names
from sparekey._config import ModelConfig, parse
from sparekey._documents import read_document
from sparekey._keys import expand_model_list
from sparekey._references import resolve
from sparekey.errors import ConfigError


def load_config(path: str | os.PathLike[str]) -> list[ModelConfig]:
    """The entries of a YAML, JSON or TOML file, with their references resolved.

    The file holds a ``model_list``, or is one. Entries may be flat or in LiteLLM's nested form;
    ``fallbacks`` of a LiteLLM ``router_settings`` or ``litellm_settings`` are understood too.
    What would fail later is checked here: names, keys, collisions and fallbacks.

    Raises:
        ConfigError: one line that names the file, the entry and the field; never a key.
    """
    file = Path(path)
    data = read_document(file)
    rows = data.get("model_list") if isinstance(data, dict) else data
    if not isinstance(rows, list) or not rows:
        raise ConfigError(f"{file}: model_list: must be a list of entries with at least one in it")
    text = "it is nested too deeply, or in itself"
    try:
        entries = [_entry(row, i) for i, row in enumerate(rows)]
        if isinstance(data, dict):
            entries = _with_router_fallbacks(entries, data)
        check_fallbacks(entries, expand_model_list(entries), "model_list")
    except ConfigError as error:
        text = str(error)
    except RecursionError:
        pass  # an anchor of YAML may stand inside itself
    else:
        return entries
    raise ConfigError(f"{file}: {text}")


def _entry(row: Any, i: int) -> ModelConfig:
    where = f"model_list[{i}]"
    name = row.get("model_name") if isinstance(row, dict) else None
    at = f"{where} ({name})" if isinstance(name, str) and name.strip() else where
    entry = parse(_resolve_row(row, at), where)
    for level in (row, row.get("litellm_params", {})):
        if isinstance(level, dict) and level.get("api_keys", ...) in ([], None):
            raise ConfigError(f"{at}: api_keys: is an empty list")
    return entry.model_copy(update={"resolved": True})


def _resolve_row(row: Any, at: str) -> Any:
    if not isinstance(row, dict):
        return row
    return {key: resolve(value, f"{at}: {key}") for key, value in row.items()}


def _with_router_fallbacks(entries: list[ModelConfig], data: dict[str, Any]) -> list[ModelConfig]:
    wanted: dict[str, list[str]] = {}
    for section in ("router_settings", "litellm_settings"):
        settings = data.get(section)
        rules = settings.get("fallbacks") if isinstance(settings, dict) else None
        if rules is not None and not isinstance(rules, list):
            raise ConfigError(f"{section}.fallbacks: must be a list")
        for i, rule in enumerate(rules or ()):
            if not isinstance(rule, dict):
                raise ConfigError(f"{section}.fallbacks[{i}]: must be a mapping of a name to a list of names")
            for name, targets in rule.items():
                if not isinstance(name, str):
                    raise ConfigError(f"{section}.fallbacks[{i}]: must be a mapping of a name to a list of names")
                if not isinstance(targets, list) or not all(isinstance(target, str) for target in targets):
                    raise ConfigError(f"{section}.fallbacks[{i}].{name}: must be a list of names")
                check_names([name, *targets], entries, f"{section}.fallbacks[{i}]")
                wanted.setdefault(name, []).extend(targets)
    return [
        entry.model_copy(update={"fallbacks": list(dict.fromkeys([*entry.fallbacks, *wanted[entry.model_name]]))})
        if entry.model_name in wanted
        else entry
        for entry in entries
    ]
