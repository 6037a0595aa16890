"""One request of a :class:`ChatSparekey`: whose turn it is, with what, and whom to tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self, TypeAlias

from langchain_core.language_models import BaseChatModel
from tenacity import RetryCallState, Retrying

import sparekey as sk
from langchain_sparekey._clients import Clients
from langchain_sparekey._errors import exhausted
from langchain_sparekey._tools import CannotBindError, Tools, bound

OnAttempt: TypeAlias = Callable[[sk.Attempt], object]
Turn: TypeAlias = tuple[BaseChatModel, dict[str, Any]]
"""The chat model to call, and the keyword arguments of the call."""

# Classes whose calls take a ``timeout``, and the field in which they keep their own.
_TIMED = {"BaseChatOpenAI": "request_timeout", "ChatAnthropic": "default_request_timeout"}

_NOT_THIS_MODEL = sk.Verdict(sk.Reason.MODEL_NOT_FOUND, other_key_helps=False)
"""Read so, a model is passed over with all its keys for this request, and cools for nothing."""

_LEAST = 0.001
"""Seconds; a client given 0 might take it for none at all."""


class Request:
    """What one call has to remember until it is answered.

    Its ``with`` sees to it that errors leave as LangChain expects them.
    """

    __slots__ = ("_failed", "_given", "_listener", "_on_attempt", "candidates", "chain", "clients", "tried")

    def __init__(
        self,
        clients: Clients,
        name: str,
        given: Mapping[str, Any],
        *,
        tracker: sk.CooldownTracker,
        policy: sk.Policy | None,
        on_attempt: OnAttempt | None,
        run_manager: Any,
    ) -> None:
        self.clients = clients
        self.candidates = clients.candidates(name)
        self.tried = 0
        self._given = given
        self._on_attempt = on_attempt
        self._failed: list[sk.Attempt] = []
        # A run that nobody listens to has nobody to tell, and hearing of every attempt is not free.
        self._listener: Any = run_manager if run_manager is not None and run_manager.handlers else None
        heard = on_attempt if self._listener is None else self._hear
        classify = self._classify if isinstance(given.get("tools"), Tools) else None
        self.chain = sk.FallbackChain(tracker, policy, classify, heard)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, sk.FallbackExhaustedError):
            raise exhausted(error, self.candidates) from error.__cause__

    def turn(self, candidate: sk.Candidate) -> Turn:
        """Begin the turn of ``candidate``."""
        for state in self._retries():
            self._listener.on_retry(state)
        model = self._model(candidate)
        if model.rate_limiter is not None:  # LangChain minds it in invoke(), which is not what is called here
            model.rate_limiter.acquire(blocking=True)
        given = bound(self._given, model, candidate)
        # Nothing can end a sync call from outside, so its client has to.
        left = sk.time_left()
        field = None if left is None else _timeout_field(type(model))
        if left is None or field is None:
            return model, given
        own = given.get("timeout", getattr(model, field, None))
        return model, {**given, "timeout": _at_most(max(left, _LEAST), own)}

    async def aturn(self, candidate: sk.Candidate) -> Turn:
        """:meth:`turn` of an async call, which the engine ends by itself when its time is up."""
        for state in self._retries():
            await self._listener.on_retry(state)
        model = self._model(candidate)
        if model.rate_limiter is not None:
            await model.rate_limiter.aacquire(blocking=True)
        return model, bound(self._given, model, candidate)

    def note(self, result: sk.FallbackResult[Any]) -> dict[str, Any]:
        """Who served, and who failed before: what is left in the answer's metadata.

        Ids and reasons only. An error's text may repeat a key, and messages are stored and cached.
        """
        note: dict[str, Any] = {"candidate": result.candidate.id}
        if self.tried > 1:
            note["failed"] = [
                {"candidate": attempt.candidate.id, "reason": attempt.reason.value if attempt.reason else "unknown"}
                for attempt in result.attempts
                if not attempt.skipped
            ]
        return note

    def _model(self, candidate: sk.Candidate) -> BaseChatModel:
        self.tried += 1
        return self.clients.model(candidate)

    def _classify(self, error: BaseException) -> sk.Verdict | None:
        return _NOT_THIS_MODEL if isinstance(error, CannotBindError) else sk.classify(error, now=self.chain.now())

    def _hear(self, attempt: sk.Attempt) -> None:
        if self._on_attempt is not None:
            self._on_attempt(attempt)
        if attempt.error is not None and not attempt.skipped:
            self._failed.append(attempt)

    def _retries(self) -> list[RetryCallState]:
        """The failures not yet told of, now that another candidate is tried, as LangChain's retry events."""
        if not self._failed:
            return []
        failed, self._failed = self._failed, []
        first = self.tried - len(failed) + 1
        return [_retry(attempt, number) for number, attempt in enumerate(failed, first)]


def _retry(attempt: sk.Attempt, number: int) -> RetryCallState:
    assert attempt.error is not None
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = number
    state.set_exception((type(attempt.error), attempt.error, attempt.error.__traceback__))
    return state


def _timeout_field(cls: type[BaseChatModel]) -> str | None:
    return next((_TIMED[parent.__name__] for parent in cls.__mro__ if parent.__name__ in _TIMED), None)


def _at_most(left: float, own: Any) -> Any:
    """The user's own timeout, cut to what is left: a number, a tuple of parts, or an object of httpx."""
    if own is None:
        return left
    if isinstance(own, (int, float)):
        return min(left, own)
    if isinstance(own, tuple):
        return tuple(_at_most(left, part) for part in own)
    return type(own)(**{name: _at_most(left, part) for name, part in own.as_dict().items()})
