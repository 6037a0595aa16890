"""What leaves when a request fails, as LangChain expects it, and as it may be traced."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langchain_core.exceptions import ModelError

import sparekey as sk

_MAY_PASS = frozenset(
    {sk.Reason.RATE_LIMIT, sk.Reason.OVERLOADED, sk.Reason.TIMEOUT, sk.Reason.SERVER_ERROR, sk.Reason.NETWORK}
)
"""Reasons that end by themselves; a revoked key or an empty purse does not."""


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


def exhausted(error: sk.FallbackExhaustedError, candidates: Sequence[sk.Candidate]) -> ModelsExhaustedError:
    """``error`` as LangChain's; raise it from the cause of ``error``."""
    translated = ModelsExhaustedError(
        error.attempts, retry_at=error.retry_at, retry_after=error.retry_after, because=error.because
    )
    if len({attempt.candidate for attempt in translated.attempts}) < len(candidates):
        translated.is_retryable = True  # the deadline came before everybody's turn had
    return translated
