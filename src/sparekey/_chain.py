"""The two drivers. They hold the clock and make the calls; every rule is in :mod:`sparekey._walk`.

A stream is a call whose first chunk is already in hand, and images are the same walk under
another policy, so the loop is written once for each colour.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from sparekey._classify import classify as read_error
from sparekey._images import only_oversized_stops
from sparekey._keys import Entry
from sparekey._listed import Listed
from sparekey._models import ModelList
from sparekey._policy import Policy
from sparekey._run import Run
from sparekey._stream import AsyncChunks, Chunks, always, hold, hold_async
from sparekey._time_left import await_within, call_within
from sparekey._tracker import CooldownTracker
from sparekey._types import Candidate, Classify, FallbackResult, Verdict
from sparekey._usage import pinned
from sparekey._walk import OnAttempt
from sparekey.errors import ConfigError, NoCandidatesError

T = TypeVar("T")


class FallbackChain(Listed):
    """Tries candidates in order until one answers, and remembers who failed and why.

    Every method takes whom to try, and ``fn(candidate)``, which makes the call. An error that no
    other candidate could do better with leaves as ``fn`` raised it; when nobody is left there is
    one :class:`~sparekey.FallbackExhaustedError`. Cancellation, ``KeyboardInterrupt`` and the like
    pass straight through and blame nobody.

    Whom to try is a list of candidates, or a name in the chain's own model list::

        chain = sk.FallbackChain(models=[{"model_name": "chat", "model": "openai/gpt-4o", "api_keys": [...]}])
        chain.execute("chat", lambda candidate: call(chain.config_for(candidate)))

    Args:
        tracker: the memory; a private one when None.
        policy: what each reason does; the tracker's when None.
        classify: reads an error to a verdict, or None when nothing is known of it.
        on_attempt: hears of every attempt as it ends: failures, skips and the success.
        models: the model list, as for :meth:`reload`; without one only lists of candidates can be tried.

    Raises:
        ConfigError: the model list cannot work.
    """

    def __init__(
        self,
        tracker: CooldownTracker | None = None,
        policy: Policy | None = None,
        classify: Classify | None = None,
        on_attempt: OnAttempt | None = None,
        models: Iterable[Entry] | None = None,
    ) -> None:
        self.tracker = tracker if tracker is not None else CooldownTracker(policy)
        self.policy = policy if policy is not None else self.tracker.policy
        self.on_attempt = on_attempt
        self._clock = self.tracker.clock.now
        self._classify: Classify = classify if classify is not None else partial(_read, self._clock)
        super().__init__(models)

    # -- calls -----------------------------------------------------------------------------

    def execute(
        self,
        candidates: Iterable[Candidate] | str,
        fn: Callable[[Candidate], T],
        *,
        deadline: float | None = None,
        affinity: str | None = None,
    ) -> FallbackResult[T]:
        """Call ``fn`` with one candidate after another until one answers.

        Args:
            candidates: whom to try, in order; or a name in the model list.
            fn: makes the call; its exceptions are what is judged.
            deadline: seconds from now that all attempts together may take. Nothing can end a
                sync call from outside: ``fn`` passes :func:`sparekey.time_left` to its client.
            affinity: pins a conversation: the same text prefers the same key of each model, in
                every process, as long as that key is well.

        Raises:
            FallbackExhaustedError: nobody could serve it, or the deadline is spent.
            NoCandidatesError: there are no candidates.
            ConfigError: nothing is called so, or the deadline is not a number of seconds.
        """
        return self._drive(self.begin(candidates, deadline=deadline, affinity=affinity), fn)

    async def aexecute(
        self,
        candidates: Iterable[Candidate] | str,
        fn: Callable[[Candidate], Awaitable[T]],
        *,
        deadline: float | None = None,
        affinity: str | None = None,
    ) -> FallbackResult[T]:
        """:meth:`execute` for an async ``fn``; the deadline and ``attempt_timeout`` end a call by themselves."""
        return await self._adrive(self.begin(candidates, deadline=deadline, affinity=affinity), fn)

    def stream(
        self,
        candidates: Iterable[Candidate] | str,
        fn: Callable[[Candidate], Iterable[T]],
        *,
        deadline: float | None = None,
        affinity: str | None = None,
        commit: Callable[[T], bool] = always,
    ) -> FallbackResult[Chunks[T]]:
        """Open a stream at the first candidate that delivers a chunk.

        The result's ``response`` iterates every chunk, the first included. Until ``commit`` says
        of a chunk that it settles on this candidate (by default the first does), an error tries
        the next; after that it is recorded and raised, because what was seen cannot be unsaid.
        """
        run = self.begin(candidates, deadline=deadline, affinity=affinity)
        opened = self._drive(run, lambda candidate: hold(fn(candidate), commit))
        chunks = Chunks(opened.response, self._breaker(run, opened.candidate))
        return FallbackResult(chunks, opened.candidate, run.attempts)

    async def astream(
        self,
        candidates: Iterable[Candidate] | str,
        fn: Callable[[Candidate], AsyncIterable[T] | Awaitable[AsyncIterable[T]]],
        *,
        deadline: float | None = None,
        affinity: str | None = None,
        commit: Callable[[T], bool] = always,
    ) -> FallbackResult[AsyncChunks[T]]:
        """:meth:`stream` for async iterators: ``(await chain.astream(…)).response`` is one.

        ``fn`` may return the iterator or an awaitable of it, as the SDKs' ``create(stream=True)`` is.
        """
        run = self.begin(candidates, deadline=deadline, affinity=affinity)
        opened = await self._adrive(run, lambda candidate: hold_async(fn(candidate), commit))
        chunks = AsyncChunks(opened.response, self._breaker(run, opened.candidate))
        return FallbackResult(chunks, opened.candidate, run.attempts)

    def execute_image(
        self,
        candidates: Iterable[Candidate] | str,
        fn: Callable[[Candidate], T],
        *,
        deadline: float | None = None,
        affinity: str | None = None,
    ) -> FallbackResult[T]:
        """:meth:`execute` for images, which keep records of their own: their limits are not chat's."""
        return self._drive(self._begin_image(candidates, deadline, affinity), fn)

    async def aexecute_image(
        self,
        candidates: Iterable[Candidate] | str,
        fn: Callable[[Candidate], Awaitable[T]],
        *,
        deadline: float | None = None,
        affinity: str | None = None,
    ) -> FallbackResult[T]:
        """:meth:`aexecute` for images, which keep records of their own: their limits are not chat's."""
        return await self._adrive(self._begin_image(candidates, deadline, affinity), fn)

    # -- the loop, once a colour -----------------------------------------------------------

    def _drive(self, run: Run, fn: Callable[[Candidate], T]) -> FallbackResult[T]:
        clock = self._clock
        while (candidate := run.next(clock())) is not None or run.pause:
            if candidate is None:
                self.tracker.clock.sleep(run.pause)
                continue
            try:
                limit = run.limit()
                response = fn(candidate) if limit is None else call_within(limit, clock, partial(fn, candidate))
            except Exception as error:
                final = run.failed(error, clock())
                if final is error:
                    raise
            except BaseException:
                run.abandoned()
                raise
            else:
                run.succeeded(clock())
                return FallbackResult(response, candidate, run.attempts)
            if final is not None:
                raise final
        raise run.exhausted(clock()) from run.last_error

    async def _adrive(self, run: Run, fn: Callable[[Candidate], Awaitable[T]]) -> FallbackResult[T]:
        clock = self._clock
        while (candidate := run.next(clock())) is not None or run.pause:
            if candidate is None:
                await self.tracker.clock.asleep(run.pause)
                continue
            try:
                limit = run.limit()
                call = partial(fn, candidate)
                response = await call() if limit is None else await await_within(limit, clock, call)
            except Exception as error:
                final = run.failed(error, clock())
                if final is error:
                    raise
            except BaseException:
                run.abandoned()
                raise
            else:
                run.succeeded(clock())
                return FallbackResult(response, candidate, run.attempts)
            if final is not None:
                raise final
        raise run.exhausted(clock()) from run.last_error

    # -- for hosts that pick and report in hooks of their own ------------------------------

    def begin(
        self, candidates: Iterable[Candidate] | str, *, deadline: float | None = None, affinity: str | None = None
    ) -> Run:
        """One request's walk, for a host that makes the calls itself.

        Ask :meth:`Run.next` with :meth:`now`, make the call, tell :meth:`Run.failed` or
        :meth:`Run.succeeded`.
        """
        return self._run(candidates, self.policy, self._classify, deadline, affinity)

    def now(self) -> float:
        """The chain's clock: epoch seconds."""
        return self._clock()

    def _begin_image(self, candidates: Iterable[Candidate] | str, deadline: float | None, affinity: str | None) -> Run:
        policy = self.policy.for_images()
        classify = self._classify if policy.remembers else only_oversized_stops
        return self._run(candidates, policy, classify, deadline, affinity, Candidate.for_images)

    def _run(
        self,
        asked: Iterable[Candidate] | str,
        policy: Policy,
        classify: Classify,
        deadline: float | None,
        affinity: str | None,
        twin: Callable[[Candidate], Candidate] | None = None,
    ) -> Run:
        models: ModelList | None = self._models.current
        if isinstance(asked, str):
            models = self._models.now
            asked = models.candidates(asked)
        candidates = _checked(asked)
        if twin is not None:
            candidates = [twin(candidate) for candidate in candidates]
        deadline_at = None if deadline is None else self._clock() + _seconds(deadline)
        if affinity is not None:
            candidates = pinned(candidates, affinity)
        elif policy.selection != "ordered":
            candidates = self.tracker.arranged(candidates, policy.selection)
        run = Run(candidates, self.tracker, policy, classify, deadline_at=deadline_at, on_attempt=self.on_attempt)
        run.keeps = models
        return run

    def _breaker(self, run: Run, candidate: Candidate) -> Callable[[Exception], BaseException]:
        began = run.started_at
        return lambda error: run.broke(candidate, began, error, self._clock())


def _read(clock: Callable[[], float], error: BaseException) -> Verdict | None:
    return read_error(error, now=clock())


def _checked(candidates: Iterable[Candidate]) -> Sequence[Candidate]:
    if not isinstance(candidates, (list, tuple)):
        candidates = tuple(candidates)
    if not candidates:
        raise NoCandidatesError("no candidates configured: there is nothing to try")
    return candidates


def _seconds(deadline: float) -> float:
    # 0 is allowed: it is what is left of a budget that somebody else spent.
    try:
        usable = 0 <= deadline < math.inf
    except TypeError:
        usable = False
    if not usable:
        raise ConfigError(f"deadline must be a number of seconds from now, 0 or more, not {deadline!r}")
    return float(deadline)
