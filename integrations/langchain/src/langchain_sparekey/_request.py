"""One request of a :class:`ChatSparekey`: whose turn it is, with what, and whom to tell."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self, TypeAlias

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from langchain_core.rate_limiters import BaseRateLimiter
from tenacity import RetryCallState, Retrying

import sparekey as sk
from langchain_sparekey._chunks import NOTE, note_of
from langchain_sparekey._clients import Clients
from langchain_sparekey._errors import OUTAGES, CannotServeError, as_overflow, leaving, steers_a_graph
from langchain_sparekey._fit import fitted
from langchain_sparekey._issuers import ISSUERS, References, is_unknown_there, references
from langchain_sparekey._timeouts import with_timeout

OnAttempt: TypeAlias = Callable[[sk.Attempt], object]
Turn: TypeAlias = tuple[BaseChatModel, list[BaseMessage], dict[str, Any]]
"""The chat model to call, and the messages and keyword arguments of the call."""

_log = logging.getLogger("langchain_sparekey")

_UNFIT = sk.Verdict(sk.Reason.FORMAT, blameless=True)
# Python's complaints of a setting or a tool, which may well speak of timeouts.
_OWN_ERRORS = (AssertionError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)

_LOOKS_AGAIN = 0.02
"""Seconds between two looks at a rate limiter, when a deadline forbids to wait for it without end."""


class Request:
    """What one call has to remember until it is answered.

    Its ``with`` sees to it that errors leave as LangChain expects them.
    """

    __slots__ = (
        "_failed",
        "_given",
        "_instead",
        "_listener",
        "_messages",
        "_on_attempt",
        "_originals",
        "_primary",
        "_refers",
        "_turns",
        "candidates",
        "chain",
        "clients",
    )

    def __init__(
        self,
        clients: Clients,
        name: str,
        messages: list[BaseMessage],
        given: Mapping[str, Any],
        *,
        tracker: sk.CooldownTracker,
        policy: sk.Policy | None,
        on_attempt: OnAttempt | None,
        run_manager: Any,
    ) -> None:
        self.clients = clients
        self._messages = messages
        self._given = given
        self._on_attempt = on_attempt
        self._primary = clients.primary(name)
        self._turns: list[sk.Candidate] = []
        self._failed: list[sk.Attempt] = []
        self._instead: BaseException | None = None
        # A run that nobody listens to has nobody to tell, and hearing of every attempt is not free.
        self._listener: Any = run_manager if run_manager is not None and run_manager.handlers else None
        heard = on_attempt if self._listener is None else self._hear
        self.chain = sk.FallbackChain(tracker, policy, self._classify, heard)
        self._originals: dict[str, sk.Candidate] = {}
        self.candidates: Sequence[sk.Candidate] = clients.candidates(name)
        if given and isinstance(named := given.get("model"), str):
            self.candidates = self._named(named)
        self._refers, latest = references(messages, given)
        if self._refers is None and latest is not None and self._goes_on(latest):
            self._refers = latest
        if self._refers is not None:
            self.candidates = self._issuers(self._refers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        del self.chain  # it knows _classify, and so this: a circle would be left to the garbage collector
        if error is not None and self._instead is not None and self._instead.__cause__ is error:
            raise self._instead
        if isinstance(error, sk.FallbackExhaustedError):
            left = leaving(error, self.candidates)
            if self._refers is not None and self._refers.issuer is not None and len(self.candidates) == 1:
                left.add_note(
                    f"sparekey: nobody but {self.candidates[0]} was asked: the request refers to what it keeps"
                )
            raise left from left.__cause__

    # -- whose turn it is ------------------------------------------------------------------

    def turn(self, candidate: sk.Candidate) -> Turn:
        """Begin the turn of ``candidate``.

        Raises:
            CannotServeError: its model cannot be built, or cannot make this call.
        """
        for state in self._retries():
            self._listener.on_retry(state)
        model, messages, given = self._prepare(candidate)
        limiter = model.rate_limiter  # LangChain minds it in invoke(), which is not what is called here
        if limiter is not None:
            self._wait_for(limiter)
        return model, messages, with_timeout(given, model)

    async def aturn(self, candidate: sk.Candidate) -> Turn:
        """:meth:`turn` of an async call, which the engine ends by itself when its time is up."""
        for state in self._retries():
            await self._listener.on_retry(state)
        model, messages, given = self._prepare(candidate)
        if model.rate_limiter is not None:
            with sk.off_the_clock():
                await model.rate_limiter.aacquire(blocking=True)
        return model, messages, given

    def _prepare(self, candidate: sk.Candidate) -> Turn:
        self._turns.append(candidate)
        given = self._given
        try:
            if self._originals:
                candidate, given = self._original(candidate)
            model = self.clients.model(candidate)
            if not given and self._primary is None:
                return model, self._messages, {}
            return model, *fitted(self._messages, given, model, candidate, self._primary)
        except Exception as error:
            if steers_a_graph(error):
                raise
            verdict = sk.classify(error)
            if verdict is not None and verdict.reason in OUTAGES and not isinstance(error, _OWN_ERRORS):
                raise  # some classes call their provider when they are constructed: an attempt like any other
            problem = CannotServeError(sk.scrub(f"cannot make this call: {type(error).__name__}: {error}"))
            if self.clients.is_news(f"{candidate.id} {problem}"):
                _log.warning("%s is passed over: it %s", candidate, problem)
            raise problem from error

    def _wait_for(self, limiter: BaseRateLimiter) -> None:
        with sk.off_the_clock():
            while (left := sk.time_left()) is not None:  # a deadline, which nothing else could hold a sync wait to
                if limiter.acquire(blocking=False):
                    return
                if not left:
                    raise CannotServeError("its rate limiter had no room before the deadline")
                self.chain.tracker.clock.sleep(min(left, _LOOKS_AGAIN))
            limiter.acquire(blocking=True)

    # -- a model named for one call --------------------------------------------------------

    def _named(self, model: str) -> Sequence[sk.Candidate]:
        """The candidates as they are for a request that names its model itself: that one cools, not the usual one.

        It is the first provider's model; those of other providers keep their own.
        """
        provider = self.candidates[0].provider
        twins = {who: replace(who, model=model) for who in self.candidates if who.provider == provider}
        self._originals = {twin.id: who for who, twin in reversed(twins.items())}
        return list(dict.fromkeys(twins.get(who, who) for who in self.candidates))

    def _original(self, candidate: sk.Candidate) -> tuple[sk.Candidate, Mapping[str, Any]]:
        """Whose model is called, and with what."""
        original = self._originals.get(candidate.id)
        if original is not None:
            return original, self._given
        return candidate, {name: value for name, value in self._given.items() if name != "model"}

    # -- who knows what it refers to -------------------------------------------------------

    def _goes_on(self, latest: References) -> bool:
        """Whether the model goes on from the latest stored answer by itself."""
        issuer = next((who for who in self.candidates if who.id == latest.issuer), self.candidates[0])
        try:
            model = self.clients.model(issuer)
        except Exception:  # told when its turn comes
            return False
        return bool(getattr(model, "use_previous_response_id", False))

    def _issuers(self, refers: References) -> Sequence[sk.Candidate]:
        """Who is asked when the request refers to something: its issuer alone, or all while nobody knows it."""
        known = refers.issuer or ""
        exact = (who for who in self.candidates if who.id == known)
        # The same key under another model knows it, too.
        same = (who for who in self.candidates if who.credential and known.endswith(f"#{who.credential}"))
        issuer = next(exact, None) or next((who for who in same if known.startswith(who.provider)), None)
        if issuer is None:
            self._refers = refers._replace(issuer=None)
            return self.candidates
        # What a key keeps, its organisation keeps.
        ours = (issuer.account, issuer.group)
        own = [who for who in self.candidates if who.account and (who.account, who.group) == ours and who != issuer]
        return [issuer, *own]

    # -- what came of it -------------------------------------------------------------------

    def signed(self, result: sk.FallbackResult[ChatResult]) -> ChatResult:
        """The answer, with the note on who served in it."""
        note = self.note(result)
        for generation in result.response.generations:
            self.sign(generation.message, result.candidate, note)
        return result.response

    def sign(self, message: BaseMessage, candidate: sk.Candidate, note: dict[str, Any]) -> None:
        """Leave the note in a message, or in one chunk of it, and remember whose answer it is."""
        ISSUERS.learn_from(message, candidate)
        message.response_metadata[NOTE] = note

    def note(self, result: sk.FallbackResult[Any]) -> dict[str, Any]:
        """Who served, and who failed before."""
        if self._refers is not None:
            ISSUERS.learn(self._refers.names, result.candidate)
        return note_of(result.candidate, result.attempts if len(self._turns) > 1 else ())

    def _classify(self, error: BaseException) -> sk.Verdict | None:
        if isinstance(error, CannotServeError):
            return _UNFIT
        if steers_a_graph(error):
            raise error  # past the engine, with nobody blamed
        verdict = sk.classify(error, now=self.chain.now())
        if verdict is None:
            return None
        if verdict.reason is sk.Reason.CONTEXT_OVERFLOW:
            self._instead = as_overflow(error)
        if self._refers is not None and self._refers.issuer is None:
            return replace(verdict, blameless=is_unknown_there(error, verdict, self._refers.names))
        return verdict

    def _hear(self, attempt: sk.Attempt) -> None:
        if self._on_attempt is not None:
            self._on_attempt(attempt)
        if attempt.error is not None and not isinstance(attempt.error, sk.CoolingError):
            self._failed.append(attempt)

    def _retries(self) -> list[RetryCallState]:
        """The failures not yet told of, now that another candidate is tried, as LangChain's retry events."""
        if not self._failed:
            return []
        failed, self._failed = self._failed, []
        first = len(self._turns) - len(failed) + 1
        return [_retry(attempt, number) for number, attempt in enumerate(failed, first)]


def _retry(attempt: sk.Attempt, number: int) -> RetryCallState:
    assert attempt.error is not None
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = number
    state.set_exception((type(attempt.error), attempt.error, attempt.error.__traceback__))
    return state
