"""The tables themselves: every row says where it comes from and can be reached."""

from __future__ import annotations

import pytest

from sparekey._classify import english, english_limits
from sparekey._classify.chinese import CHINESE, CHINESE_LAST, find_chinese
from sparekey._classify.english_limits import ENGLISH
from sparekey._classify.families import FAMILIES
from sparekey._classify.findings import DEFAULTS, Family
from sparekey._classify.sayings import Table, row, words_of
from sparekey._classify.speakers import COMMON, DIALECTS, by_host, by_name
from sparekey._types import Reason

ROWS = [
    *(*english.CALLER, *english.CONTENT, *english.SIZE, *english.PLACE, *english.MONEY, *english.MODEL),
    *(*english_limits.KEYS, *english_limits.LIMITS, *english_limits.REQUEST, *english_limits.WEATHER),
]


def example(phrase):
    """A text that says a phrase and nothing else."""
    parts = [part.strip() for part in phrase.split("…")]
    return " ".join(part[:-1] + "zz" if part.endswith("*") else part for part in parts)


def test_every_english_phrase_can_win():
    """Under some family its row believes in, each phrase leads to its own row's finding: no row hides another."""
    hidden = [
        phrase
        for each in ROWS
        for phrase in each.phrases
        if all(ENGLISH.find(words_of(example(phrase)), family) != each.finding for family in each.within)
    ]

    assert hidden == []


def test_every_chinese_phrase_can_win():
    """The same for the Chinese table, whose rows are believed under any family."""
    for table in (CHINESE, CHINESE_LAST):
        hidden = [p for finding, phrases in table for p in phrases if find_chinese("".join(p), table) != finding]
        assert hidden == []


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_dialect_names_its_source_and_is_found_by_name_and_host(dialect):
    """A block that nobody can place is a block that nobody can check."""
    assert len(dialect.source) > 5
    assert by_name(dialect.name) is dialect
    assert all(by_name(alias) is dialect for alias in dialect.aliases)
    assert all(by_host(f"api.{host}") is dialect for host in dialect.hosts)


def test_what_dialects_dispute_is_settled_by_openai_or_left_open():
    """A word with two meanings is understood from a stranger only as OpenAI means it."""
    disputed = {
        word
        for dialect in DIALECTS
        for word, says in dialect.words.items()
        for other in DIALECTS
        if other.words.get(word, says) != says
    }

    assert "insufficientquota" in disputed
    for word in disputed - FAMILIES.keys():
        assert COMMON.get(word) == DIALECTS[0].words.get(word)


def test_every_family_has_a_conclusion_and_the_facts_fit_the_reasons():
    """Only what hangs on a key is helped by another key."""
    about_keys = {Reason.AUTH, Reason.BILLING, Reason.RATE_LIMIT, Reason.MODEL_NOT_FOUND, Reason.CONTEXT_OVERFLOW}

    assert DEFAULTS.keys() == set(Family)
    for each in ROWS:
        assert not each.finding.other_key_helps or each.finding.reason in about_keys


def test_a_phrase_may_skip_and_may_end_open():
    """``…`` skips up to eighty characters, ``*`` lets a word go on, and order is meaning."""
    first, second = DEFAULTS[Family.MONEY], DEFAULTS[Family.LIMIT]
    table = Table([row(first, "no … left"), row(second, "two limit* | left", within=(Family.LIMIT,))])

    assert table.find(words_of("No credits at all LEFT!"), None) == first
    assert table.find(words_of("no " + "x" * 200 + " left"), None) is None
    assert table.find(words_of("two limits"), Family.LIMIT) == second
    assert table.find(words_of("two more limits"), Family.LIMIT) is None
    assert table.find(words_of("left"), Family.LIMIT) == second
    assert table.find(words_of("left"), Family.KEY) is None


def test_a_phrase_without_a_whole_word_is_refused():
    """It could not be indexed."""
    with pytest.raises(ValueError, match="whole word"):
        Table([row(DEFAULTS[Family.MONEY], "cred*")])
