"""Decide: of all that an error says, what counts.

Specific evidence beats generic, whoever brings it. In order:

1. a class or a code that means one thing (``APITimeoutError``, ``insufficient_quota`` in its dialect);
2. a sentence, believed under the family that codes, statuses and class agree on;
3. the family itself: of a code word, of a status named in the text, of the HTTP status, of the class.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from sparekey._classify.bodies import squeeze
from sparekey._classify.chinese import CHINESE_LAST, find_chinese, has_chinese
from sparekey._classify.dialect import NO_SENTENCES, Dialect, Says
from sparekey._classify.english_limits import ENGLISH
from sparekey._classify.evidence import Evidence
from sparekey._classify.families import FAMILIES
from sparekey._classify.findings import BROKEN, DEFAULTS, MALFORMED, NO_MODEL, Family, Finding
from sparekey._classify.objects import as_status
from sparekey._classify.sayings import words_of
from sparekey._classify.speakers import COMMON
from sparekey._classify.statuses import VAGUE, family_of, status_in
from sparekey._classify.waits import Clock, Headers, from_fields, from_text
from sparekey._types import Reason, Verdict


class Weight(IntEnum):
    """How much a decision rests on."""

    NOTHING = 0
    CLASS = 1
    """A generic class, a wrapper: its cause may know better."""
    FAMILY = 2
    SPECIFIC = 3


@dataclass(frozen=True, slots=True)
class Weighed:
    """A finding, and how much it rests on."""

    finding: Finding | None
    weight: Weight
    status: int | None
    words: str = ""


# Codes that are often a cover: a bad request may be a bad key, a missing model one this account may not use.
_COVERS: dict[Finding, Family] = {
    MALFORMED: Family.REQUEST,
    BROKEN: Family.SERVER,
    NO_MODEL: Family.MISSING,
}
_TOKEN = re.compile(r"[A-Za-z0-9_.]+")


def weigh(evidence: Evidence) -> Weighed:
    """What happened, by the best evidence there is."""
    body = evidence.body
    if isinstance(evidence.says, Finding) and evidence.says is not BROKEN:
        return Weighed(evidence.says, Weight.SPECIFIC, evidence.status)

    text = "\n".join(body.texts)
    families: list[Family] = []
    for says in _codes(evidence) or _codes_in(text, evidence.dialect):
        if isinstance(says, Finding) and says not in _COVERS:
            return Weighed(says, Weight.SPECIFIC, evidence.status or _inner_status(evidence))
        families.append(says if isinstance(says, Family) else _COVERS[says])

    inner = _inner_status(evidence)
    named = status_in(text) if evidence.status is None or family_of(evidence.status) in VAGUE else None
    outer = family_of(evidence.status)
    coded = bool(families)
    # A status named in the text is the upstream's where a wrapper speaks; beside a code it is a story's part.
    mentioned = (family_of(inner), None if coded else family_of(named))
    families += [family for family in mentioned if family is not None]
    if outer is not None and evidence.firm:
        families.append(outer)
    stated = len(families)
    if isinstance(evidence.says, Family):
        families.append(evidence.says)
    if outer is not None and not evidence.firm:
        families.append(outer)
    family = next((one for one in families if one not in VAGUE), families[0] if families else None)
    if family is Family.LIMIT and outer is Family.MONEY:
        family = outer  # under a 402 a "quota" is what was paid for, unless the sentence says that it refills
    status = evidence.status or inner or named

    words = words_of(text)
    finding = _sentence(text, words, family, evidence.dialect)
    if finding is not None:
        return Weighed(finding, Weight.SPECIFIC, status, words)
    if family is not None:
        return Weighed(DEFAULTS[family], Weight.FAMILY if stated else Weight.CLASS, status, words)
    if evidence.says is BROKEN:
        return Weighed(BROKEN, Weight.CLASS, status, words)
    return Weighed(None, Weight.NOTHING, status, words)


def _codes(evidence: Evidence) -> list[Says]:
    """What the codes of a body mean in their dialect: findings first, then families."""
    dialect = evidence.dialect
    found: list[Says] = []
    for number in evidence.body.numbers:
        says = dialect.numbers.get(number) if dialect is not None else None
        if says is not None:
            found.append(says)
    for word in evidence.body.codes:
        says = _meaning(word, dialect)
        if says is not None:
            found.append(says)
    if len(found) > 1:
        found.sort(key=lambda says: isinstance(says, Family) or says in _COVERS)
    return found


def _meaning(word: str, dialect: Dialect | None) -> Says | None:
    if dialect is not None and (says := dialect.words.get(word)) is not None:
        return says
    return COMMON.get(word) or FAMILIES.get(word)


def _inner_status(evidence: Evidence) -> int | None:
    """A status given as a code inside the body."""
    for number in evidence.body.numbers:
        status = as_status(number)
        if status is not None and status >= 400:
            return status
    return None


def _sentence(text: str, words: str, family: Family | None, dialect: Dialect | None) -> Finding | None:
    """What the prose means: in the provider's own way, in Chinese, in English."""
    if dialect is not None and dialect.sentences is not NO_SENTENCES:
        finding = dialect.sentences.find(words, family)
        if finding is not None:
            return finding
    if not has_chinese(text):
        return ENGLISH.find(words, family)
    finding = find_chinese(text) or ENGLISH.find(words, family)
    if finding is None and (family is None or family in VAGUE):
        finding = find_chinese(text, CHINESE_LAST)
    return finding


def _codes_in(text: str, dialect: Dialect | None) -> list[Says]:
    """What code words inside prose mean, as in ``An error occurred (ThrottlingException) when …``."""
    for token in _TOKEN.findall(text[:2000]):
        if 8 < len(token) < 80 and ("_" in token or token[1:].lower() != token[1:] != token[1:].upper()):
            says = _meaning(squeeze(token.strip(".")), dialect)
            if says is not None:
                return [says]
    return []


WAITING = frozenset((Reason.RATE_LIMIT, Reason.OVERLOADED))
"""Reasons under which a quota's reset is an answer."""
_NEVER = frozenset(
    (Reason.FORMAT, Reason.CONTENT_POLICY, Reason.CONTEXT_OVERFLOW, Reason.MODEL_NOT_FOUND, Reason.UNKNOWN)
)
"""Reasons that waiting does not cure; a time in such an error is about something else."""


def read_wait(evidence: Evidence, finding: Finding, words: str, now: float) -> float | None:
    """Seconds until the provider says it will answer again: in headers, fields of its body, or its text."""
    if finding.reason in _NEVER:
        return None
    headers = [Headers(fields) for fields in (evidence.headers, *evidence.body.headers) if fields is not None]
    date = headers[0].fields.get(b"date") if headers else None
    clock = Clock(now, date, evidence.dialect.hours_east if evidence.dialect is not None else 0)
    for source in headers:
        seconds = source.retry_after(clock)
        if seconds is not None:
            return seconds
    if evidence.body.waits:
        seconds = from_fields(evidence.body.waits, clock)
        if seconds is not None:
            return seconds
    for text in evidence.body.texts:
        seconds = from_text(text, clock)
        if seconds is not None:
            return seconds
    if finding.reason in WAITING:
        for source in headers:
            seconds = source.reset(clock, words)
            if seconds is not None:
                return seconds
    return None


def verdict(weighed: Weighed, evidence: Evidence, now: float) -> Verdict | None:
    """A decision as the rest of the library reads it."""
    finding = weighed.finding
    if finding is None:
        return None
    return Verdict(
        finding.reason,
        weighed.status,
        read_wait(evidence, finding, weighed.words, now),
        finding.other_key_helps,
        finding.other_model_helps,
    )
