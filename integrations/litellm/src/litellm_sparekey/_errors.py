"""The exhausted error as LiteLLM's users expect one: also an instance of LiteLLM's own class.

Which class goes by what most candidates failed for, so that ``except litellm.RateLimitError``
and the proxy's status codes go on saying the truth.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from litellm.exceptions import (
    APIConnectionError,
    AuthenticationError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    ServiceUnavailableError,
    Timeout,
)

import sparekey as sk
from litellm_sparekey._told import Log


class _Exhausted(Exception):  # noqa: N818 - the classes made of it are the errors
    """What the classes below have in common."""

    native: ClassVar[type[Exception]]
    headers: dict[str, str]
    """``retry-after`` in whole seconds, when it is known; LiteLLM's proxy hands it on."""

    def __init__(
        self,
        attempts: Sequence[sk.Attempt] | Callable[[], Sequence[sk.Attempt]] = (),
        *,
        retry_at: float | None = None,
        retry_after: float | None = None,
        because: str = "",
        model: str = "",
    ) -> None:
        self.tell(
            sk.FallbackExhaustedError(attempts, retry_at=retry_at, retry_after=retry_after, because=because), model
        )

    def tell(self, story: sk.FallbackExhaustedError, model: str) -> None:
        """Say what ``story`` says."""
        # LiteLLM's constructors call up through OpenAI's to sparekey's, which therefore comes last.
        self.native.__init__(self, message=str(story), model=model, llm_provider="")  # type: ignore[call-arg]
        sk.FallbackExhaustedError.__init__(
            self,  # type: ignore[arg-type]  # every class made of this one is that as well
            story.attempts,
            retry_at=story.retry_at,
            retry_after=story.retry_after,
            because=story.because,
        )
        self.headers = {} if story.retry_after is None else {"retry-after": str(math.ceil(story.retry_after))}

    def __str__(self) -> str:
        return str(getattr(self, "message", ""))

    def __repr__(self) -> str:
        return sk.FallbackExhaustedError.__repr__(self)  # type: ignore[arg-type]


class ExhaustedRateLimitError(_Exhausted, RateLimitError, sk.FallbackExhaustedError):  # type: ignore[misc]
    """No key is left; most are throttled or out of credit."""

    native = RateLimitError


class ExhaustedAuthenticationError(_Exhausted, AuthenticationError, sk.FallbackExhaustedError):
    """No key is left; most were refused."""

    native = AuthenticationError


class ExhaustedNotFoundError(_Exhausted, NotFoundError, sk.FallbackExhaustedError):
    """No key is left; most do not know the model."""

    native = NotFoundError


class ExhaustedTimeoutError(_Exhausted, Timeout, sk.FallbackExhaustedError):  # type: ignore[misc]
    """No key is left; most did not answer in time."""

    native = Timeout


class ExhaustedServerError(_Exhausted, InternalServerError, sk.FallbackExhaustedError):
    """No key is left; most answered with an error of their own."""

    native = InternalServerError


class ExhaustedConnectionError(_Exhausted, APIConnectionError, sk.FallbackExhaustedError):
    """No key is left; most could not be reached."""

    native = APIConnectionError


class ExhaustedUnavailableError(_Exhausted, ServiceUnavailableError, sk.FallbackExhaustedError):
    """No key is left; most are overloaded, or for reasons of no one kind."""

    native = ServiceUnavailableError


_STOPS = "sparekey_stops"


def mark_stop(error: BaseException) -> None:
    """Remember on ``error`` that nobody else could do better, so that LiteLLM asks no other model group."""
    error.__dict__[_STOPS] = True


def stops(error: BaseException) -> bool:
    """Whether the request ends with ``error``."""
    return _STOPS in getattr(error, "__dict__", ())


_BY_REASON: dict[sk.Reason, type[Any]] = {
    sk.Reason.RATE_LIMIT: ExhaustedRateLimitError,
    sk.Reason.BILLING: ExhaustedRateLimitError,
    sk.Reason.AUTH: ExhaustedAuthenticationError,
    sk.Reason.MODEL_NOT_FOUND: ExhaustedNotFoundError,
    sk.Reason.TIMEOUT: ExhaustedTimeoutError,
    sk.Reason.SERVER_ERROR: ExhaustedServerError,
    sk.Reason.NETWORK: ExhaustedConnectionError,
}


def exhausted(stories: Sequence[sk.FallbackExhaustedError], model: str, because: str = "") -> sk.FallbackExhaustedError:
    """One error of LiteLLM's that tells all ``stories``."""
    story = joined(stories, because)
    latest = {attempt.candidate: attempt.reason for attempt in story.attempts if attempt.reason is not None}
    # Latest first, because of equally frequent reasons the first counts.
    counted = Counter(_BY_REASON.get(reason, ExhaustedUnavailableError) for reason in reversed(latest.values()))
    kind = counted.most_common(1)[0][0] if counted else ExhaustedUnavailableError
    error: sk.FallbackExhaustedError = kind(
        story.attempts, retry_at=story.retry_at, retry_after=story.retry_after, because=story.because, model=model
    )
    return error


def joined(stories: Iterable[sk.FallbackExhaustedError], because: str = "") -> sk.FallbackExhaustedError:
    """All attempts in order, and the soonest recovery."""
    told = list(stories)
    attempts = [attempt for story in told for attempt in story.attempts]
    if len(told) > 1 and any(story.because.startswith("the deadline was spent") for story in told):
        tried = sum(not attempt.skipped for attempt in attempts)
        because = f"the deadline was spent after {tried} attempt{'' if tried == 1 else 's'}"
    soonest = min((s for s in told if s.retry_at is not None), key=lambda s: s.retry_at or 0.0, default=None)
    return sk.FallbackExhaustedError(
        attempts,
        retry_at=None if soonest is None else soonest.retry_at,
        retry_after=None if soonest is None else soonest.retry_after,
        because=because if len(told) != 1 else because or told[0].because,
    )


_LOG = "_sparekey_log"


def remember(error: BaseException, log: Log) -> None:
    """Keep what there is to tell of the request with the error of one of its groups."""
    setattr(error, _LOG, log)


def log_of(error: Exception) -> Log | None:
    """What :func:`remember` kept."""
    log: Log | None = getattr(error, _LOG, None)
    return log
