"""Vector spaces: vectors of two models, or of two lengths, cannot be compared, so they must never be mixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sparekey as sk
from langchain_sparekey._embedding_classes import BATCHES, CLASSES
from langchain_sparekey._entries import EMBEDDING, said_of_model

SIZES = ("dimensions", "output_dimensionality")
"""What settings and fields call the length of a vector."""


class Space(NamedTuple):
    """Where a candidate's vectors live, as far as is known before it answers."""

    model: str
    dimensions: int | None


def space_of_entry(entry: sk.ModelConfig) -> Space:
    """What an entry says.

    Raises:
        ConfigError: its dimensions are no number of them.
    """
    size = next((entry.settings[name] for name in SIZES if entry.settings.get(name) is not None), None)
    _check_size(size, entry.model_name)
    return Space(bare_name(entry) or _without_provider(entry.model.partition("/")[2] or entry.model), size)


def space_of_model(model: Any) -> Space:
    """What an embedding model says; its class, where it does not name its model."""
    names = [getattr(model, field, None) for field in ("model", "model_name", "model_id")]
    if "model" not in getattr(model, "model_fields_set", ("model",)):
        names.insert(0, deployment(model))  # Azure's class has a model's name for a default, whatever is deployed
    name = next((name for name in names if isinstance(name, str) and name), type(model).__name__)
    sizes = (getattr(model, field, None) for field in SIZES)
    return Space(_without_provider(name), next((size for size in sizes if type(size) is int), None))


def check_settings(said: Any, where: str) -> None:
    """See that settings leave each request its texts, and its space.

    Args:
        said: reads a setting of an entry, or a field of a model, by its name.
        where: whose they are.

    Raises:
        ConfigError: a slice would have no text, or a model or a dimension is named where nobody looks for one.
    """
    for name in BATCHES:
        if type(number := said(name)) is int and number < 1:
            raise sk.ConfigError(f"{where}: {name}: must be 1 or more, not {number}")
    kwargs = said("model_kwargs")
    for body in (said("extra_body"), kwargs.get("extra_body") if isinstance(kwargs, Mapping) else None):
        hidden = sorted({"model", *SIZES} & body.keys()) if isinstance(body, Mapping) else []
        if hidden:
            raise sk.ConfigError(f"{where}: extra_body: {', '.join(hidden)}: cannot be seen there; say it outside")


def deployment(model: Any) -> str:
    """The name of its own that a model is deployed by; empty where it has none."""
    name = getattr(model, "deployment", None)
    return name if isinstance(name, str) and "deployment" in getattr(model, "model_fields_set", ()) else ""


def bare_name(entry: sk.ModelConfig) -> str:
    """What ``base_model`` says that a deployment really is; empty where it says nothing."""
    base = said_of_model(entry, "base_model")
    return _without_provider(base) if isinstance(base, str) else ""


def _without_provider(name: str) -> str:
    """Models of an organisation keep its name; of a provider, as in "openai/text-embedding-3-small", they do not."""
    provider, _, model = name.strip().partition("/")
    return model if model and (provider in CLASSES or provider == "models") else name.strip()


def common(spaces: Iterable[tuple[str, Space]], dimensions: int | None, setting: str) -> Space:
    """The one space of all candidates.

    Args:
        spaces: theirs, each with a name to call it by.
        dimensions: how long vectors have to be; None leaves it to them.
        setting: where one says what it really is.

    Raises:
        ConfigError: there are two.
    """
    _check_size(dimensions, EMBEDDING.owner)
    found = dict.fromkeys(spaces)
    first, (model, _) = next(iter(found))
    size, sized = dimensions, "what is asked for"
    for name, space in found:
        if space.model.lower() != model.lower():
            raise sk.ConfigError(
                f"{EMBEDDING.owner}: {name} is the model {space.model!r}, and {first} is {model!r}: their vectors "
                f"cannot be compared. If it is the same under another name, say so in its {setting}"
            )
        if None not in (size, space.dimensions) and space.dimensions != size:
            raise sk.ConfigError(
                f"{EMBEDDING.owner}: {name} has {space.dimensions} dimensions, and {sized} has {size}: their vectors "
                "cannot be compared"
            )
        if size is None:
            size, sized = space.dimensions, name
    return Space(model, size)


def _check_size(size: Any, where: str) -> None:
    if size is not None and (type(size) is not int or size < 1):
        raise sk.ConfigError(f"{where}: dimensions: must be a whole number, 1 or more, not {size!r}")
