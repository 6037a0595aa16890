"""What to answer: words, a call of a tool, or JSON. The same question gets the same answer."""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from sparekey.simulator._mind.asked import Answer, Asked, End, Tool, ToolCall
from sparekey.simulator._mind.fill import fill
from sparekey.simulator._mind.hints import LONGEST, Hints, quoted, unquoted_rest
from sparekey.simulator._text import tokens
from sparekey.simulator._wire import Call

# fmt: off
_SAY_NOTHING = frozenset({
    "a", "an", "and", "any", "are", "as", "at", "by", "call", "can", "do", "does", "for", "from", "function",
    "get", "in", "into", "is", "it", "its", "me", "my", "of", "on", "or", "please", "return", "returns", "set",
    "that", "the", "their", "this", "to", "tool", "use", "used", "uses", "using", "value", "what", "when",
    "which", "will", "with", "you", "your",
})
# fmt: on


def decide(asked: Asked, call: Call) -> Answer:
    """The answer of the key that has this call.

    Its ``reply`` is every text it says, word for word, JSON or not; it calls tools all the same.
    """
    if calls := _calls(asked):
        return _cut(Answer("", calls, End.TOOLS), asked)
    if call.reply is not None:
        text = call.reply
    elif asked.schema is not None:
        text = _written(_structured(asked, call))
    else:
        text = _greeting(asked, call)
    return _cut(Answer(text), asked)


def _greeting(asked: Asked, call: Call) -> str:
    hello = f"Hello from {call.name} ({call.model})"
    if asked.results:
        return f"{hello}: " + ", ".join(f"{tool} said {_short(said)!r}" for tool, said in asked.results)
    counted = [f"{number} {kind}" + "s" * (number > 1) for kind, number in Counter(asked.parts).items()]
    return f"{hello}: you said {_short(asked.text)!r}" + (f" with {' and '.join(counted)}" if counted else "")


SHORT = 80


def _short(text: str) -> str:
    # Cut before it is wrapped: a prompt may be megabytes, and so may a word of it.
    words = (word[: 2 * SHORT] for word in text.split(maxsplit=SHORT)[:SHORT])
    return textwrap.shorten(" ".join(words), SHORT, placeholder="…")


def _structured(asked: Asked, call: Call) -> object:
    schema = asked.schema
    if isinstance(schema, dict) and (schema.get("properties") or set(schema) - {"type"}):
        return fill(schema, _hints(asked), whole=True)
    # Any object will do: one with the keys that the prompt quotes.
    keys = [word for word in quoted(asked.text[-LONGEST:]) if re.fullmatch(r"\w+", word)]
    if not keys:
        return {"answer": _greeting(asked, call)}
    named = {"type": "object", "properties": {key: {"type": "string"} for key in keys}}
    return fill(named, Hints(unquoted_rest(asked.text)), whole=True)


def _calls(asked: Asked) -> tuple[ToolCall, ...]:
    """The calls to make now: what the prompt asks for and no tool has answered yet."""
    done = {name for name, _ in asked.results}
    chosen = [(tool, brackets) for tool, brackets in _wanted(asked.text, asked.tools) if tool.name not in done]
    if not chosen and asked.forced and asked.tools:
        # After a result the last tool comes first: where an answer is itself a tool, it is put there.
        rest = [tool for tool in asked.tools if tool.name not in done] or list(asked.tools)
        chosen = [(rest[-1] if asked.results else rest[0], None)]
    hints = _hints(asked)
    return tuple(
        _call(tool, hints if brackets is None else Hints(asked.text, brackets))
        for tool, brackets in (chosen if asked.parallel else chosen[:1])
    )


def _hints(asked: Asked) -> Hints:
    return Hints(asked.text, found="\n".join(said for _, said in asked.results))


def _call(tool: Tool, hints: Hints) -> ToolCall:
    filled = fill(tool.schema, hints, whole=False)
    arguments = filled if isinstance(filled, dict) else {}
    return ToolCall(tool.name, arguments, _written(arguments))


def _wanted(text: str, tools: tuple[Tool, ...]) -> list[tuple[Tool, str | None]]:
    """The tools a prompt asks for, each with what stands in brackets behind its name.

    Named outright is best, then words of a name, then two words of a description.
    """
    text = text[-LONGEST:]
    outright = [
        (tool, found.group(1))
        for tool in tools
        if tool.name in text
        for found in _once_or_in_brackets(re.finditer(rf"(?<!\w){re.escape(tool.name)}(?!\w)(?:\(([^()]*)\))?", text))
    ]
    if outright:
        return outright
    said = _words(text)
    shares = {tool.name: _share(_words(tool.name), said) for tool in tools}
    best = max(shares.values(), default=0)
    if best >= 0.5:
        return [(tool, None) for tool in tools if shares[tool.name] == best]
    described = [(len(_words(tool.description) & said), tool) for tool in tools]
    most, tool = max(described, key=lambda each: each[0], default=(0, None))
    return [(tool, None)] if tool and most > 1 else []


def _once_or_in_brackets(found: Iterator[re.Match[str]]) -> list[re.Match[str]]:
    """Every written call, or else the first mention."""
    mentions = list(found)
    return [each for each in mentions if each.group(1) is not None] or mentions[:1]


def _words(text: str) -> set[str]:
    """The words that mean something, cut so that "calculate" meets "calculator"."""
    apart = re.sub(r"(?<=[a-z\d])(?=[A-Z])", " ", text.replace("_", " "))
    words = re.findall(r"[^\W_]+", apart.lower())
    return {word.removesuffix("s")[:6] for word in words if word not in _SAY_NOTHING and len(word) > 1}


def _share(words: set[str], said: set[str]) -> float:
    return len(words & said) / len(words) if words else 0


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(answer: Answer, asked: Asked) -> Answer:
    """As much of it as the stop sequences and the limit let through."""
    places = [(at, stop) for stop in asked.stops if (at := answer.text.find(stop)) >= 0]
    if places:
        at, stop = min(places)
        answer = replace(answer, text=answer.text[:at], end=End.SEQUENCE, stop=stop)
    if asked.limit is None or answer.length <= asked.limit:
        return answer
    left = asked.limit
    text = tokens(answer.text)[:left]
    left -= len(text)
    calls = []
    for call in answer.calls:
        words = tokens(call.written)
        if left > 0:
            whole = len(words) <= left
            calls.append(call if whole else replace(call, arguments={}, written="".join(words[:left])))
        left -= len(words)
    return Answer("".join(text), tuple(calls), End.LENGTH)
