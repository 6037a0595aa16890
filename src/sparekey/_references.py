"""References in a config to what must not be written in it: ``os.environ/NAME``, ``${NAME}``, ``file:///path``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sparekey.errors import ConfigError

_LITELLM = "os.environ/"
_FILE = "file:///"
_BRACED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

_origins: dict[str, str] = {}
"""From what was found to the reference that led there; of this process, and never written anywhere."""


def is_reference(text: str) -> bool:
    """Whether ``text`` stands for something kept elsewhere."""
    return text.startswith((_LITELLM, _FILE)) or _BRACED.search(text) is not None


def resolve(value: Any, where: str) -> Any:
    """``value`` with every reference in its strings, however deep, replaced by what it stands for.

    Raises:
        ConfigError: a variable is not set, or a file cannot be read; the text begins with ``where``.
    """
    if isinstance(value, str):
        if not is_reference(value):
            return value
        found = _resolve_text(value, where)
        _origins[found.strip()] = value
        return found
    if isinstance(value, Mapping):
        return {key: resolve(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve(item, f"{where}[{i}]") for i, item in enumerate(value)]
    return value


def origin_of(text: str) -> str | None:
    """The reference that ``text`` was found by, if it was."""
    return _origins.get(text)


def _resolve_text(text: str, where: str) -> str:
    if text.startswith(_LITELLM):
        return _variable(text.removeprefix(_LITELLM), where)
    if text.startswith(_FILE):
        return _file(text, where)
    return _BRACED.sub(lambda found: _variable(found.group(1), where), text)


def _variable(name: str, where: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise ConfigError(f"{where}: the environment variable {name} is not set")
    if not value.strip():
        raise ConfigError(f"{where}: the environment variable {name} is empty")
    return value


def files_in(value: Any) -> set[Path]:
    """The files that references in ``value``, however deep, name."""
    found: set[Path] = set()
    left, seen = [value], set[int]()
    while left:
        item = left.pop()
        if isinstance(item, str):
            if item.startswith(_FILE):
                found.add(_path(item))
        elif isinstance(item, (Mapping, list, tuple)) and id(item) not in seen:
            seen.add(id(item))  # an anchor of YAML may stand inside itself
            left += item.values() if isinstance(item, Mapping) else item
    return found


def _path(url: str) -> Path:
    return Path(unquote(urlsplit(url).path).replace("\0", "?"))


def _file(url: str, where: str) -> str:
    path = _path(url)
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is not text"
    else:
        if text:
            return text
        why = "it is empty"
    raise ConfigError(f"{where}: cannot read {path}: {why}")
