"""Embeddings out of thin air: deterministic, and near each other for texts that share words."""

from __future__ import annotations

import array
import hashlib
import math
import sys


def vector(model: str, text: str | list[int], dimensions: int) -> list[float]:
    """A vector of length 1 for ``text``; tokens are taken as words.

    Every word adds a few positions of its own, so texts that share words point the same way
    and a retrieval demo finds what it should. Another model gives another vector space.
    """
    words = text.lower().split() or [text] if isinstance(text, str) else [str(token) for token in text]
    sums = [0.0] * dimensions
    for word in words:
        digest = hashlib.blake2b(f"{model}\0{word}".encode(), digest_size=32).digest()
        for at in range(0, len(digest), 4):
            number = int.from_bytes(digest[at : at + 4], "little")
            sums[(number >> 1) % dimensions] += 1.0 if number & 1 else -1.0
    length = math.sqrt(sum(value * value for value in sums))
    if not length:  # words that cancel each other out still need a direction
        sums[0] = length = 1.0
    # Rounded to what four bytes hold: both encodings give the same numbers.
    return list(array.array("f", (value / length for value in sums)))


def packed(values: list[float]) -> bytes:
    """Little-endian 32-bit floats, as base64 embeddings carry them."""
    floats = array.array("f", values)
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tobytes()
