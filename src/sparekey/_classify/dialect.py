"""A provider's way of saying things: its code words, its numbers, and how it is recognised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sparekey._classify.bodies import squeeze
from sparekey._classify.findings import Family, Finding
from sparekey._classify.sayings import Table

Says = Finding | Family
NO_SENTENCES = Table(())


@dataclass(frozen=True, slots=True)
class Dialect:
    """One provider, or one family of servers that speak alike."""

    name: str
    source: str
    """The provider's own page that documents the codes."""
    words: Mapping[str, Says] = field(default_factory=dict)
    """Code words, spelled as documented; they are compared squeezed, so spelling does not matter."""
    numbers: Mapping[int, Says] = field(default_factory=dict)
    """Numeric codes. They mean something only in their own dialect."""
    aliases: tuple[str, ...] = ()
    """Further names of the provider, as LiteLLM, LangChain or a configuration would write them."""
    hosts: tuple[str, ...] = ()
    """Domains its API is served from."""
    packages: tuple[str, ...] = ()
    """Top packages of SDKs that speak nothing else."""
    shape: tuple[frozenset[str], ...] = ()
    """Field names (squeezed) that only its envelope has, all of one set together."""
    own_numbers: range | None = None
    """Numeric codes that nobody else uses, and so give the speaker away."""
    own_words: tuple[str, ...] = ()
    """Code words that nobody else uses, squeezed."""
    sentences: Table = NO_SENTENCES
    """What sentences mean here and nowhere else."""
    hours_east: int = 0
    """Of UTC: the zone its times are in where it names none."""


def words(*rows: tuple[Says, str]) -> dict[str, Says]:
    """A table of code words, written as (what it means, the words that mean it)."""
    return {squeeze(word): says for says, spelled in rows for word in spelled.split()}


def numbers(*rows: tuple[Says, str]) -> dict[int, Says]:
    """A table of numeric codes, written as (what it means, the numbers that mean it)."""
    return {int(number): says for says, listed in rows for number in listed.split()}
