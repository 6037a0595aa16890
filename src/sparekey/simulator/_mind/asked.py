"""A request and its answer, in no provider's dialect."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from sparekey.simulator._text import tokens


@dataclass(frozen=True, slots=True)
class Tool:
    """What the model may call."""

    name: str
    description: str
    schema: Any
    """The JSON schema of its arguments, as the client sent it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants; dialects read it from their bodies."""

    text: str
    """What the user said last."""
    parts: tuple[str, ...] = ()
    """The kinds of what came with it: image, audio, file."""
    results: tuple[tuple[str, str], ...] = ()
    """What tools answered since then: each one's name and text."""
    tools: tuple[Tool, ...] = ()
    """Those that may be called now: none when calls are forbidden, one when that one was demanded."""
    forced: bool = False
    """Whether a tool has to be called."""
    parallel: bool = True
    """Whether several calls may come at once."""
    schema: Any = None
    """The JSON schema the text has to follow; None for plain words."""
    limit: int | None = None
    """Tokens the answer may have."""
    stops: tuple[str, ...] = ()
    """Where the text ends, if it gets so far."""


class End(Enum):
    """Why an answer ends."""

    STOP = auto()
    LENGTH = auto()
    TOOLS = auto()
    SEQUENCE = auto()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call, as the model wrote it."""

    name: str
    arguments: dict[str, Any]
    written: str
    """The arguments as JSON; half of it when the limit cut it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Words, or calls of tools."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    end: End = End.STOP
    stop: str | None = None
    """The stop sequence that ended it."""

    @property
    def length(self) -> int:
        """In tokens."""
        return len(tokens(self.text)) + sum(len(tokens(call.written)) for call in self.calls)
