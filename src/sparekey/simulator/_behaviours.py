"""What a key may do: plain data, checked when it is read.

A behaviour names a failure; how that failure looks on the wire is each dialect's own table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

Seconds: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]

RefusalKind: TypeAlias = Literal[
    "revoked",
    "no_credit",
    "insufficient_quota",
    "forbidden",
    "region_blocked",
    "overloaded",
    "server_error",
    "bad_request",
    "context_overflow",
    "content_policy",
    "model_not_found",
]


class Behaviour(BaseModel):
    """What every behaviour has: how long it thinks, and how long it lasts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    delay: Seconds = 0
    """Seconds before anything is answered."""
    times: Annotated[int, Field(ge=1)] | None = None
    """Requests until the next step's turn. Unsaid: one, but the last step lasts for ever."""
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Seconds until the next step's turn, counted from when this one began."""


class Healthy(Behaviour):
    """Answers."""

    kind: Literal["healthy"] = "healthy"


class Slow(Behaviour):
    """Answers, after ``delay`` seconds."""

    kind: Literal["slow"] = "slow"
    delay: Seconds = 1


class Limited(Behaviour):
    """Answers ``requests`` times in each ``window``, then 429 with the true remaining time.

    A window opens with the first request after the last one closed.
    """

    kind: Literal["limited"] = "limited"
    requests: Annotated[int, Field(ge=0)] = 3
    window: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60
    """Seconds."""


class Refusal(Behaviour):
    """Answers with an error, in the dialect's own status and words unless told otherwise."""

    kind: RefusalKind
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    message: str | None = None
    retry_after: Seconds | None = None
    """Seconds, sent as Retry-After; None sends no such header."""


class RateLimited(Behaviour):
    """Answers 429, always."""

    kind: Literal["rate_limited"] = "rate_limited"
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    message: str | None = None
    retry_after: Seconds | None = 20
    """Seconds, sent as Retry-After; None sends no such header."""


class Disconnect(Behaviour):
    """Never answers: ``hang`` keeps the caller waiting, ``reset`` resets the TCP connection."""

    kind: Literal["hang", "reset"]


class StreamBreak(Behaviour):
    """Breaks a stream after some tokens; a request that asked for no stream is answered.

    ``stream_cut`` closes the connection, ``stream_error`` sends an error event, ``stream_hang``
    falls silent.
    """

    kind: Literal["stream_cut", "stream_error", "stream_hang"]
    after: Annotated[int, Field(ge=0)] = 0
    """Tokens that still leave; 0 breaks before the first one."""
    opening: bool = True
    """Whether what comes before the first token leaves, such as OpenAI's role-only chunk."""
    error: RefusalKind | Literal["rate_limited"] = "server_error"
    """What ``stream_error`` reports."""


class Malformed(Behaviour):
    """Answers 200 with a body that is no JSON."""

    kind: Literal["malformed"] = "malformed"
    body: str = '{"id": "sim-0", "choices": [{"mess'


class Custom(Behaviour):
    """Answers exactly this, for whatever is not in the list."""

    kind: Literal["custom"] = "custom"
    status: Annotated[int, Field(ge=200, le=599)]
    headers: dict[str, str] = {}
    body: Any = ""
    """Text is sent as it is, anything else as JSON."""


AnyBehaviour: TypeAlias = Annotated[
    Healthy | Slow | Limited | Refusal | RateLimited | Disconnect | StreamBreak | Malformed | Custom,
    Field(discriminator="kind"),
]


def _kinds() -> tuple[str, ...]:
    models = get_args(get_args(AnyBehaviour)[0])
    return tuple(kind for model in models for kind in get_args(model.model_fields["kind"].annotation))


KINDS = _kinds()
"""Every behaviour's name, in the order of the documentation."""


def _as_steps(value: object) -> object:
    """One behaviour is a list of one; a bare name is a behaviour with its defaults."""
    if isinstance(value, Mapping | str | Behaviour):
        value = [value]
    if not isinstance(value, Sequence):
        # pydantic reports ValueErrors only
        raise ValueError(  # noqa: TRY004
            "expected a name, a mapping with the field 'kind', or a list of them"
        )
    return [{"kind": step} if isinstance(step, str) else step for step in value]


Steps: TypeAlias = Annotated[tuple[AnyBehaviour, ...], BeforeValidator(_as_steps), Field(min_length=1)]
"""What a key does, step by step; when the last step is over the key is healthy."""

STEPS: TypeAdapter[tuple[AnyBehaviour, ...]] = TypeAdapter(Steps)


def describe(steps: Sequence[Behaviour]) -> str:
    """``server_error 2 times, then limited requests=3``: one line for tables and logs."""
    return ", then ".join(_describe(step) for step in steps)


# Said in words, or too long for a table.
_APART = {"kind", "times", "seconds", "body", "message", "headers"}


def _describe(step: Behaviour) -> str:
    said = step.model_dump(exclude_unset=True, exclude=_APART)
    words = [step.kind, *(f"{name}={_short(value)}" for name, value in said.items())]
    if step.times:
        words.append("once" if step.times == 1 else f"{step.times} times")
    if step.seconds:
        words.append(f"for {step.seconds:g}s")
    return " ".join(words)


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
