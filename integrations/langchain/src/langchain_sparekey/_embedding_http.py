"""The HTTP clients of embedding models that ask through OpenAI's SDK: shared, without retries, for any event loop."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from langchain_sparekey._loops import loop_minding_client


def shared_connections(settings: Mapping[str, Any], *, proxy_setting: bool) -> dict[str, Any]:
    """The HTTP clients for a model to be built with ``settings``: none where they bring their own.

    Its class would make two of its own, which takes 80 ms for each key; connections know no keys, so all can share.

    Args:
        settings: what its class is to be given.
        proxy_setting: whether its class takes ``openai_proxy``, which it refuses beside a client.
    """
    import openai

    if settings.get("http_client") is not None or settings.get("http_async_client") is not None:
        return {}
    proxy = None
    if proxy_setting:
        proxy = settings["openai_proxy"] if "openai_proxy" in settings else os.environ.get("OPENAI_PROXY")
    clients: dict[str, Any] = {
        "http_client": _shared_client(openai.DefaultHttpxClient, proxy),
        "http_async_client": loop_minding_client(openai.DefaultAsyncHttpxClient, proxy),
    }
    return {**clients, "openai_proxy": None} if proxy_setting else clients


@lru_cache(maxsize=64)
def _shared_client(base: Any, proxy: str | None) -> Any:
    return base(proxy=proxy) if proxy else base()


def calm_clients(model: Any) -> dict[str, Any]:
    """Clients for a copy of ``model``: the SDK's own retries off, async calls in the running loop's connections."""
    changes: dict[str, Any] = {}
    proxy = getattr(model, "openai_proxy", None)
    theirs = getattr(model, "http_async_client", None) is not None and not proxy
    for field in ("client", "async_client"):
        resource: Any = getattr(model, field, None)
        sdk: Any = resource if hasattr(resource, "with_options") else getattr(resource, "_client", None)
        if not hasattr(sdk, "with_options"):
            continue  # built without a key for it, or not the SDK's
        how: dict[str, Any] = {} if sdk.max_retries == 0 else {"max_retries": 0}
        if field == "async_client" and not theirs:
            package = sys.modules[type(sdk).__module__.partition(".")[0]]
            how["http_client"] = loop_minding_client(package.DefaultAsyncHttpxClient, proxy)
        if how:
            calm = sdk.with_options(**how)
            changes[field] = calm if sdk is resource else calm.embeddings
    if changes and hasattr(model, "max_retries"):
        changes["max_retries"] = 0
    return changes
