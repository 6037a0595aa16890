"""How OpenAI words its errors, and what it finds wrong with a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sparekey.simulator._wire import Fault

INVALID = "invalid_request_error"


def required(param: str) -> Fault:
    return Fault(400, INVALID, f"Missing required parameter: '{param}'.", "missing_required_parameter", param)


def wrong(param: str, message: str, code: str = "invalid_type") -> Fault:
    return Fault(400, INVALID, f"Invalid '{param}': {message}", code, param)


def refused(param: str | None, message: str, code: str | None = None) -> Fault:
    """In words of its own."""
    return Fault(400, INVALID, message, code, param)


def unknown(param: str) -> Fault:
    return refused(param, f"Unknown parameter: '{param}'.", "unknown_parameter")


def of_type(param: str, expected: str, value: object) -> Fault:
    """``expected`` with its article, as the message says it."""
    got = _TYPES.get(type(value), "an object")
    return refused(param, f"Invalid type for '{param}': expected {expected}, but got {got} instead.", "invalid_type")


_TYPES = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
    dict: "an object",
}


def one_of(param: str, value: object, supported: Iterable[str]) -> Fault:
    *most, last = (f"'{each}'" for each in supported)
    listed = f"{', '.join(most)}, and {last}" if len(most) > 1 else " and ".join([*most, last])
    return refused(param, f"Invalid value: '{value}'. Supported values are: {listed}.", "invalid_value")


def only(known: Iterable[str], given: Mapping[str, Any], where: str) -> Iterator[Fault]:
    """A fault for every field that is not known there."""
    return (unknown(f"{where}.{name}") for name in given if name not in known)


def unrecognized(known: Iterable[str], body: Mapping[str, Any]) -> Iterator[Fault]:
    """A request with parameters there are none of, such as another provider's: all of them in one sentence."""
    names = [name for name in body if name not in known]
    if names:
        told = f"Unrecognized request argument{'s' * (len(names) > 1)} supplied: {', '.join(names)}"
        yield Fault(400, INVALID, told)


def check_model(body: Mapping[str, Any]) -> Iterator[Fault]:
    """A request without a model."""
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield Fault(400, INVALID, "you must provide a model parameter")


FAULTS = {
    "no_key": Fault(
        401,
        INVALID,
        "You didn't provide an API key. You need to provide your API key in an Authorization header using "
        "Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    ),
    "no_json": Fault(400, INVALID, "We could not parse the JSON body of your request."),
    "unknown_url": Fault(404, INVALID, "Unknown request URL.", "unknown_url"),
    "rate_limited": Fault(
        429,
        "requests",
        "Rate limit reached for {model} in organization org-simulator on requests per min (RPM): "
        "Limit {limit}, Used {limit}, Requested 1.{again} "
        "Visit https://platform.openai.com/account/rate-limits to learn more.",
        "rate_limit_exceeded",
    ),
    "revoked": Fault(
        401,
        INVALID,
        "Incorrect API key provided: {key}. You can find your API key at https://platform.openai.com/account/api-keys.",
        "invalid_api_key",
    ),
    # 402 is not OpenAI's own: DeepSeek and others of this dialect answer so.
    "no_credit": Fault(402, "unknown_error", "Insufficient Balance", INVALID),
    "insufficient_quota": Fault(
        429,
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details. "
        "For more information on this error, read the docs: "
        "https://platform.openai.com/docs/guides/error-codes/api-errors.",
        "insufficient_quota",
    ),
    "forbidden": Fault(
        403, INVALID, "You have insufficient permissions for this operation. Missing scopes: model.request."
    ),
    "region_blocked": Fault(
        403,
        "request_forbidden",
        "Country, region, or territory not supported",
        "unsupported_country_region_territory",
    ),
    "overloaded": Fault(
        503, "server_error", "The engine is currently overloaded, please try again later.", "overloaded"
    ),
    "server_error": Fault(
        500, "server_error", "The server had an error while processing your request. Sorry about that!"
    ),
    "bad_request": Fault(
        400,
        INVALID,
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
        "decimal_above_max_value",
        "temperature",
    ),
    "context_overflow": Fault(
        400,
        INVALID,
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. "
        "Please reduce the length of the messages.",
        "context_length_exceeded",
        "messages",
    ),
    "content_policy": Fault(
        400,
        INVALID,
        "Your request was rejected as a result of our safety system.",
        "content_policy_violation",
    ),
    "model_not_found": Fault(
        404, INVALID, "The model `{model}` does not exist or you do not have access to it.", "model_not_found"
    ),
}
