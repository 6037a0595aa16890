"""OpenAI's own models, told by their names: what they are for, and what may be asked of them.

Any other name may be anybody's who speaks this dialect, so it may do everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._openai.faults import INVALID, unrecognized
from sparekey.simulator._wire import Fault

_CHAT = re.compile(r"(ft:)?(gpt-(?!oss)|chatgpt-|codex-|o\d)")
_EMBEDDING = re.compile(r"text-embedding-")
DIMENSIONS: Mapping[str, int] = {
    "text-embedding-3-large": 3072,
    "text-embedding-3-small": 1536,
    "text-embedding-ada-002": 1536,
}
"""How long the vectors are, and can at most be."""
MOST_DIMENSIONS = 8192
"""Of any other model."""


def is_chat(model: str) -> bool:
    return bool(_CHAT.match(model))


def is_embedding(model: str) -> bool:
    return bool(_EMBEDDING.match(model))


def check_parameters(body: Mapping[str, Any], known: frozenset[str]) -> Iterator[Fault]:
    """Parameters that OpenAI has none of; others of this dialect have more, and their own clients send them."""
    if is_chat(body["model"]) or is_embedding(body["model"]):
        yield from unrecognized(known, body)


def check_chats(model: str) -> Iterator[Fault]:
    """A model that only embeds."""
    if is_embedding(model):
        yield Fault(403, INVALID, "You are not allowed to sample from this model")


def check_embeds(model: str) -> Iterator[Fault]:
    """A model that only talks."""
    if is_chat(model):
        yield Fault(403, INVALID, "You are not allowed to generate embeddings from this model")
