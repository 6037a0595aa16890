"""What a proxy's config says of sparekey."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import sparekey as sk

SECTION = "sparekey_settings"
STATE = "SPAREKEY_STATE"
"""The environment variable that says where the state is kept, where the config does not."""

_LITELLMS = ("litellm_settings", "router_settings", "general_settings")


class Settings(NamedTuple):
    """What the config says of sparekey."""

    policy: sk.Policy
    state: str
    """A URL, as :func:`sparekey.shared_tracker` takes it."""
    deadline: float | None
    """Seconds that one request may take over all its keys and fallbacks."""


def settings_of(config: Mapping[str, Any]) -> Settings:
    """What a proxy's config, already read, says of sparekey.

    Raises:
        sparekey.ConfigError: one line that names the field.
    """
    _refuse_elsewhere(config)
    said = config.get(SECTION)
    if said is None:
        said = {}
    if not isinstance(said, Mapping):
        raise sk.ConfigError(f"{SECTION}: must be a mapping of settings")
    state = said.get("state")
    if state is None:
        state = os.environ.get(STATE) or "memory://"
    if not isinstance(state, str):
        raise sk.ConfigError(f"{SECTION}.state: must be a URL, not {type(state).__name__}")
    deadline = said.get("deadline")
    if deadline is not None:
        if isinstance(deadline, bool) or not isinstance(deadline, (int, float)):
            raise sk.ConfigError(f"{SECTION}.deadline: must be a number of seconds, not {type(deadline).__name__}")
        if not 0 < deadline < float("inf"):
            raise sk.ConfigError(f"{SECTION}.deadline: must be a number of seconds above 0, not {deadline}")
    rest = {name: value for name, value in said.items() if name not in ("state", "deadline")}
    return Settings(sk.policy_from(rest, SECTION), state, deadline)


def _refuse_elsewhere(config: Mapping[str, Any]) -> None:
    """Raise for settings under another name or in another section, where nobody reads them."""
    sections = {"": config, **{f"{name}.": config.get(name) for name in _LITELLMS}}
    for where, section in sections.items():
        for name in section if isinstance(section, Mapping) else ():
            if str(name).startswith("sparekey") and (where or name != SECTION):
                raise sk.ConfigError(f"{where}{name}: is not read; settings stand in {SECTION}, beside model_list")
