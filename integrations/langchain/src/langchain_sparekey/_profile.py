"""What all models of a chain can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel


def profile_of(model: BaseChatModel, name: str) -> Mapping[str, Any] | None:
    """What ``model`` says it can do; ``name`` is its provider's name for it.

    Gemini before its third generation cannot call tools and answer in a schema at once. LangChain's agents know
    that by the model's name, which a chain does not have, so its profile has to say so.
    """
    profile = model.profile
    if profile and "gemini" in name.lower() and "gemini-3" not in name.lower():
        return {**profile, "structured_output": False}
    return profile


def common_profile(profiles: Iterable[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    """The least that every one of ``profiles`` promises; None when one of them is not known.

    What is a yes or no is a yes only when all say so, limits are the smallest, and what else they
    disagree on is left out.
    """
    known = list(profiles)
    if not known or any(not profile for profile in known):
        return None
    first, *others = (dict(profile) for profile in known if profile)
    common: dict[str, Any] = {}
    for name, value in first.items():
        values = [value, *(other.get(name) for other in others)]
        if all(isinstance(each, bool) for each in values):
            common[name] = all(values)
        elif all(isinstance(each, int) and not isinstance(each, bool) for each in values):
            common[name] = min(values)
        elif all(each == value for each in values):
            common[name] = value
    return common
