"""What all models of a chain can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


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
