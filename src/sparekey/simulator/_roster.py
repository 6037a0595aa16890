"""Who the keys are and how far each has come in what it does. Time is an argument."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf

from sparekey._secrets import fingerprint
from sparekey.errors import ConfigError
from sparekey.simulator._behaviours import AnyBehaviour, Behaviour, Healthy, Limited, RateLimited
from sparekey.simulator._scenario import Scenario


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a window."""

    limit: int
    remaining: int
    reset: float
    """Seconds until the window closes."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a key does with one request."""

    behaviour: Behaviour
    quota: Quota | None = None


class Course:
    """The progress of one key through its steps."""

    def __init__(self, steps: tuple[AnyBehaviour, ...], now: float) -> None:
        self.steps = steps
        self._index = 0
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._since = now
        self._taken = 0
        self._window_closes = -inf
        self._window_taken = 0

    def current(self, now: float) -> Behaviour:
        """The step whose turn it is at ``now``; asking takes nothing from it."""
        while self._index < len(self.steps):
            step = self.steps[self._index]
            last = self._index == len(self.steps) - 1
            times = step.times or (inf if last or step.seconds else 1)
            ends = self._since + (step.seconds or inf)
            if self._taken < times and now < ends:
                return step
            # A step that ended by the clock hands over at that moment, not when somebody asks.
            self._index += 1
            self._begin(min(now, ends))
        return Healthy()

    def turn(self, now: float) -> Turn:
        """Take one request."""
        step = self.current(now)
        self._taken += 1
        return self._limited(step, now) if isinstance(step, Limited) else Turn(step)

    def _limited(self, step: Limited, now: float) -> Turn:
        if now >= self._window_closes:
            self._window_closes, self._window_taken = now + step.window, 0
        reset = self._window_closes - now
        if self._window_taken >= step.requests:
            refusal = RateLimited(delay=step.delay, retry_after=reset)
            return Turn(refusal, Quota(step.requests, 0, reset))
        self._window_taken += 1
        return Turn(Healthy(delay=step.delay), Quota(step.requests, step.requests - self._window_taken, reset))


@dataclass(slots=True)
class Holder:
    """One key, by name."""

    key: str = field(repr=False)
    name: str
    reply: str | None
    courses: dict[str | None, Course]
    """By model; None is for every model that has no course of its own."""

    def course(self, model: str | None) -> Course:
        return self.courses.get(model) or self.courses[None]


class Roster:
    """All keys of a simulator; safe to change from another thread."""

    def __init__(self, scenario: Scenario, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._default = scenario.default
        self._reply = scenario.reply
        now = clock()
        self._holders = {
            holder.key: holder
            for entry in scenario.keys
            for holder in [
                Holder(
                    entry.key.get_secret_value(),
                    entry.name,
                    scenario.reply if entry.reply is None else entry.reply,
                    {None: Course(entry.behaviour, now)}
                    | {model: Course(steps, now) for model, steps in entry.models.items()},
                )
            ]
        }

    @property
    def holders(self) -> tuple[Holder, ...]:
        with self._lock:
            return tuple(self._holders.values())

    def find(self, key: str) -> Holder | None:
        """The holder of ``key``, made on the spot when there is a default; None when refused."""
        with self._lock:
            if key not in self._holders and self._default and key:
                self._add(key, self._default)
            return self._holders.get(key)

    def named(self, name: str) -> Holder | None:
        """The holder with this name or fingerprint."""
        return next((h for h in self.holders if name in (h.name, fingerprint(h.key))), None)

    def turn(self, holder: Holder, model: str | None) -> Turn:
        """Take one request for ``model``."""
        with self._lock:
            return holder.course(model).turn(self._clock())

    def current(self, holder: Holder) -> Mapping[str | None, Behaviour]:
        """What the key would do now, by model."""
        with self._lock:
            now = self._clock()
            return {model: course.current(now) for model, course in holder.courses.items()}

    def set(self, key: str, steps: tuple[AnyBehaviour, ...], model: str | None = None) -> None:
        """Begin anew with ``steps``; for every model when ``model`` is None.

        Raises:
            ConfigError: only some models were named for a key that is not in the scenario.
        """
        with self._lock:
            holder = self._holders.get(key)
            if holder is None and model is not None:
                raise ConfigError(f"key {fingerprint(key)} is not in the scenario: set it for every model first")
            if holder is None:
                self._add(key, steps)
            elif model is None:
                holder.courses = {None: Course(steps, self._clock())}
            else:
                holder.courses[model] = Course(steps, self._clock())

    def _add(self, key: str, steps: tuple[AnyBehaviour, ...]) -> None:
        name = f"key-{fingerprint(key)}"
        self._holders[key] = Holder(key, name, self._reply, {None: Course(steps, self._clock())})
