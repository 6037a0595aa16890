"""Settings of LiteLLM's that do not hold while sparekey is installed: who has set one is told, once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import litellm
import litellm.constants
import openai

_log = logging.getLogger("litellm_sparekey")

_WALK = "a request tries every key of a group once"
_COOLING = "a key cools from its first failure on, for as long as its provider or the policy says"
_OF_ROUTER: Mapping[str, tuple[Callable[[], tuple[Any, ...]], str]] = {
    # What LiteLLM has when the user has said nothing, and what holds instead.
    "num_retries": (lambda: (None, 0, openai.DEFAULT_MAX_RETRIES), _WALK),
    "retry_policy": (lambda: (None,), _WALK),
    "model_group_retry_policy": (lambda: (None, {}), _WALK),
    "retry_after": (lambda: (None, 0), "the policy's max_wait says how long a request may wait for a key"),
    "enable_weighted_failover": (lambda: (None, False), _WALK),
    "disable_cooldowns": (lambda: (None, True), _COOLING),
    "allowed_fails": (lambda: (None, litellm.allowed_fails, litellm.constants.DEFAULT_ALLOWED_FAILS), _COOLING),
    "allowed_fails_policy": (lambda: (None,), _COOLING),
    "cooldown_time": (lambda: (None, litellm.constants.DEFAULT_COOLDOWN_TIME_SECONDS), _COOLING),
}
_OF_ROW: Mapping[str, str] = {"num_retries": _WALK, "max_retries": _WALK, "cooldown_time": _COOLING}


def warn(setting_of: Callable[[str], Any], rows: Iterable[Mapping[str, Any]]) -> None:
    """Log a warning for each setting of a router's and of its rows' that does not hold."""
    for name, instead in _contradicted(setting_of, rows):
        _say_once(f"{name} does not hold while sparekey is installed: {instead}")


@lru_cache(maxsize=256)  # a router may be built for each request
def _say_once(text: str) -> None:
    _log.warning("%s", text)


def _contradicted(setting_of: Callable[[str], Any], rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for name, (unsaid, instead) in _OF_ROUTER.items():
        value = setting_of(name)
        if value not in unsaid():
            yield f"the router's {_shown(name, value)}", instead
    for row in rows:
        params = row["litellm_params"]
        for name, instead in _OF_ROW.items():
            if params.get(name):
                yield f"{_shown(name, params[name])} of {row.get('model_name')!r}", instead


def _shown(name: str, value: object) -> str:
    return f"{name}={value!r}" if isinstance(value, (bool, int, float)) else name
