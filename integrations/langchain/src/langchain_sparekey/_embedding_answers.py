"""What candidates answer: whether it can be believed, and what their errors say."""

from __future__ import annotations

import math
import traceback
from collections.abc import Sequence
from typing import TypeAlias

import sparekey as sk
from langchain_sparekey._errors import CannotServeError

Vectors: TypeAlias = list[list[float]]

OUTAGES = frozenset({sk.Reason.NETWORK, sk.Reason.TIMEOUT, sk.Reason.OVERLOADED, sk.Reason.SERVER_ERROR})

_UNFIT = sk.Verdict(sk.Reason.FORMAT, blameless=True)
_NONSENSE = sk.Verdict(sk.Reason.SERVER_ERROR)
_ANOTHER_MODEL = sk.Verdict(sk.Reason.MODEL_NOT_FOUND)

_TOKENIZERS = frozenset({"tiktoken", "tiktoken_ext", "tokenizers", "transformers"})
_READING = (AttributeError, LookupError, TypeError, ValueError)
"""What is raised by a class that makes nothing of an answer, or of what it was given."""


class WrongVectorsError(sk.SparekeyError):
    """A candidate answered with something that is no embedding of its model."""

    def __init__(self, answer: str, verdict: sk.Verdict) -> None:
        super().__init__(f"answered with {answer}")
        self.verdict = verdict


def length_of(vectors: Sequence[Sequence[float]], texts: int) -> int:
    """How long the vectors of ``texts`` texts are.

    Raises:
        WrongVectorsError: they are not as many, not alike, empty, or no finite numbers.
    """
    try:
        problem = _problem(vectors, texts)
    except TypeError:  # what has no length, or cannot be added
        problem = "something else than vectors"
    if problem:
        raise WrongVectorsError(problem, _NONSENSE)
    return len(vectors[0])


def _problem(vectors: Sequence[Sequence[float]], texts: int) -> str:
    if len(vectors) != texts:
        return f"{len(vectors)} vectors for {texts} texts"
    lengths = {len(vector) for vector in vectors}
    if 0 in lengths:
        return "an empty vector"
    if len(lengths) > 1:
        return "vectors of several lengths"
    # A sum is as finite as its parts are, and is found much faster than they are looked at.
    if not all(math.isfinite(sum(vector)) for vector in vectors):
        return "numbers that are not finite"
    return ""


def check_length(length: int, expected: int) -> None:
    """See that vectors are as long as all others.

    Raises:
        WrongVectorsError: another model must be behind the candidate's name, and will be for some time.
    """
    if length != expected:
        raise WrongVectorsError(f"vectors of {length} dimensions, not {expected}", _ANOTHER_MODEL)


def read(error: BaseException, *, now: float) -> sk.Verdict | None:
    """What an attempt's ``error`` says of its candidate, at ``now`` in epoch seconds."""
    if isinstance(error, WrongVectorsError):
        return error.verdict
    frames = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    packages = [name.partition(".")[0] for name in frames]
    if isinstance(error, CannotServeError) or not _TOKENIZERS.isdisjoint(packages):
        return _UNFIT  # nothing was sent
    verdict = sk.classify(error, now=now)
    if verdict is None and isinstance(error, _READING):
        # OpenAI's SDK was given texts, so it is the answer that it cannot read. Of other classes nobody knows.
        return _NONSENSE if packages and packages[-1] == "openai" else _UNFIT
    return verdict
