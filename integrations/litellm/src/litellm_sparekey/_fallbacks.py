"""What LiteLLM's fallbacks to other model groups are told of, and what they are not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar, Token
from typing import Any

from litellm.exceptions import ContentPolicyViolationError, ContextWindowExceededError

import sparekey as sk
from litellm_sparekey._errors import joined, log_of, stops
from litellm_sparekey._told import Log


class Story:
    """All that went wrong in one request, over all its model groups; there is one once a group has failed."""

    def __init__(self) -> None:
        self.stop: Exception | None = None
        self.exhausted: list[sk.FallbackExhaustedError] = []
        self.log: Log | None = None
        """What there is to tell, and the deadline: the fallbacks have what the first group left of it."""

    def hear(self, error: Exception) -> None:
        if stops(error):
            self.stop = error
        elif isinstance(error, sk.FallbackExhaustedError) and not any(error is known for known in self.exhausted):
            self.exhausted.append(error)

    def forget(self) -> None:
        self.stop = self.log = None
        self.exhausted.clear()

    def last_word(self, error: Exception, model: str) -> Exception:
        """What the client gets instead of ``error``."""
        if self.stop is not None:
            return self.stop
        if isinstance(error, sk.FallbackExhaustedError) and len(self.exhausted) > 1:
            tell: Callable[..., None] | None = getattr(error, "tell", None)
            if tell is not None:
                tell(joined(self.exhausted), model)
        return error


story: ContextVar[Story | None] = ContextVar("litellm_sparekey_story", default=None)


def guarded(fall_back: Callable[..., Any], is_active: Callable[[], bool]) -> Callable[..., Any]:
    """LiteLLM's way from a failed group to its fallbacks, closed to errors that no other group could serve."""
    signature = inspect.signature(fall_back)

    async def fall_back_unless_stopped(*args: Any, **kwargs: Any) -> Any:
        if not is_active():
            return await fall_back(*args, **kwargs)
        call = signature.bind(*args, **kwargs)
        error: Exception = call.arguments["e"]
        outer = story.get()
        mine = outer if outer is not None else Story()
        token: Token[Story | None] | None = story.set(mine) if outer is None else None
        if mine.log is None:
            mine.log = log_of(error)
        try:
            if _has_fallbacks_of_its_own(error, call.arguments):
                call.arguments["fallbacks"] = None
            else:
                mine.hear(error)
                if stops(error):
                    raise error
            return await fall_back(*call.args, **call.kwargs)
        except Exception as last:
            if token is None:
                raise
            final = mine.last_word(last, str(call.arguments.get("model_group") or ""))
            if final is last:
                raise
        finally:
            if token is not None:
                mine.forget()  # copies of the context live on, in tasks and connections
                with suppress(ValueError):  # closed from another context, as an abandoned coroutine is
                    story.reset(token)
        raise final

    return fall_back_unless_stopped


def _has_fallbacks_of_its_own(error: Exception, call: dict[str, Any]) -> bool:
    """Whether the user named other groups for just this kind of error."""
    if isinstance(error, ContextWindowExceededError):
        return bool(call.get("context_window_fallbacks"))
    if isinstance(error, ContentPolicyViolationError):
        return bool(call.get("content_policy_fallbacks"))
    return False
