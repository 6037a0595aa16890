"""What a stream is made of: which chunk settles it, and where the note on who served is left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk

import sparekey as sk

NOTE = "sparekey"
"""The key in ``response_metadata`` under which the note on who served stands."""

_FRAME = frozenset({"type", "index", "id"})
"""What a content block says before it says anything."""


def is_substantive(chunk: ChatGenerationChunk) -> bool:
    """Whether ``chunk`` carries something a caller would miss.

    Providers open a stream with chunks that say nothing (a role, the tokens of the prompt) and may
    still refuse after them. Held back, those cost no time, and the next candidate can take over.
    """
    message = chunk.message
    if isinstance(message.content, str):
        if message.content:
            return True
    elif any(_says_something(block) for block in message.content):
        return True
    if getattr(message, "tool_call_chunks", None) or any(message.additional_kwargs.values()):
        return True
    ended = (chunk.generation_info or {}).get("finish_reason") or getattr(message, "chunk_position", None)
    return bool(ended or message.response_metadata.get("stop_reason"))


def _says_something(block: Any) -> bool:
    if not isinstance(block, dict):
        return bool(block)
    return any(value for name, value in block.items() if name not in _FRAME)


def as_chunk(generation: ChatGeneration) -> ChatGenerationChunk:
    """A whole answer as a stream's only chunk, for a model that cannot stream."""
    message = generation.message
    if not isinstance(message, AIMessageChunk):
        # Tool calls become tool call chunks by themselves.
        message = AIMessageChunk(**message.model_dump(exclude={"type"}))
    return ChatGenerationChunk(message=message, generation_info=generation.generation_info)


def empty_chunk(note: dict[str, Any]) -> ChatGenerationChunk:
    """What stands for a stream that ended without any chunk; LangChain takes none for an error."""
    return ChatGenerationChunk(message=AIMessageChunk(content="", response_metadata={NOTE: note}))


def note_of(candidate: sk.Candidate, attempts: Iterable[sk.Attempt]) -> dict[str, Any]:
    """The note: who served, and who had a turn before, why it failed and how many seconds it took.

    Ids, reasons and times only. An error's text may repeat a key, and messages are stored and cached.
    Who was passed over because it cools is not in it: with a thousand keys that would be the message.
    """
    return {
        "candidate": candidate.id,
        "attempts": [
            {
                "candidate": attempt.candidate.id,
                "reason": attempt.reason.value if attempt.reason else "unknown",
                "duration": round(attempt.duration, 6),
            }
            for attempt in attempts
            if not isinstance(attempt.error, sk.CoolingError)
        ],
    }
