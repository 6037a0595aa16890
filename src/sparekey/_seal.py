"""Settings as they may leave the process, with seals in the place of keys, and back again.

A seal is a fingerprint. The process that made it still knows the key, as does one that was forked from it
or has read the same config; any other follows the reference (``os.environ/NAME``) that the key came by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from sparekey._references import origin_of, resolve
from sparekey._secrets import register, register_lookalikes, revealed, scrub
from sparekey.errors import ConfigError

_SEAL = re.compile(r"\[key ([0-9a-f]{12})\]")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A text with a secret in it, without the secret."""

    text: str
    """Fingerprints stand for secrets, as :func:`sparekey.scrub` leaves them."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """By fingerprint, the references that secrets came by, where there were any."""
    is_secret: bool = False
    """Whether all of it is a :class:`pydantic.SecretStr`."""


def seal(value: Any) -> Any:
    """A copy of ``value``, however deep, in which seals stand for texts that hold a secret."""
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        if not secret.strip():
            return value
        register(secret)
        sealed = _sealed(secret)
        return Sealed(sealed.text, sealed.origins, is_secret=True)
    if isinstance(value, str):
        register_lookalikes(value)
        sealed = _sealed(value)
        return value if sealed.text == value else sealed
    if isinstance(value, Mapping):
        return {seal(key): seal(item) for key, item in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(seal(item) for item in value)
    return value


def unseal(value: Any) -> Any:
    """What :func:`seal` was given.

    Raises:
        ConfigError: a key is not known in this process, and came by no reference.
    """
    if isinstance(value, Sealed):
        text = _SEAL.sub(lambda found: _revealed(found.group(1), value.origins), value.text)
        return SecretStr(text) if value.is_secret else text
    if isinstance(value, Mapping):
        return {unseal(key): unseal(item) for key, item in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(unseal(item) for item in value)
    return value


def _sealed(text: str) -> Sealed:
    shown = scrub(text)
    digests = set(_SEAL.findall(shown))
    origins = {digest: origin for digest in digests if (origin := origin_of(revealed(digest) or ""))}
    return Sealed(shown, origins)


def _revealed(digest: str, origins: Mapping[str, str]) -> str:
    if (secret := revealed(digest)) is not None:
        return secret
    if digest in origins:
        secret = str(resolve(origins[digest], f"the key {digest}"))
        register(secret)
        return secret.strip()
    raise ConfigError(
        f"this process does not know the key {digest}: read the same config here first, or give keys as references "
        "such as os.environ/NAME"
    )
