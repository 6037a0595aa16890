"""A config file of LiteLLM's proxy, as text: what has to change changes, comments and all else stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import sparekey as sk
from litellm_sparekey._config import expand_config, rows_of
from litellm_sparekey._expand import expand_rows
from litellm_sparekey._mistake import PlacedError, mistake
from litellm_sparekey._patch import OutOfPlaceError, Patch
from litellm_sparekey._yaml import Document, read


def expand_config_text(text: str, *, where: str = "config.yaml") -> str:
    """The text of a config that LiteLLM's proxy starts as it is, made of one with lists of keys.

    What it says is what :func:`expand_config` makes of what ``text`` says; all that need not change,
    comments, order and quotes included, stays to the letter. A row is repeated for each of its keys,
    and a comment beside a key stays beside it. Files to ``include`` are looked for as LiteLLM does,
    beside ``where``, and taken in: what comes from them is written anew, without their comments.

    Raises:
        sparekey.ConfigError: as :func:`expand_config`, or it is not YAML that LiteLLM reads, or a
            file to include is not. One line that names file, line and entry, and shows no key.
    """
    return Expansion(text, where).text()


class Expansion:
    """What a config says, and what it must say.

    Raises:
        sparekey.ConfigError: as :func:`expand_config_text`.
    """

    def __init__(self, text: str, where: str) -> None:
        self._where = where
        self._document = _document(text, where)
        self.merged = _merged(self._document, where)
        """With the files it includes."""
        self.expanded = _placed(self._document, where, self.merged)

    def text(self) -> str:
        """The text, with what must change changed."""
        document = self._document
        if self.expanded == document.value:
            return document.text
        for patched in _attempts(document, self.merged, self.expanded):
            # Whatever is unusual in the text: it is handed out when it says what it must, and never else.
            with suppress(sk.ConfigError):
                if read(patched, self._where).value == self.expanded:
                    return patched
        raise sk.ConfigError(
            f"{self._where}: its anchors and aliases are such that its rows cannot be repeated; write them out"
        )


def _merged(document: Document, where: str) -> dict[str, Any]:
    """What LiteLLM sees: lists of included files continue those of the config, anything else replaces it."""
    merged = {name: value for name, value in document.value.items() if name != "include"}
    root, seen = Path(where), {Path(where).resolve()}
    waiting = list(_included(document, root, root))
    while waiting:
        path = waiting.pop(0)
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        part = _document(read_config(path), str(path))
        waiting += _included(part, path, root)
        value = {name: value for name, value in part.value.items() if name != "include"}
        _placed(part, str(path), value)  # so that what is wrong in it is told of that file
        for name, new in value.items():
            both = isinstance(new, list) and isinstance(merged.get(name), list)
            merged[name] = [*merged[name], *new] if both else new
    return merged


def read_config(path: Path) -> str:
    """The text of a config file, line ends as they are.

    Raises:
        sparekey.ConfigError: it cannot be read, or is not text.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except UnicodeDecodeError:
        problem = "is not a text file in UTF-8"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    raise sk.ConfigError(f"{path}: {problem}")  # out here, or Python would keep the file's bytes beside it


def _document(text: str, where: str) -> Document:
    document = read(text, where)
    if document.value is None:
        raise sk.ConfigError(f"{where}: is empty")
    if not isinstance(document.value, dict):
        raise sk.ConfigError(f"{where}: must be a mapping of settings, not {type(document.value).__name__}")
    return document


def _included(document: Document, path: Path, root: Path) -> Iterator[Path]:
    names = document.value.get("include", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _told(document, str(path), mistake(("include",), "must be a list of file names"))
    for i, name in enumerate(names):
        near = [path.parent / name, root.parent / name]
        found = next((file for file in near if file.exists()), None)
        if found is None:
            raise _told(document, str(path), mistake(("include", i), f"there is no file {near[0]}"))
        yield found


def _placed(document: Document, where: str, config: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return expand_config(config)
    except PlacedError as error:
        told = _told(document, where, error)
    except RecursionError:
        told = sk.ConfigError(f"{where}: it is nested too deeply, or in itself")
    raise told


def _told(document: Document, where: str, error: PlacedError) -> sk.ConfigError:
    line = document.line_of(error.path)
    return sk.ConfigError(f"{where}{f':{line}' if line else ''}: {error}")


def _attempts(document: Document, merged: Mapping[str, Any], expanded: Mapping[str, Any]) -> Iterator[str]:
    """The text, changed: row by row; and with a model_list that is written anew."""
    assert document.root is not None
    old, patch = document.value, Patch(document)
    with suppress(OutOfPlaceError, KeyError):
        if old.get("model_list") and rows_of(merged):
            kept = {**expanded, "model_list": old["model_list"]}
            rows = patch.rows(
                document.root.pairs["model_list"][1], old["model_list"], expand_rows(merged["model_list"])
            )
            yield patch.applied([*patch.mapping(document.root, old, kept), *rows])
    with suppress(OutOfPlaceError):
        yield patch.applied(patch.mapping(document.root, old, expanded))
