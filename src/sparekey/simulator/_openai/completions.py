"""OpenAI's completions of a text, from before there were chats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._mind.asked import Answer, Asked
from sparekey.simulator._mind.decide import decide
from sparekey.simulator._openai.chat import (
    FINISH,
    MOST_CHOICES,
    check_count,
    check_ranges,
    check_stops,
    check_stream_options,
    sse,
    stops_of,
)
from sparekey.simulator._openai.faults import check_model, of_type, wrong
from sparekey.simulator._openai.models import check_completes, check_parameters
from sparekey.simulator._text import count_words, tokens
from sparekey.simulator._wire import Call, Event, Fault, Json, Part

# fmt: off
PARAMETERS = frozenset({
    "best_of", "echo", "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "model", "n", "presence_penalty",
    "prompt", "seed", "stop", "stream", "stream_options", "suffix", "temperature", "top_p", "user",
})
# fmt: on
"""All there are, as OpenAI's SDK types them."""
ENOUGH = 16
"""Tokens of an answer, unless more are asked for."""
MOST_PROMPTS = 2048


def check_completion(body: Mapping[str, Any]) -> Fault | None:
    """The first thing that is wrong with a request."""
    return next(_problems(body), None)


def _problems(body: Mapping[str, Any]) -> Iterator[Fault]:
    yield from check_model(body)
    yield from check_parameters(body, PARAMETERS)
    prompt = body.get("prompt")
    several = prompt if isinstance(prompt, list) else []
    if not isinstance(prompt, str | list | None) or (isinstance(prompt, list) and not 0 < len(prompt) <= MOST_PROMPTS):
        yield of_type("prompt", f"a string or an array of 1 to {MOST_PROMPTS} elements", prompt)
    if several and not _is_tokens(several) and not all(isinstance(each, str) or _is_tokens(each) for each in several):
        yield wrong("prompt", "expected texts or arrays of tokens.", "invalid_value")
    if not isinstance(body.get("stream") or False, bool):
        yield wrong("stream", "expected a boolean.")
    for param in ("max_tokens", "n", "best_of"):
        yield from check_count(body, param)
    count = body.get("n") or 1
    if count * len(_prompts(body)) > MOST_CHOICES:
        yield wrong("n", f"expected at most {MOST_CHOICES} choices in all.", "integer_above_max_value")
    if (body.get("best_of") or count) < count:
        yield wrong("best_of", f"expected an integer >= {count}.", "integer_below_min_value")
    yield from check_ranges(body)
    yield from check_stops(body)
    yield from check_stream_options(body)
    yield from check_completes(body["model"])


def _is_tokens(item: object) -> bool:
    return isinstance(item, list) and bool(item) and all(type(token) is int and token >= 0 for token in item)


def _prompts(body: Mapping[str, Any]) -> list[str]:
    """Texts; an array of tokens is one, written in numbers."""
    given = body.get("prompt") or ""
    several = given if isinstance(given, list) and not _is_tokens(given) else [given]
    return [each if isinstance(each, str) else " ".join(map(str, each)) for each in several]


def _answers(call: Call) -> list[tuple[str, Answer]]:
    """What stands before each answer, and the answer."""
    body = call.body
    limit, stops = body.get("max_tokens") or ENOUGH, tuple(filter(None, stops_of(body)))
    return [
        (prompt if body.get("echo") else "", decide(Asked(prompt, limit=limit, stops=stops), call))
        for prompt in _prompts(body)
        for _ in range(body.get("n") or 1)
    ]


def _head(call: Call) -> Json:
    return {"id": f"cmpl-{call.id}", "object": "text_completion", "created": int(call.now), "model": call.model}


def _choice(at: int, text: str, finish: str | None) -> Json:
    return {"index": at, "text": text, "logprobs": None, "finish_reason": finish}


def _usage(call: Call) -> Json:
    asked, answered = count_words(*_prompts(call.body)), sum(answer.length for _, answer in _answers(call))
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def completion(call: Call) -> Json:
    """The whole answer: as many choices for each prompt as were asked for."""
    choices = [_choice(at, f"{echo}{said.text}", FINISH[said.end]) for at, (echo, said) in enumerate(_answers(call))]
    return {**_head(call), "choices": choices, "usage": _usage(call)}


def stream_completion(call: Call) -> Iterator[Event]:
    """The answer in words, one choice after the other, and why each ends."""
    head = _head(call)
    with_usage = bool((call.body.get("stream_options") or {}).get("include_usage"))
    if with_usage:
        head["usage"] = None
    answers = _answers(call)
    for at, (echo, answer) in enumerate(answers):
        for word in tokens(f"{echo}{answer.text}"):
            yield Event(Part.TOKEN, sse({**head, "choices": [_choice(at, word, None)]}))
        part = Part.CLOSING if at == len(answers) - 1 else Part.BETWEEN
        yield Event(part, sse({**head, "choices": [_choice(at, "", FINISH[answer.end])]}))
    if with_usage:
        yield Event(Part.CLOSING, sse({**head, "choices": [], "usage": _usage(call)}))
    yield Event(Part.CLOSING, b"data: [DONE]\n\n")
