"""Scenario files: which keys there are and what each of them does."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from sparekey._secrets import scrub
from sparekey.errors import ConfigError
from sparekey.simulator._behaviours import KINDS, STEPS, AnyBehaviour, Healthy, Steps

_LONG = 8


class KeyEntry(BaseModel):
    """One key of a scenario."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Annotated[SecretStr, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    """What answers and logs call this key; ``key-1``, ``key-2``, … unless said."""
    behaviour: Steps = (Healthy(),)
    models: dict[str, Steps] = {}
    """Models for which the key behaves otherwise, each with a count and a window of its own."""
    reply: str | None = None
    """What the key answers, word for word."""


class Scenario(BaseModel):
    """Everything a simulator needs to know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: tuple[KeyEntry, ...] = ()
    """A list of entries, or a mapping from the key to its behaviour or entry."""
    default: Steps | None = None
    """What keys do that are not listed; None refuses them with 401."""
    models: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """The models there are; asking for another is a 404. None serves every name."""
    reply: str | None = None
    """What every key answers that has no reply of its own, word for word."""

    @field_validator("keys", mode="before")
    @classmethod
    def _as_entries(cls, value: object) -> object:
        if isinstance(value, Mapping):
            value = [_entry(key, said) for key, said in value.items()]
        if not isinstance(value, Sequence) or isinstance(value, str):
            # pydantic reports ValueErrors only
            raise ValueError("expected a mapping from key to behaviour, or a list of entries")  # noqa: TRY004
        return [
            {"name": f"key-{number}", **entry} if isinstance(entry, Mapping) else entry
            for number, entry in enumerate(value, 1)
        ]

    @field_validator("keys")
    @classmethod
    def _all_different(cls, entries: tuple[KeyEntry, ...]) -> tuple[KeyEntry, ...]:
        if len({entry.key.get_secret_value() for entry in entries}) < len(entries):
            raise ValueError("two entries have the same key")
        if len({entry.name for entry in entries}) < len(entries):
            raise ValueError("two entries have the same name")
        # A key of a few letters may well be part of a name by chance.
        keys = [(entry.key.get_secret_value(), entry.name) for entry in entries]
        if any(len(key) >= _LONG and key in name for key, name in keys):
            raise ValueError("a name holds its key; names are shown")
        return entries


def _entry(key: object, said: object) -> dict[str, object]:
    # What has a kind is a behaviour; any other mapping is an entry without its key.
    if isinstance(said, Mapping) and "kind" not in said:
        return {**said, "key": key}
    return {"key": key, "behaviour": said}


def load_scenario(path: str | Path) -> Scenario:
    """Read a scenario from a YAML or JSON file.

    Raises:
        ConfigError: the file cannot be read or says something that cannot work; the text is
            one line, names the file and the field, and holds no key.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(f"{path}: {why}") from None
    try:
        data = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}: line {error.lineno}: {error.msg}") from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ConfigError(f"{path}: {line}{error.problem}") from None
    except yaml.YAMLError:
        raise ConfigError(f"{path}: not readable as YAML") from None
    if not isinstance(data, Mapping):
        raise ConfigError(f"{path}: a scenario is a mapping with the field 'keys'")
    return read_scenario(data, where=f"{path}: ")


def read_scenario(data: Mapping[str, Any], *, where: str = "") -> Scenario:
    """Check ``data``; errors begin with ``where``."""
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        # The cause is dropped: pydantic's own text shows the input, keys included.
        raise ConfigError(where + _one_line(error)) from None


def read_steps(value: object, *, where: str = "behaviour") -> tuple[AnyBehaviour, ...]:
    """Check one behaviour, or a list of them; errors begin with ``where``."""
    try:
        return STEPS.validate_python(value)
    except ValidationError as error:
        raise ConfigError(where + _one_line(error)) from None


def _one_line(error: ValidationError) -> str:
    first, *others = error.errors(include_url=False)
    place = ""
    for part in first["loc"]:
        if isinstance(part, int):
            place += f"[{part}]"
        elif part not in KINDS:  # pydantic puts the union's tag into the place
            place += f".{part}" if place else str(part)
    text = f"{place}: {_words(dict(first))}" if place else _words(dict(first))
    more = f" (and {len(others)} more)" if others else ""
    return scrub(" ".join(text.split())) + more


def _words(error: dict[str, Any]) -> str:
    match error["type"]:
        case "union_tag_not_found":
            return "a behaviour is a name or a mapping with the field 'kind'"
        case "union_tag_invalid":
            # The word itself is not repeated: it may be a key in the wrong place.
            close = difflib.get_close_matches(str(error["ctx"]["tag"]), KINDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "there are " + ", ".join(KINDS)
            return f"no such behaviour; {hint}"
        case "extra_forbidden":
            return "no such field"
        case "missing":
            return "this field is required"
        case _:
            return str(error["msg"]).removeprefix("Value error, ")
