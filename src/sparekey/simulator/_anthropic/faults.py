"""How Anthropic words its errors, and what it finds wrong with a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sparekey.simulator._wire import Fault

INVALID = "invalid_request_error"


def invalid(message: str) -> Fault:
    """A 400 in these words."""
    return Fault(400, INVALID, message)


def missing(where: str) -> Fault:
    """A field that has to be there."""
    return invalid(f"{where}: Field required")


def wrong_tag(where: str, tag: object, expected: Iterable[str]) -> Fault:
    """A kind of thing that does not belong there."""
    listed = ", ".join(f"'{each}'" for each in expected)
    return invalid(f"{where}: Input tag '{tag}' found using 'type' does not match any of the expected tags: {listed}")


def literal(where: str, expected: Iterable[str]) -> Fault:
    """A word that is none of those there are."""
    *most, last = (f"'{each}'" for each in expected)
    return invalid(f"{where}: Input should be {', '.join(most)}{' or ' if most else ''}{last}")


def only(known: Iterable[str], given: Mapping[str, Any], where: str) -> Iterator[Fault]:
    """A fault for every field that is not known there."""
    return (invalid(f"{where}.{name}: Extra inputs are not permitted") for name in given if name not in known)


def text_in(given: Mapping[str, Any], field: str, where: str) -> Iterator[Fault]:
    """A field that has to be there and to be text."""
    if field not in given:
        yield missing(f"{where}.{field}")
    elif not isinstance(given[field], str):
        yield invalid(f"{where}.{field}: Input should be a valid string")


FAULTS = {
    "no_key": Fault(401, "authentication_error", "x-api-key header is required"),
    "no_json": invalid("The request body is not valid JSON"),
    "unknown_url": Fault(404, "not_found_error", "Not found"),
    "rate_limited": Fault(
        429,
        "rate_limit_error",
        "This request would exceed your organization's rate limit. Please try again later.",
    ),
    "revoked": Fault(401, "authentication_error", "invalid x-api-key"),
    "no_credit": Fault(402, "billing_error", "There's an issue with your billing or payment information."),
    # An empty purse is a 400 here, told apart by its words only.
    "insufficient_quota": invalid(
        "Your credit balance is too low to access the Anthropic API. "
        "Please go to Plans & Billing to upgrade or purchase credits."
    ),
    "forbidden": Fault(403, "permission_error", "Your API key does not have permission to use this resource."),
    "region_blocked": Fault(403, "forbidden", "Request not allowed"),
    "overloaded": Fault(529, "overloaded_error", "Overloaded"),
    "server_error": Fault(500, "api_error", "Internal server error"),
    "bad_request": invalid("temperature: Input should be less than or equal to 1"),
    "context_overflow": invalid("prompt is too long: 200001 tokens > 200000 maximum"),
    "content_policy": invalid("Output blocked by content filtering policy"),
    "model_not_found": Fault(404, "not_found_error", "model: {model}"),
}
