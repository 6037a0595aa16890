"""Read an error: why a call failed, who could do better, and when to come back.

The tables say what providers mean: :mod:`.classes` (exceptions), :mod:`.dialects_labs` and its three
siblings (codes), :mod:`.families` (generic codes), :mod:`.english`, :mod:`.english_limits` and
:mod:`.chinese` (sentences), :mod:`.statuses`; they are written in the words of :mod:`.findings`. The rest
reads: :mod:`.evidence` gathers, :mod:`.bodies` takes bodies apart, :mod:`.speakers` says whose they are,
:mod:`.waits` finds times, :mod:`.weigh` decides, :mod:`.chain` follows causes. Nothing here does I/O, and
nothing raises.
"""

from __future__ import annotations

import time
from dataclasses import replace

from sparekey._classify.chain import causes
from sparekey._classify.evidence import Evidence, from_exception, from_response
from sparekey._classify.weigh import WAITING, Weighed, Weight, read_wait, verdict, weigh
from sparekey._types import Verdict

__all__ = ["classify", "classify_response"]


def classify(error: BaseException, *, now: float | None = None) -> Verdict | None:
    """Why `error` happened.

    None when nothing is known of it, or when the caller gave up. `now` is the epoch second that
    absolute times ("resets at …") are measured from; a response's own date comes first.
    """
    try:
        return _classify(error, time.time() if now is None else now)
    except Exception:
        return None  # an object that lies about its own type: no reason to add to the caller's troubles


def _classify(error: BaseException, now: float) -> Verdict | None:
    best: tuple[Weighed, Evidence] | None = None
    passed: list[Evidence] = []
    chain = causes(error)
    for current, known in chain:
        if known.cancelled:
            return None
        evidence = from_exception(current, known)
        weighed = weigh(evidence)
        if best is None or weighed.weight > best[0].weight:
            best = (weighed, evidence)
        if best[0].weight >= Weight.FAMILY:
            break
        passed.append(evidence)
    if best is None or best[0].finding is None:
        return None
    found = verdict(*best, now)
    if found is None or found.retry_after is not None or found.reason not in WAITING:
        return found
    # What says why need not be what carries the headers.
    behind = (from_exception(current, known) for current, known in chain)
    for evidence in (*passed, *behind):
        seconds = read_wait(evidence, best[0].finding, best[0].words, now)
        if seconds is not None:
            return replace(found, retry_after=seconds)
    return found


def classify_response(
    status: int | None,
    headers: object = None,
    body: object = None,
    message: str | None = None,
    *,
    provider: str | None = None,
    now: float | None = None,
) -> Verdict | None:
    """Why a call failed, from a response in pieces; the body may be parsed, text or bytes.

    `message` is what an SDK or a log made of it. `provider` is a name as in "provider/model"; without it the
    provider is guessed from the body.
    """
    try:
        moment = time.time() if now is None else now
        evidence = from_response(status, headers, body, message, provider)
        return verdict(weigh(evidence), evidence, moment)
    except Exception:
        return None
