"""Streams whose first chunks are drawn before the caller sees them, so that another key can still take over.

Drawn inside LiteLLM's own attempt, where it opens a stream: an error there is one of the attempt,
like any other. Later ones only LiteLLM's fallbacks would hear of, and not the group's other keys.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import Any

from litellm.exceptions import MidStreamFallbackError
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper

Broke = Callable[[Exception], BaseException]
"""Hears of an error after the first chunks; returns what to raise."""


def settles(chunk: Any) -> bool:
    """Whether ``chunk`` says something, so that there is no going back: more than a role, or an end."""
    if not hasattr(chunk, "choices"):
        return True
    for choice in chunk.choices:
        if getattr(choice, "finish_reason", None):
            return True
        delta = getattr(choice, "delta", None)
        said = delta.model_dump(exclude_none=True) if delta is not None else {"text": getattr(choice, "text", None)}
        if any(value for name, value in said.items() if name != "role"):
            return True
    return False


class Resumed(CustomStreamWrapper):
    """A stream with its first chunks put back; in all else it is the stream it was made of."""

    __slots__ = ("_broke", "_drawn", "_rest", "_source")

    def __init__(self, source: CustomStreamWrapper, drawn: Iterable[Any] = (), broke: Broke | None = None) -> None:
        # What LiteLLM keeps on a stream (headers, hidden parameters) is set on either and seen on both.
        self.__dict__ = source.__dict__
        self._source, self._drawn, self._broke = source, [*drawn][::-1], broke
        self._rest: Any = None

    def __iter__(self) -> Resumed:
        return self

    def __aiter__(self) -> Resumed:
        return self

    def __next__(self) -> Any:
        if self._drawn:
            return self._drawn.pop()
        try:
            if self._rest is None:
                self._rest = iter(self._source)
            return next(self._rest)
        except StopIteration:
            raise
        except Exception as error:
            broken = self._told(error)
            if broken is error:
                raise
        raise broken

    async def __anext__(self) -> Any:
        if self._drawn:
            return self._drawn.pop()
        try:
            if self._rest is None:
                self._rest = aiter(self._source)
            return await anext(self._rest)
        except StopAsyncIteration:
            raise
        except Exception as error:
            broken = self._told(error)
            if broken is error:
                raise
        raise broken

    def _told(self, error: Exception) -> BaseException:
        """What to raise for ``error``, once whoever watches has heard of it."""
        if self._broke is None:
            return error
        said = _said_by_the_provider(error)
        if said is None:
            return self._broke(error)
        said.__cause__ = error  # as LiteLLM will raise it, once it has looked into its own; and both show the text
        error.__dict__["original_exception"] = self._broke(said)
        return error

    async def aclose(self) -> None:
        """Stop the stream and let go of its connection; nobody is blamed."""
        self._drawn.clear()
        await self._source.aclose()  # type: ignore[no-untyped-call]


def drawn(call: Callable[..., Any], watch: Callable[[], Broke | None]) -> Callable[..., Any]:
    """LiteLLM's function that may open a stream, which comes with its first chunks drawn, and watched from then on."""

    def draw(**settings: Any) -> Any:
        stream = call(**settings)
        return Resumed(stream, _draw(stream, stream), watch()) if isinstance(stream, CustomStreamWrapper) else stream

    async def draw_async(**settings: Any) -> Any:
        stream = await call(**settings)
        if not isinstance(stream, CustomStreamWrapper):
            return stream
        return Resumed(stream, await _draw_async(stream, stream, None), watch())

    return draw_async if inspect.iscoroutinefunction(call) else draw


def drawn_first(hand_on: Callable[..., Any], is_active: Callable[[], bool]) -> Callable[..., Any]:
    """The router's method that hands on a stream it has just opened, called with the first chunks drawn."""

    def draw_and_hand_on(*args: Any, **call: Any) -> Any:
        if is_active() and (source := _undrawn(call)) is not None:
            first = _draw(source, call["model_response"])
            _put_back(call, first, chain(first, source))
        return hand_on(*args, **call)

    async def draw_and_hand_on_async(*args: Any, **call: Any) -> Any:
        if is_active() and (source := _undrawn(call)) is not None:
            first = await _draw_async(source, call["model_response"], call.get("deployment_slot"))
            _put_back(call, first, _again(first, source))
        return await hand_on(*args, **call)

    return draw_and_hand_on_async if inspect.iscoroutinefunction(hand_on) else draw_and_hand_on


def _undrawn(call: dict[str, Any]) -> Any:
    """Where to draw from; None when a chunk that settles is already there."""
    taken = call.get("first_chunk")
    if taken is None:
        return call.get("model_response")
    # Newer releases draw one chunk themselves, which may be no more than a role.
    return None if taken.chunk is None or settles(taken.chunk) else taken.rest


def _put_back(call: dict[str, Any], drawn: list[Any], rest: Any) -> None:
    if call.get("first_chunk") is None:
        call["model_response"] = Resumed(call["model_response"], drawn)
    else:
        call["first_chunk"] = replace(call["first_chunk"], rest=rest)


def _draw(chunks: Any, stream: Any) -> list[Any]:
    """The first chunks, up to one that settles."""
    drawn = []
    try:
        for chunk in chunks:
            drawn.append(chunk)
            if settles(chunk):
                break
    except BaseException as error:
        with suppress(Exception):
            stream.close()
        if (said := _said_by_the_provider(error)) is not None:
            raise said from error
        raise
    return drawn


async def _draw_async(chunks: Any, stream: Any, slot: Any) -> list[Any]:
    drawn = []
    try:
        async for chunk in chunks:
            drawn.append(chunk)
            if settles(chunk):
                break
    except BaseException as error:
        with suppress(Exception):
            await stream.aclose()
        if slot is not None:  # the deployment's place among its parallel requests, which LiteLLM has handed over
            await slot.aclose()
        if (said := _said_by_the_provider(error)) is not None:
            raise said from error
        raise
    return drawn


def _said_by_the_provider(error: BaseException) -> Exception | None:
    """The error inside the one that LiteLLM wraps it in for its fallbacks."""
    said: Exception | None = error.original_exception if isinstance(error, MidStreamFallbackError) else None
    return said


async def _again(drawn: Iterable[Any], rest: AsyncIterator[Any]) -> AsyncIterator[Any]:
    for chunk in drawn:
        yield chunk
    async for chunk in rest:
        yield chunk
