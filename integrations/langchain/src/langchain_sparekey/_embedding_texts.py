"""What candidates are asked about: texts, a slice of one HTTP request at a time."""

from __future__ import annotations

from typing import Any

from langchain_sparekey._embedding_classes import batch


def checked_texts(texts: Any) -> list[str]:
    """``texts``, if they are; said before anybody is asked, because no other key could make more of them.

    Raises:
        TypeError: they are not.
    """
    if isinstance(texts, str):
        raise TypeError("texts: must be a list of texts, not one text")
    given = list(texts)
    for i, text in enumerate(given):
        if not isinstance(text, str):
            raise TypeError(f"texts[{i}]: must be a text, not {type(text).__name__}")
    return given


def portion(texts: list[str], start: int, model: object) -> list[str]:
    """As many of ``texts`` from ``start`` on as ``model`` puts into one HTTP request; one at least."""
    most, size = batch(model)
    for end in range(start, min(start + most, len(texts))):
        size -= len(texts[end].encode(errors="replace"))
        if size < 0 and end > start:
            return texts[start:end]
    return texts[start : start + most]
