"""Words as tokens, and the text in whatever a client sends."""

from __future__ import annotations

import re


def tokens(text: str) -> list[str]:
    """Words, each with the space after it: joined they are the text again."""
    return re.findall(r"\S+\s*|\s+", text)


def plain_text(content: object) -> str:
    """The text of a message's content, be it a string or a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))


def count_words(*contents: object) -> int:
    """The words of all contents together."""
    return sum(len(plain_text(content).split()) for content in contents)
