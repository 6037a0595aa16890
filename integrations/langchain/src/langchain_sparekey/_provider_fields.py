"""What the constructor of a LangChain class takes, asked of the class itself: names differ among providers."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple, get_args

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo

MODELS = ("model_id", "model", "model_name")
ADDRESSES = ("azure_endpoint", "base_url", "api_base", "endpoint_url", "endpoint", "url")
TIMEOUTS = ("timeout", "request_timeout", "timeout_seconds")
RETRIES = ("max_retries",)

_KEYS = ("api_key", "api_token", "access_token")
"""How the name of a field ends that is for a key."""

_MILLISECONDS = frozenset({"ChatOpenRouter"})
"""Classes that do not count their timeout in seconds."""

_UNNAMED = {"ChatNVIDIA": ["timeout"]}
"""What a class takes and does not name, among its ``**kwargs``."""


class Parameter(NamedTuple):
    """Something a constructor takes."""

    name: str
    """What to call it; a field may have several names, and only one of them is to be used."""
    field: FieldInfo | None
    """None for what is no field."""

    def allows(self, kind: type) -> bool:
        """Whether a value of ``kind`` would be taken as it is."""
        return self.field is not None and kind in _parts(self.field.annotation)


STEERING = frozenset(
    {"allowed_fails", "base_model", "budget_duration", "cooldown_time", "custom_llm_provider", "drop_params"}
    | {"input_cost_per_token", "key_field", "litellm_credential_name", "max_budget", "max_parallel_requests"}
    | {"max_retries", "model_info", "num_retries", "order", "output_cost_per_token", "stream_timeout", "tags", "tpm"}
    | {"use_in_pass_through", "use_litellm_proxy", "weight"}
)
"""Settings of an entry that steer a router, which no class takes; retries are decided here."""

NO_KEY = "none"
"""The key of an endpoint that wants none; without one OpenAI's class would send it the key that is OpenAI's."""


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


@lru_cache(maxsize=256)
def _parameters(cls: type[BaseModel]) -> dict[str, Parameter]:
    """What the constructor of ``cls`` takes, by every name it takes it under."""
    signature = inspect.signature(cls.__init__).parameters.values()
    named = [each.name for each in signature if each.kind is each.KEYWORD_ONLY]
    found = {name: Parameter(name, None) for name in (*named, *_UNNAMED.get(cls.__name__, ()))}
    for name, field in cls.model_fields.items():
        spellings = _spellings(name, field)
        found |= dict.fromkeys(spellings, Parameter(spellings[0], field))
    return found


def _spellings(name: str, field: FieldInfo) -> list[str]:
    """The aliases of a field, which are always taken, and its name, which mostly is too."""
    alias = field.validation_alias
    aliases = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return [*(each for each in aliases if isinstance(each, str)), name]


def spelling(name: str, field: FieldInfo) -> str:
    """What the constructor calls the field ``name``."""
    return _spellings(name, field)[0]


def parameter(cls: type[BaseModel], *names: str) -> str | None:
    """What the constructor of ``cls`` calls the first of ``names`` that it takes; None when it takes none of them."""
    return next((_parameters(cls)[name].name for name in names if name in _parameters(cls)), None)


def key_parameter(cls: type[BaseModel]) -> str:
    """What the constructor of ``cls`` calls the key: ``api_key``, or else the field that class has added for one.

    A class that inherits a field for another provider's key, and has one of its own, wants its own.
    """
    for parent in cls.__mro__:
        if not issubclass(parent, BaseModel):
            continue
        inherited = {name for base in parent.__bases__ if issubclass(base, BaseModel) for name in base.model_fields}
        added = [name for name in parent.model_fields if name not in inherited and name.endswith(_KEYS)]
        names = [spelling(name, cls.model_fields[name]) for name in added]
        if "api_key" not in names and len(names) == 1:
            return names[0]
        if names:
            break
    return "api_key"


def fitted_key(cls: type[BaseModel], name: str, key: SecretStr) -> Any:
    """``key`` as the constructor wants it: some keep a plain text."""
    found = _parameters(cls).get(name)
    plain = found is not None and found.field is not None and not found.allows(SecretStr)
    return key.get_secret_value() if plain else key


def fitted_timeout(cls: type[BaseModel], name: str, seconds: float) -> float:
    """``seconds`` as the constructor wants them; where it takes whole numbers only, rounded up."""
    found = _parameters(cls)[name]
    amount = seconds * 1000 if cls.__name__ in _MILLISECONDS else seconds
    return math.ceil(amount) if found.allows(int) and not found.allows(float) else amount


def secrets_of(model: BaseModel) -> dict[str, str]:
    """The keys a model holds, by the names of the fields they are in; of one key in several fields, the first."""
    found: dict[str, str] = {}
    for name, value in _values(model):
        secret = isinstance(value, SecretStr) or name.endswith(_KEYS)
        if secret and (text := text_of(value)) and text not in found.values():
            found[name] = text
    return found


def holds(model: BaseModel, key: str) -> bool:
    """Whether ``key`` is in any field of ``model``: some classes take one without a word and forget it."""
    return any(text_of(value) == key for _, value in _values(model))


def text_of(value: Any) -> str:
    """The text of a field for a key; empty when it is none, or a function that fetches one."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return text.strip() if isinstance(text, str) else ""


def _values(model: BaseModel, deeper: int = 2) -> Iterator[tuple[str, Any]]:
    values = {name: getattr(model, name, None) for name in type(model).model_fields}
    for name, value in (values | (model.__pydantic_private__ or {})).items():
        if isinstance(value, BaseModel) and deeper:
            yield from _values(value, deeper - 1)  # some keep their key in a client of theirs, which has fields too
        else:
            yield name, value
