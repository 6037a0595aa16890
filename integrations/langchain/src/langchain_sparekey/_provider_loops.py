"""Async connections of the classes that have no field for an HTTP client: they end with the event loop they began in.

OpenAI's family and Anthropic's are seen to in :mod:`langchain_sparekey._loops`. Without this the others would
send a request once into every dead connection, and Fireworks' would never serve a second event loop at all.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from pydantic import BaseModel

from langchain_sparekey._loops import loop_minding_client

# Where the SDK under a class keeps its httpx client; nothing of that is public.
_HTTP_CLIENTS = {
    "ChatCohere": "async_client._client_wrapper.httpx_client.httpx_client",
    "ChatFireworks": "async_client._client._client",
    "ChatGoogleGenerativeAI": "client._api_client._async_httpx_client",
    "ChatGroq": "async_client._client._client",
    "ChatMistralAI": "async_client",
    "ChatOllama": "_async_client._client",
    "ChatOpenRouter": "client.sdk_configuration.async_client",
    "ChatPerplexity": "async_client._client",
}

# Fields with which a user may say how connections are made, and what in them is not about that.
_HOW_TO_CONNECT = ("async_client_kwargs", "client_args", "client_kwargs", "groq_proxy", "http_async_client")
_OTHER = frozenset({"headers", "timeout"})


def has_own_connections(cls: type[BaseModel]) -> bool:
    """Whether models of ``cls`` keep async connections that :func:`mind_loops` knows of."""
    return any(parent.__name__ in _HTTP_CLIENTS for parent in cls.__mro__)


def mind_loops(model: BaseModel) -> None:
    """Let ``model``, which is sparekey's own, send each async request over connections of the loop it is sent in.

    A model that was told how to connect keeps its connections, as does one whose SDK has changed: what meets
    a dead one is then sent again.
    """
    path = next((_HTTP_CLIENTS[each.__name__] for each in type(model).__mro__ if each.__name__ in _HTTP_CLIENTS), None)
    if path is None or any(_says_how(getattr(model, name, None)) for name in _HOW_TO_CONNECT):
        return
    try:
        http: Any = attrgetter(path)(model)
    except AttributeError:
        return
    base = next((parent for parent in type(http).__mro__ if parent.__name__ == "AsyncClient"), None)
    if base is not None:
        http.send = _sender(loop_minding_client(base), http.follow_redirects)


def _says_how(value: Any) -> bool:
    return bool(value.keys() - _OTHER) if isinstance(value, dict) else value is not None


def _sender(minding: Any, follow: bool) -> Any:
    async def send(request: Any, *, follow_redirects: Any = None, **how: Any) -> Any:
        # What is neither yes nor no stands for the client's own choice, and means the client that is left out.
        chosen = follow_redirects if isinstance(follow_redirects, bool) else follow
        return await minding.send(request, follow_redirects=chosen, **how)

    return send
