"""Find phrases in prose: a small matcher that reads hundreds of rows in a few microseconds.

A text is reduced to its words, so case, punctuation and line breaks do not matter. A phrase is a few
words in a row; ``…`` skips up to eighty characters, and ``*`` ends a word that may go on (``token*``).
Of all rows that match, the first in the table wins. Cost: one pass over the text, then only the rows
that share a word with it. Nothing backtracks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sparekey._classify.findings import Family, Finding
from sparekey._classify.objects import listed

GAP = 80
"""Characters that ``…`` may skip."""
_TRIES = 8
"""Places at which the first words of a phrase are tried."""
_PLAIN = bytes(ord(chr(code).lower()) if chr(code).isalnum() and code < 128 else 32 for code in range(256))

ANY = frozenset(Family) | {None}


@dataclass(frozen=True, slots=True)
class Row:
    """What a set of phrases means, and under which families of status or code it is believed."""

    finding: Finding
    within: frozenset[Family | None]
    phrases: tuple[str, ...]


def row(finding: Finding, phrases: str, within: Iterable[Family | None] = ANY) -> Row:
    """A row of a table: phrases are parted by bars and line ends.

    `None` in `within` stands for a text that came without any status or code.
    """
    listed = (phrase.strip() for line in phrases.splitlines() for phrase in line.split("|"))
    return Row(finding, frozenset(within), tuple(phrase for phrase in listed if phrase))


def words_of(text: str) -> str:
    """The words of a text, lower-case, with a space at each end."""
    plain = text.encode("latin-1", "replace").translate(_PLAIN).decode("latin-1")
    return f" {' '.join(plain.split())} "


# Words that errors of every kind are full of; as an anchor they would let half the table through.
_EVERYWHERE = listed("""
    a account again an api are at be by exceed exceeded error for from has have in is it key limit limits max
    maximum message messages model no not of on or organization please per quota rate reached request requests
    requested response server service that the this to token tokens too try usage use user was with you your
""")
_Phrases = dict[str, list[tuple[int, tuple[str, ...]]]]


class Table:
    """Rows, indexed by family and by the rarest whole word of each phrase."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.findings = [row.finding for row in rows]
        self._index: dict[Family | None, _Phrases] = {family: {} for family in ANY}
        parsed = [(rank, row, _fragments(phrase)) for rank, row in enumerate(rows) for phrase in row.phrases]
        common = Counter(word for _, _, fragments in parsed for word in set(_anchors(fragments)))
        for rank, row, fragments in parsed:
            anchors = _anchors(fragments)
            anchor = min(anchors, key=lambda word: (word in _EVERYWHERE, common[word], -len(word)))
            for family in row.within:
                self._index[family].setdefault(anchor, []).append((rank, fragments))

    def find(self, words: str, family: Family | None) -> Finding | None:
        """The finding of the first row that says what `words` says; `words` as from :func:`words_of`."""
        best = none = len(self.findings)
        index = self._index[family]
        for word in index.keys() & words.split():
            for rank, fragments in index[word]:
                if rank < best and _said(fragments, words):
                    best = rank
        return None if best == none else self.findings[best]


def _fragments(phrase: str) -> tuple[str, ...]:
    """``max tokens … exceed*`` -> (`` max tokens ``, `` exceed``)."""
    parts = []
    for part in phrase.split("…"):
        open_end = part.rstrip().endswith("*")
        words = words_of(part)
        parts.append(words.rstrip() if open_end else words)
    return tuple(parts)


def _anchors(fragments: tuple[str, ...]) -> list[str]:
    """The words of a phrase that a text must hold whole."""
    found = []
    for fragment in fragments:
        words = fragment.split()
        found += words if fragment.endswith(" ") else words[:-1]
    if not found:
        raise ValueError(f"a phrase needs one whole word: {fragments}")
    return found


def _said(fragments: tuple[str, ...], words: str) -> bool:
    first = fragments[0]
    if len(fragments) == 1:
        return first in words
    at = words.find(first)
    for _ in range(_TRIES):
        if at < 0:
            return False
        # Fragments share the space between them: each search begins on the last character of the one before.
        end = at + len(first) - 1
        for fragment in fragments[1:]:
            found = words.find(fragment, end, end + GAP + len(fragment))
            if found < 0:
                break
            end = found + len(fragment) - 1
        else:
            return True
        at = words.find(first, at + 1)
    return False
