"""Anthropic's wire format: messages, token counts, and the words of its errors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sparekey.simulator._roster import Quota
from sparekey.simulator._text import answer_text, plain_text, prompt_tokens, tokens
from sparekey.simulator._wire import (
    Call,
    Dialect,
    Event,
    Fault,
    Json,
    Operation,
    Part,
    bearer,
    encoded,
    milliseconds,
)

INVALID = "invalid_request_error"


def _invalid(message: str) -> Fault:
    return Fault(400, INVALID, message)


def _check_messages(body: Mapping[str, Any]) -> Fault | None:
    if not isinstance(body.get("model"), str) or not body["model"]:
        return _invalid("model: Field required")
    messages = body.get("messages")
    if not isinstance(messages, list):
        return _invalid("messages: Field required" if messages is None else "messages: Input should be a valid list")
    if not messages:
        return _invalid("messages: at least one message is required")
    for at, message in enumerate(messages):
        if not isinstance(message, dict):
            return _invalid(f"messages.{at}: Input should be a valid dictionary")
        if message.get("role") not in ("user", "assistant", "system"):
            return _invalid(f"messages.{at}.role: Input should be 'user', 'assistant' or 'system'")
        if "content" not in message:
            return _invalid(f"messages.{at}.content: Field required")
    return None


def _check(body: Mapping[str, Any]) -> Fault | None:
    if fault := _check_messages(body):
        return fault
    limit = body.get("max_tokens")
    if limit is None:
        return _invalid("max_tokens: Field required")
    if type(limit) is not int or limit < 1:
        return _invalid("max_tokens: Input should be greater than or equal to 1")
    if not isinstance(body.get("stream") or False, bool):
        return _invalid("stream: Input should be a valid boolean")
    return None


_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens"}


def _asked(call: Call) -> int:
    return prompt_tokens(call) + len(plain_text(call.body.get("system")).split())


def _message(call: Call) -> Json:
    text, why = answer_text(call)
    return _envelope(call, [{"type": "text", "text": text}], _STOP_REASONS[why], len(tokens(text)))


def _envelope(call: Call, content: list[Json], why: str | None, answered: int) -> Json:
    return {
        "id": f"msg_{call.id}",
        "type": "message",
        "role": "assistant",
        "model": call.model,
        "content": content,
        "stop_reason": why,
        "stop_sequence": None,
        "usage": {"input_tokens": _asked(call), "output_tokens": answered},
    }


def _stream(call: Call) -> Iterator[Event]:
    text, why = answer_text(call)
    words = tokens(text)

    def event(part: Part, kind: str, **fields: Any) -> Event:
        return Event(part, _event({"type": kind, **fields}))

    yield event(Part.OPENING, "message_start", message=_envelope(call, [], None, 1))
    yield event(Part.OPENING, "content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield event(Part.OPENING, "ping")
    for word in words:
        yield event(Part.TOKEN, "content_block_delta", index=0, delta={"type": "text_delta", "text": word})
    yield event(Part.CLOSING, "content_block_stop", index=0)
    ending = {"stop_reason": _STOP_REASONS[why], "stop_sequence": None}
    yield event(Part.CLOSING, "message_delta", delta=ending, usage={"output_tokens": len(words)})
    yield event(Part.CLOSING, "message_stop")


def _event(payload: Json) -> bytes:
    return f"event: {payload['type']}\ndata: ".encode() + encoded(payload) + b"\n\n"


FAULTS = {
    "no_key": Fault(401, "authentication_error", "x-api-key header is required"),
    "no_json": _invalid("The request body is not valid JSON"),
    "unknown_url": Fault(404, "not_found_error", "Not found"),
    "rate_limited": Fault(
        429,
        "rate_limit_error",
        "This request would exceed your organization's rate limit. Please try again later.",
    ),
    "revoked": Fault(401, "authentication_error", "invalid x-api-key"),
    "no_credit": Fault(402, "billing_error", "There's an issue with your billing or payment information."),
    # An empty purse is a 400 here, told apart by its words only.
    "insufficient_quota": _invalid(
        "Your credit balance is too low to access the Anthropic API. "
        "Please go to Plans & Billing to upgrade or purchase credits."
    ),
    "forbidden": Fault(403, "permission_error", "Your API key does not have permission to use this resource."),
    "region_blocked": Fault(403, "forbidden", "Request not allowed"),
    "overloaded": Fault(529, "overloaded_error", "Overloaded"),
    "server_error": Fault(500, "api_error", "Internal server error"),
    "bad_request": _invalid("temperature: Input should be less than or equal to 1"),
    "context_overflow": _invalid("prompt is too long: 200001 tokens > 200000 maximum"),
    "content_policy": _invalid("Output blocked by content filtering policy"),
    "model_not_found": Fault(404, "not_found_error", "model: {model}"),
}


def _error(fault: Fault, request_id: str) -> Json:
    return {
        "type": "error",
        "error": {"type": fault.type, "message": fault.message},
        "request_id": request_id,
    }


def _headers(request_id: str, now: float, quota: Quota | None, retry_after: float | None) -> dict[str, str]:
    headers = {"request-id": request_id}
    if quota:
        # Rounded up, as Retry-After: never sooner than true.
        reset = datetime.fromtimestamp(math.ceil(now + quota.reset), UTC)
        headers |= {
            "anthropic-ratelimit-requests-limit": str(quota.limit),
            "anthropic-ratelimit-requests-remaining": str(quota.remaining),
            "anthropic-ratelimit-requests-reset": f"{reset:%Y-%m-%dT%H:%M:%SZ}",
        }
    if retry_after is not None:
        headers["retry-after"] = str(math.ceil(milliseconds(retry_after) / 1000))
    return headers


ANTHROPIC = Dialect(
    name="anthropic",
    operations=(
        Operation("POST", "/v1/messages", _message, _check, _stream),
        Operation("POST", "/v1/messages/count_tokens", lambda call: {"input_tokens": _asked(call)}, _check_messages),
    ),
    faults=FAULTS,
    key_of=lambda headers: headers.get("x-api-key") or bearer(headers),
    error=_error,
    error_event=_event,
    headers=_headers,
)
