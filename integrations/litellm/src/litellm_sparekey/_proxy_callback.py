"""What LiteLLM's proxy calls: puts sparekey into its router, and tells clients who answered, or why nobody did."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from fastapi import HTTPException
from litellm.integrations.custom_logger import CustomLogger
from litellm.router import Router
from starlette.datastructures import MutableHeaders

import sparekey as sk
from litellm_sparekey._config import refuse_lists
from litellm_sparekey._expand import lists_of_keys
from litellm_sparekey._host import host_of
from litellm_sparekey._install import install
from litellm_sparekey._mistake import mistake
from litellm_sparekey._proxy_settings import settings_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_THROTTLED = frozenset({sk.Reason.RATE_LIMIT, sk.Reason.BILLING})


class SparekeyCallback(CustomLogger):
    """Made once in each worker, when LiteLLM has read its config.

    Raises:
        sparekey.ConfigError: this LiteLLM is not known, a setting is wrong, or a deployment still has
            ``api_keys``. It ends the proxy's start.
    """

    def __init__(self, proxy: Any) -> None:
        super().__init__()
        self._proxy = proxy
        config = proxy.proxy_config.get_config_state()
        _refuse_lists(config)
        host_of(Router(model_list=[]))  # says so now if it is one that sparekey cannot serve
        self._settings = settings_of(config)
        # Made now, because it hears what other workers have learned while the proxy starts.
        self._tracker = sk.shared_tracker(self._settings.policy, self._settings.state)
        # It has begun to serve, so that nothing can be added to what is around it; the outermost part is exchanged.
        around = proxy.app.middleware_stack or proxy.app.build_middleware_stack()
        proxy.app.middleware_stack = _WithHeaders(around)

    async def async_pre_call_hook(self, user_api_key_dict: Any, cache: Any, data: Any, call_type: Any) -> None:  # noqa: ARG002 - LiteLLM's signature
        """A request came in: the router is there by now, and may be another than last time."""
        router = self._proxy.llm_router
        if router is not None:
            install(router, tracker=self._tracker, deadline=self._settings.deadline)

    async def async_post_call_failure_hook(
        self,
        request_data: Any,  # noqa: ARG002 - LiteLLM's signature
        original_exception: Exception,
        user_api_key_dict: Any,  # noqa: ARG002
        traceback_str: str | None = None,  # noqa: ARG002
    ) -> HTTPException | None:
        """A request failed: that our keys were refused is no reason to tell the client that its own was."""
        if not isinstance(original_exception, sk.FallbackExhaustedError):
            return None
        reasons = {attempt.reason for attempt in original_exception.attempts}
        status = 429 if reasons & _THROTTLED else 503
        detail = sk.FallbackExhaustedError.__str__(original_exception)
        headers = dict(getattr(original_exception, "headers", {}))
        # What is returned counts where chats, embeddings and responses fail; elsewhere the error itself is read,
        # without its headers.
        vars(original_exception).update(status_code=status, message=detail)
        _headers.get({}).update(headers)
        return HTTPException(status, detail=detail, headers=headers)

    async def async_post_call_response_headers_hook(
        self,
        data: Any,  # noqa: ARG002 - LiteLLM's signature
        user_api_key_dict: Any,  # noqa: ARG002
        response: Any,
        request_headers: Any = None,  # noqa: ARG002
        litellm_call_info: Any = None,  # noqa: ARG002
    ) -> dict[str, str] | None:
        """An answer goes out: images and speech do not take over by themselves what is said of it."""
        hidden = getattr(response, "_hidden_params", None) or {}
        said = hidden.get("additional_headers") or {} if isinstance(hidden, Mapping) else {}
        return {name: text for name, text in said.items() if name.startswith("x-sparekey-")} or None


_headers: ContextVar[dict[str, str]] = ContextVar("headers of the request's failure")


class _WithHeaders:
    """The proxy, whose failures have the headers that :data:`_headers` is given meanwhile."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        more: dict[str, str] = {}
        _headers.set(more)

        async def send_with_headers(message: Message) -> None:
            if more and message["type"] == "http.response.start" and message["status"] >= 400:
                MutableHeaders(scope=message).update(more)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _refuse_lists(config: Mapping[str, Any]) -> None:
    """Raise for keys that are a list still: LiteLLM would send it to the provider, and show it."""
    refuse_lists(config)
    for path in lists_of_keys(config.get("model_list"), ("model_list",)):
        number = path[1]
        assert isinstance(number, int)
        raise mistake(
            path,
            "is still a list; set LITELLM_WORKER_STARTUP_HOOKS=litellm_sparekey.proxy:startup, or start the proxy with "
            "what 'sparekey expand' makes of its config",
            config["model_list"][number].get("model_name"),
        )
