"""Streams whose first chunks are drawn before the caller sees them, so that another key can still take over.

Drawn inside LiteLLM's own attempt, where it opens a stream: an error there is one of the attempt,
like any other. Later ones only LiteLLM's fallbacks would hear of, and not the group's other keys.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import Any

from litellm.exceptions import MidStreamFallbackError
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper

from litellm_sparekey._current import current
from litellm_sparekey._settle import error_in, settles

Broke = Callable[[Exception], BaseException]
"""Hears of an error after the first chunks; returns what to raise."""


class _Resumed:
    """A stream with its first chunks put back; in all else it is the stream it was made of."""

    __slots__ = ("_broke", "_drawn", "_rest", "_source")

    def __init__(self, source: Any, drawn: Iterable[Any], broke: Broke | None) -> None:
        self._source, self._drawn, self._broke = source, [*drawn][::-1], broke
        self._rest: Any = None
        if hasattr(source, "__dict__"):
            # What LiteLLM keeps on a stream (headers, hidden parameters) is set on either and seen on both.
            object.__setattr__(self, "__dict__", source.__dict__)

    def _hand_on(self, chunk: Any) -> Any:
        if self._broke is not None and (error := error_in([chunk])) is not None:
            self._broke(error)
        return chunk

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


class _Sync(_Resumed):
    __slots__ = ()

    def __iter__(self) -> _Sync:
        return self

    def __next__(self) -> Any:
        if self._drawn:
            return self._drawn.pop()
        try:
            if self._rest is None:
                self._rest = iter(self._source)
            return self._hand_on(next(self._rest))
        except StopIteration:
            raise
        except Exception as error:
            broken = self._told(error)
            if broken is error:
                raise
        raise broken


class _Async(_Resumed):
    __slots__ = ()

    def __aiter__(self) -> _Async:
        return self

    async def __anext__(self) -> Any:
        if self._drawn:
            return self._drawn.pop()
        try:
            if self._rest is None:
                self._rest = aiter(self._source)
            return self._hand_on(await anext(self._rest))
        except StopAsyncIteration:
            raise
        except Exception as error:
            broken = self._told(error)
            if broken is error:
                raise
        raise broken

    async def aclose(self) -> None:
        """Stop the stream and let go of its connection; nobody is blamed."""
        self._drawn.clear()
        if hasattr(self._source, "aclose"):
            await self._source.aclose()


def resumed(source: Any, drawn: Iterable[Any] = (), broke: Broke | None = None) -> Any:
    """``source`` with chunks put back before it, watched from then on."""
    kind: type = CustomStreamWrapper if isinstance(source, CustomStreamWrapper) else type(source)
    return _resuming(kind)(source, drawn, broke)


@functools.lru_cache(maxsize=64)
def _resuming(kind: type) -> type[_Resumed]:
    """What is also a ``kind``, for LiteLLM asks; but for generators, of which nothing can be."""
    colours = [each for each, method in ((_Sync, "__next__"), (_Async, "__anext__")) if hasattr(kind, method)]
    bases = (*colours, kind) if kind.__dictoffset__ else tuple(colours)
    return type(f"Resumed{kind.__name__}", bases, {"__slots__": ()})


def is_stream(answer: object) -> bool:
    """Whether it comes in chunks."""
    kind: type = type(answer)
    return _streams(kind)


@functools.lru_cache(maxsize=64)
def _streams(kind: type) -> bool:
    """Whether a ``kind`` is a stream; kept, for classes of pydantic's are slow to say what they have not."""
    return hasattr(kind, "__anext__") or hasattr(kind, "__next__")


def drawn(call: Callable[..., Any]) -> Callable[..., Any]:
    """LiteLLM's function that may open a stream, which comes with its first chunks drawn, and watched from then on.

    But for a response in the background, which goes on without its stream: its id is wanted at once.
    """

    @functools.wraps(call)
    def draw(*args: Any, **settings: Any) -> Any:
        answer = call(*args, **settings)
        under_way = current()
        if under_way is None or under_way.walk is None or settings.get("background") or not is_stream(answer):
            return answer
        return resumed(answer, _draw(answer, answer), under_way.walk.watch())

    @functools.wraps(call)
    async def draw_async(*args: Any, **settings: Any) -> Any:
        answer = await call(*args, **settings)
        under_way = current()
        if under_way is None or under_way.walk is None or settings.get("background") or not is_stream(answer):
            return answer
        return resumed(answer, await _draw_async(answer, answer, None), under_way.walk.watch())

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
    return None if taken.chunk is None or settles([taken.chunk]) else taken.rest


def _put_back(call: dict[str, Any], drawn: list[Any], rest: Any) -> None:
    if call.get("first_chunk") is None:
        call["model_response"] = resumed(call["model_response"], drawn)
    else:
        call["first_chunk"] = replace(call["first_chunk"], rest=rest)


def _draw(chunks: Any, stream: Any) -> list[Any]:
    """The first chunks, up to one that settles."""
    drawn: list[Any] = []
    try:
        for chunk in chunks:
            drawn.append(chunk)
            if (told := error_in(drawn)) is not None:
                raise told
            if settles(drawn):
                break
    except BaseException as error:
        with suppress(Exception):
            stream.close()
        if (said := _said_by_the_provider(error)) is not None:
            raise said from error
        raise
    return drawn


async def _draw_async(chunks: Any, stream: Any, slot: Any) -> list[Any]:
    drawn: list[Any] = []
    try:
        async for chunk in chunks:
            drawn.append(chunk)
            if (told := error_in(drawn)) is not None:
                raise told
            if settles(drawn):
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
    """The error inside the one that LiteLLM wraps it in for its fallbacks, and that perhaps in one more."""
    for wrapped in (error, error.__context__):
        if isinstance(wrapped, MidStreamFallbackError):
            said: Exception | None = wrapped.original_exception
            return said
    return None


async def _again(drawn: Iterable[Any], rest: AsyncIterator[Any]) -> AsyncIterator[Any]:
    for chunk in drawn:
        yield chunk
    async for chunk in rest:
        yield chunk
