"""What the simulator says, and how it counts: a token is a word."""

from __future__ import annotations

import re
import textwrap

from sparekey.simulator._wire import Call


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


def answer_text(call: Call) -> tuple[str, str]:
    """What to answer, and why it ended there: ``stop`` or ``length``."""
    text = _greeting(call) if call.reply is None else call.reply
    limit = call.body.get("max_completion_tokens") or call.body.get("max_tokens")
    words = tokens(text)
    if isinstance(limit, int) and len(words) > limit:
        return "".join(words[:limit]), "length"
    return text, "stop"


def _greeting(call: Call) -> str:
    said = [plain_text(m.get("content")) for m in call.body["messages"] if m.get("role") == "user"]
    asked = " ".join(said[-1].split()) if said else ""
    return f"Hello from {call.name} ({call.model}): you said {textwrap.shorten(asked, 80, placeholder='…')!r}"


def prompt_tokens(call: Call) -> int:
    """Words of all messages."""
    return sum(len(plain_text(message.get("content")).split()) for message in call.body["messages"])
