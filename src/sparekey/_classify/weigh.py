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
from sparekey._classify.dialect import Dialect, Says
from sparekey._classify.dialects import FAMILIES, GOOGLE
from sparekey._classify.english_limits import ENGLISH
from sparekey._classify.evidence import Evidence
from sparekey._classify.findings import BROKEN, DEFAULTS, MALFORMED, NO_MODEL, THROTTLED, UNPAID, Family, Finding
from sparekey._classify.objects import as_status
from sparekey._classify.sayings import words_of
from sparekey._classify.speakers import COMMON
from sparekey._classify.statuses import VAGUE, family_of, status_in
from sparekey._classify.waits import NO_HEADERS, Headers, from_fields, from_text
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


# Codes that are often a cover: a bad request may be a bad key, a missing model one that this account may not use.
_COVERS: dict[Finding, Family] = {MALFORMED: Family.REQUEST, BROKEN: Family.SERVER, NO_MODEL: Family.MISSING}
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
    # A status inside the sentence is the upstream's where a wrapper speaks; where a code speaks it is part of the story.
    for mentioned in (inner, None if coded else named):
        if (family := family_of(mentioned)) is not None:
            families.append(family)
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
    finding = _sentence(text, words, family)
    if finding is UNPAID and evidence.dialect is GOOGLE and family is Family.LIMIT:
        finding = THROTTLED  # Gemini speaks of billing to whoever is over a free quota
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


def _sentence(text: str, words: str, family: Family | None) -> Finding | None:
    if not has_chinese(text):
        return ENGLISH.find(words, family)
    return find_chinese(text) or ENGLISH.find(words, family) or find_chinese(text, CHINESE_LAST)


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
_NEVER = frozenset((Reason.FORMAT, Reason.CONTENT_POLICY, Reason.CONTEXT_OVERFLOW, Reason.MODEL_NOT_FOUND, Reason.UNKNOWN))
"""Reasons that waiting does not cure; a time in such an error is about something else."""


def read_wait(evidence: Evidence, finding: Finding, words: str, now: float) -> float | None:
    """Seconds until the provider says it will answer again: in its headers, in fields of its body, in its text."""
    if finding.reason in _NEVER:
        return None
    headers = [Headers(fields) for fields in (evidence.headers, *evidence.body.headers) if fields]
    for source in headers:
        seconds = source.retry_after(now)
        if seconds is not None:
            return seconds
    base = headers[0] if headers else NO_HEADERS
    if evidence.body.waits:
        seconds = from_fields(evidence.body.waits, base.base(now))
        if seconds is not None:
            return seconds
    for text in evidence.body.texts:
        seconds = from_text(text, base, now)
        if seconds is not None:
            return seconds
    if finding.reason in WAITING:
        for source in headers:
            seconds = source.reset(now, words)
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
