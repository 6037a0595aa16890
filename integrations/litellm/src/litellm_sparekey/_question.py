"""What LiteLLM asks for in one selection, and what may be written into its settings for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litellm_sparekey._private import EXCLUDED, ORDER

_TIMEOUTS = ("timeout", "request_timeout", "stream_timeout")


class Question:
    """One selection, as LiteLLM asks for it."""

    def __init__(self, model: str, settings: dict[str, Any]) -> None:
        self.model = model
        self.settings = settings
        self.replanned = 0
        self._given = dict(settings)
        metadata = settings.get("metadata") or settings.get("litellm_metadata")
        self.team: str | None = metadata.get("user_api_key_team_id") if isinstance(metadata, Mapping) else None

    @property
    def hops(self) -> bool:
        """Whether LiteLLM asks for a later order of the group, as all before it failed."""
        return self._given.get(ORDER) is not None

    @property
    def narrowed(self) -> bool:
        """Whether LiteLLM itself asks for some of the group only."""
        return self._given.get(ORDER) is not None or bool(self._given.get(EXCLUDED))

    def exclude(self, ids: list[str], order: int | None = None) -> None:
        """Leave deployments out of the next answer, which may be of one ``order`` only."""
        self.settings.pop(ORDER, None)
        for name, value in self._given.items():
            self.settings.setdefault(name, value)  # the answer before took out what is its own
        if order is not None:
            self.settings[ORDER] = order
        if ids:
            self.settings[EXCLUDED] = [*(self._given.get(EXCLUDED) or ()), *ids]

    def limit(self, seconds: float, *, strictly: bool) -> None:
        """Let the call take so long at most: if the request does not say, or ``strictly`` even if it says more."""
        said = {name: self.settings[name] for name in _TIMEOUTS if self.settings.get(name)}
        if not said or (strictly and "timeout" not in said):
            self.settings["timeout"] = seconds
        for name, value in said.items() if strictly else ():
            if not isinstance(value, (int, float)) or value > seconds:
                self.settings[name] = seconds


def restore(settings: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Undo what questions and their answers made of a request's settings."""
    for name in (*_TIMEOUTS, EXCLUDED, ORDER):
        settings.pop(name, None)
    for name, value in given.items():
        settings.setdefault(name, value)
