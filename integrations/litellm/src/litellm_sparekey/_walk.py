"""One request's walk through one model group.

The engine decides which deployments may be tried now; LiteLLM picks among them, for only
LiteLLM knows tags, teams, weights and its other rules. So each selection is an offer: the best
key of every entry, everything else left out. When LiteLLM will have none of them, the next
offer is made, until one is taken or nobody is left.
"""

from __future__ import annotations

from collections.abc import Callable

import litellm.types.router

import sparekey as sk
from litellm_sparekey._errors import exhausted, mark_stop, remember
from litellm_sparekey._host import Deployment
from litellm_sparekey._plan import Plan, Plans, Slot, id_of
from litellm_sparekey._question import Question
from litellm_sparekey._told import Log

_ASKED_TOO_OFTEN = 3
_LAST_RESORT, _NEVER = 3, 4  # of the engine's ranks
_FILTERED_AWAY = (litellm.types.router.RouterRateLimitError, litellm.types.router.RouterRateLimitErrorBasic)


class Walk:
    """What was offered and tried, and what came of it. Belongs to one request, as :class:`sparekey.Run` does."""

    def __init__(self, chain: sk.FallbackChain, plans: Plans, log: Log) -> None:
        self._chain = chain
        self.log = log
        """The request's, over all its groups."""
        self.last_word: Exception | None = None
        """What the walk ended with, when nobody was left."""
        self._plans = plans
        self._plan: Plan | None = None
        self._runs: list[sk.Run] = []
        self._slot: Slot | None = None
        self._entries: dict[str, list[Slot]] = {}
        """The plan's, in the order of the selection."""
        self._offered: list[Slot] = []
        self._on_trust = False
        """Whether the offer is an earlier one, of which only who is picked is looked at."""
        self._tried: set[sk.Candidate] = set()
        self._skipped: set[sk.Candidate] = set()
        self._refused: set[str] = set()
        self._refusal: Exception | None = None
        self._later_order: int | None = None
        self._refused_orders: set[int] = set()

    # -- selecting -------------------------------------------------------------------------

    def offer(self, question: Question) -> float:
        """Find out whom LiteLLM may pick for ``question``; or return the seconds to wait before offering again.

        Raises:
            sparekey.FallbackExhaustedError: nobody is left.
            Exception: LiteLLM's own, when it allows nobody.
        """
        if self._plan is None and (plan := self._plans.of(question.model, question.team)) is not None:
            self._enter(plan)
            if self.log.ends is not None and self._chain.now() >= self.log.ends:
                self._runs[-1].rank(plan.candidates[0], self._chain.now())  # which finds that time is up
                raise self._nobody(question.model, self._chain.now())
        if self._plan is None:
            return 0.0  # LiteLLM knows what is behind this name; the answer will show
        if hops := question.hops:
            self._tried.update(attempt.candidate for _, attempt in self.log.tried)
        self._offered = self._best(self._plan, hops=hops)
        if not self._offered and self._renew(question):
            self._offered = self._best(self._plan, hops=hops)
        if not self._offered:
            return self._wait(question)
        return 0.0

    def leave_out(self, question: Question) -> None:
        """Say in ``question`` whom LiteLLM may not pick: everybody who is not offered."""
        question.exclude([] if self._plan is None else self._plan.without(self._offered), self._later_order)

    @property
    def offered(self) -> frozenset[str]:
        """The ids of whom LiteLLM may pick; none where it alone knows what is behind the name."""
        return frozenset() if self._plan is None else self._plan.ids(self._offered)

    def refused(self, question: Question, error: Exception) -> None:
        """LiteLLM picked none of those offered: it has rules against them, or has them no more.

        Raises ``error`` when there was no offer.
        """
        if not self._offered:
            raise error
        if not self._refused and self._renew(question):
            return
        self._refusal = error
        if self._later_order is not None:
            self._refused_orders.add(self._later_order)
        self._refused.update(slot.id for slot in self._offered)

    def takes(self, question: Question, row: Deployment) -> bool:
        """LiteLLM picked ``row``. True when that is to be tried now, False to ask again."""
        slot = self._plan.slot(row) if self._plan is not None else None
        if slot is None:
            if not self._replan(question, row):
                return False
            slot = self._offered[0]
        elif slot.id not in self.offered:
            self._refused.update(slot.id for slot in self._offered)
            return False
        run, now = self._runs[-1], self._chain.now()
        if self._on_trust and run.rank(slot.candidate, now) != 0:
            assert self._plan is not None
            self._plan.last_offer = None
            return False
        self._skip_before(slot, run, now)
        run.take(slot.candidate, now)
        self._tried.add(slot.candidate)
        self._slot = slot
        limit = run.limit()
        if limit is not None and (limit.by_deadline or slot.candidate.timeout is None):
            question.limit(limit.seconds, strictly=limit.by_deadline)
        return True

    # -- hearing ---------------------------------------------------------------------------

    def failed(self, error: Exception) -> BaseException | None:
        """The call raised ``error``. Returns what to raise, or None to go on."""
        slot, self._slot = self._slot, None
        if slot is None:
            return error  # nothing was being tried: LiteLLM's own complaint, or our last word
        run = self._runs[-1]
        final = run.failed(error, self._chain.now())
        self.log.tried.append((slot.id, run.attempts()[-1]))
        if final is not None:
            mark_stop(final)
            remember(final, self.log)
        return final

    def succeeded(self) -> None:
        """The call answered."""
        if self._slot is not None:
            self._runs[-1].succeeded(self._chain.now())

    def tell(self, response: object, *, anew: bool = False) -> None:
        """Write into the answer who gave it, and after which attempts."""
        if self._slot is not None:
            self.log.tell(response, self._slot.id, self._slot.candidate, anew=anew)

    def watch(self) -> Callable[[Exception], BaseException] | None:
        """What to tell when the stream now beginning breaks: it returns what to raise."""
        if self._slot is None:
            return None
        chain, run, candidate, began = self._chain, self._runs[-1], self._slot.candidate, self._runs[-1].started_at
        return lambda error: run.broke(candidate, began, error, chain.now())

    def abandoned(self) -> None:
        """The caller went away: nobody is blamed."""
        if self._slot is not None:
            self._runs[-1].abandoned()

    # -- inside ----------------------------------------------------------------------------

    def _enter(self, plan: Plan) -> None:
        self._plan, self._on_trust = plan, False
        left = None if self.log.ends is None else max(0.0, self.log.ends - self._chain.now())
        run = self._chain.begin(plan.candidates, deadline=left)
        self._runs.append(run)
        self._entries = plan.entries
        if self._chain.policy.selection != "ordered":
            turn = {candidate: i for i, candidate in enumerate(run.candidates)}
            self._entries = {
                name: sorted(entry, key=lambda slot: turn[slot.candidate]) for name, entry in plan.entries.items()
            }

    def _best(self, plan: Plan, *, hops: bool) -> list[Slot]:
        """The slots of the best rank: of each entry the first, until LiteLLM refuses, then all of them."""
        self._later_order = None
        run, now = self._runs[-1], self._chain.now()
        beginning = not self._tried and not self._refused and self._chain.policy.selection == "ordered"
        if beginning and plan.last_offer is not None:
            # A group may have a thousand entries; as long as nobody better has recovered, the offer stands.
            offered, better = plan.last_offer
            self._on_trust = all(run.rank(slot.candidate, now) != 0 for slot in better)
            if self._on_trust:
                return offered
        self._on_trust = False
        lowest = _NEVER
        best: list[Slot] = []
        passed: list[Slot] = []
        for entry in self._entries.values():
            rank, found, before = self._best_of(entry, run, now)
            if rank < lowest:
                lowest, best = rank, []
            best += found if rank == lowest else ()
            passed += before
        if beginning:
            plan.last_offer = (best, passed) if lowest == 0 else None
        if lowest == _LAST_RESORT:
            if self._refused and not hops and (later := self._ready_later(run, now)):
                return later
            if not self._refused:
                return [min(best, key=lambda slot: self._chain.tracker.remaining(slot.candidate))]
        return best

    def _ready_later(self, run: sk.Run, now: float) -> list[Slot]:
        """Who of a later order is ready, for LiteLLM looks at the first one only; before a last resort of that."""
        ready: dict[int, list[Slot]] = {}
        for entry in self._entries.values():
            for slot in entry:
                if slot.order is None or slot.order in self._refused_orders or slot.candidate in self._tried:
                    continue
                rank = run.rank(slot.candidate, now)
                if rank is not None and rank < _LAST_RESORT:
                    ready.setdefault(slot.order, []).append(slot)
                    break
        if not ready:
            return []
        self._later_order = min(ready)
        return ready[self._later_order]

    def _best_of(self, entry: list[Slot], run: sk.Run, now: float) -> tuple[int, list[Slot], list[Slot]]:
        """The best rank in ``entry``, whom to offer of it, and who is passed over for that."""
        lowest = _NEVER
        best: list[Slot] = []
        passed: list[Slot] = []
        for slot in entry:
            if slot.candidate in self._tried or slot.id in self._refused:
                continue
            rank = run.rank(slot.candidate, now)
            if rank == 0 and not self._refused:
                return 0, [slot], passed
            passed.append(slot)
            if rank is not None and rank < lowest:
                lowest, best = rank, [slot]
            elif rank == lowest and (rank == _LAST_RESORT or self._refused):
                best.append(slot)
        return lowest, best, passed

    def _wait(self, question: Question) -> float:
        """Seconds to wait for somebody to recover; raises when that is of no use."""
        run, now = self._runs[-1], self._chain.now()
        for entry in self._entries.values():
            for slot in entry:
                self._skip(slot, run, now)
        if not (pause := run.wait(now)):
            raise self._nobody(question.model, now)
        self._tried.clear()
        return pause

    def _replan(self, question: Question, row: Deployment) -> bool:
        """``row`` is not what we know. True when it is to be tried as it is, False to ask again by a better plan."""
        question.replanned += 1
        pinned = id_of(row) == question.model or question.replanned > _ASKED_TOO_OFTEN
        for name in () if pinned else (question.model, str(row.get("model_name"))):
            plan = self._plans.refresh(name, question.team)
            if plan is not None and plan.slot(row) is not None:
                self._enter(plan)
                return False
        self._enter(alone := self._plans.pinned(row))
        self._offered = list(alone.slots.values())
        if self._offered[0].candidate in self._tried:
            raise self._nobody(question.model, self._chain.now())
        return True

    def _renew(self, question: Question) -> bool:
        """Whether there are other deployments than when the plan was made."""
        assert self._plan is not None
        if self._plan.name is None:
            return False
        plan = self._plans.refresh(self._plan.name, question.team)
        if plan is None or list(plan.slots.values()) == list(self._plan.slots.values()):
            return False
        self._enter(plan)
        return True

    def _skip_before(self, slot: Slot, run: sk.Run, now: float) -> None:
        """Note who of the entry was passed over in favour of ``slot``."""
        entry = self._entries[slot.entry]
        for other in entry[: entry.index(slot)]:
            self._skip(other, run, now)

    def _skip(self, slot: Slot, run: sk.Run, now: float) -> None:
        candidate = slot.candidate
        if candidate in self._tried or candidate in self._skipped or slot.id in self._refused:
            return
        if run.rank(candidate, now) in (None, _LAST_RESORT):
            self._skipped.add(candidate)
            self.log.skipped += 1
            run.pass_over(candidate, now)

    def _nobody(self, model: str, now: float) -> Exception:
        stories, refusal = [run.exhausted(now) for run in self._runs], self._refusal
        ours = isinstance(refusal, _FILTERED_AWAY) and any(story.attempts for story in stories)
        if refusal is not None and not self._tried and not ours:
            self.last_word = refusal
            return refusal
        error = exhausted(stories, model, "" if not self._refused else f"all that LiteLLM allows for {model!r} failed")
        error.__cause__ = self._runs[-1].last_error
        remember(error, self.log)
        self.last_word = error
        return error
