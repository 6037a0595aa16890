"""A state as it leaves the process with a pickled tracker, and as it arrives: without the password of a URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from sparekey._seal import seal, unseal
from sparekey.errors import ConfigError
from sparekey.state._store import Store


@dataclass(frozen=True, slots=True)
class _Stays:
    """Stands for a store that was given as an object."""

    name: str


def packed(state: str | Store) -> Any:
    """``state`` for a pickle."""
    if isinstance(state, Store):
        return _Stays(state.name)
    return seal(SecretStr(state)) if "@" in state or "password" in state else state


def unpacked(state: Any) -> str:
    """The state that :func:`packed` was given, in another process.

    Raises:
        ConfigError: it was an object, or a URL whose password this process cannot know.
    """
    if isinstance(state, _Stays):
        raise ConfigError(
            f"state: a tracker whose store is an object ({state.name}) is known only in the process that made it; for "
            "others give the state as a URL, or as a reference to one such as os.environ/NAME"
        )
    found = unseal(state)
    return found.get_secret_value() if isinstance(found, SecretStr) else str(found)
