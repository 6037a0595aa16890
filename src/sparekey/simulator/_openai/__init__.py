"""OpenAI's wire format: its operations, its models, its headers."""

from __future__ import annotations

import math

from sparekey.simulator._openai.audio import (
    check_speech,
    check_transcription,
    read_audio,
    speech,
    stream_speech,
    stream_transcription,
    streams_transcription,
    transcription,
)
from sparekey.simulator._openai.chat import chat, check_chat, missing_files, sse, stream_chat
from sparekey.simulator._openai.completions import check_completion, completion, stream_completion
from sparekey.simulator._openai.embeddings import check_embeddings, embeddings
from sparekey.simulator._openai.faults import FAULTS
from sparekey.simulator._openai.files import check_upload, delete, missing_file, retrieve, upload
from sparekey.simulator._openai.images import check_images, images, stream_images
from sparekey.simulator._openai.items import missing_context
from sparekey.simulator._openai.rerank import check_rerank, rerank
from sparekey.simulator._openai.response_stream import error_event, stream_response
from sparekey.simulator._openai.responses import check_responses, respond
from sparekey.simulator._reading import read_form
from sparekey.simulator._roster import Quota
from sparekey.simulator._wire import Call, Dialect, Fault, Json, Operation, bearer, milliseconds


def _model(call: Call, model: str) -> Json:
    return {"id": model, "object": "model", "created": int(call.now), "owned_by": "sparekey-simulator"}


def _models(call: Call) -> Json:
    return {"object": "list", "data": [_model(call, model) for model in call.models]}


def _error(fault: Fault, _request_id: str) -> Json:
    shown = {"message": fault.message, "type": fault.type, "param": fault.param, "code": fault.code}
    return {"error": shown}


def _headers(request_id: str, _now: float, quota: Quota | None, retry_after: float | None) -> dict[str, str]:
    headers = {"x-request-id": request_id}
    if quota:
        headers |= {
            "x-ratelimit-limit-requests": str(quota.limit),
            "x-ratelimit-remaining-requests": str(quota.remaining),
            "x-ratelimit-reset-requests": duration(quota.reset),
        }
    if retry_after is not None:
        # Whole seconds are what Retry-After allows; the exact time stands beside it.
        exact = milliseconds(retry_after)
        headers |= {"retry-after": str(math.ceil(exact / 1000)), "retry-after-ms": str(exact)}
    return headers


def duration(seconds: float) -> str:
    """A time as OpenAI writes it: ``644ms``, ``18.642s``, ``6m0s``."""
    total = milliseconds(seconds)
    if total < 1000:
        return f"{total}ms"
    hours, rest = divmod(total, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{rest / 1000:g}s"


OPENAI = Dialect(
    name="openai",
    operations=(
        Operation("POST", "/v1/chat/completions", chat, check_chat, stream_chat, missing_files),
        Operation(
            "POST",
            "/v1/responses",
            respond,
            check_responses,
            stream_response,
            missing_context,
            error_event=error_event,
        ),
        Operation("POST", "/v1/embeddings", embeddings, check_embeddings),
        Operation("POST", "/v1/completions", completion, check_completion, stream_completion),
        Operation("POST", "/v1/images/generations", images, check_images, stream_images),
        Operation(
            "POST",
            "/v1/audio/speech",
            speech,
            check_speech,
            stream_speech,
            streams=lambda body: body.get("stream_format") == "sse",
        ),
        Operation(
            "POST",
            "/v1/audio/transcriptions",
            transcription,
            check_transcription,
            stream_transcription,
            streams=streams_transcription,
            read=read_audio,
        ),
        Operation("POST", "/v1/rerank", rerank, check_rerank),
        Operation("POST", "/v1/files", upload, check_upload, read=read_form),
        Operation("GET", "/v1/files/{file_id}", retrieve, missing=missing_file),
        Operation("DELETE", "/v1/files/{file_id}", delete, missing=missing_file),
        Operation("GET", "/v1/models", _models),
        Operation("GET", "/v1/models/{model:path}", lambda call: _model(call, call.model)),
    ),
    faults=FAULTS,
    key_of=lambda headers: bearer(headers) or headers.get("api-key", ""),
    error=_error,
    error_event=sse,
    headers=_headers,
    duration=duration,
)
