"""A config's text as it may be shown: with fingerprints for keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import sparekey as sk
from litellm_sparekey._patch import Edit, Patch
from litellm_sparekey._yaml import Place, read

_SECRET = re.compile(
    r"(keys?|keys?_id|tokens?|secrets?|passw(or)?ds?|credentials?|authorization|cookie|salt)$", re.IGNORECASE
)
_ALL_SECRET = {"environment_variables", "credential_values", "extra_headers", "headers"}
_WITH_PASSWORD = re.compile(r"://[^/\s]*@")


def masked(text: str) -> str:
    """``text``, a config that can be read, with ``[key …]`` where a value is no reference and may be a secret."""
    document = read(text, "")
    edits = [] if document.root is None else list(_masks(document.root, document.value, secret=False))
    return sk.scrub(Patch(document).applied(edits))


def _masks(place: Place, value: Any, *, secret: bool) -> Iterator[Edit]:
    if isinstance(value, Mapping):
        for name, (_, inside) in place.pairs.items():
            bears = secret or name in _ALL_SECRET or _SECRET.search(name) is not None
            yield from _masks(inside, value[name], secret=bears)
    elif isinstance(value, list):
        for inside, item in zip(place.items, value, strict=False):  # an alias has nothing inside
            yield from _masks(inside, item, secret=secret)
    elif isinstance(value, str) and place.kind == "scalar" and _is_secret(value, named=secret):
        yield place.start, place.end, f"[key {sk.fingerprint(value.strip())}]"


def _is_secret(value: str, *, named: bool) -> bool:
    return not value.startswith("os.environ/") and (named or _WITH_PASSWORD.search(value) is not None)
