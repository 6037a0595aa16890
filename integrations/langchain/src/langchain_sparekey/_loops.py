"""Async HTTP clients that outlive an event loop.

The SDKs behind LangChain's models keep connections, and a connection belongs to the event loop it
was opened in. LangChain shares one async client among all models of an endpoint, so once a loop has
ended (``asyncio.run`` twice, a worker per task, a test suite), the next calls meet its dead
connections: ``Event loop is closed``. The SDK's own retries used to hide that, and those are off
here. A chain that took it for the key's fault would cool one healthy key after another.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from functools import cached_property, lru_cache
from inspect import getattr_static
from typing import Any, TypeVar

from langchain_core.language_models import BaseChatModel

T = TypeVar("T")

_TRIES = 128
"""Each try clears one dead connection away, and the SDKs keep 100 of them."""


def survives_loops(model: BaseChatModel) -> BaseChatModel:
    """``model``, or a copy of it, whose async calls use connections of the running event loop only.

    OpenAI's family and Anthropic; others, and models given an HTTP client of the user's own, are
    returned as they are: for those there is :func:`past_dead_loops`.
    """
    client: Any = getattr(model, "root_async_client", None)
    if client is not None:  # the OpenAI family
        proxy = getattr(model, "openai_proxy", None)
        theirs = getattr(model, "http_async_client", None) is not None and not proxy
        if theirs or getattr(model, "http_socket_options", None) is not None:
            return model
        if (rebound := _rebound(client, proxy)) is None:
            return model
        return model.model_copy(update={"root_async_client": rebound, "async_client": rebound.chat.completions})
    if isinstance(getattr_static(model, "_async_client", None), cached_property):  # Anthropic
        anthropic: Any = model.model_copy()
        rebound = _rebound(anthropic._async_client, getattr(model, "anthropic_proxy", None))  # noqa: SLF001
        if rebound is not None:
            vars(anthropic)["_async_client"] = rebound
            return anthropic  # type: ignore[no-any-return]
    return model


def _rebound(client: Any, proxy: str | None) -> Any:
    """The SDK client with all its settings, but an HTTP client that minds the loop; None when it is another SDK's."""
    sdk = sys.modules.get(type(client).__module__.partition(".")[0])
    base = getattr(sdk, "DefaultAsyncHttpxClient", None)
    return client.copy(http_client=loop_minding_client(base, proxy)) if base is not None else None


@lru_cache(maxsize=64)
def loop_minding_client(base: Any, proxy: str | None = None) -> Any:
    """One async HTTP client that sends each request through a client of the loop it is sent in.

    Process-wide, like the one it stands for: keys and endpoints share its connections.

    Args:
        base: the SDK's own class of async client, with its limits and defaults.
        proxy: the address of a proxy; None leaves it to the environment, as the SDK does.
    """
    clients: dict[asyncio.AbstractEventLoop, tuple[Any, AsyncGenerator[None, None]]] = {}
    options: dict[str, Any] = {"proxy": proxy} if proxy else {}

    async def until_loop_ends(loop: asyncio.AbstractEventLoop, client: Any) -> AsyncGenerator[None, None]:
        # A loop that shuts down closes the generators begun in it (asyncio.run sees to that): the
        # one moment at which connections can be closed properly.
        try:
            yield
        finally:
            clients.pop(loop, None)
            await client.aclose()

    async def client_of(loop: asyncio.AbstractEventLoop) -> Any:
        for ended in [known for known in list(clients) if known.is_closed()]:
            clients.pop(ended, None)  # ended without shutting down: let go of it
        client = base(**options, verify=_trust(base))
        keeper = until_loop_ends(loop, client)
        clients[loop] = client, keeper
        await anext(keeper)
        return client

    class LoopMindingClient(base):  # type: ignore[misc]  # a class known at run time only
        async def send(self, request: Any, **how: Any) -> Any:
            loop = asyncio.get_running_loop()
            found = clients.get(loop)
            client = found[0] if found is not None else await client_of(loop)
            return await client.send(request, **how)

    return LoopMindingClient(transport=_Nowhere())


class _Nowhere:
    """The transport of a client that sends nothing itself; without one it would prepare for TLS, for nothing."""

    async def aclose(self) -> None:
        pass


@lru_cache(maxsize=8)
def _trust(base: Any) -> Any:
    """The certificates to trust, loaded once rather than for every loop: it takes 20 ms."""
    http = next(parent for parent in base.__mro__ if parent.__name__ == "AsyncClient")
    return importlib.import_module(http.__module__.partition(".")[0]).create_ssl_context()


def is_dead_loop(error: BaseException | None, before: BaseException | None) -> bool:
    """Whether ``error`` comes of a connection whose event loop has ended, which is no candidate's fault.

    Args:
        error: what a call raised.
        before: what was being handled when the call began: that may be behind ``error`` without being its cause.
    """
    if getattr(error, "status_code", None) is not None:
        return False  # the provider answered
    for _ in range(10):  # a chain of causes may go in a circle
        if error is None or error is before:
            return False
        if isinstance(error, RuntimeError) and "loop is closed" in str(error).lower():
            return True
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False


async def past_dead_loops(call: Callable[[], Awaitable[T]]) -> T:
    """Make ``call``, again for as long as it meets connections of a loop that has ended."""
    before = sys.exception()
    for _ in range(_TRIES):
        try:
            return await call()
        except Exception as error:
            if not is_dead_loop(error, before):
                raise
    return await call()


async def stream_past_dead_loops(open_stream: Callable[[], AsyncIterator[T]]) -> AsyncIterator[T]:
    """:func:`past_dead_loops` for a stream; once it has given something it is not begun again."""
    before = sys.exception()
    for tries in range(_TRIES + 1):
        begun = False
        chunks = open_stream()
        try:
            async for chunk in chunks:
                begun = True
                yield chunk
        except Exception as error:
            if begun or tries == _TRIES or not is_dead_loop(error, before):
                raise
        else:
            return
        finally:
            close = getattr(chunks, "aclose", None)
            if close is not None:
                await close()
