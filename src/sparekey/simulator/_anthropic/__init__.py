"""Anthropic's wire format: its operations and its headers."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from sparekey.simulator._anthropic.answers import count_tokens, event, message, stream
from sparekey.simulator._anthropic.faults import FAULTS
from sparekey.simulator._anthropic.messages import check_messages, check_request
from sparekey.simulator._roster import Quota
from sparekey.simulator._wire import Dialect, Fault, Json, Operation, bearer, milliseconds


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
        Operation("POST", "/v1/messages", message, check_request, stream),
        Operation("POST", "/v1/messages/count_tokens", count_tokens, check_messages),
    ),
    faults=FAULTS,
    key_of=lambda headers: headers.get("x-api-key") or bearer(headers),
    error=_error,
    error_event=event,
    headers=_headers,
)
