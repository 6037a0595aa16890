"""The demo's play: four scenes, what each of them promises, and the provider's own count of it.

Nothing here prints. What a host's hooks report is kept apart from what the provider saw, so that
one can be held against the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import sparekey as sk
from sparekey.simulator import RequestRecord, Simulator

MODEL = "chat"
QUESTION = "What is the capital of France?"
WRONG = {"max_tokens": -1}


class Host(Protocol):
    """What an entry point of the group ``sparekey.demo`` opens: a program that uses sparekey.

    It is opened as ``open_host(model_list, model, on_attempt)``: the entries, the name to ask for,
    and whom to tell of every attempt, as :class:`sparekey.FallbackChain` does.
    """

    title: str
    """What it is, e.g. ``LangChain: ChatSparekey``."""
    code: str
    """The few lines of Python a user would write for it."""

    def ask(self, prompt: str, **settings: Any) -> str:
        """Make one request of the model and return the text of the answer."""

    def close(self) -> None:
        """Release what is held."""


OpenHost = Callable[[list[dict[str, Any]], str, Callable[[sk.Attempt], object]], Host]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the cast."""

    part: str
    behaviour: Any
    about: str
    """How it is, for people."""


CAST = (
    Key("throttled", {"kind": "rate_limited", "retry_after": 20}, "429, Retry-After: 20"),
    Key("revoked", "revoked", "401, revoked"),
    Key("unpaid", "no_credit", "402, out of credit"),
    Key("healthy", "healthy", "good"),
)
BACKUP = Key("backup", "healthy", "good, the fallback")
DEAD = tuple(key.part for key in CAST if key.behaviour != "healthy")


class Stage:
    """A provider on this machine with a cast of keys of its own, and the models they serve."""

    def __init__(self, troupe: str) -> None:
        # Fixed, so that fingerprints are the same in every run; of each host, so that none knows another's.
        self.secrets = {key.part: f"sk-demo-{troupe}-{key.part}-0123456789" for key in (*CAST, BACKUP)}
        self.simulator = Simulator(
            [
                {"key": self.secrets[key.part], "name": key.part, "behaviour": key.behaviour, "reply": reply}
                for key, reply in [*((key, "Paris.") for key in CAST), (BACKUP, "Paris, as far as I know.")]
            ]
        )

    def model_list(self) -> list[dict[str, Any]]:
        """What the host is given: one model of four keys, and another model to fall back to."""
        first, *others = (self.secrets[key.part] for key in CAST)
        base = self.simulator.base_url
        return [
            {
                "model_name": MODEL,
                "model": "openai/gpt-4o",
                "api_base": base,
                "api_key": first,
                "api_keys": others,
                "fallbacks": [BACKUP.part],
            },
            {
                "model_name": BACKUP.part,
                "model": "openai/gpt-4o-mini",
                "api_base": base,
                "api_key": self.secrets[BACKUP.part],
            },
        ]

    def kill(self, part: str) -> None:
        """From now on this key is refused."""
        self.simulator.set(self.secrets[part], "revoked")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one request came to."""

    answer: str | None
    error: Exception | None
    seconds: float
    heard: list[sk.Attempt]
    """What the host's hook said."""
    seen: list[RequestRecord]
    """What the provider saw."""

    @property
    def asked(self) -> list[str]:
        """Which keys were used, by the provider's count."""
        return [record.name for record in self.seen]

    def agrees(self) -> bool:
        """Whether hook and provider tell of the same calls, in the same order."""
        told = [attempt.candidate.credential for attempt in self.heard if not attempt.skipped]
        return told == [record.fingerprint for record in self.seen]


@dataclass(frozen=True, slots=True)
class Scene:
    """One request, and what it promises."""

    title: str
    asked: tuple[str, ...]
    """The keys the provider must see used."""
    dies: str = ""
    """The key that dies before it."""
    wrong: bool = False
    """Whether the request itself is wrong, and must be refused."""

    def broken(self, outcome: Outcome) -> Iterator[str]:
        """The promises that were not kept."""
        if outcome.asked != list(self.asked):
            yield f"expected calls with {_listed(self.asked)}; the provider saw {_listed(outcome.asked)}"
        if not outcome.agrees():
            told = [attempt.candidate.name for attempt in outcome.heard if not attempt.skipped]
            yield f"the hook told of {_listed(told)}; the provider saw {_listed(outcome.asked)}"
        if self.wrong and outcome.error is None:
            yield "expected the request to be refused; it was answered"
        if self.wrong and isinstance(outcome.error, sk.SparekeyError):
            yield f"expected the provider's own exception; got {type(outcome.error).__name__}"
        if not self.wrong and outcome.error is not None:
            said = str(outcome.error).partition("\n")[0]  # of an exhausted error; its attempts are shown anyway
            yield f"expected an answer; got {type(outcome.error).__name__}: {said}"


SCENES = (
    Scene("The first request meets every dead key once, and is answered", (*DEAD, "healthy")),
    Scene("The second knows them, and goes straight to the good one", ("healthy",)),
    Scene("A wrong request (max_tokens=-1) stops after one call: no key could serve it", ("healthy",), wrong=True),
    Scene("The good key is revoked meanwhile: the second model answers", ("healthy", "backup"), dies="healthy"),
)


def play(scene: Scene, stage: Stage, host: Host, heard: list[sk.Attempt]) -> Outcome:
    """Make the scene's request. ``heard`` is the list the host's hook appends to."""
    if scene.dies:
        stage.kill(scene.dies)
    heard.clear()
    before = len(stage.simulator.requests)
    answer, error = None, None
    began = time.perf_counter()
    try:
        answer = host.ask(QUESTION, **(WRONG if scene.wrong else {}))
    except Exception as refused:
        error = refused
    seconds = time.perf_counter() - began
    return Outcome(answer, error, seconds, [*heard], stage.simulator.requests[before:])


def rehearse(open_host: OpenHost) -> None:
    """Make one request on a stage of its own.

    A framework imports half of itself at the first request. The times shown are to be those of failing over.
    """
    stage = Stage("rehearsal")
    with stage.simulator, suppress(Exception):  # what is wrong will be wrong, and shown, in the play
        host = open_host(stage.model_list(), MODEL, lambda _: None)
        try:
            host.ask(QUESTION)
        finally:
            host.close()


@dataclass(frozen=True, slots=True)
class Totals:
    """What a host's requests came to, by the provider's count."""

    requests: int
    served: int
    refused: int
    """Requests that were wrong, and were told so."""
    calls: int
    answered: int
    faulted: int
    """Calls that found the request wrong."""
    wasted: int
    """Calls that met a dead key."""
    agrees: bool
    """Whether the hook told of the same calls."""

    @classmethod
    def of(cls, outcomes: list[Outcome]) -> Totals:
        """Count what the provider recorded."""
        seen = [record for outcome in outcomes for record in outcome.seen]
        answered = sum(record.status == 200 for record in seen)
        faulted = sum(record.behaviour == "invalid" for record in seen)
        return cls(
            requests=len(outcomes),
            served=sum(bool(outcome.seen) and outcome.seen[-1].status == 200 for outcome in outcomes),
            refused=sum(bool(outcome.seen) and outcome.seen[-1].behaviour == "invalid" for outcome in outcomes),
            calls=len(seen),
            answered=answered,
            faulted=faulted,
            wasted=len(seen) - answered - faulted,
            agrees=all(outcome.agrees() for outcome in outcomes),
        )


def _listed(names: Any) -> str:
    return ", ".join(names) or "nobody"
