"""Settings as they may leave the process, with seals in the place of keys, and back again.

A seal is a fingerprint. The process that made it still knows the key, as does one that was forked from it
or has read the same config; any other follows the reference (``os.environ/NAME``) that the key came by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr

from sparekey._references import origin_of, resolve
from sparekey._secrets import register, register_lookalikes, replaced, revealed, spellings
from sparekey.errors import ConfigError

_SEAL = re.compile(r"\[key ([0-9a-f]{12})(?: spelling (\d))?\]")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A text with a secret in it, without the secret."""

    text: str
    """Fingerprints stand for secrets."""
    origins: tuple[tuple[str, str], ...] = ()
    """Fingerprints, and the references that their secrets came by, where there were any."""
    is_secret: bool = False
    """Whether all of it is a :class:`pydantic.SecretStr`."""


def seal(value: Any) -> Any:
    """A copy of ``value``, however deep, in which seals stand for texts that hold a secret.

    Raises:
        ConfigError: an object in it keeps a secret where no seal can take its place.
    """
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
    if isinstance(value, BaseModel) and any(isinstance(item, SecretStr) for _, item in value):
        raise ConfigError(f"a {type(value).__name__} keeps a secret and cannot be sealed: give its fields as a mapping")
    return value


def unseal(value: Any) -> Any:
    """What :func:`seal` was given.

    Raises:
        ConfigError: a key is not known in this process, and came by no reference.
    """
    if isinstance(value, Sealed):
        text = _SEAL.sub(lambda found: _revealed(found, dict(value.origins)), value.text)
        return SecretStr(text) if value.is_secret else text
    if isinstance(value, Mapping):
        return {unseal(key): unseal(item) for key, item in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(unseal(item) for item in value)
    return value


def _sealed(text: str) -> Sealed:
    digests = set()

    def stand_in(spelling: str, digest: str) -> str:
        digests.add(digest)
        at = spellings(revealed(digest) or spelling).index(spelling)
        return f"[key {digest} spelling {at}]" if at else f"[key {digest}]"

    shown = replaced(text, stand_in)
    found = ((digest, origin_of(revealed(digest) or "")) for digest in sorted(digests))
    return Sealed(shown, tuple((digest, origin) for digest, origin in found if origin))


def _revealed(found: re.Match[str], origins: Mapping[str, str]) -> str:
    digest, at = found.group(1), int(found.group(2) or 0)
    secret = revealed(digest)
    if secret is None:
        if digest not in origins:
            raise ConfigError(
                f"this process does not know the key {digest}: read the same config here first, or give keys as "
                "references such as os.environ/NAME"
            )
        secret = str(resolve(origins[digest], f"the key {digest}")).strip()
        register(secret)
    return spellings(secret)[at] if at else secret
