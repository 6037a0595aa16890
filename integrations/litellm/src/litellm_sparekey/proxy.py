"""sparekey inside LiteLLM's proxy, the server that ``litellm --config`` starts.

    litellm_settings:
      callbacks: ["litellm_sparekey.proxy.callback"]

puts it into the proxy's router, in every worker. Keys have to be expanded by then: either the config is
what ``sparekey expand`` wrote, or the start-up hook does it in memory:

    LITELLM_WORKER_STARTUP_HOOKS=litellm_sparekey.proxy:startup litellm --config config.yaml

The hook adds the callback, too. What may be set stands in a section of the config's own,
``sparekey_settings``: ``state``, ``deadline``, and all that :func:`sparekey.policy_from` reads.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sparekey as sk
from litellm_sparekey._config import expand_config

if TYPE_CHECKING:
    from litellm_sparekey._proxy_callback import SparekeyCallback

    callback: SparekeyCallback

__all__ = ["callback", "startup"]

_made: dict[str, SparekeyCallback] = {}


def startup() -> None:
    """Have the proxy expand the keys of whatever config it reads; name it in ``LITELLM_WORKER_STARTUP_HOOKS``.

    Nothing is written to a file: the rows of one key each are in the worker's memory only, also when
    the config is read anew, as it is where the proxy has a database.

    Raises:
        sparekey.ConfigError: this LiteLLM's proxy reads its config in another way.
    """
    config = _proxy().proxy_config
    read = getattr(config, "get_config", None)
    if not callable(read) or not callable(getattr(config, "update_config_state", None)):
        raise sk.ConfigError("LiteLLM's proxy reads its config in a way that is not known; use 'sparekey expand'")
    if getattr(read, "expands", False):
        return

    async def read_expanded(config_file_path: str | None = None) -> Any:
        found = await read(config_file_path=config_file_path)
        with _in_one_line():
            # What it includes is in it by now.
            found.update(expand_config({name: value for name, value in found.items() if name != "include"}))
        config.update_config_state(config=found)
        if hasattr(found, "update_baseline"):
            # What differs from it is taken for a change of the user's, and stored in the database.
            found.update_baseline(config=found)
        return found

    read_expanded.expands = True  # type: ignore[attr-defined]  # so that a hook named twice expands once
    config.get_config = read_expanded


def __getattr__(name: str) -> SparekeyCallback:
    # Made when LiteLLM asks for it, which it does once it has read the config; the hook is asked for before that.
    if name != "callback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _made:
        kind = importlib.import_module("litellm_sparekey._proxy_callback").SparekeyCallback
        with _in_one_line():
            _made[name] = kind(_proxy())
    return _made[name]


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Let a mistake that ends the start be seen: its server would put some 350 lines of its own frames around it."""
    try:
        yield
    except sk.ConfigError as error:
        if "callback" not in _made:
            sys.tracebacklimit = 0
        raise error from None


def _proxy() -> Any:
    return importlib.import_module("litellm.proxy.proxy_server")
