"""Which records are meant by what somebody says: an id, a model, a provider, or a key.

The ids are made in :mod:`sparekey._types`. Written out, with P for ``provider@endpoint``, they are::

    P/model#key  P/model#key|images  P/model~position   a candidate
    credential:P#key                                    a key, for all its models
    account:name:P/model                                the keys of an account
    endpoint:P/model  endpoint:P                        where it is asked
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from sparekey._secrets import fingerprint

_KINDS = ("credential", "account", "endpoint")
_FINGERPRINT = re.compile(r"#?([0-9a-f]{12})")
_TAIL = re.compile(r"(?:#(?P<key>[0-9a-f]{12}))?(?:~\d+)?(?P<images>\|images)?$")


class Named(NamedTuple):
    """A record's id, taken apart as far as it can be: an address and a model may both have slashes in them."""

    kind: str
    """``candidate``, ``images``, ``credential``, ``account`` or ``endpoint``."""
    where: str
    """``provider@endpoint/model``; of a credential without the model, of some endpoints too."""
    key: str
    """The credential's fingerprint; empty when there is none."""
    account: str


def named(record_id: str) -> Named:
    """The parts of an id."""
    kind, colon, rest = record_id.partition(":")
    account = ""
    if not colon or kind not in _KINDS:
        kind, rest = "candidate", record_id
    elif kind == "account":
        account, _, rest = rest.partition(":")
    tail = _TAIL.search(rest)
    assert tail is not None  # all of it may be missing
    if tail["images"]:
        kind = "images"
    return Named(kind, rest[: tail.start()], tail["key"] or "", account)


def meant(said: str, ids: Iterable[str]) -> list[str]:
    """Those of ``ids`` that ``said`` means, in their order.

    An id means itself. A model (``openai/gpt-4o``, or ``gpt-4o`` of any provider) means what cools it: its candidates,
    accounts and endpoint, and the keys of those candidates. A key, or its fingerprint, means all that it is part of;
    a provider, or ``provider@endpoint``, all that is asked there.
    """
    said = said.strip()
    if not said:
        return []
    parts = {record_id: named(record_id) for record_id in ids}
    digest = _FINGERPRINT.fullmatch(said)
    key, place = digest[1] if digest else fingerprint(said), said.lower()
    of_model = {i for i, name in parts.items() if name.kind != "credential" and _is_model(place, name.where)}
    keys = {key, *(parts[i].key for i in of_model)} - {""}
    return [
        i
        for i, name in parts.items()
        if i == said
        or i in of_model
        or name.key == key
        or (name.kind == "credential" and name.key in keys)
        or name.where == place
        or name.where.startswith((f"{place}/", f"{place}@"))
    ]


def _is_model(said: str, where: str) -> bool:
    if where == said or where.endswith(f"/{said}"):
        return True
    provider, slash, model = said.partition("/")
    return bool(slash) and where.startswith(f"{provider}@") and where.endswith(f"/{model}")
