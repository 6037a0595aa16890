"""Every error sparekey itself raises.

SparekeyError
├── ConfigError             what was written down cannot work (also a ValueError)
│   └── NoCandidatesError   there is nothing to try
├── CoolingError            why one candidate was passed over; found in attempts, never raised
├── AttemptTimeoutError     one attempt took too long (also a TimeoutError); found in attempts
└── FallbackExhaustedError  everything was tried, or is cooling down

An error that stops a request at once (a malformed one, say) is none of these: it leaves as
the provider's SDK raised it, with a note that names the candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sparekey._secrets import scrub, text_of
from sparekey._types import Attempt, Reason

_SHOWN = 300
"""Characters of a provider's own words in the exhausted error's text; the whole error is in ``attempts``."""


class SparekeyError(Exception):
    """Base of all errors of this library."""


class ConfigError(SparekeyError, ValueError):
    """A setting that cannot work; one line that names what is wrong and where."""

    def __init__(self, text: str) -> None:
        # A name somebody wrote may have a line break in it, and a key in the wrong place is still a key.
        super().__init__(scrub(" ".join(text.split("\n"))))


class NoCandidatesError(ConfigError):
    """There is nothing to try: no candidate was given."""


class CoolingError(SparekeyError):
    """Says in an attempt why its candidate was skipped."""

    # Its arguments are a reason or words, and seconds or None. The text is built when it is read, and
    # Exception's own constructor used, because a request may skip a thousand and nobody may look.

    def __str__(self) -> str:
        why, remaining = self.args
        text = f"cooling down for {why.value}" if isinstance(why, Reason) else why or "cooling down"
        return text if remaining is None else f"{text}, {duration(remaining)} remaining"


class AttemptTimeoutError(SparekeyError, TimeoutError):
    """One attempt was ended because it took longer than it may."""

    def __init__(self, seconds: float, by_deadline: bool = False) -> None:
        super().__init__(seconds, by_deadline)
        self.by_deadline = by_deadline

    def __str__(self) -> str:
        what = "the deadline's last" if self.by_deadline else "the attempt's"
        return f"no answer within {what} {duration(self.args[0])}"


class FallbackExhaustedError(SparekeyError):
    """No candidate could serve the request.

    The last provider error, if there was one, is the ``__cause__``.
    """

    retry_at: float | None
    """Epoch seconds at which the first candidate is available again; None when nothing cools."""
    retry_after: float | None
    """The same as seconds from the raise, never negative."""

    def __init__(
        self,
        attempts: Sequence[Attempt] | Callable[[], Sequence[Attempt]] = (),
        *,
        retry_at: float | None = None,
        retry_after: float | None = None,
        because: str = "",
    ) -> None:
        # Without arguments for Exception: the text is built when it is read, not at the raise.
        super().__init__()
        self._attempts = attempts
        self.retry_at = retry_at
        self.retry_after = retry_after
        self.because = because

    @property
    def attempts(self) -> list[Attempt]:
        """Every failure and skip, oldest first; built when first read."""
        if callable(self._attempts):
            self._attempts = list(self._attempts())
        return list(self._attempts)

    def __str__(self) -> str:
        attempts = self.attempts
        head = self.because or f"all {len({a.candidate.id for a in attempts})} candidates failed"
        if self.retry_after is not None:
            head += f"; the first is available again in {duration(self.retry_after)}"
        lines = [describe(attempt) for attempt in attempts]
        return "\n".join([f"fallback: {head}{':' if lines else ''}"] + [f"  [{i}] {t}" for i, t in enumerate(lines, 1)])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.attempts)} attempts, retry_after={self.retry_after!r})"

    def __reduce__(self) -> tuple[object, ...]:
        # Provider errors seldom survive pickling (their constructors want a response); their text does.
        plain = [_plain(attempt) for attempt in self.attempts]
        return _unpickle, (type(self), plain, self.retry_at, self.retry_after, self.because)


def describe(attempt: Attempt) -> str:
    """One line on one attempt, as the exhausted error and the logs show it."""
    who = attempt.candidate
    what = f"{who.provider}/{who.model}" if who.provider else who.model
    tail = " ".join(filter(None, [who.name, f"#{who.credential}" if who.credential else ""]))
    if attempt.skipped:
        kind = "skipped" if attempt.cooldown is None else "skipped (cooldown)"
        return f"{what}: {kind} {tail}: {attempt.error}"
    text = " ".join(scrub(text_of(attempt.error)).split()) or type(attempt.error).__name__
    if len(text) > _SHOWN:
        text = text[: _SHOWN - 1] + "…"
    reason = attempt.reason.value if attempt.reason else "unknown"
    cools = ""
    if attempt.cooldown is not None and attempt.scope is not None:
        by = "the provider says" if attempt.cooldown_from == "provider" else "ladder"
        cools = f", {attempt.scope.value} cools {duration(attempt.cooldown)} ({by})"
    return f"{what}: {text} (reason={reason}, {attempt.duration * 1000:.0f}ms) {tail}{cools}"


def duration(seconds: float) -> str:
    """Seconds as people write them: ``0.4s``, ``30s``, ``9m58s``, ``2h``."""
    if seconds < 9.95:
        return f"{seconds:.1f}".rstrip("0").rstrip(".") + "s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else "", f"{rest}s" if rest and not hours else ""]
    return "".join(parts) or "0s"


def _plain(attempt: Attempt) -> Attempt:
    error = attempt.error
    return attempt._replace(error=error and SparekeyError(scrub(f"{type(error).__name__}: {text_of(error)}")))


def _unpickle(
    kind: type[FallbackExhaustedError],
    attempts: list[Attempt],
    retry_at: float | None,
    retry_after: float | None,
    because: str,
) -> FallbackExhaustedError:
    return kind(attempts, retry_at=retry_at, retry_after=retry_after, because=because)
