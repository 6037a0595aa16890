"""Everything one error says, gathered before anything is decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sparekey._classify import speakers
from sparekey._classify.bodies import Body, read_body
from sparekey._classify.classes import ERRNOS, Says
from sparekey._classify.dialect import Dialect
from sparekey._classify.objects import as_int, as_status, as_text, peek, size_of
from sparekey._classify.typed import Typed


@dataclass(slots=True)
class Evidence:
    """One error, or one response, taken apart."""

    status: int | None = None
    """The HTTP status it came with."""
    firm: bool = True
    """Whether a server sent that status; LiteLLM makes some up."""
    says: Says | None = None
    """What its class says."""
    body: Body = field(default_factory=Body)
    headers: object = None
    """As they came; read only where a wait can follow."""
    dialect: Dialect | None = None


def from_response(
    status: int | None, headers: object, body: object, message: str | None, provider: str | None
) -> Evidence:
    """The evidence of a response in pieces."""
    read = read_body(body)
    if message:
        read_body(message, read)
    return Evidence(
        status=as_status(status),
        body=read,
        headers=headers,
        dialect=(speakers.by_name(provider) if provider else None)
        or speakers.by_shape(read)
        or speakers.by_link(read.texts),
    )


def from_exception(error: BaseException, known: Typed) -> Evidence:
    """The evidence of an exception: its attributes as SDKs name them, then its text."""
    response = peek(error, "response")
    status, botocore = _status(error, response)
    body = Body()
    if botocore is not None:
        read_body(botocore.get("Error"), body)
        meta = botocore.get("ResponseMetadata")
        headers: object = meta.get("HTTPHeaders") if isinstance(meta, dict) else None
    else:
        headers = _headers(error, response)
        _read_attributes(error, response, body)
    if not (body.texts or known.bug or known.stranger or known.system):
        # An SDK's message is made of the body; once that was read, it has nothing to add.
        _read_text(error, body)
    return Evidence(
        status=status,
        firm=not known.made_up_status,
        says=ERRNOS.get(error.errno or 0) if known.system and isinstance(error, OSError) else known.says,
        body=body,
        headers=headers,
        dialect=_dialect(error, response, known, body),
    )


def _status(error: BaseException, response: Any) -> tuple[int | None, dict[Any, Any] | None]:
    """The status an exception carries, and botocore's dict, which carries everything else as well."""
    if isinstance(response, dict) and "ResponseMetadata" in response:  # botocore.exceptions.ClientError
        meta = response.get("ResponseMetadata")
        return as_status(meta.get("HTTPStatusCode") if isinstance(meta, dict) else None), response
    for thing, name in (
        (error, "status_code"),
        (response, "status_code"),
        (error, "http_status"),  # openai before 1.0, google.api_core
        (error, "status"),  # aiohttp
        (error, "code"),  # google.genai, urllib
        (response, "status"),
        (error, "error_code"),
    ):
        status = as_status(peek(thing, name)) if thing is not None else None
        if status is not None:
            return status, None
    return None, None


def _headers(error: BaseException, response: Any) -> object:
    """LiteLLM keeps the server's headers apart from those of the response it makes up."""
    for thing, name in ((error, "litellm_response_headers"), (response, "headers"), (error, "headers")):
        value = peek(thing, name) if thing is not None else None
        if value is not None and not callable(value) and size_of(value):
            return value
    raw = peek(error, "raw_response")  # mistralai
    return peek(raw, "headers") if raw is not None else None


_BODIES = ("body", "details", "json_body", "error", "detail", "error_details")
_WORDS = ("code", "type", "error_code", "error_type", "status", "reason")


def _read_attributes(error: BaseException, response: Any, body: Body) -> None:
    found = False
    for name in _BODIES:
        value = peek(error, name)
        if isinstance(value, dict | list | str | bytes) and value:
            read_body(value, body)
            found = True
            break
    for name in () if body.codes else _WORDS:
        value = peek(error, name)
        if isinstance(value, str) or (name == "error_code" and as_int(value) is not None):
            read_body({name: value}, body)
        elif name == "code" and callable(value) and type(error).__module__.startswith("grpc"):
            _read_grpc(error, body)
            found = True
    if found or response is None:
        return
    if isinstance(response, dict):
        read_body(response, body)
        return
    # What an HTTP client has read already. Never `.text` or `.content`: on a stream they would read on.
    content = peek(response, "_content")
    if isinstance(content, bytes) and content:
        read_body(content, body)
        return
    try:
        own = vars(response)
    except TypeError:
        return
    for name in ("text", "content", "body", "_body"):
        if as_text(own.get(name)):
            read_body(own[name], body)
            return


def _read_grpc(error: BaseException, body: Body) -> None:
    try:
        read_body({"code": error.code().name, "message": error.details()}, body)  # type: ignore[attr-defined]
    except Exception:
        return


def _read_text(error: BaseException, body: Body) -> None:
    """Its message; its arguments as they are where nothing prettier is defined, so no dict is spelled out."""
    plain = type(error).__str__ in (BaseException.__str__, Exception.__str__)
    args = peek(error, "args")
    if plain and isinstance(args, tuple):
        for argument in args[:4]:
            if isinstance(argument, str | bytes | dict | list):
                read_body(argument, body)
        for name in ("message", "msg", "user_message"):
            value = peek(error, name)
            if isinstance(value, str) and value not in args:
                read_body(value, body)
                break
        return
    try:
        text = str(error)
    except Exception:
        return
    read_body(text, body)


def _dialect(error: BaseException, response: Any, known: Typed, body: Body) -> Dialect | None:
    provider = peek(error, "llm_provider")
    if isinstance(provider, str) and provider and len(provider) < 60:
        found = speakers.by_name(provider)
        if found is not None:
            return found
    host = _host(error, response)
    if host:
        found = speakers.by_host(host)
        if found is not None:
            return found
    return speakers.by_package(known.package) or speakers.by_shape(body) or speakers.by_link(body.texts)


def _host(error: BaseException, response: Any) -> str:
    for thing in (peek(error, "request"), response):
        url = peek(thing, "url") if thing is not None else None
        if url is None:
            continue
        host = peek(url, "host")
        if isinstance(host, str):
            return host[:200]
        if isinstance(url, str):
            return url[:300].partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
    return ""
