"""What leaves when a request fails, as LangChain expects it, and as it may be traced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

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


def clean_response(error: Any) -> None:
    """Clean the HTTP response on an SDK's error of keys.

    The error's own texts were cleaned when it was judged, but LangChain writes the body of the
    response it finds on an error into the trace.
    """
    response: Any = getattr(error, "response", None)
    if response is None:
        return
    with suppress(Exception):  # anything may be called so, and a stream's response may not have been read
        text = response.text
        if (clean := sk.scrub(text)) != text:
            # The body is a decoded one now.
            headers = {name: value for name, value in response.headers.items() if name.lower() not in _OF_THE_BODY}
            error.response = type(response)(
                response.status_code, headers=headers, content=clean.encode(), request=response.request
            )


_OF_THE_BODY = frozenset({"content-encoding", "content-length", "transfer-encoding"})
