"""Streams with their first chunks already in hand."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")
OnBreak = Callable[[Exception], BaseException]
"""Hears of an error after the commit; returns what to raise."""


def always(_chunk: object) -> bool:
    """The first chunk, whatever it is, settles on the candidate."""
    return True


class Held(Generic[T]):
    """The chunks drawn so far, latest first, and where the others come from."""

    def __init__(self, source: Iterable[T]) -> None:
        self.source = source
        self.rest = iter(source)
        self.chunks: list[T] = []

    def close(self) -> None:
        # An SDK's stream object holds the connection, and hands out a generator that does not.
        try:
            _close(self.rest)
        finally:
            _close(self.source)


class AsyncHeld(Generic[T]):
    """:class:`Held` of an async stream."""

    def __init__(self, source: AsyncIterable[T]) -> None:
        self.source = source
        self.rest = aiter(source)
        self.chunks: list[T] = []

    async def aclose(self) -> None:
        try:
            await _aclose(self.rest)
        finally:
            await _aclose(self.source)


def _close(part: object) -> None:
    close = getattr(part, "close", None)
    if close is not None:
        close()


async def _aclose(part: object) -> None:
    close = getattr(part, "aclose", None) or getattr(part, "close", None)
    closing = close() if close is not None else None
    if inspect.isawaitable(closing):
        await closing


async def _nothing() -> AsyncIterator[T]:
    return
    yield  # what makes it an iterator


def hold(source: Iterable[T], commit: Callable[[T], bool]) -> Held[T]:
    """Draw chunks until ``commit`` accepts one, or the stream ends; an empty stream is a success."""
    held = Held(source)
    try:
        for chunk in held.rest:
            held.chunks.append(chunk)
            if commit(chunk):
                break
    except BaseException:
        with suppress(Exception):  # what went wrong with the stream matters more than with its end
            held.close()
        raise
    held.chunks.reverse()  # so that giving out the next one is a pop from the end
    return held


async def hold_async(
    source: AsyncIterable[T] | Awaitable[AsyncIterable[T]], commit: Callable[[T], bool]
) -> AsyncHeld[T]:
    """:func:`hold` for an async iterator, or for an awaitable of one."""
    held = AsyncHeld(await source if isinstance(source, Awaitable) else source)
    try:
        async for chunk in held.rest:
            held.chunks.append(chunk)
            if commit(chunk):
                break
    except BaseException:
        with suppress(Exception):
            await held.aclose()
        raise
    held.chunks.reverse()
    return held


class Chunks(Iterator[T], Generic[T]):
    """Every chunk of a stream. Close it, or leave its ``with``, to stop early: nobody is blamed."""

    def __init__(self, held: Held[T], on_break: OnBreak) -> None:
        self._held, self._on_break = held, on_break

    def __next__(self) -> T:
        if self._held.chunks:
            return self._held.chunks.pop()
        try:
            return next(self._held.rest)
        except StopIteration:
            raise
        except Exception as error:
            broken = self._on_break(error)
            self._held.rest = iter(())  # a break is told once, however often it is asked for
            with suppress(Exception):
                _close(self._held.source)
            if broken is error:
                raise
        raise broken

    def close(self) -> None:
        """Stop the stream and let go of its connection."""
        self._held.chunks.clear()
        self._held.close()

    def __enter__(self) -> Chunks[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncChunks(AsyncIterator[T], Generic[T]):
    """:class:`Chunks` of an async stream; ``aclose`` it, or leave its ``async with``, to stop early."""

    def __init__(self, held: AsyncHeld[T], on_break: OnBreak) -> None:
        self._held, self._on_break = held, on_break

    async def __anext__(self) -> T:
        if self._held.chunks:
            return self._held.chunks.pop()
        try:
            return await anext(self._held.rest)
        except StopAsyncIteration:
            raise
        except Exception as error:
            broken = self._on_break(error)
            self._held.rest = _nothing()
            with suppress(Exception):
                await _aclose(self._held.source)
            if broken is error:
                raise
        raise broken

    async def aclose(self) -> None:
        """Stop the stream and let go of its connection."""
        self._held.chunks.clear()
        await self._held.aclose()

    async def __aenter__(self) -> AsyncChunks[T]:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
