"""Who is speaking? The dialect of an error, by name, host, SDK, or the shape of its envelope."""

from __future__ import annotations

import re
from functools import lru_cache

from sparekey._classify.bodies import Body, squeeze
from sparekey._classify.dialect import Dialect, Says
from sparekey._classify.dialects_china import CHINA
from sparekey._classify.dialects_china_clouds import CHINA_CLOUDS
from sparekey._classify.dialects_gateways import RELAYS
from sparekey._classify.dialects_labs import LABS
from sparekey._classify.families import FAMILIES

DIALECTS: tuple[Dialect, ...] = (*LABS, *RELAYS, *CHINA, *CHINA_CLOUDS)

_BY_NAME: dict[str, Dialect] = {
    squeeze(name): dialect for dialect in DIALECTS for name in (dialect.name, *dialect.aliases)
}
_BY_HOST: dict[str, Dialect] = {host: dialect for dialect in DIALECTS for host in dialect.hosts}
_BY_PACKAGE: dict[str, Dialect] = {package: dialect for dialect in DIALECTS for package in dialect.packages}
_LINK = re.compile(r"https?://([A-Za-z0-9.-]{4,80})")
_BY_OWN_WORD: dict[str, Dialect] = {word: dialect for dialect in DIALECTS for word in dialect.own_words}
_SHAPED: tuple[Dialect, ...] = tuple(dialect for dialect in DIALECTS if dialect.shape)
_NUMBERED: tuple[Dialect, ...] = tuple(dialect for dialect in DIALECTS if dialect.own_numbers is not None)


def _agreed() -> dict[str, Says]:
    """Words that mean the same to all who use them; of the others, what OpenAI (the common tongue) means."""
    meanings: dict[str, Says] = {}
    disputed: set[str] = set()
    for dialect in DIALECTS:
        for word, says in dialect.words.items():
            if word in FAMILIES:
                continue
            if meanings.setdefault(word, says) != says:
                disputed.add(word)
    openai = DIALECTS[0].words
    for word in disputed:
        if word in openai:
            meanings[word] = openai[word]
        else:
            del meanings[word]
    return meanings


COMMON: dict[str, Says] = _agreed()


@lru_cache(maxsize=512)
def by_name(name: str) -> Dialect | None:
    """The dialect of a provider's name, as configurations write it (``vertex_ai/…``, ``zai-org``)."""
    whole = _BY_NAME.get(squeeze(name))
    if whole is not None:
        return whole
    for part in name.lower().replace("-", "_").replace("/", "_").split("_"):
        if part in _BY_NAME:
            return _BY_NAME[part]
    return None


@lru_cache(maxsize=512)
def by_host(host: str) -> Dialect | None:
    """The dialect served from a host."""
    labels = host.lower().split(".")
    for start in range(max(0, len(labels) - 4), len(labels) - 1):
        found = _BY_HOST.get(".".join(labels[start:]))
        if found is not None:
            return found
    return None


def by_package(package: str) -> Dialect | None:
    """The dialect of an SDK that speaks no other."""
    return _BY_PACKAGE.get(package)


def by_shape(body: Body) -> Dialect | None:
    """The dialect an envelope gives away; its own numbers first, then its field names."""
    shape = body.shape
    if "type" in shape and "param" in shape:  # OpenAI's own envelope
        return None
    for code in body.codes:
        if code in _BY_OWN_WORD:
            return _BY_OWN_WORD[code]
    for number in body.numbers:
        for dialect in _NUMBERED:
            if dialect.own_numbers is not None and number in dialect.own_numbers:
                return dialect
    for dialect in _SHAPED:
        if any(fields <= shape for fields in dialect.shape):
            return dialect
    return None


def by_link(texts: list[str]) -> Dialect | None:
    """The dialect of the first provider that a message links to, as most do to their own pages."""
    for text in texts:
        if "://" in text:
            for link in _LINK.findall(text[:3000])[:4]:
                found = by_host(link)
                if found is not None:
                    return found
    return None
