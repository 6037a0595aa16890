"""Changes a YAML text where its value changes, and leaves every other character alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from litellm_sparekey._yaml import Document, Place, written, written_below

Edit = tuple[int, int, str]
"""What stands from here to there becomes this."""

# Copied as it is written, wherever it goes; anything else is written anew.
_SIMPLE = re.compile(r"""[\w./+=-]+|"[^"\\\r\n]*"|'[^'\r\n]*'""")
_COMMENT = re.compile(r"#[^\r\n]*")
_REST_OF_LINE = re.compile(r"[ \t]*,?[ \t]*(#[^\r\n]*)?(?=\r|\n|\Z)")
_ANCHOR = re.compile(r"(?:!\S*[ \t]+)?(&[^\s,\[\]{}]+[ \t]*)")
_PROPERTIES = re.compile(r"(?:[!&]\S*\s+)*")


class OutOfPlaceError(Exception):
    """What has to go is not written here, but merged or repeated from elsewhere."""


@dataclass(slots=True)
class Key:
    """How one key is written, and the comments that belong to it."""

    text: str
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


class Patch:
    """Edits for one document."""

    def __init__(self, document: Document) -> None:
        self._text = document.text
        self._newline = "\r\n" if "\r\n" in document.text else "\n"

    def applied(self, edits: Iterable[Edit], start: int = 0, end: int | None = None) -> str:
        """The text from ``start`` to ``end`` with ``edits``; one within another is dropped."""
        in_order = sorted(edits, key=lambda edit: (edit[0], edit[1] > edit[0], -edit[1]))  # what is added goes first
        parts, done = [], start
        for begin, stop, new in in_order:
            if begin >= done:
                parts += [self._text[done:begin], new]
                done = stop
        return "".join([*parts, self._text[done:end]])

    def mapping(
        self, place: Place, old: Mapping[str, Any], new: Mapping[str, Any], key: Key | None = None
    ) -> list[Edit]:
        """What makes ``new`` of ``old``; ``key`` is written where a key or a list of them stood.

        Raises:
            OutOfPlaceError: it cannot be done by changing what stands here.
        """
        if place.kind != "mapping" or any(name not in place.pairs for name in old if name not in new):
            raise OutOfPlaceError
        added = {}
        home = next((name for name in ("api_key", "api_keys") if name in place.pairs), None) if key else None
        kept = [pair for name, pair in place.pairs.items() if name in new or name == home]
        edits = [self._without(place, name, kept) for name in old if name not in new and name != home]
        if key is not None and home is not None:
            edits.append(self._key(place, home, key))
        for name, value in new.items():
            if (name in old and old[name] == value) or (name == "api_key" and home):
                continue
            if name in place.pairs:
                edits += self._changed(place, name, old[name], value)
            else:
                added[name] = value
        comments = {} if key is None else {"api_key": [*key.before, *key.after]}
        return [*edits, *self._added(place, added, comments, comma=bool(kept))]

    def rows(self, place: Place, old: Sequence[Any], groups: Sequence[Sequence[Any]]) -> list[Edit]:
        """What makes each row of ``old`` the rows of its group; groups beyond those are added.

        Raises:
            OutOfPlaceError: as :meth:`mapping`.
        """
        if place.kind != "sequence" or len(place.items) != len(old):
            raise OutOfPlaceError
        edits = []
        for item, row, group in zip(place.items, old, groups, strict=False):
            if list(group) != [row]:
                end = item.end if place.flow else self._line_end(item.end)
                copies = [self._row(item, end, row, new, again=i > 0) for i, new in enumerate(group)]
                edits.append((item.start, end, self._between(place).join(copies)))
        return [*edits, *self._appended(place, [row for group in groups[len(old) :] for row in group])]

    def _row(self, place: Place, end: int, old: Mapping[str, Any], new: Mapping[str, Any], *, again: bool) -> str:
        key = self._keys(place, old).get(new["litellm_params"]["api_key"]) if _has_keys(old) else None
        start = place.start
        try:
            edits = self._of_row(place, old, new, key)
        except OutOfPlaceError:
            return written(new)
        if again:
            # An anchor is named once; what repeats it means the first row.
            start = _end_of(_PROPERTIES, self._text, start)
            edits += [(found.start(1), found.end(1), "") for found in self._anchors(place)]
        return self.applied(edits, start, end)

    def _of_row(self, place: Place, old: Mapping[str, Any], new: Mapping[str, Any], key: Key | None) -> list[Edit]:
        params = place.pairs.get("litellm_params")
        if key is None or params is None:
            return self.mapping(place, old, new)
        try:
            edits = self.mapping(params[1], old["litellm_params"], new["litellm_params"], key)
        except OutOfPlaceError:
            return self.mapping(place, old, new)
        return [*edits, *self.mapping(place, old, {**new, "litellm_params": old["litellm_params"]})]

    def _keys(self, place: Place, row: Mapping[str, Any]) -> dict[str, Key]:
        """By the key: how it is written in a row."""
        keys: dict[str, Key] = {}
        inside = place.pairs.get("litellm_params")
        for where, values in ((inside and inside[1], row["litellm_params"]), (place, row)):
            for value, key in self._keys_in(where, values) if where else ():
                keys.setdefault(value.strip(), key)
        return keys

    def _keys_in(self, place: Place, values: Mapping[str, Any]) -> Iterator[tuple[str, Key]]:
        if "api_key" in place.pairs and isinstance(value := values["api_key"], str):
            where = place.pairs["api_key"][1]
            yield value, Key(self._as_written(where, value), after=self._comments(where.end, self._line_end(where.end)))
        if "api_keys" not in place.pairs:
            return
        name, listed = place.pairs["api_keys"]
        items = listed.items or [listed] * len(values["api_keys"] or ())
        done, first = name.end, None
        for item, value in zip(items, values["api_keys"] or (), strict=True):
            if not isinstance(value, str):
                continue
            key = Key(self._as_written(item, value))
            if item is not listed:
                end = _end_of(_REST_OF_LINE, self._text, item.end)
                key.before, key.after = self._comments(done, item.start), self._comments(item.end, end)
                done = end
            first = first or key
            yield value, key
        if first is not None and listed.items:
            first.after += self._comments(done, max(done, self._line_end(listed.end)))

    def _as_written(self, place: Place, value: str) -> str:
        text = self._text[place.start : place.end]
        simple = place.kind == "scalar" and value == value.strip() and _SIMPLE.fullmatch(text)
        return text if simple else written(value.strip())

    def _comments(self, start: int, end: int) -> list[str]:
        return [found.rstrip() for found in _COMMENT.findall(self._text, start, end)]

    def _key(self, place: Place, home: str, key: Key) -> Edit:
        name, value = place.pairs[home]
        if place.flow:
            return name.start, value.end, f"api_key: {key.text}"
        lines = [*key.before, "  ".join([f"api_key: {key.text}", *key.after])]
        return name.start, self._line_end(value.end), f"{self._newline}{' ' * name.column}".join(lines)

    def _without(self, place: Place, name: str, kept: Sequence[tuple[Place, Place]]) -> Edit:
        key, value = place.pairs[name]
        line = self._line_start(key.start)
        if not place.flow and line > place.start and not self._text[line : key.start].strip():
            return line - len(self._newline), self._line_end(value.end), ""
        # With what separates it from the next, or else from the one before.
        if following := [other.start for other, _ in kept if other.start > key.start]:
            return key.start, min(following), ""
        first = min(other.start for other, _ in place.pairs.values())
        return max((other.end for _, other in kept), default=first), value.end, ""

    def _changed(self, place: Place, name: str, old: Any, new: Any) -> list[Edit]:
        key, value = place.pairs[name]
        try:
            if isinstance(old, Mapping) and isinstance(new, Mapping):
                return self.mapping(value, old, new)
            if isinstance(old, list) and isinstance(new, list) and new[: len(old)] == old:
                return self._appended(value, new[len(old) :])
        except OutOfPlaceError:
            pass  # then it is written anew
        if place.flow:
            return [(key.start, value.end, f"{written(name)}: {written(new)}")]
        end = self._line_end(value.end)
        return [(key.start, end, self._pair(name, new, key.column, self._comments(value.end, end)))]

    def _added(
        self, place: Place, new: Mapping[str, Any], comments: Mapping[str, Sequence[str]], *, comma: bool
    ) -> list[Edit]:
        if not new:
            return []
        if place.flow:
            pairs = ", ".join(f"{written(name)}: {written(value)}" for name, value in new.items())
            return [self._put_last(place, [value for _, value in place.pairs.values()], pairs, comma=comma)]
        if not place.pairs:
            raise OutOfPlaceError
        column = next(iter(place.pairs.values()))[0].column
        lines = "".join(
            f"{self._newline}{' ' * column}{self._pair(name, value, column, comments.get(name, ()))}"
            for name, value in new.items()
        )
        end = self._line_end(place.end)
        return [(end, end, lines)]

    def _appended(self, place: Place, new: Sequence[Any]) -> list[Edit]:
        if place.kind != "sequence":
            raise OutOfPlaceError
        if not new:
            return []
        if place.flow:
            return [self._put_last(place, place.items, ", ".join(written(value) for value in new), comma=True)]
        end = self._line_end(place.end)
        between = self._between(place)
        column = len(between) - len(self._newline)
        return [(end, end, "".join(between + self._below(value, column) for value in new))]

    def _put_last(self, place: Place, inside: Sequence[Place], new: str, *, comma: bool) -> Edit:
        """In brackets: after what is there, or was."""
        end = inside[-1].end if inside else place.end - 1
        return end, end, f", {new}" if inside and comma else new

    def _between(self, place: Place) -> str:
        """What stands between two items of a list."""
        if place.flow:
            lines = any(item.line != place.line for item in place.items)
            return f",{self._newline}{' ' * place.items[0].column}" if lines else ", "
        if self._text[place.start] != "-" or not place.items:
            raise OutOfPlaceError
        # The column of an item is that of its first name, also where the dash has a line of its own.
        first = place.items[0]
        gap = max(first.column - place.column - 1, 1) if first.line == place.line else 1
        return f"{self._newline}{' ' * place.column}-{' ' * gap}"

    def _pair(self, name: str, value: Any, column: int, comments: Sequence[str] = ()) -> str:
        if isinstance(value, (Mapping, list)) and value:
            column += 2
            head = "  ".join([f"{written(name)}:", *comments])
            return f"{head}{self._newline}{' ' * column}{self._below(value, column)}"
        return "  ".join([f"{written(name)}: {written(value)}", *comments])

    def _below(self, value: Any, column: int) -> str:
        """On lines of its own, at that column from the second on."""
        if isinstance(value, (Mapping, list)) and value:
            return written_below(value).replace("\n", self._newline + " " * column)
        return written(value)

    def _anchors(self, place: Place) -> Iterator[re.Match[str]]:
        for inside in place.inside():
            if found := _ANCHOR.match(self._text, inside.start):
                yield found
            yield from self._anchors(inside)

    def _line_start(self, at: int) -> int:
        return self._text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        """The end of the line, its comment included."""
        end = self._text.find("\n", at)
        end = len(self._text) if end < 0 else end
        return end - 1 if self._text[at:end].endswith("\r") else end


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _has_keys(row: Mapping[str, Any]) -> bool:
    return bool({"api_key", "api_keys"} & row.keys()) or "api_keys" in row["litellm_params"]
