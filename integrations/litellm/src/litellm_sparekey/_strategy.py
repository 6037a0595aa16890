"""The routing strategy: sparekey leaves out, LiteLLM selects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litellm.types.router import CustomRoutingStrategyBase

import sparekey as sk
from litellm_sparekey._current import current
from litellm_sparekey._host import host_of
from litellm_sparekey._plan import Plans
from litellm_sparekey._question import Question
from litellm_sparekey._told import Log
from litellm_sparekey._walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm.router import Router

    from sparekey.state import Store


class SparekeyRoutingStrategy(CustomRoutingStrategyBase):
    """Selects by LiteLLM's own rules among the keys that are worth trying now.

    Register it with ``router``, as LiteLLM documents for strategies, and it is installed: the same as
    :func:`litellm_sparekey.install`, which makes one and registers it. Until then it changes nothing.

    Args:
        router: whose deployments to select from; its selection now is the one asked in the end.
        tracker: the memory; ``sparekey.shared_tracker(policy, state)`` when None.
        policy: what each reason does; the tracker's when None.
        state: where the shared tracker keeps its records: a URL, or a ``sparekey.state.Store``. Not with ``tracker``.
        on_attempt: hears of every attempt as it ends: failures, skips and the success.
        deadline: seconds that a request may take over all its keys and fallbacks (of a stream: until it begins).

    Raises:
        sparekey.ConfigError: this LiteLLM is too old, a deployment still has ``api_keys``, both ``tracker`` and
            ``state`` are given, or the router has a strategy of sparekey's already.
    """

    def __init__(
        self,
        router: Router,
        *,
        tracker: sk.CooldownTracker | None = None,
        policy: sk.Policy | None = None,
        state: str | Store = "memory://",
        on_attempt: Callable[[sk.Attempt], object] | None = None,
        deadline: float | None = None,
    ) -> None:
        if deadline is not None and not 0 <= deadline < float("inf"):
            raise sk.ConfigError(f"deadline must be a number of seconds, 0 or more, not {deadline!r}")
        if tracker is not None and state != "memory://":
            raise sk.ConfigError("state: a tracker has one already; give either of the two")
        self.wanted = tracker, policy, state, on_attempt, deadline
        self._deadline = deadline
        self.host = host_of(router)
        self.host.refuse_another()  # whose selection would be taken for LiteLLM's own
        self.tracker = tracker if tracker is not None else sk.shared_tracker(policy, state)
        self._chain = sk.FallbackChain(self.tracker, policy, on_attempt=on_attempt)
        self._plans = Plans(self.host)
        self._plans.read_all()
        self._native_async = self.host.native_async
        self._native_sync = self.host.native_sync
        self.host.expect(self)

    async def async_get_available_deployment(
        self,
        model: str,
        messages: list[dict[str, str]] | None = None,
        input: str | list[Any] | None = None,  # noqa: A002 - LiteLLM's name for it
        specific_deployment: bool | None = False,
        request_kwargs: dict[str, Any] | None = None,
        **_: Any,
    ) -> Any:
        """The deployment for an async call.

        Raises:
            sparekey.FallbackExhaustedError: no key is left; an instance of a LiteLLM class, too.
        """
        walk, question = self._walk(), Question(model, {} if request_kwargs is None else request_kwargs)
        while True:
            if pause := walk.offer(question):
                await self.tracker.clock.asleep(pause)
                continue
            walk.leave_out(question)
            try:
                row = await self._native_async(
                    model=model,
                    messages=messages,
                    input=input,
                    specific_deployment=specific_deployment,
                    request_kwargs=question.settings,
                )
            except Exception as error:
                walk.refused(question, error)
            else:
                if walk.takes(question, row):
                    return row

    def get_available_deployment(
        self,
        model: str,
        messages: list[dict[str, str]] | None = None,
        input: str | list[Any] | None = None,  # noqa: A002
        specific_deployment: bool | None = False,
        request_kwargs: dict[str, Any] | None = None,
        **_: Any,
    ) -> Any:
        """The deployment for a sync call; see :meth:`async_get_available_deployment`."""
        walk, question = self._walk(), Question(model, {} if request_kwargs is None else request_kwargs)
        while True:
            if pause := walk.offer(question):
                self.tracker.clock.sleep(pause)
                continue
            walk.leave_out(question)
            try:
                row = self._native_sync(
                    model=model,
                    messages=messages,
                    input=input,
                    specific_deployment=specific_deployment,
                    request_kwargs=question.settings,
                )
            except Exception as error:
                walk.refused(question, error)
            else:
                if walk.takes(question, row):
                    return row

    def begin(self, log: Log | None = None) -> Walk:
        """A request's walk, for whoever makes its calls; ``log`` is that of its earlier ones."""
        if log is None:
            log = Log(None if self._deadline is None else self._chain.now() + self._deadline)
        return Walk(self._chain, self._plans, log)

    def _walk(self) -> Walk:
        """The walk of the request under way; for a selection by itself, one that ends with it."""
        mine = current()
        return mine.walk if mine is not None and mine.strategy is self and mine.walk is not None else self.begin()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.tracker!r})"
