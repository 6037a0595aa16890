"""The nouns: what is tried, what went wrong, what came of it. Plain data, no behaviour worth a test.

Nothing here holds a secret. A credential appears as its fingerprint only
(see :mod:`sparekey._secrets`), so every repr below is safe to log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field
from enum import StrEnum
from sys import intern
from typing import Generic, Literal, NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")


class Reason(StrEnum):
    """Why a call failed, in the words the rest of the library decides by."""

    AUTH = "auth"
    RATE_LIMIT = "rate_limit"
    BILLING = "billing"
    NETWORK = "network"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    FORMAT = "format"
    CONTEXT_OVERFLOW = "context_overflow"
    MODEL_NOT_FOUND = "model_not_found"
    CONTENT_POLICY = "content_policy"
    UNKNOWN = "unknown"


class Scope(StrEnum):
    """What a failure is blamed on, and so what cools down."""

    CANDIDATE = "candidate"
    """This key with this model."""
    CREDENTIAL = "credential"
    """This key with every model it is used for, at its provider and endpoint."""
    ACCOUNT = "account"
    """Every key of the entry's ``account``, with this model."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What :func:`sparekey.classify` read in an error."""

    reason: Reason
    status: int | None = None
    """The HTTP status, where there was one."""
    retry_after: float | None = None
    """Seconds until the provider says it will answer again; None when it said nothing."""
    other_key_helps: bool = True
    """Whether another account's key of the same model could succeed."""
    other_model_helps: bool = True
    """Whether another model, or another provider, could succeed."""
    blameless: bool = False
    """Whether the candidate merely cannot make this one call: it is skipped, whatever the reason, and nothing cools."""


Classify: TypeAlias = Callable[[BaseException], Verdict | None]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One thing to try: one model through one credential at one endpoint.

    Two candidates are the same when provider, model, endpoint and credential are; that is
    what :attr:`id` says, and what equality and hashing go by. The name is for people.
    """

    provider: str
    model: str
    name: str = ""
    """The entry it came from, e.g. ``glm-4.7__key_1``; for finding its settings and for messages."""
    endpoint: str = ""
    """Where it is asked, without any credential in the address; empty means the provider's own."""
    credential: str = ""
    """Fingerprint of every credential-bearing setting; empty when there is none."""
    account: str = ""
    """Keys of one account share a quota, so a throttled one cools them all (for this model)."""
    timeout: float | None = None
    """Seconds one attempt may take; None leaves it to the policy."""
    rpm: float | None = None
    """Requests per minute this candidate may be asked."""
    position: int | None = None
    """Tells apart candidates that show no credential, such as chat models built elsewhere."""
    id: str = field(init=False)
    group: str = field(init=False, repr=False)
    """Provider, endpoint and model: what this model's keys have in common."""
    scopes: tuple[str, ...] = field(init=False, repr=False)
    """The ids of the records that can cool it: its own, its credential's, its account's."""
    endpoints: tuple[str, str] = field(init=False, repr=False)
    """The ids of the records that say where it is asked is sick: for this model, and altogether."""

    def __post_init__(self) -> None:
        place = f"{self.provider.lower()}@{self.endpoint}" if self.endpoint else self.provider.lower()
        model = self.model.strip().lower()
        # Interned: a thousand keys of one model have these in common.
        group = intern(f"{place}/{model}" if place else model)
        identity: str = group
        if self.credential:
            identity += f"#{self.credential}"
        if self.position is not None:
            identity += f"~{self.position}"
        scopes = [identity]
        if self.credential:
            scopes.append(f"credential:{place}#{self.credential}")
        if self.account:
            scopes.append(intern(f"account:{self.account}:{group}"))
        # The class is frozen for everybody else; these are derived once, here.
        object.__setattr__(self, "id", identity)
        object.__setattr__(self, "group", group)
        object.__setattr__(self, "scopes", tuple(scopes))
        # Without a provider and an address nobody knows whether two models are in one place.
        where = intern(f"endpoint:{place or identity}")
        object.__setattr__(self, "endpoints", (intern(f"endpoint:{group}"), where))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Candidate) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        return self.id if not self.name or self.name == self.model else f"{self.name} ({self.id})"

    def scope_id(self, scope: Scope) -> str:
        """The id of the record that a failure of this scope cools.

        A candidate without a credential is its own credential; one without an account, its own account.
        """
        if scope is Scope.CREDENTIAL and self.credential:
            return self.scopes[1]
        if scope is Scope.ACCOUNT and self.account:
            return self.scopes[-1]
        return self.scopes[0]

    def for_images(self) -> Candidate:
        """The same candidate with a record of its own for images, whose limits differ from chat's."""
        twin = copy(self)
        object.__setattr__(twin, "scopes", (f"{self.id}|images", *self.scopes[1:]))
        return twin


Source: TypeAlias = Literal["provider", "ladder", "budget"]
"""Where a time comes from: the provider's own word, the policy's ladder, or the entry's ``rpm``."""


class Attempt(NamedTuple):
    """One candidate's turn in one request: a failure, a skip, or (for ``on_attempt``) a success."""

    # A named tuple, because it is frozen at a third of a frozen dataclass's price, and a request may skip a thousand.

    candidate: Candidate
    error: BaseException | None = None
    """What it raised, cleaned of keys; for a skip, why it was passed over; None for a success."""
    reason: Reason | None = None
    """None for a success and for an error nothing is known of."""
    duration: float = 0.0
    """Seconds the call took; 0 for a skip."""
    skipped: bool = False
    scope: Scope | None = None
    """What was cooled for it; None when nothing was."""
    cooldown: float | None = None
    """Seconds from this attempt until what it cooled, or was cooled by, is available again."""
    cooldown_from: Source | None = None
    """Who set that time."""


@dataclass(frozen=True, slots=True)
class FallbackResult(Generic[T]):
    """What was answered, by whom, and what had to be tried before."""

    response: T
    candidate: Candidate
    _attempts: Callable[[], Sequence[Attempt]] = field(repr=False, compare=False, default=tuple)

    @property
    def attempts(self) -> list[Attempt]:
        """Failures and skips before the answer, oldest first; built when read."""
        return list(self._attempts())
