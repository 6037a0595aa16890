"""Who answered, and after which attempts, as every response tells it.

It stands in the response's hidden parameters, where LiteLLM keeps what is no part of an answer;
the headers in there are sent by its proxy as they are. Names, reasons and times only: an error's
text may repeat a key.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import pydantic

import sparekey as sk
from litellm_sparekey._stream import is_stream

NOTE = "sparekey"
_HIDDEN = "_hidden_params"
_LONG = 1024
"""Characters of ``x-sparekey-tried``: servers before and behind the proxy take headers of a few thousand."""
_IN_HEADERS = " !#$&'()*+-./:<>?@[]^_`{|}~"


class Log:
    """One request so far, over all its model groups."""

    __slots__ = ("ends", "skipped", "tried")

    def __init__(self, ends: float | None = None) -> None:
        self.ends = ends
        """The request's deadline, in epoch seconds."""
        self.tried: list[tuple[str, sk.Attempt]] = []
        """Each attempt that failed, with the deployment's id."""
        self.skipped = 0
        """How many were passed over, because they were cooling."""

    def tell(self, response: Any, deployment: str, candidate: sk.Candidate, *, anew: bool = False) -> None:
        """Write into ``response`` that ``deployment`` gave it; ``anew``: even into a dict that has nothing hidden yet.

        What has no place for that, as a generator, is left as it is.
        """
        with suppress(Exception):  # whatever is wrong with its form, it is an answer
            known = response.get(_HIDDEN) if isinstance(response, dict) else getattr(response, _HIDDEN, None)
            if known is None and not (anew if isinstance(response, dict) else is_stream(response)):
                return
            hidden = known.model_dump() if isinstance(known, pydantic.BaseModel) else dict(known or {})
            hidden["additional_headers"] = {**(hidden.get("additional_headers") or {}), **self.headers(deployment)}
            hidden[NOTE] = self.note(deployment, candidate)
            # A dictionary of its own: classes of LiteLLM's keep one for all their instances.
            if isinstance(response, dict):
                response[_HIDDEN] = hidden
            else:
                setattr(response, _HIDDEN, hidden)

    def note(self, deployment: str, candidate: sk.Candidate) -> dict[str, Any]:
        """The note: who served, who had a turn before, why it failed, and how many seconds it took.

        Who was passed over is counted only: with a thousand keys that would be the response.
        """
        return {
            "deployment": deployment,
            "candidate": candidate.id,
            "attempts": [
                {
                    "deployment": name,
                    "candidate": attempt.candidate.id,
                    "reason": _reason(attempt),
                    "duration": round(attempt.duration, 6),
                }
                for name, attempt in self.tried
            ],
            "skipped": self.skipped,
        }

    def headers(self, deployment: str) -> dict[str, str]:
        """The same for whoever sees headers only."""
        said = {"x-sparekey-candidate": _in_header(deployment), "x-sparekey-attempts": str(len(self.tried) + 1)}
        if self.tried:
            said["x-sparekey-tried"] = self._tried()
        return said

    def _tried(self) -> str:
        parts: list[str] = []
        room = _LONG
        for name, attempt in self.tried:
            part = f"{_in_header(name)}={_reason(attempt)}"
            room -= len(part) + 1
            if room < 0:
                parts.append(f"+{len(self.tried) - len(parts)}")
                break
            parts.append(part)
        return ";".join(parts)


def _reason(attempt: sk.Attempt) -> str:
    return attempt.reason.value if attempt.reason else "unknown"


@lru_cache(4096)
def _in_header(name: str) -> str:
    """``name`` without what would end a header or an item of one."""
    return quote(name, safe=_IN_HEADERS)
