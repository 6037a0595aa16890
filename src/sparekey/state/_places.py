"""Where a state is kept, from what a user wrote."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from sparekey._references import is_reference, resolve
from sparekey._secrets import register
from sparekey.errors import ConfigError
from sparekey.state._store import Store

_KINDS = "memory://, sqlite:///file, redis://, rediss:// and unix://"
_SQLITE = "sqlite://"
_ENOUGH = 8
"""Characters of a password that is looked for in texts; a shorter one stands in every sentence."""


class Place(NamedTuple):
    """Where records are kept."""

    key: Hashable
    """Equal for what is one place."""
    store: Callable[[], Store]
    """Makes the store, which is not opened yet; raises ConfigError."""


def place_of(state: str | Store) -> Place | None:
    """The place of ``state``; None for this process's own memory.

    Raises:
        ConfigError: it is no state; the text shows no more of a URL than its scheme.
    """
    if isinstance(state, Store):
        return Place(id(state), lambda: state)
    if not isinstance(state, str):
        raise ConfigError(f"state: a URL or a sparekey.state.Store, not {type(state).__name__}")
    url = str(resolve(state, "state")).strip()
    scheme, mark, rest = url.partition("://")
    if url == "memory://":
        return None
    if scheme == "sqlite" and mark:
        path = _path(rest)
        return Place(_url(path), lambda: _sqlite(path))
    if scheme in ("redis", "rediss", "unix") and mark:
        return Place(url, _redis(url, scheme))
    if mark:
        raise ConfigError(f"state: {scheme!r} is not a kind of state this version keeps; there are {_KINDS}")
    where = f"{state} leads to what is not a URL" if is_reference(state) else "not a URL"
    raise ConfigError(f"state: {where}; there are {_KINDS}")


def settled(state: str | Store) -> str | Store:
    """``state`` as it holds in another folder and another process: a file is named from the root."""
    if isinstance(state, str) and state.startswith(_SQLITE) and not is_reference(state):
        return _url(_path(state.removeprefix(_SQLITE)))
    return state


def _url(path: Path) -> str:
    return f"{_SQLITE}/{quote(str(path))}"


def _path(rest: str) -> Path:
    """The file of ``sqlite://`` and ``rest``."""
    name = unquote(rest.removeprefix("/"))
    if not rest.startswith("/") or "?" in rest or "#" in rest or "\0" in name:
        raise ConfigError(
            "state: write sqlite:///file.db for a file in the working directory and sqlite:////path/file.db for any "
            "other, with no options ('?' is written %3F, '#' %23)"
        )
    if name in ("", ":memory:"):
        raise ConfigError("state: sqlite:/// names no file; the state of this process only is memory://")
    return Path(name).absolute()


def _sqlite(path: Path) -> Store:
    from sparekey.state._sqlite import SQLiteStore

    return SQLiteStore(path)


def _redis(url: str, scheme: str) -> Callable[[], Store]:
    try:
        from sparekey.state._redis import RedisStore
    except ModuleNotFoundError as error:
        if error.name != "redis":
            raise
        raise ConfigError(f"state: {scheme}:// needs redis-py: pip install 'sparekey[redis]'") from None
    _keep_secret(url)
    return lambda: RedisStore.from_url(url)


def _keep_secret(url: str) -> None:
    try:
        password = urlsplit(url).password
    except ValueError:
        return  # the store says what is wrong with it
    if password is not None and len(password) >= _ENOUGH:
        register(unquote(password))
