"""One entry of a ``model_list``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from sparekey._credentials import masked
from sparekey._problems import problems_of
from sparekey._references import is_reference
from sparekey._seal import seal, unseal
from sparekey.errors import ConfigError


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):  # which Python counts as a number
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic collects ValueError
    return value


Positive = Annotated[float, BeforeValidator(_no_truth), Field(gt=0, le=1e9, allow_inf_nan=False)]


class ModelConfig(BaseModel):
    """One entry of a ``model_list``: a model, its keys, and where to go when they fail.

    Reads LiteLLM's nested form too (``litellm_params: {model: …, api_key: …}``). Settings it does
    not know are kept as they are, for whoever makes the call. Entries that repeat a ``model_name``
    form one group. Keys are :class:`pydantic.SecretStr`, and the repr masks every setting that
    may bear a credential.

    Raises:
        pydantic.ValidationError: a setting is missing or of the wrong kind; no value is shown.
    """

    # Pydantic would otherwise quote the input, and so a key, in its errors.
    model_config = ConfigDict(extra="allow", hide_input_in_errors=True, protected_namespaces=(), frozen=True)

    model_name: str = Field(min_length=1)
    """The name requests ask for."""
    model: str = Field(min_length=1)
    """``provider/model``."""
    api_key: SecretStr | None = None
    api_keys: list[SecretStr] = []
    """More keys of the same model, tried in order after ``api_key``."""
    api_base: str | None = None
    """The endpoint's address; None for the provider's own."""
    fallbacks: list[str] = []
    """Names of other entries, tried in order when every key of this one fails."""
    rpm: Positive | None = None
    """Requests per minute each key may be asked."""
    timeout: Positive | None = None
    """Seconds one attempt may take."""
    account: str | None = None
    """Entries of one account share its quota: a throttled key cools them all, for the same model."""
    virtual: bool = Field(default=False, exclude=True)
    """Made by expansion, for one of several keys; never written back to a config."""
    resolved: bool = Field(default=False, exclude=True)
    """Its references were followed; what looks like one now is a value."""

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, data: Any) -> Any:
        """LiteLLM's nested form, made flat; ``litellm_params`` does not overrule what stands beside it."""
        if not isinstance(data, Mapping) or "litellm_params" not in data:
            return data
        nested = data["litellm_params"]
        if not isinstance(nested, Mapping):
            raise ValueError("litellm_params: must be a mapping of settings")  # noqa: TRY004 - pydantic collects ValueError
        outer = {key: value for key, value in data.items() if key != "litellm_params"}
        twice = sorted(str(key) for key in outer.keys() & nested.keys() if outer[key] != nested[key])
        if twice:
            raise ValueError(f"{', '.join(twice)}: given beside litellm_params and inside it, with different values")
        return {**nested, **outer}

    @field_validator("model_name", "model")
    @classmethod
    def _trimmed(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must not be blank")
        return value.strip()

    @field_validator("model")
    @classmethod
    def _names_a_model(cls, value: str) -> str:
        if value.endswith("/"):
            raise ValueError("names a provider and no model")
        return value

    @field_validator("api_base")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None or is_reference(value):
            return value
        try:
            _ = urlsplit(value).port
        except ValueError:
            # Not the parser's own words: they may quote the address, and a credential in it.
            raise ValueError("is not an address") from None
        return value

    @property
    def settings(self) -> dict[str, Any]:
        """The further settings: all that this class has no field for."""
        return dict(self.model_extra or {})

    def __reduce__(self) -> tuple[Any, ...]:
        # A pickle may lie in a queue or a cache, so it holds seals and no keys.
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return _unsealed, (type(self), {name: seal(value) for name, value in {**fields, **self.settings}.items()})

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        for name in type(self).model_fields:
            value = getattr(self, name) if name != "resolved" else None
            if value not in (None, [], False):
                yield name, masked(name if name == "api_base" else "", value)
        for name, value in self.settings.items():
            yield name, masked(name, value)


def _unsealed(kind: type[ModelConfig], sealed: Mapping[str, Any]) -> ModelConfig:
    return kind.model_validate(unseal(sealed))


def parse(data: Mapping[str, Any] | ModelConfig, where: str) -> ModelConfig:
    """``data`` as a :class:`ModelConfig`.

    Raises:
        ConfigError: it is not one; one line that begins with ``where`` and names entry and field.
    """
    if isinstance(data, ModelConfig):
        return data
    if not isinstance(data, Mapping):
        raise ConfigError(f"{where}: an entry must be a mapping of settings, not {type(data).__name__}")
    name = data.get("model_name")
    entry = f"{where} ({name})" if isinstance(name, str) and name.strip() else where
    try:
        return ModelConfig.model_validate(data)
    except ValidationError as error:
        problems = problems_of(error)
    # Outside the except block: pydantic's error, with the input in it, must not hang on to ours.
    raise ConfigError(f"{entry}: {'; '.join(problems)}")
