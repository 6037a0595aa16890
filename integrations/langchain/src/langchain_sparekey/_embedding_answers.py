"""What candidates are asked about, whether their answers can be believed, and what their errors say."""

from __future__ import annotations

import binascii
import math
import traceback
from collections.abc import Sequence
from typing import Any, TypeAlias

import sparekey as sk
from langchain_sparekey._embedding_classes import CLASSES, OTHERS, batch
from langchain_sparekey._errors import CannotServeError

Vectors: TypeAlias = list[list[float]]

_UNFIT = sk.Verdict(sk.Reason.FORMAT, blameless=True)
_NONSENSE = sk.Verdict(sk.Reason.SERVER_ERROR)
_ANOTHER_MODEL = sk.Verdict(sk.Reason.MODEL_NOT_FOUND)

_TOKENIZERS = frozenset({"tiktoken", "tiktoken_ext", "tokenizers", "transformers"})
_READING = (AttributeError, LookupError, TypeError, ValueError)
"""What is raised by a class that makes nothing of an answer, or of what it was given."""
_READERS = frozenset({"openai", OTHERS.module, *(served.module for served in CLASSES.values())})
"""Packages that are given texts they take, so that it is the answer that they cannot read."""
_UNSENDABLE = ("unexpected keyword argument", "not JSON serializable")
"""How Python says of a setting that no request can be made with it."""


class WrongVectorsError(sk.SparekeyError):
    """A candidate answered with something that is no embedding of its model."""

    def __init__(self, answer: str, verdict: sk.Verdict) -> None:
        super().__init__(f"answered with {answer}")
        self.verdict = verdict


def checked_texts(texts: Any) -> list[str]:
    """``texts``, if they are; said before anybody is asked, because no other key could make more of them.

    Raises:
        TypeError: they are not.
        ValueError: one has half a letter in it, as a cut through an emoji leaves it, which cannot be sent.
    """
    if isinstance(texts, str):
        raise TypeError("texts: must be a list of texts, not one text")
    given = list(texts)
    for i, text in enumerate(given):
        if not isinstance(text, str):
            raise TypeError(f"texts[{i}]: must be a text, not {type(text).__name__}")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            at = error.start
        else:
            continue
        raise ValueError(f"texts[{i}]: {text[at]!a} at {at} is half of a surrogate pair, which UTF-8 cannot say")
    return given


def portion(texts: list[str], start: int, model: object) -> list[str]:
    """As many of ``texts`` from ``start`` on as ``model`` puts into one HTTP request; one at least."""
    most, size = batch(model)
    for end in range(start, min(start + most, len(texts))):
        size -= len(texts[end].encode())
        if size < 0 and end > start:
            return texts[start:end]
    return texts[start : start + most]


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
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    packages = {name.partition(".")[0] for name in modules}
    if isinstance(error, (CannotServeError, UnicodeEncodeError)) or packages & _TOKENIZERS:
        return _UNFIT  # nothing was sent; what cannot be encoded is a key or a header, texts have been looked at
    # The words for a text that is no base64 sound like those for a request that is malformed.
    verdict = None if isinstance(error, binascii.Error) else sk.classify(error, now=now)
    if verdict is not None or not isinstance(error, _READING):
        return verdict
    unsendable = isinstance(error, TypeError) and any(words in str(error) for words in _UNSENDABLE)
    return _NONSENSE if packages & _READERS and not unsendable else _UNFIT
