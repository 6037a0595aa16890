"""What stands beside the conversation in a message request: limits, ranges, thinking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._anthropic.faults import invalid, missing, only, wrong_tag
from sparekey.simulator._wire import Fault

# fmt: off
COUNTED = frozenset({
    "billing_policy", "cache_control", "compaction", "context_management", "mcp_servers", "messages", "model",
    "output_config", "output_format", "speed", "system", "thinking", "tool_choice", "tools",
})
"""Parameters of a request to count tokens, as Anthropic's SDK types them, betas included."""
ANSWERED = COUNTED | {
    "container", "diagnostics", "fallback_credit_token", "fallbacks", "inference_geo", "max_tokens", "metadata",
    "service_tier", "stop_sequences", "stream", "temperature", "thread", "top_k", "top_p",
}
"""Those of a request for an answer; newer SDKs leave out the sampling three, which the API still takes."""
# fmt: on
_THINKING: Mapping[str, tuple[str, ...]] = {
    "adaptive": ("type", "display"),
    "between_tools": ("type",),
    "disabled": ("type",),
    "enabled": ("type", "budget_tokens", "display"),
}
LEAST_BUDGET = 1024


def check_names(body: Mapping[str, Any], known: frozenset[str]) -> Iterator[Fault]:
    """Parameters there are none of, such as another provider's."""
    return (invalid(f"{name}: Extra inputs are not permitted") for name in body if name not in known)


def check_options(body: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with how an answer is wanted."""
    limit = body.get("max_tokens")
    if limit is None:
        yield missing("max_tokens")
    if type(limit) is not int or limit < 1:
        yield invalid("max_tokens: Input should be greater than or equal to 1")
    if not isinstance(body.get("stream") or False, bool):
        yield invalid("stream: Input should be a valid boolean")
    stops = body.get("stop_sequences") or []
    if not isinstance(stops, list):
        yield invalid("stop_sequences: Input should be a valid list")
    for at, stop in enumerate(stops):
        if not isinstance(stop, str):
            yield invalid(f"stop_sequences.{at}: Input should be a valid string")
        if not stop.strip():
            yield invalid("stop_sequences: each stop sequence must contain non-whitespace")
    yield from _check_ranges(body)


def _check_ranges(body: Mapping[str, Any]) -> Iterator[Fault]:
    for param in ("temperature", "top_p"):
        value = body.get(param)
        if value is not None and type(value) not in (int, float):
            yield invalid(f"{param}: Input should be a valid number")
        if value is not None and not 0 <= value <= 1:
            yield invalid(f"{param}: range: 0..1")
    top_k = body.get("top_k")
    if top_k is not None and type(top_k) is not int:
        yield invalid("top_k: Input should be a valid integer")
    if top_k is not None and top_k < 0:
        yield invalid("top_k: Input should be greater than or equal to 0")


def check_thinking(body: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with the wish to think."""
    thinking = body.get("thinking")
    if thinking is None:
        return
    if not isinstance(thinking, Mapping):
        yield invalid("thinking: Input should be a valid dictionary or object to extract fields from")
        return
    kind: Any = thinking.get("type")
    if kind not in tuple(_THINKING):
        yield wrong_tag("thinking", kind, _THINKING)
    where = f"thinking.{kind}"
    yield from only(_THINKING[kind], thinking, where)
    if kind == "enabled":
        if "budget_tokens" not in thinking:
            yield missing(f"{where}.budget_tokens")
        budget, limit = thinking["budget_tokens"], body.get("max_tokens")
        if type(budget) is not int or budget < LEAST_BUDGET:
            yield invalid(f"{where}.budget_tokens: Input should be greater than or equal to {LEAST_BUDGET}")
        # With tools, thinking between their calls may take more than one answer's tokens.
        if isinstance(limit, int) and budget >= limit and not body.get("tools"):
            yield invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
