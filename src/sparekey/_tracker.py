"""The memory of what is cooling down: records behind one lock, and a clock."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any
from weakref import WeakValueDictionary

from sparekey._clock import Clock
from sparekey._cooldown import NOTHING, Opened, Record, after_failure, after_success
from sparekey._meant import meant
from sparekey._policy import Policy, Selection
from sparekey._types import Candidate, Reason
from sparekey._usage import Usage
from sparekey._view import RecordView, view
from sparekey.state._forks import Lock, survive
from sparekey.state._places import settled
from sparekey.state._states import book_of
from sparekey.state._store import Store
from sparekey.state._travel import packed, unpacked


class CooldownTracker:
    """Remembers which candidates, credentials and accounts are cooling down, until when and why.

    Thread-safe. Reading takes no lock: records are immutable and replaced whole.

    Args:
        policy: what each reason does and for how long; the default policy when None.
        clock: epoch seconds. A callable; when it has a ``sleep`` and an ``asleep``, waiting goes by them.
        state: where records live. ``memory://`` is this tracker only; ``sqlite:///file.db`` all processes of a
            machine, and their restarts; ``redis://host:6379/0`` all machines; or a reference to such a URL
            (``os.environ/NAME``), or a :class:`sparekey.state.Store`. The constructor then waits up to a quarter of
            a second for what the others know, and nothing else ever waits: requests go by what has arrived.

    Raises:
        ConfigError: ``state`` is of a kind not known, or cannot work.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        clock: Callable[[], float] = time.time,
        state: str | Store = "memory://",
    ) -> None:
        self.policy = policy if policy is not None else Policy()
        self.clock = Clock.of(clock)
        self._book = book_of(state, self, self.policy)
        self._usage = Usage()
        self._claims: dict[str, float] = {}
        self._state = settled(state)
        self._token = uuid.uuid4().hex
        _alive[self._token] = self
        survive(self)
        self._book.ready()
        vars(self)["records"] = self._book.records

    # -- for people ------------------------------------------------------------------------

    def mark_failure(
        self,
        who: Candidate | str,
        reason: Reason | str,
        *,
        retry_after: float | None = None,
        started_at: float | None = None,
    ) -> None:
        """A call to ``who`` failed: cool what the policy blames for ``reason``.

        Args:
            who: a candidate, whose scopes are resolved, or the id of one record.
            reason: why it failed; one without a ladder in the policy cools nothing.
            retry_after: seconds the provider asked to wait.
            started_at: when the call began, in epoch seconds; None means now.
        """
        reason = Reason(reason)
        rule = self.policy.rule(reason)
        key = who.scope_id(rule.scope) if isinstance(who, Candidate) else who
        self.open(
            key, rule.reads_as or reason, self.policy, now=self.clock(), started_at=started_at, retry_after=retry_after
        )

    def mark_success(self, who: Candidate | str, *, started_at: float | None = None) -> None:
        """A call to ``who`` succeeded: forgive all that had opened by the time it began.

        Args:
            who: a candidate, all of whose records are cleared, or the id of one record.
            started_at: when the call began, in epoch seconds; None means now.
        """
        self.clear(_keys(who), started_at if self.policy.incident_once else None, self.clock())

    def is_available(self, who: Candidate | str) -> bool:
        """Whether nothing cools ``who``; true from the very instant a cooldown ends."""
        return self._until(who) <= self.clock()

    def remaining(self, who: Candidate | str) -> float:
        """Seconds until ``who`` is available, 0 when it is."""
        return max(0.0, self._until(who) - self.clock())

    def error_count(self, who: Candidate | str) -> int:
        """Failures of all reasons since the last success."""
        return sum(mark.failures for record in self._of(who) for mark in record.live.values())

    def failure_count(self, who: Candidate | str, reason: Reason | str) -> int:
        """Failures for one reason since the last success."""
        reason = Reason(reason)
        return sum(record.live[reason].failures for record in self._of(who) if reason in record.live)

    def snapshot(self) -> dict[str, RecordView]:
        """What is remembered, by record id. Ids hold fingerprints, never keys, so it is safe to print."""
        now = self.clock()
        return {key: view(record, now) for key, record in sorted({**self.records}.items()) if record.live}

    def reset(self, who: Candidate | str | None = None) -> list[str]:
        """Forget what cools ``who``, or everything, here and wherever the state is shared.

        Args:
            who: a candidate, the id of a record, a model (``openai/gpt-4o``, or ``gpt-4o`` of any provider), a
                provider, or a key's fingerprint; None for all there is.

        Returns:
            The ids of the records that were forgotten.
        """
        known = [key for key, record in sorted({**self.records}.items()) if record.live]
        if isinstance(who, Candidate):
            whose = {*who.scopes, *who.for_images().scopes, *who.endpoints}
            known = [key for key in known if key in whose]
        elif who is not None:
            known = meant(who, known)
        self.clear(known, None, self.clock())
        return known

    def sync(self, timeout: float = 2.0) -> bool:
        """Wait until others can read what is known here, and what they had written is known here.

        Nobody has to call it: it happens by itself, within a second. It is for a program about to end by
        ``os._exit``, for one that looks once, and for tests.

        Args:
            timeout: seconds to wait at most.

        Returns:
            Whether that came about in time. Always with ``memory://``.
        """
        return self._book.sync(timeout)

    # -- for the engine --------------------------------------------------------------------

    # See sparekey._memory for what each promises.

    @cached_property
    def records(self) -> Mapping[str, Record]:
        """The records themselves, by id; immutable ones in a mapping that changes."""
        self._book.stir()  # a forked child asks for the first time
        return self._book.records

    def forked(self) -> None:
        """In a forked child sharing begins anew, but not before records are asked for."""
        vars(self).pop("records", None)

    @property
    def claims(self) -> Mapping[str, float]:
        """Until when a recovering record is being probed, by its id."""
        return self._claims

    def open(
        self,
        key: str,
        reason: Reason,
        policy: Policy,
        *,
        now: float,
        started_at: float | None,
        retry_after: float | None,
    ) -> Opened:
        """Record one failure under ``key``, by ``policy``."""
        book = self._book
        with book.lock:
            record = book.records.get(key, NOTHING)
            opened = after_failure(record, reason, policy, now=now, started_at=started_at, retry_after=retry_after)
            if opened.record is record:
                return opened
            book.put(key, opened.record)
        book.stir()
        return opened

    def clear(self, keys: Iterable[str], started_at: float | None, now: float) -> None:
        """Record one success, begun at ``started_at``, under each of ``keys`` that has something to forgive."""
        book = self._book
        for key in keys:
            record = book.records.get(key)
            if record is not None and record.live:
                with book.lock:
                    record = book.records.get(key, record)
                    cleared = after_success(record, started_at, now)
                    if cleared is record:
                        continue
                    book.put(key, cleared)
                book.stir()

    def claim(self, keys: Iterable[str], now: float, until: float) -> bool:
        """Take the probe of all ``keys`` up to ``until``; False, and nothing taken, when one is taken."""
        keys = list(keys)
        with self._book.lock:
            if any(self._claims.get(key, now) > now for key in keys):
                return False
            self._claims.update(dict.fromkeys(keys, until))
        return True

    def release(self, keys: Iterable[str], until: float) -> None:
        """Give the probes back that were claimed up to ``until``, and no other request's."""
        with self._book.lock:
            for key in keys:
                if self._claims.get(key) == until:
                    del self._claims[key]

    def spend(self, candidate: Candidate, now: float, *, forced: bool) -> float | None:
        """Take one request from the candidate's budget, and note its use; when it is spent, only if ``forced``."""
        with self._book.lock:
            return self._usage.spend(candidate, now, forced=forced)

    def saturated_until(self, candidate: Candidate, now: float) -> float | None:
        """When the candidate's budget has room again; None when it has now."""
        with self._book.lock:
            return self._usage.saturated_until(candidate, now)

    def arranged(self, candidates: Sequence[Candidate], selection: Selection) -> Sequence[Candidate]:
        """The candidates in the order the selection asks for; moves the rotation on."""
        with self._book.lock:
            return self._usage.arranged(candidates, selection)

    def _of(self, who: Candidate | str) -> list[Record]:
        records = self.records
        return [records[key] for key in _keys(who) if key in records]

    def _until(self, who: Candidate | str) -> float:
        return max((record.until for record in self._of(who)), default=float("-inf"))

    def __deepcopy__(self, _memo: object) -> CooldownTracker:
        """A copy of what uses it still remembers, and is remembered by, the same tracker."""
        return self

    def __reduce__(self) -> tuple[object, ...]:
        shared = isinstance(self._state, str) and _shared.get(_key(self.policy, self._state)) is self
        return CooldownTracker._found, ("" if shared else self._token, self.policy, packed(self._state))

    @classmethod
    def _found(cls, token: str, policy: Policy, state: Any) -> CooldownTracker:
        """An unpickled tracker: where it is known, the very one; elsewhere one for all that was pickled with it."""
        if token and (known := _alive.get(token)) is not None:
            return known
        state = unpacked(state)
        if not token:
            return shared_tracker(policy, state)
        made = cls(policy, state=state)
        with _shared_lock:
            if (known := _alive.get(token)) is None:
                made._token = token
                known = _alive[token] = made
            return known

    def __repr__(self) -> str:
        cooling = sum(record.until > self.clock() for record in list(self.records.values()))
        return f"CooldownTracker({cooling} cooling)"


_alive: WeakValueDictionary[str, CooldownTracker] = WeakValueDictionary()
"""Every tracker of this process, by a token of its own: where it is unpickled, it is the same one."""
_shared: dict[tuple[Policy, str | int], CooldownTracker] = {}
_shared_lock = Lock()


def shared_tracker(policy: Policy | None = None, state: str | Store = "memory://") -> CooldownTracker:
    """The process's one tracker for this policy and state.

    What builds a model per request still remembers, because everything built so shares it.

    Raises:
        ConfigError: ``state`` is of a kind not known, or cannot work.
    """
    policy = policy if policy is not None else Policy()
    state = settled(state)
    key = _key(policy, state)
    if (known := _shared.get(key)) is not None:
        return known
    made = CooldownTracker(policy, state=state)  # outside the lock: it may wait for a store
    with _shared_lock:
        return _shared.setdefault(key, made)


def _key(policy: Policy, state: str | Store) -> tuple[Policy, str | int]:
    return policy, state if isinstance(state, str) else id(state)  # a store need not be hashable


def _keys(who: Candidate | str) -> tuple[str, ...]:
    return who.scopes if isinstance(who, Candidate) else (who,)
