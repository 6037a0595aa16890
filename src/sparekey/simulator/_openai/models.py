"""OpenAI's own models, told by their names: what they are for, and what may be asked of them.

Any other name may be anybody's who speaks this dialect, so it may do everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._openai.faults import INVALID, refused, unrecognized
from sparekey.simulator._wire import Fault

_KINDS = {
    "image": re.compile(r"gpt-image-|chatgpt-image-|dall-e-"),
    "speech": re.compile(r"tts-1|gpt-[\w.-]*-tts\b"),
    "transcription": re.compile(r"whisper-1|gpt-([\w.-]*-)?transcribe\b"),
    "completion": re.compile(r"(ft:)?(gpt-3\.5-turbo-instruct|(davinci|babbage)-002)"),
    "embedding": re.compile(r"text-embedding-"),
    "chat": re.compile(r"(ft:)?(gpt-(?!oss)|chatgpt-|codex-|o\d)"),
}
"""The first that fits counts."""
DIMENSIONS: Mapping[str, int] = {
    "text-embedding-3-large": 3072,
    "text-embedding-3-small": 1536,
    "text-embedding-ada-002": 1536,
}
"""How long the vectors are, and can at most be."""
MOST_DIMENSIONS = 8192
"""Of any other model."""


def kind_of(model: str) -> str | None:
    """What one of OpenAI's models is for; None for anybody else's."""
    return next((kind for kind, names in _KINDS.items() if names.match(model)), None)


def check_parameters(body: Mapping[str, Any], known: frozenset[str]) -> Iterator[Fault]:
    """Parameters that OpenAI has none of; others of this dialect have more, and their own clients send them."""
    if kind_of(body["model"]) is not None:
        yield from unrecognized(known, body)


def check_chats(model: str) -> Iterator[Fault]:
    """A model that does not talk."""
    if kind_of(model) == "embedding":
        yield Fault(403, INVALID, "You are not allowed to sample from this model")
    elif kind_of(model) not in ("chat", None):
        told = "This is not a chat model and thus not supported in the v1/chat/completions endpoint."
        yield Fault(404, INVALID, f"{told} Did you mean to use v1/completions?", param="model")


def check_completes(model: str) -> Iterator[Fault]:
    """A model that does not go on with a text."""
    if kind_of(model) not in ("completion", None):
        told = "This is a chat model and not supported in the v1/completions endpoint."
        yield Fault(404, INVALID, f"{told} Did you mean to use v1/chat/completions?", param="model")


def check_embeds(model: str) -> Iterator[Fault]:
    """A model that does not embed."""
    if kind_of(model) not in ("embedding", None):
        yield Fault(403, INVALID, "You are not allowed to generate embeddings from this model")


def check_kind(model: str, kind: str) -> Iterator[Fault]:
    """A model for something else than images or sound."""
    if kind_of(model) not in (kind, None):
        yield refused("model", f"Invalid value: '{model}'. It is no model for this endpoint.", "invalid_value")
