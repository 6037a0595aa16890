"""What lies behind an exception: causes, contexts, groups, and where the looking stops."""

from __future__ import annotations

import asyncio

import httpx
import openai

from sparekey._classify import classify
from sparekey._types import Reason

REQUEST = httpx.Request("POST", "https://api.openai.com/v1/chat/completions")


def throttled(code="rate_limit_exceeded"):
    response = httpx.Response(429, request=REQUEST, headers={"retry-after": "5"})
    return openai.RateLimitError("429", response=response, body={"code": code, "message": "x"})


def raised(error, *, after, explicitly):
    """`error`, as raised while or because `after` was handled."""
    try:
        try:
            raise after
        except BaseException as cause:
            if explicitly:
                raise error from cause
            raise error  # noqa: B904 - the implicit context is what is tested
    except BaseException as caught:
        return caught


def test_a_wrapper_is_looked_behind():
    """A program's own exception says nothing; its cause does."""
    error = raised(RuntimeError("the agent failed"), after=throttled(), explicitly=True)

    verdict = classify(error)

    assert (verdict.reason, verdict.status, verdict.retry_after) == (Reason.RATE_LIMIT, 429, 5)


def test_so_is_one_raised_while_handling():
    """Without `from`, Python keeps the context."""
    assert classify(raised(RuntimeError("failed"), after=throttled(), explicitly=False)).reason is Reason.RATE_LIMIT


def test_a_suppressed_context_stays_suppressed():
    """`raise … from None` says that what came before is not the reason."""
    error = RuntimeError("failed")
    error.__context__ = throttled()
    error.__suppress_context__ = True

    assert classify(error) is None


def test_a_bug_in_an_error_handler_is_not_the_error_it_handled():
    """A TypeError while a rate limit was handled is a TypeError."""
    assert classify(raised(TypeError("oops"), after=throttled(), explicitly=False)) is None


def test_the_outer_error_wins_where_it_knows():
    """Causes are asked only when the outer error is vague."""
    error = throttled("insufficient_quota")
    error.__cause__ = httpx.ReadTimeout("")

    assert classify(error).reason is Reason.BILLING


def test_what_was_cancelled_behind_a_timeout_is_no_cancellation():
    """A time-out of asyncio is made of a cancellation."""
    assert classify(raised(TimeoutError(), after=asyncio.CancelledError(), explicitly=True)).reason is Reason.TIMEOUT


def test_members_of_a_group_are_asked():
    """The first member that knows more than the group decides."""
    group = ExceptionGroup("two calls", [ValueError("x"), throttled("insufficient_quota")])

    assert classify(group).reason is Reason.BILLING


def test_wrappers_that_keep_their_original_elsewhere():
    """LiteLLM's mid-stream error and urllib's URLError have attributes of their own for it."""
    error = type("MidStreamFallbackError", (Exception,), {"__module__": "litellm.exceptions"})("stream broke")
    error.original_exception = throttled("insufficient_quota")

    assert classify(error).reason is Reason.BILLING


def test_a_cycle_ends():
    """Two exceptions that cause each other are each asked once."""
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first

    assert classify(first) is None


def test_an_endless_chain_is_given_up():
    """Only so many causes are followed."""
    error = deepest = RuntimeError("0")
    for number in range(500):
        deepest.__cause__ = RuntimeError(str(number))
        deepest = deepest.__cause__
    deepest.__cause__ = throttled()

    assert classify(error) is None
