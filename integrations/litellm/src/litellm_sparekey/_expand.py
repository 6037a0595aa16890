"""LiteLLM's rows with several keys become rows with one key each, all in the same group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sparekey as sk

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
        sparekey.ConfigError: a row is malformed, a list of keys has none in it, or an id is taken.
            One line that names row and field, and shows no key.
    """
    checked = [_Row(row, f"model_list[{i}]") for i, row in enumerate(rows)]
    ids = _Ids(checked)
    expanded = []
    for row in checked:
        if row.keys is None:
            expanded.append(row.as_it_is())
            continue
        names = ids.take(row)
        expanded += [row.with_key(key, name, names[0]) for key, name in zip(row.keys, names, strict=True)]
    return expanded


class _Row:
    """One row, checked."""

    def __init__(self, row: Mapping[str, Any], where: str) -> None:
        if not isinstance(row, Mapping):
            raise sk.ConfigError(f"{where}: a row must be a mapping of settings, not {type(row).__name__}")
        self.name = _text(row.get("model_name"), f"{where}: model_name")
        self.where = f"{where} ({self.name})"
        if "litellm_params" not in row:
            raise sk.ConfigError(f"{self.where}: litellm_params: is missing")
        self.params = self._mapping(row["litellm_params"], "litellm_params")
        self.info = self._mapping(row.get("model_info"), "model_info")
        _text(self.params.get("model"), f"{self.where}: litellm_params.model")
        self.id = None if self.info.get("id") is None else str(self.info["id"])
        self._rest = {name: value for name, value in row.items() if name not in _READ}
        account = self.params.pop("account", None) or row.get("account")
        if account is not None:
            self.info.setdefault("account", account)
        self.keys = self._keys(row)

    def as_it_is(self) -> dict[str, Any]:
        """The row, when it has no list of keys."""
        row = {**_copied(self._rest), "litellm_params": self.params}
        return {**row, "model_info": self.info} if self.info else row

    def with_key(self, key: str, name: str, entry: str) -> dict[str, Any]:
        """The row with one key, under an id of its own."""
        return {
            **_copied(self._rest),
            "litellm_params": {**_copied(self.params), "api_key": key},
            "model_info": {**_copied(self.info), "id": name, ENTRY: entry},
        }

    def _keys(self, row: Mapping[str, Any]) -> list[str] | None:
        """All keys in order; None when the row has no list of them and is LiteLLM's own matter."""
        if not ("api_keys" in self.params or "api_keys" in row or "api_key" in row):
            return None
        keys = sk.merge_api_keys(
            None,
            [
                *self._given(self.params, "litellm_params."),
                *self._given(row, ""),
            ],
        )
        self.params.pop("api_keys", None)
        if not keys:
            raise sk.ConfigError(f"{self.where}: api_keys: has no key in it")
        return keys

    def _given(self, place: Mapping[str, Any], prefix: str) -> Iterable[Any]:
        listed = place.get("api_keys")
        if listed is not None and not isinstance(listed, (list, tuple)):
            what = type(listed).__name__
            raise sk.ConfigError(f"{self.where}: {prefix}api_keys: must be a list of keys, not {what}")
        fields = {"api_key": place.get("api_key"), **{f"api_keys[{i}]": key for i, key in enumerate(listed or ())}}
        for field, key in fields.items():
            if key is not None and not isinstance(key, str) and not hasattr(key, "get_secret_value"):
                raise sk.ConfigError(f"{self.where}: {prefix}{field}: must be a text, not {type(key).__name__}")
            yield key

    def _mapping(self, value: object, field: str) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise sk.ConfigError(f"{self.where}: {field}: must be a mapping of settings, not {type(value).__name__}")
        copied: dict[str, Any] = _copied(value)
        return copied


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
                raise sk.ConfigError(
                    f"{row.where}: model_info.id: {name!r} is also the model_name of {self._names[name]}, and LiteLLM "
                    "may take a request for it as one for a single key; choose another"
                )
        return names

    def _claim(self, name: str, row: _Row) -> None:
        if name in self._taken:
            raise sk.ConfigError(f"{row.where}: model_info.id: {name!r} is already the id of {self._taken[name]}")
        self._taken[name] = row.where


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise sk.ConfigError(f"{where}: must be a text, and not blank")
    return value


def _copied(value: Any) -> Any:
    """A copy of containers, however deep: rows must not share what LiteLLM may write into."""
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value
