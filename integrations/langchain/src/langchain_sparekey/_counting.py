"""Counting tokens, for which some classes ask their provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from langchain_core.language_models import BaseChatModel

import sparekey as sk
from langchain_sparekey._errors import leaving


def counted(
    candidates: Sequence[sk.Candidate], tracker: sk.CooldownTracker, count: Callable[[sk.Candidate], int]
) -> int:
    """What ``count`` says of the first of ``candidates`` whose provider answers.

    Nothing cools for it and nothing that cools is in its way, because most classes count by themselves, and
    providers that count have other limits for that; who is well is only asked first.

    Raises:
        ModelsExhaustedError: the provider turned all of them away.
        Exception: whatever else ``count`` raises.
    """
    ready = sorted(candidates, key=lambda who: not tracker.is_available(who))
    chain = sk.FallbackChain(tracker, replace(tracker.policy, remembers=False), _read)
    try:
        return chain.execute(ready, count).response
    except sk.FallbackExhaustedError as error:
        raise leaving(error, ready) from error.__cause__


def _read(error: BaseException) -> sk.Verdict | None:
    verdict = sk.classify(error)
    # Without a status it happened here: a tokenizer that could not be fetched, say, which no other key has.
    return None if verdict is None or verdict.status is None else verdict


def first_built(candidates: Sequence[sk.Candidate], build: Callable[[sk.Candidate], BaseChatModel]) -> sk.Candidate:
    """The first of ``candidates`` that has a model.

    Raises:
        ConfigError: none has; why the first has not.
    """
    problem: Exception | None = None
    for who in candidates:
        try:
            build(who)
        except Exception as error:
            problem = problem or error
        else:
            return who
    assert problem is not None, "a chain is never empty"
    raise problem
