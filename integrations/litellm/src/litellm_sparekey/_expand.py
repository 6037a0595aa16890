"""LiteLLM's rows with several keys become rows with one key each, all in the same group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import sparekey as sk
from litellm_sparekey._mistake import PlacedError, Steps, mistake, place

ENTRY = "sparekey_entry"
"""Says in ``model_info`` which rows were one: the id of the first of them."""

_READ = {"litellm_params", "model_info", "api_key", "api_keys", "account"}


def expand_model_list(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each key, for ``litellm.Router(model_list=…)``; ``rows`` are left as they are.

    Keys stand in ``litellm_params`` as ``api_key`` and ``api_keys`` (beside it is understood, too);
    they are trimmed, and blanks and repeats dropped. A row with ``api_keys`` becomes rows with the
    same ``model_name`` and settings, told apart by ``model_info["id"]``: ``name__key_0``,
    ``name__key_1`` and so on, counting on where the name repeats; or, when the row has an id of its
    own, that id, ``id__key_1`` and so on. References (``os.environ/NAME``) stay references: LiteLLM
    resolves them. ``account`` moves to ``model_info``, for LiteLLM would send it to the provider.
    Expanding twice changes nothing.

    Raises:
        sparekey.ConfigError: a row is malformed, a list of keys has none in it or stands where it is
            not looked for, or an id is taken. One line that names row and field, and shows no key.
    """
    return list(chain.from_iterable(expand_rows(rows)))


def expand_rows(rows: Iterable[Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
    """As :func:`expand_model_list`, with what became of each row by itself."""
    checked = [_Row(row, i) for i, row in enumerate(rows)]
    ids = _Ids(checked)
    return [row.expanded(ids) for row in checked]


def lists_of_keys(value: object, path: Steps) -> Iterator[Steps]:
    """Where in ``value``, however deep, something is called ``api_keys``."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name == "api_keys":
                yield (*path, name)
            yield from lists_of_keys(item, (*path, str(name)))
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from lists_of_keys(item, (*path, i))


class _Row:
    """One row, checked."""

    def __init__(self, row: Mapping[str, Any], number: int) -> None:
        self._path: Steps = ("model_list", number)
        self.name = ""
        if not isinstance(row, Mapping):
            raise self.wrong(f"a row must be a mapping of settings, not {type(row).__name__}")
        self.name = self._text(row, "model_name")
        if "litellm_params" not in row:
            raise self.wrong("is missing", "litellm_params")
        self._row = row
        self.params = self._mapping("litellm_params")
        self.info = self._mapping("model_info")
        self._text(self.params, "litellm_params", "model")
        self.id = None if self.info.get("id") is None else str(self.info["id"])
        self._rest = {name: value for name, value in row.items() if name not in _READ}
        self._account = self.params.pop("account", None) or row.get("account")
        if self._account is not None:
            self.info.setdefault("account", self._account)
        self.keys = self._keys()
        places = {"litellm_params": self.params, "model_info": self.info, **self._rest}
        for found in lists_of_keys(places, ()):
            raise self.wrong("LiteLLM would take it as it is; lists of keys stand in litellm_params", *found)

    @property
    def where(self) -> str:
        """What to call the row in an error."""
        return place(self._path, self.name)

    def wrong(self, problem: str, *field: str | int) -> PlacedError:
        """The error that says so of one of its fields."""
        return mistake((*self._path, *field), problem, self.name)

    def expanded(self, ids: _Ids) -> list[dict[str, Any]]:
        """One row for each key; the row itself, when it has no list of them."""
        if self.keys is not None:
            names = ids.take(self)
            return [self._with_key(key, name, names[0]) for key, name in zip(self.keys, names, strict=True)]
        if self._account is None:
            return [_copied(self._row)]
        return [{**_copied(self._rest), "litellm_params": self.params, "model_info": self.info}]

    def _with_key(self, key: str, name: str, entry: str) -> dict[str, Any]:
        return {
            **_copied(self._rest),
            "litellm_params": {**_copied(self.params), "api_key": key},
            "model_info": {**_copied(self.info), "id": name, ENTRY: entry},
        }

    def _keys(self) -> list[str] | None:
        """All keys in order; None when the row has no list of them and is LiteLLM's own matter."""
        row = self._row
        if isinstance(self.params.get("api_key"), (list, tuple)):
            raise self.wrong("must be a text; several keys are api_keys", "litellm_params", "api_key")
        if not ("api_keys" in self.params or "api_keys" in row or "api_key" in row):
            return None
        keys = sk.merge_api_keys(None, [*self._given(self.params, "litellm_params"), *self._given(row)])
        self.params.pop("api_keys", None)
        if not keys:
            raise self.wrong("has no key in it", "api_keys")
        return keys

    def _given(self, where: Mapping[str, Any], *path: str) -> Iterator[Any]:
        listed = where.get("api_keys")
        if listed is not None and not isinstance(listed, (list, tuple)):
            raise self.wrong(f"must be a list of keys, not {type(listed).__name__}", *path, "api_keys")
        fields: dict[tuple[str | int, ...], Any] = {("api_key",): where.get("api_key")}
        fields |= {("api_keys", i): key for i, key in enumerate(listed or ())}
        for field, key in fields.items():
            if key is not None and not isinstance(key, str) and not hasattr(key, "get_secret_value"):
                raise self.wrong(f"must be a text, not {type(key).__name__}", *path, *field)
            yield key

    def _mapping(self, field: str) -> dict[str, Any]:
        value = self._row.get(field)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self.wrong(f"must be a mapping of settings, not {type(value).__name__}", field)
        copied: dict[str, Any] = _copied(value)
        return copied

    def _text(self, where: Mapping[str, Any], *field: str) -> str:
        value = where.get(field[-1])
        if not isinstance(value, str) or not value.strip():
            raise self.wrong("must be a text, and not blank", *field)
        return value


class _Ids:
    """Who has which id, and which number is next."""

    def __init__(self, rows: Iterable[_Row]) -> None:
        self._rows = list(rows)
        self._names = {row.name: row.where for row in self._rows}
        self._taken: dict[str, str] = {}
        self._next: dict[str, int] = {}
        for row in self._rows:
            if row.id is None:
                continue
            self._claim(row.id, row)
            base, made, number = row.id.rpartition("__key_")
            if made and number.isdecimal() and ENTRY in row.info:
                self._next[base] = max(self._next.get(base, 0), int(number) + 1)

    def take(self, row: _Row) -> list[str]:
        """An id for each of a row's keys."""
        assert row.keys is not None
        base = row.name if row.id is None else row.id
        # Never the bare model_name: LiteLLM 1.102 reads a request for an id as one for that deployment alone.
        names = [] if row.id is None else [row.id]
        while len(names) < len(row.keys):
            number = self._next.get(base, len(names))
            self._next[base] = number + 1
            names.append(f"{base}__key_{number}")
            self._claim(names[-1], row)
        for name in names:
            if name in self._names:
                raise row.wrong(
                    f"{name!r} is also the model_name of {self._names[name]}, and LiteLLM "
                    "may take a request for it as one for a single key; choose another",
                    "model_info",
                    "id",
                )
        return names

    def _claim(self, name: str, row: _Row) -> None:
        if name in self._taken:
            raise row.wrong(f"{name!r} is already the id of {self._taken[name]}", "model_info", "id")
        self._taken[name] = row.where


def _copied(value: Any) -> Any:
    """A copy of containers, however deep: rows must not share what LiteLLM may write into."""
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value
