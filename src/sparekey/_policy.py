"""What each reason does: stop or go on, what cools, and for how long. Plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Literal, TypeAlias, get_args

from sparekey._types import Reason, Scope
from sparekey.errors import ConfigError

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


Selection: TypeAlias = Literal["ordered", "round_robin", "least_recently_used"]


class Action(StrEnum):
    """What a failure does to the walk."""

    STOP = "stop"
    """Raise the provider's error: no other candidate could do better."""
    NEXT_CANDIDATE = "next_candidate"
    NEXT_MODEL = "next_model"
    """Pass over the other keys of this model (same provider and endpoint) for this request."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """How long to cool when the provider did not say: ``first * factor ** n`` seconds, at most ``cap``.

    ``n`` counts the failures already on the ladder. Reasons that share a ladder, by name, climb it together.
    """

    name: str
    first: float
    factor: float
    cap: float
    counts_all: bool = False
    """Whether failures of every reason are steps of it, and not only those of its own reasons."""

    def __post_init__(self) -> None:
        if not (0 < self.first <= self.cap < float("inf") and 1 <= self.factor < float("inf")):
            raise ConfigError(
                f"Ladder {self.name!r}: first must be positive and at most cap, and factor 1 or more, "
                f"not {self.first!r}, {self.cap!r} and {self.factor!r}"
            )

    def seconds(self, n: int) -> float:
        """The cooldown after ``n`` earlier failures, in seconds."""
        # 64 doublings are past any cap, and a float overflows near a thousand of them.
        return min(self.cap, self.first * self.factor ** min(n, 64))


@dataclass(frozen=True, slots=True)
class Rule:
    """What one reason does. Without a ladder, or when it stops the walk, nothing cools."""

    action: Action = Action.NEXT_CANDIDATE
    scope: Scope = Scope.CANDIDATE
    ladder: Ladder | None = None
    reads_as: Reason | None = None
    """The reason it is recorded as, when a policy tells fewer of them apart."""


_TRANSIENT = Ladder("transient", 5.0, 2.0, 5 * MINUTE)
_QUOTA = Ladder("quota", 30.0, 2.0, HOUR)
_CREDENTIAL = Ladder("credential", 10 * MINUTE, 2.0, 6 * HOUR)

# The seed's two (BEHAVIOUR: 1 min, 5 min, 25 min, 1 h; billing 5 h, 10 h, 20 h, 24 h).
_SEED_STANDARD = Ladder("standard", MINUTE, 5.0, HOUR, counts_all=True)
_SEED_BILLING = Ladder("billing", 5 * HOUR, 2.0, DAY)

_STOP = Rule(Action.STOP)
_SEED_STOP = Rule(Action.STOP, ladder=_SEED_STANDARD)


@dataclass(frozen=True, slots=True)
class Rules:
    """The table of reasons. Where each default comes from: ``docs/decisions.md``."""

    auth: Rule = Rule(scope=Scope.CREDENTIAL, ladder=_CREDENTIAL)
    billing: Rule = Rule(scope=Scope.CREDENTIAL, ladder=_CREDENTIAL)
    rate_limit: Rule = Rule(scope=Scope.ACCOUNT, ladder=_QUOTA)
    model_not_found: Rule = Rule(ladder=_QUOTA)
    overloaded: Rule = Rule(ladder=_TRANSIENT)
    timeout: Rule = Rule(ladder=_TRANSIENT)
    server_error: Rule = Rule(ladder=_TRANSIENT)
    network: Rule = Rule(ladder=_TRANSIENT)
    format: Rule = _STOP
    context_overflow: Rule = _STOP
    content_policy: Rule = _STOP
    unknown: Rule = _STOP


_SEED_RULES = Rules(
    auth=Rule(ladder=_SEED_STANDARD),
    billing=Rule(ladder=_SEED_BILLING),
    rate_limit=Rule(ladder=_SEED_STANDARD),
    timeout=Rule(ladder=_SEED_STANDARD),
    overloaded=Rule(ladder=_SEED_STANDARD, reads_as=Reason.RATE_LIMIT),
    server_error=Rule(ladder=_SEED_STANDARD, reads_as=Reason.TIMEOUT),
    network=Rule(ladder=_SEED_STANDARD, reads_as=Reason.TIMEOUT),
    # These stop the walk (the seed could not even classify a 404). Marking one by hand still climbs, as it did there.
    model_not_found=_SEED_STOP,
    format=_SEED_STOP,
    context_overflow=_SEED_STOP,
    content_policy=_SEED_STOP,
    unknown=_SEED_STOP,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """How failures are judged. Frozen: derive another with :func:`dataclasses.replace`.

    The default departs from the program sparekey descends from where that went wrong in
    practice; :meth:`classic` is that program to the letter, but for how errors are read.
    """

    rules: Rules = field(default_factory=Rules)
    attempt_timeout: float | None = None
    """Seconds one attempt may take (a stream: until it commits); an entry's own ``timeout`` goes first."""
    unclassified: Action = Action.STOP
    """What an error does that nothing is known of."""
    believes_provider: bool = True
    """Whether the provider's own time goes before the ladder's, and its word that no other key can help is heeded."""
    hint_floor: float = 1.0
    """Seconds a provider-given cooldown lasts at least."""
    hint_cap: float = DAY
    """Seconds a provider-given cooldown lasts at most."""
    forget_after: float = DAY
    """Seconds without a failure after which the next one starts the ladders afresh."""
    incident_once: bool = True
    """Whether failures of attempts begun before a cooldown opened belong to it and do not escalate it."""
    max_wait: float = 0.0
    """Seconds a request may wait, all together, for a candidate to recover before it is exhausted."""
    selection: Selection = "ordered"
    """Among the keys of one model: ``ordered`` keeps prompt caches warm, the others spread the load."""
    half_open: bool = True
    """Whether one request at a time probes a candidate after its cooldown, while others prefer the rest."""
    spares_sick_endpoints: bool = True
    """Whether an endpoint that fails with two credentials in a row is put last for a while."""
    revisits: bool = True
    """Whether who was passed over is looked at again in the same request, when it may have recovered."""
    last_resort: bool = True
    """Whether one candidate that cools for a transient reason is tried when nothing better is left."""
    remembers: bool = True
    """Whether cooldowns are looked at and written."""
    images_remember: bool = True
    """Whether images have cooldowns; if not, every error but an oversized image tries the next candidate."""

    def __post_init__(self) -> None:
        if not 0 <= self.max_wait < float("inf"):
            raise ConfigError(f"Policy: max_wait must be a number of seconds, 0 or more, not {self.max_wait!r}")
        if self.selection not in get_args(Selection):
            known = ", ".join(get_args(Selection))
            raise ConfigError(f"Policy: there is no selection {self.selection!r}; there are {known}")
        for name in ("attempt_timeout", "hint_floor", "hint_cap", "forget_after"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ConfigError(f"Policy: {name} must be a positive number of seconds, not {value!r}")

    @classmethod
    def classic(cls) -> Policy:
        """The rules of the program sparekey descends from: two ladders, no hints, a cooling key is never tried."""
        return cls(
            rules=_SEED_RULES,
            believes_provider=False,
            incident_once=False,
            half_open=False,
            spares_sick_endpoints=False,
            revisits=False,
            last_resort=False,
            images_remember=False,
        )

    def for_images(self) -> Policy:
        """The policy under which images walk."""
        return self if self.images_remember else replace(self, remembers=False, unclassified=Action.NEXT_CANDIDATE)

    def rule(self, reason: Reason) -> Rule:
        """The row of ``reason``."""
        found: Rule = getattr(self.rules, reason.value)
        return found

    def with_rule(self, reason: Reason | str, **changes: Any) -> Policy:
        """This policy with one row changed, e.g. ``policy.with_rule("overloaded", action=Action.NEXT_MODEL)``.

        Raises:
            ConfigError: there is no such reason, or a rule has no such field.
        """
        try:
            known = Reason(reason)
        except ValueError:
            raise ConfigError(f"Policy: there is no reason {reason!r}; there are {', '.join(Reason)}") from None
        unknown = set(changes) - {f.name for f in fields(Rule)}
        if unknown:
            raise ConfigError(f"Policy: a rule has no {', '.join(sorted(unknown))}")
        rules = replace(self.rules, **{known.value: replace(self.rule(known), **changes)})
        return replace(self, rules=rules)
