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
from sparekey._classify.chinese import find_chinese, has_chinese
from sparekey._classify.dialect import Dialect, Says
from sparekey._classify.dialects import FAMILIES, GOOGLE
from sparekey._classify.english_limits import ENGLISH
from sparekey._classify.evidence import Evidence
from sparekey._classify.findings import BROKEN, DEFAULTS, MALFORMED, THROTTLED, UNPAID, Family, Finding
from sparekey._classify.objects import as_status
from sparekey._classify.sayings import words_of
from sparekey._classify.speakers import COMMON
from sparekey._classify.statuses import VAGUE, family_of, status_in
from sparekey._classify.waits import Headers, from_fields, from_text
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


# A code that names a request as malformed, or a server as broken, is often a cover: what the sentence says is closer.
_COVERS: dict[Finding, Family] = {MALFORMED: Family.REQUEST, BROKEN: Family.SERVER}
_CODE_IN_TEXT = re.compile(r"[A-Za-z0-9_.]+")


def weigh(evidence: Evidence) -> Weighed:
    """What happened, by the best evidence there is."""
    body = evidence.body
    if isinstance(evidence.says, Finding) and evidence.says is not BROKEN:
        return Weighed(evidence.says, Weight.SPECIFIC, evidence.status)

    families: list[Family] = []
    for says in _codes(evidence):
        if isinstance(says, Finding) and says not in _COVERS:
            return Weighed(says, Weight.SPECIFIC, evidence.status or _inner_status(evidence))
        families.append(says if isinstance(says, Family) else _COVERS[says])

    text = "\n".join(body.texts)
    inner = _inner_status(evidence)
    named = status_in(text) if evidence.status is None or family_of(evidence.status) in VAGUE else None
    outer = family_of(evidence.status)
    coded = bool(families)
    families += [family for family in (family_of(inner), family_of(named)) if family is not None]
    if outer is not None and evidence.firm:
        families.append(outer)
    stated = len(families)
    if isinstance(evidence.says, Family):
        families.append(evidence.says)
    if outer is not None and not evidence.firm:
        families.append(outer)
    family = next((one for one in families if one not in VAGUE), families[0] if families else None)
    status = evidence.status or inner or named

    words = words_of(text)
    finding = _sentence(text, words, family)
    if finding is None and family is not None and not coded:
        finding = _code_in(text, evidence.dialect)
    if finding is UNPAID and evidence.dialect is GOOGLE and family is Family.LIMIT:
        finding = THROTTLED  # Gemini speaks of billing to whoever is over a free quota
    if finding is not None:
        return Weighed(finding, Weight.SPECIFIC, status, words)
    if family is not None:
        return Weighed(DEFAULTS[family], Weight.FAMILY if stated else Weight.CLASS, status, words)
    if evidence.says is BROKEN:
        return Weighed(BROKEN, Weight.CLASS, status, words)
    finding = _code_in(text, evidence.dialect)
    return Weighed(finding, Weight.SPECIFIC if finding else Weight.NOTHING, status, words)


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
    if has_chinese(text):
        finding = find_chinese(text)
        if finding is not None:
            return finding
    return ENGLISH.find(words, family)


def _code_in(text: str, dialect: Dialect | None) -> Finding | None:
    """A code word inside prose, as in ``An error occurred (ThrottlingException) when …``."""
    for token in _CODE_IN_TEXT.findall(text[:2000]):
        if len(token) > 8 and ("_" in token or (not token.islower() and not token.isupper() and token[1:] != token[1:].lower())):
            says = _meaning(squeeze(token[:80].strip(".")), dialect)
            if isinstance(says, Finding) and says not in _COVERS:
                return says
            if isinstance(says, Family):
                return DEFAULTS[says]
    return None


_WAITING = frozenset((Reason.RATE_LIMIT, Reason.OVERLOADED, Reason.BILLING))


def read_wait(evidence: Evidence, finding: Finding, words: str, now: float) -> float | None:
    """Seconds until the provider says it will answer again: in its headers, in fields of its body, in its text."""
    sources = [evidence.headers, *(Headers(headers) for headers in evidence.body.headers)]
    headers = [source for source in sources if source is not None and source.fields]
    for source in headers:
        seconds = source.retry_after(now)
        if seconds is not None:
            return seconds
    base = headers[0].base(now) if headers else now
    seconds = from_fields(evidence.body.waits, base) if evidence.body.waits else None
    if seconds is not None:
        return seconds
    if finding.reason in (Reason.FORMAT, Reason.CONTENT_POLICY, Reason.MODEL_NOT_FOUND):
        return None
    for text in evidence.body.texts:
        seconds = from_text(text, base)
        if seconds is not None:
            return seconds
    if finding.reason in _WAITING:
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
