"""One request's way through the core of LiteLLM's router, where that is written in Rust.

The core decides step by step (pick, attempt, sleep, fall back), and Python carries the steps out
and answers. A :class:`Trip` stands between the two: it reads the answers before the core does, and
has the core try another key, go on to the fallbacks, or end, as the walk over the keys says.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from litellm.exceptions import ContentPolicyViolationError, ContextWindowExceededError

from litellm_sparekey._current import Current, enter
from litellm_sparekey._errors import stops
from litellm_sparekey._fallbacks import Story
from litellm_sparekey._private import ORDER
from litellm_sparekey._question import Question, restore

if TYPE_CHECKING:
    from litellm_sparekey._strategy import SparekeyRoutingStrategy

Step: TypeAlias = dict[str, Any]
Answer: TypeAlias = Mapping[str, Any]

_ENOUGH = 1_000_000
"""Retries that a request may have: the walk ends before the core's patience does."""
_POLICY = {"InternalServerErrorRetries": _ENOUGH}
_AGAIN: Answer = {"kind": "InternalServerError", "classes": ["InternalServerError"], "status": 500}
"""What a failure is told as that the walk goes on from: by :data:`_POLICY` the core retries it, whatever else holds."""
_NO_MORE: Answer = {"agentic_followup": True}
"""What the core retries in no case: as if the model had called tools already, which must not run twice."""
_NOT_THAT: Answer = {"ok": False, "detail": "", "recorded": True, **_AGAIN}
"""What an attempt is answered with that is not made, because somebody else is to be picked."""
_SILENT = frozenset({"cache", "select"})
"""Steps that say nothing of retries themselves."""
_REFUSED: Answer = {"ok": False, "raised": True, "kind": "APIError", "classes": [], "detail": "", **_NO_MORE}


def retried_as_told(groups: Iterable[str]) -> dict[str, Any]:
    """What the core is told of a call that may come to these model groups: no retries but ours, by nobody's policy."""
    return {
        "num_retries": _ENOUGH,
        "uncounted_retries": None,
        "model_group_retry_policy": dict.fromkeys(groups, _POLICY),
        "pre_routes": True,  # or no strategy is asked who recovers a broken stream
    }


@cache
def obeys(core: Any) -> bool:
    """Whether cores of this class go on, and end, as they are told; seen on one of its own that calls nobody."""
    row = {"model_name": "m", "litellm_params": {"model": "openai/m"}, "model_info": {"id": "m"}}
    failure = {"ok": False, "kind": "RateLimitError", "classes": ["RateLimitError"], "status": 429, "recorded": True}
    told = iter([row, {**failure, **_AGAIN}, row, {**failure, **_NO_MORE}])
    done = []
    try:
        call = core({"model_list": [row]}, {"version": 1}).start("acompletion", {"model": "m"} | retried_as_told(["m"]))
        step = call.next(None)
        while step["kind"] not in ("done", "failed"):
            done.append(step["kind"])
            if step["kind"] == "cache":
                step = call.next([None] * len(step["keys"]))
            else:
                step = call.next(None if step["kind"] == "sleep" else next(told))
    except Exception:
        return False
    return [kind for kind in done if kind != "cache"] == ["pre_route", "attempt", "sleep", "pre_route", "attempt"]


class Trip(Current):
    """What one call of the core's is asked through, with a walk for each model group that it comes to."""

    def __init__(self, strategy: SparekeyRoutingStrategy, call: Any, request: dict[str, Any]) -> None:
        super().__init__(strategy)
        self.routed: Any = None
        """The group that LiteLLM's own pre-routing leads to, instead of the one that was asked for."""
        self._call = call
        self._request = request
        self._given = dict(request)
        self._step: Step = {"kind": "start"}
        self._chosen: list[str] | None = None
        """Whom the core is to pick, where it is made to pick by itself; empty: whomever it likes."""
        self._among: frozenset[str] | None = None
        """Whom the core may pick by itself, where no selection was made beside its own."""
        self._question: Question | None = None
        """The one it answers."""
        self.prerouted: Any = None
        """What a hook has made of the name already, for the selection that follows."""
        self._failure: Answer | None = None
        """What is to come of whom it picks then, for nobody is left."""
        self._model = ""
        self._order: int | None = None
        self._others = 0
        self._story = Story()
        self._heard: list[BaseException | None] = []
        """What the attempt under way ended with: an error to raise, or None to go on."""
        self._again = False
        self._end: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        self._end = enter(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._attempting and self.walk is not None:
            self.walk.abandoned()
        self.walk = None
        self._story.forget()
        restore(self._request, self._given)
        self._end()

    def failed(self, error: Exception) -> None:
        """The attempt under way raised ``error``; its answer comes later."""
        if self._attempting and self.walk is not None:
            self._heard = [self.walk.failed(error)]

    def next(self, answer: Any) -> Step:
        """The core's next step, once it has the answer to the last."""
        kind = self._step["kind"]
        if kind == "attempt":
            answer = self._after_attempt(answer)
        elif kind == "pre_route":
            if isinstance(answer, (dict, Mapping)):
                answer = self._after_pick(answer)
        elif kind == "select" and self._step.get("stage") == "callback_filters":
            answer = self._after_filters(answer)
        step: Step = self._call.next(answer)
        kind = step["kind"]
        if kind == "attempt" and self._failure is not None:
            step = self._skip(step, self._failure)
        elif kind == "attempt" and self._among is not None:
            step = self._take(step)
        elif kind == "pre_route" and step["retry"] and not self._again and self._among is None:
            step = self._skip(step, _REFUSED)  # the core would retry of its own accord
        kind = step["kind"]
        self._modest(step)
        if kind == "pre_route":
            self._before_pick(step)
        elif kind == "sleep":
            step["seconds"] = 0.0  # whether a key is worth waiting for, the walk says
        elif kind == "failed" and self._story.exhausted:
            self._story.last_word(self._story.exhausted[0], str(self._request.get("model")))
        self._step = step
        return step

    async def hand_over(
        self, pre_route: Callable[..., Any], step: Step, request: dict[str, Any], *asked: Any, **named: Any
    ) -> bool:
        """Have the core pick by itself among those the walk offers, which it does in half the time that a selection
        takes; unless hooks say another name. When it picks none of them, it comes back for a selection.

        Raises:
            sparekey.FallbackExhaustedError: nobody is left.
        """
        if step is not self._step or step["retry"] or self.walk is None:
            return False
        question = Question(self._model, request)
        if question.narrowed:
            return False
        while pause := self.walk.offer(question):
            await self.strategy.tracker.clock.asleep(pause)
        if not (among := self.walk.offered):
            return False
        try:
            self.prerouted = await pre_route(step, request, *asked, **named)
        except Exception:
            return False  # a hook that fails is asked once more, by the selection, as LiteLLM's retries would
        if self.prerouted is not None:
            return False
        self._among, self._question = among, question
        return True

    def tell(self, driver: Any) -> None:
        """Write into the response that ``driver`` has who gave it."""
        if self._step["kind"] == "done" and self.walk is not None:
            self.walk.tell(driver.response, anew=True)  # the core is about to give it what is hidden

    @property
    def _attempting(self) -> bool:
        return bool(self._step["kind"] == "attempt")

    def _take(self, step: Step) -> Step:
        """The attempt at whom the core has picked; if that is nobody to try now, what it does next."""
        assert self.walk is not None
        assert self._question is not None
        self._among = None
        if self.walk.takes(self._question, step["deployment"]):
            return step
        self._again = True
        return self._skip(step, _NOT_THAT)

    def _skip(self, step: Step, answer: Answer) -> Step:
        """The step after one that nobody need carry out."""
        after: Step = self._call.next(answer)
        after["events"] = [event for event in step["events"] if event["kind"] != "selected"] + after["events"]
        return after

    def _modest(self, step: Step) -> None:
        """Where LiteLLM shows how many retries there may be, it is one for each other deployment of the group."""
        if step["kind"] in _SILENT and not step["events"]:
            return
        for said in (*step["events"], step):
            if "model_group_size" in said:
                self._others = max(0, said["model_group_size"] - 1)
            if said.get("max_retries") == _ENOUGH:
                said["max_retries"] = max(self._others, said.get("attempted_retries") or 0)

    def _before_pick(self, step: Step) -> None:
        if step["retry"] == 0 or self.walk is None:
            self._model = str(step["model"])
            self.walk = self.strategy.begin(self._story.log)
            self._story.log = self.walk.log
            hops = [event for event in step["events"] if event["kind"] == "fallback"]
            self._order = hops[-1].get("order") if hops else None
            self.routed = None
        restore(self._request, self._given)  # all attempts share it
        if self._order is not None:
            self._request[ORDER] = self._order
        self._again, self._chosen, self._failure = False, None, None
        self._among = self._question = self.prerouted = None

    def _after_pick(self, answer: Answer) -> Any:
        if answer.get("ok") is False:
            if self.walk is not None and self.walk.last_word is not None:
                self._story.hear(self.walk.last_word)
            answer = {**answer, **_NO_MORE}
        if self.routed is None:
            return answer
        # The core looks for fallbacks by the group where an attempt failed: it has to pick by itself, and in that.
        if answer.get("ok") is False:
            self._chosen, self._failure = [], {**answer, "recorded": True}
        else:
            self._chosen = [answer["model_info"]["id"]]
        return self.routed

    def _after_filters(self, answer: Any) -> Any:
        """Whom the core may pick by itself, of those that LiteLLM's filters have left."""
        if self._among is not None and isinstance(answer, tuple):
            kept, preferred = answer
            if not self._among.issuperset(kept):
                return [each for each in kept if each in self._among], preferred if preferred in self._among else None
        elif self._chosen is not None:
            return self._chosen or self._step["candidates"][:1], None
        return answer

    def _after_attempt(self, answer: Answer) -> Answer:
        heard, self._heard = self._heard, []
        if answer.get("ok"):
            if self.walk is not None:
                self.walk.succeeded()
            return answer
        if heard == [None]:
            self._again = True
            return {**answer, **_AGAIN}
        for error in heard:
            if error is not None and stops(error) and not self._has_fallbacks_of_its_own(error):
                self._step = {"kind": "stopped"}
                raise error
        return {**answer, **_NO_MORE}

    def _has_fallbacks_of_its_own(self, error: BaseException) -> bool:
        """Whether the user named other groups for just this kind of error, and for this group."""
        if isinstance(error, ContextWindowExceededError):
            name = "context_window_fallbacks"
        elif isinstance(error, ContentPolicyViolationError):
            name = "content_policy_fallbacks"
        else:
            return False
        named = self._request.get(name) or getattr(self.strategy.host.router.settings(), name)
        events = importlib.import_module("litellm.router_utils.fallback_event_handlers")
        groups = events.fallback_lookup_groups(self._request, self._model)
        return bool(named) and events.get_fallback_model_group_for_lookup_groups(named, groups)[0] is not None
