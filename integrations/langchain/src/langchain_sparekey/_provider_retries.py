"""How the retries are turned off that LangChain's classes, and the SDKs under them, make by themselves.

A retry there asks a dead key again while a spare one waits, and nobody is told of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel

from langchain_sparekey._provider_fields import RETRIES, parameter
from langchain_sparekey._provider_litellm import is_litellm, without_sdk_retries

_NO_RETRIES = {
    "ChatGoogleGenerativeAI": 1  # counts the first attempt, and older SDKs of Google's take 0 for "the default"
}
"""What ``max_retries`` means no retry to a class, where it is not 0."""


def without_retries(cls: type[BaseModel], settings: Mapping[str, Any]) -> dict[str, Any]:
    """``settings`` for the constructor of ``cls``, with the retries off that it can be asked to leave."""
    quiet = dict(settings)
    if (retries := parameter(cls, *RETRIES)) is not None:
        quiet[retries] = _NO_RETRIES.get(cls.__name__, 0)
    return without_sdk_retries(quiet) if is_litellm(cls) else quiet


def silence(model: BaseModel) -> None:
    """Turn off in ``model``, which is sparekey's own, the retries that no setting of its constructor concerns.

    Warns where that fails: its retries come first then, which is slow but not wrong.
    """
    for name in _names(type(model)):
        if (fix := _BY_HAND.get(name)) is not None:
            try:
                fix(model)
            except Exception as error:
                warn(type(model), error)


def is_silenced_by_hand(cls: type[BaseModel]) -> bool:
    """Whether :func:`silence` has something to do for models of ``cls``."""
    return not _BY_HAND.keys().isdisjoint(_names(cls))


def warn(cls: type[BaseModel], error: Exception | str) -> None:
    """Say that ``cls`` goes on retrying."""
    why = error if isinstance(error, str) else type(error).__name__  # an error's text may hold the key
    warnings.warn(
        f"{cls.__name__} could not be built without retries ({why}), so it makes its own before sparekey hears of a "
        "failure; build it without them",
        stacklevel=3,
    )


def _cohere(model: Any) -> None:
    # The SDK's number of retries, two, is an argument of every call and of nothing else.
    for client in (model.client.v2, model.async_client.v2):
        client.chat = partial(client.chat, request_options={"max_retries": 0})


def _openrouter(model: Any) -> None:
    # max_retries=0 leaves it to the SDK, whose own default is to go on for an hour.
    model.client.sdk_configuration.retry_config = None


def _watsonx(model: Any) -> None:
    # Ten retries around the HTTP client, of which the class tells nothing, and three more inside it.
    inference = model.watsonx_model._inference  # noqa: SLF001
    inference._retry_decorator.max_retries = 0  # noqa: SLF001
    for client in (inference._client.httpx_client, inference._client.async_httpx_client):  # noqa: SLF001
        client._transport.retries = 0  # noqa: SLF001


_BY_HAND: dict[str, Callable[[Any], None]] = {
    "ChatCohere": _cohere,
    "ChatOpenRouter": _openrouter,
    "ChatWatsonx": _watsonx,
}


def _names(cls: type[BaseModel]) -> frozenset[str]:
    return frozenset(parent.__name__ for parent in cls.__mro__)
