"""What a prompt names: numbers, quoted words, names, and ``field: value``."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable

LONGEST = 4000
"""Characters of a prompt that are looked at, from its end: a value stands near the question."""

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w%])")
_QUOTED = re.compile(r"\"([^\"\n]+)\"|(?<!\w)'([^'\n]+)'(?!\w)|`([^`\n]+)`|“([^”\n]+)”|「([^」\n]+)」")
# Words with a capital that do not begin a sentence; "San Francisco, CA" is one name.
_NAME = re.compile(r"(?<![.!?:\n]\s)(?<!^)(?<![\w'])[A-ZÀ-ÞЀ-Я][\w'-]+(?: [A-ZÀ-ÞЀ-Я][\w'-]*)*(?:, [A-Z]{2}\b)?")
_ABOUT = re.compile(
    r"\b(?:about|in|at|for|near|of|named|called) (?:(?:the|an?|my) )?"
    r"((?:(?!(?:about|and|as|at|in|for|or|please|to|using|with)\b)[^\s,.;:!?]+ ?){1,4})"
)
_BY_FORMAT = {
    "date": re.compile(r"\b\d{4}-\d\d-\d\d\b"),
    "date-time": re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?"),
    "time": re.compile(r"\b\d\d:\d\d(?::\d\d)?\b"),
    "email": re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+\w"),
    "uri": re.compile(r"https?://[^\s\"'<>]+"),
    "uuid": re.compile(r"\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b", re.IGNORECASE),
}


class Hints:
    """The values a prompt holds; each is given out once, in the order they stand there.

    Args:
        text: the prompt.
        brackets: what stands between the brackets of ``tool(…)``, when the prompt writes the
            call itself; then nothing else counts.
        found: what tools have found out since: its numbers and named values come after the prompt's.
    """

    def __init__(self, text: str, brackets: str | None = None, found: str = "") -> None:
        self.prompt = (text if brackets is None else brackets)[-LONGEST:]
        self._text = f"{self.prompt}\n{found[:LONGEST]}" if found else self.prompt
        self._lowered = self._text.lower()
        self._spaced = self._lowered.replace("_", " ")
        self._mentioned: dict[str, bool] = {}
        """By word. A schema may ask for the same thousand words a thousand times."""
        given = [] if brackets is None else [piece.strip() for piece in brackets.split(",") if piece.strip()]
        self._positional = deque(_unquoted(piece) for piece in given if "=" not in piece)
        self._numbers = deque(_NUMBER.findall(self._text))
        self._quoted = deque(quoted(self.prompt))
        self._names = deque(name for name in _NAME.findall(self.prompt) if name != "JSON")
        told = [*self._quoted, *self._names]
        abouts = (about.strip() for about in _ABOUT.findall(self.prompt))
        self._abouts = deque(about for about in abouts if not any(each in about for each in told))

    def named(self, field: str) -> str | None:
        """What the prompt says of a field: ``field=value``, ``field: value``, ``field is value``."""
        if not field or field.lower().replace("_", " ") not in self._spaced:
            return None
        words = re.escape(field).replace("_", "[_ ]")
        found = re.search(
            rf"(?<!\w){words}\"?(?:\s*[=:]\s*|\s+is\s+)(?:\"([^\"]*)\"|'([^']*)'|([^,;\n)}}]+))",
            self._text,
            re.IGNORECASE,
        )
        return _first(found.groups()).strip().rstrip(".!?") if found else None

    def positional(self) -> str | None:
        """The next value of a written call."""
        return self._positional.popleft() if self._positional else None

    def number(self, fits: Callable[[int | float], bool]) -> int | float | None:
        """The next number that fits; those before it are kept for what comes."""
        for written in self._numbers:
            number = as_number(written)
            if number is not None and fits(number):
                self._numbers.remove(written)
                return number
        return None

    def string(self, format_: object = None) -> str | None:
        """The next piece of text worth being a value: of that format, quoted, a name, or what it is about."""
        if isinstance(format_, str) and format_ in _BY_FORMAT:
            found = _BY_FORMAT[format_].search(self._text)
            return found.group() if found else None
        return next((found.popleft() for found in (self._quoted, self._names, self._abouts) if found), None)

    def quotation(self) -> str | None:
        """The next quoted text."""
        return self._quoted.popleft() if self._quoted else None

    def more(self, kind: str) -> bool:
        """Whether a list of that kind can go on."""
        return bool(self._numbers if kind in ("integer", "number") else self._quoted if kind == "string" else ())

    def mentioned(self, members: Iterable[object]) -> list[object]:
        """Those of ``members`` the prompt mentions."""
        return [each for each in members if isinstance(each, str | int) and self._mentions(str(each).lower())]

    def _mentions(self, word: str) -> bool:
        if word not in self._mentioned:
            self._mentioned[word] = _stands_in(self._lowered, word)
        return self._mentioned[word]


def quoted(text: str) -> list[str]:
    """Everything in quotation marks."""
    return [_first(found) for found in _QUOTED.findall(text)]


def unquoted_rest(text: str) -> str:
    """The text without what is in quotation marks."""
    return _QUOTED.sub("", text)


def as_number(text: str) -> int | float | None:
    """A number as written, None when it is none."""
    if not _NUMBER.fullmatch(text.strip()) or len(text) > 300:
        return None
    return float(text) if "." in text else int(text)


def _stands_in(text: str, word: str) -> bool:
    """Whether it is there as a word of its own. No regular expression: making one is what takes long."""
    at = text.find(word) if word else -1
    while at >= 0:
        end = at + len(word)
        if not _is_of_a_word(text[max(at - 1, 0) : at]) and not _is_of_a_word(text[end : end + 1]):
            return True
        at = text.find(word, at + 1)
    return False


def _is_of_a_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def _first(groups: tuple[str | None, ...]) -> str:
    return next((group for group in groups if group), "")


def _unquoted(piece: str) -> str:
    return piece[1:-1] if len(piece) > 1 and piece[0] == piece[-1] and piece[0] in "\"'" else piece
