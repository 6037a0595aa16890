"""What a proxy's config says of sparekey."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import sparekey as sk

SECTION = "sparekey_settings"
STATE = "SPAREKEY_STATE"
"""The environment variable that says where the state is kept, where the config does not."""


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
    said = config.get(SECTION) or {}
    if not isinstance(said, Mapping):
        raise sk.ConfigError(f"{SECTION}: must be a mapping of settings")
    state = said.get("state") or os.environ.get(STATE) or "memory://"
    if not isinstance(state, str):
        raise sk.ConfigError(f"{SECTION}.state: must be a URL, not {type(state).__name__}")
    deadline = said.get("deadline")
    if deadline is not None and (isinstance(deadline, bool) or not isinstance(deadline, (int, float))):
        raise sk.ConfigError(f"{SECTION}.deadline: must be a number of seconds, not {type(deadline).__name__}")
    rest = {name: value for name, value in said.items() if name not in ("state", "deadline")}
    return Settings(sk.policy_from(rest, SECTION), state, deadline)
