"""Anthropic's wire format: its operations and its headers."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from sparekey.simulator._anthropic.answers import count_tokens, message, stream
from sparekey.simulator._anthropic.faults import FAULTS
from sparekey.simulator._anthropic.files import check_upload, delete, missing_file, missing_files, retrieve, upload
from sparekey.simulator._anthropic.messages import check_messages, check_request
from sparekey.simulator._reading import read_form
from sparekey.simulator._roster import Quota
from sparekey.simulator._wire import Dialect, Fault, Json, Operation, bearer, milliseconds, named_event


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
        Operation("POST", "/v1/messages", message, check_request, stream, missing_files),
        Operation("POST", "/v1/messages/count_tokens", count_tokens, check_messages, missing=missing_files),
        Operation("POST", "/v1/files", upload, check_upload, read=read_form),
        Operation("GET", "/v1/files/{file_id}", retrieve, missing=missing_file),
        Operation("DELETE", "/v1/files/{file_id}", delete, missing=missing_file),
    ),
    faults=FAULTS,
    key_of=lambda headers: headers.get("x-api-key") or bearer(headers),
    error=_error,
    error_event=named_event,
    headers=_headers,
)
