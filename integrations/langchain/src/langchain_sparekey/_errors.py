"""What leaves when a request fails, as LangChain expects it, and as it may be traced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from langchain_core.exceptions import ContextOverflowError, ModelError
from pydantic import ValidationError

import sparekey as sk

_MAY_PASS = frozenset(
    {sk.Reason.RATE_LIMIT, sk.Reason.OVERLOADED, sk.Reason.TIMEOUT, sk.Reason.SERVER_ERROR, sk.Reason.NETWORK}
)
"""Reasons that end by themselves; a revoked key or an empty purse does not."""


OUTAGES = frozenset({sk.Reason.NETWORK, sk.Reason.TIMEOUT, sk.Reason.OVERLOADED, sk.Reason.SERVER_ERROR})
"""Reasons that are the provider's, also when a class calls it while it is being built."""


def explained(error: Exception) -> str:
    """What is wrong with a class's settings, in one line that shows no value of pydantic's and no key."""
    if isinstance(error, ValidationError):
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        text = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'settings'}: {p['msg']}" for p in problems)
    else:
        text = f"{type(error).__name__}: {error}"
    return sk.scrub(" ".join(text.split()))


class CannotServeError(sk.SparekeyError):
    """A candidate cannot make one call, for a reason that is not its health; another may. Its cause says why."""


class ModelsExhaustedError(sk.FallbackExhaustedError, ModelError):
    """No candidate could serve the request.

    A :class:`sparekey.FallbackExhaustedError`, with its ``attempts``, ``retry_after`` (seconds), ``retry_at`` (epoch
    seconds) and ``__cause__``, that is also one of LangChain's ``ModelError``: middleware that retries what
    ``is_retryable`` says may pass understands it.
    """

    is_retryable: bool
    """Whether the same request may succeed later without anybody doing something about a key."""

    def __init__(
        self,
        attempts: Sequence[sk.Attempt] | Callable[[], Sequence[sk.Attempt]] = (),
        *,
        retry_at: float | None = None,
        retry_after: float | None = None,
        because: str = "",
    ) -> None:
        super().__init__(attempts, retry_at=retry_at, retry_after=retry_after, because=because)
        tried = self.attempts
        # Without any attempt it was the deadline, and there may be more time the next time.
        self.is_retryable = not tried or any(attempt.reason in _MAY_PASS for attempt in tried)

    def __reduce__(self) -> tuple[object, ...]:
        return *super().__reduce__(), {"is_retryable": self.is_retryable}


def leaving(error: sk.FallbackExhaustedError, candidates: Sequence[sk.Candidate]) -> BaseException:
    """What to raise in place of ``error``, which LangChain does not know."""
    attempts = error.attempts
    if attempts and all(attempt.skipped and not isinstance(attempt.error, sk.CoolingError) for attempt in attempts):
        # Nobody can make such a call: that is about the call, and no other than a single model would say of it.
        first = attempts[0].error
        own = first.__cause__ if isinstance(first, CannotServeError) else first
        if own is not None:
            return own
    tried = [attempt for attempt in attempts if not attempt.skipped]
    last = error.__cause__
    if isinstance(last, ContextOverflowError) and all(each.reason is sk.Reason.CONTEXT_OVERFLOW for each in tried):
        return last  # LangChain's summarising middleware waits for it
    translated = ModelsExhaustedError(
        attempts, retry_at=error.retry_at, retry_after=error.retry_after, because=error.because
    )
    if len({attempt.candidate for attempt in attempts}) < len(candidates):
        translated.is_retryable = True  # the deadline came before everybody's turn had
    translated.__cause__ = last
    return translated


def steers_a_graph(error: BaseException) -> bool:
    """Whether ``error`` is LangGraph's way to stop or resume a graph, which is nobody's failure."""
    return any(parent.__name__ == "GraphBubbleUp" for parent in type(error).__mro__)


def as_overflow(error: BaseException) -> BaseException:
    """``error`` as LangChain's ``ContextOverflowError`` too, beside what its provider's package made it.

    Not every package says so of a prompt that is too long, and LangChain's summarising middleware goes by it. It is the
    same object with a second parent, except for Python's own errors, which cannot be given one: those become the cause.
    """
    if isinstance(error, ContextOverflowError):
        return error
    kind = _overflowing(type(error))  # type: ignore[arg-type]  # mypy takes the class for an instance
    try:
        error.__class__ = kind
    except TypeError:
        made = kind(*error.args)
        made.__cause__ = error
        return made
    return error


@lru_cache(maxsize=64)
def _overflowing(kind: type[BaseException]) -> type[BaseException]:
    if issubclass(ContextOverflowError, kind):
        return ContextOverflowError
    return type(kind.__name__, (kind, ContextOverflowError), {"__module__": kind.__module__, "__doc__": kind.__doc__})
