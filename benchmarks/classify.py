"""How well does `sparekey.classify` read errors? Measured on a file of labelled ones.

    python benchmarks/classify.py [errors.jsonl] [--misses] [--via response|exception] [--provider]

Each line of the file is one error as it was received: `status`, `headers`, `body`, `message`,
`exception` (a class's dotted name), and what is right: `reason`, `other_key_helps`,
`other_model_helps`, `retry_after_s`, with `confidence` and `tags`. Lines of low confidence and lines
tagged `undecidable` are left out. Printed: how often the reason is right, how often the decision is
(may another key help?), which waits were read, the same for each tag, and the time an error takes.

Without a file, only the time is measured, on errors as the OpenAI SDK raises them every day.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import openai

from sparekey._classify import classify, classify_response
from sparekey._types import Verdict

Row = dict[str, Any]
NOW = time.time()


class _Response:
    """The face of a response that an SDK's exception carries."""

    def __init__(self, status: int | None, headers: dict[str, str]) -> None:
        self.status_code = status
        self.headers = headers


def as_exception(row: Row) -> BaseException:
    """The row as an SDK would raise it: a class of that name from that module, with its usual attributes.

    Errors of other languages (Go's ``*net.OpError``, JavaScript's ``TypeError``) reach Python as plain text.
    """
    module, _, name = (row["exception"] or "openai.APIStatusError").rpartition(".")
    foreign = not module or module.startswith("*")
    made = Exception if foreign else type(name, (Exception,), {"__module__": module})
    body = row["body"]
    shown = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False) if body else ""
    error: Any = made(row["message"] or shown or f"{row['status']} status code (no body)")
    error.body = body
    if row["status"] is not None:
        error.status_code = row["status"]
        error.response = _Response(row["status"], row["headers"] or {})
    return error  # type: ignore[no-any-return]


def reader(row: Row, via: str, provider: bool) -> Callable[[], Verdict | None]:
    """The way a row is put to the classifier, ready to be timed."""
    if via == "exception":
        return partial(classify, as_exception(row), now=NOW)
    return partial(
        classify_response,
        row["status"],
        row["headers"],
        row["body"],
        row["message"],
        provider=row["provider"] if provider else None,
        now=NOW,
    )


def rows(path: Path) -> Iterator[Row]:
    """The lines that can be judged."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["confidence"] != "low" and "undecidable" not in row["tags"]:
                yield row


def near(found: float | None, right: float) -> bool:
    """Within a second or two percent."""
    return found is not None and abs(found - right) <= max(1.0, 0.02 * right)


def microseconds(read: Callable[[], Verdict | None], readings: int) -> float:
    """The best of so many readings."""
    best = float("inf")
    for _ in range(readings):
        start = time.perf_counter()
        read()
        best = min(best, time.perf_counter() - start)
    return best * 1e6


def everyday() -> Iterator[tuple[str, BaseException]]:
    """Ordinary errors, with the headers a real response has."""
    headers = {
        "date": "Mon, 24 Nov 2025 16:00:00 GMT",
        "content-type": "application/json",
        "openai-organization": "org-x",
        "openai-processing-ms": "12",
        "openai-version": "2020-10-01",
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-limit-tokens": "30000",
        "x-ratelimit-remaining-requests": "9999",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-requests": "6ms",
        "x-ratelimit-reset-tokens": "6m0s",
        "x-request-id": "req_1",
        "server": "cloudflare",
        "cf-ray": "8a1",
    }
    request = httpx.Request("POST", "https://api.openai.com/v1/chat/completions")
    shown: list[tuple[str, int, type[openai.APIStatusError], dict[str, str], dict[str, str]]] = [
        (
            "429 rate limit",
            429,
            openai.RateLimitError,
            {"retry-after": "3"},
            {"message": "Rate limit reached on tokens per min (TPM).", "code": "rate_limit_exceeded"},
        ),
        (
            "429 no quota",
            429,
            openai.RateLimitError,
            {},
            {"message": "You exceeded your current quota.", "code": "insufficient_quota"},
        ),
        (
            "401 bad key",
            401,
            openai.AuthenticationError,
            {},
            {"message": "Incorrect API key provided.", "code": "invalid_api_key"},
        ),
    ]
    for name, status, cls, more, said in shown:
        response = httpx.Response(status, request=request, headers={**headers, **more}, json={"error": said})
        yield name, cls(f"Error code: {status} - {said}", response=response, body=said)
    yield "no connection", openai.APIConnectionError(request=request)
    yield "a bug", RuntimeError("nothing a provider said")


def main() -> None:
    """Measure, and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("path", type=Path, nargs="?", help="a JSONL file of labelled errors")
    arguments.add_argument("--misses", action="store_true", help="list every row that was read wrongly")
    arguments.add_argument("--via", choices=("response", "exception"), default="response")
    arguments.add_argument("--provider", action="store_true", help="tell the classifier whose error it is")
    given = arguments.parse_args()

    print("an error as the OpenAI SDK raises it")
    for name, error in everyday():
        print(f"  {name:<16} {microseconds(partial(classify, error), 2000):5.1f} µs")
    if given.path is not None:
        print()
        judge(given.path, given.via, given.provider, given.misses)


def judge(path: Path, via: str, provider: bool, misses_too: bool) -> None:
    """Measure one file."""
    right = {"reason": 0, "other key": 0, "other model": 0}
    waits_said = waits_read = waits_invented = total = 0
    times = []
    tags: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    misses = []
    for row in rows(path):
        read = reader(row, via, provider)
        verdict = read()
        times.append(microseconds(read, 7))
        total += 1
        # What nothing is known of counts as unknown, and as a reason to try nobody else.
        reason = (verdict.reason if verdict else "unknown") == row["reason"]
        decision = (verdict.other_key_helps if verdict else False) == row["other_key_helps"]
        right["reason"] += reason
        right["other key"] += decision
        right["other model"] += (verdict.other_model_helps if verdict else False) == row["other_model_helps"]
        wait = verdict.retry_after if verdict else None
        waited = wait is None
        if row["retry_after_s"] is not None:
            waits_said += 1
            waited = near(wait, row["retry_after_s"])
            waits_read += waited
        else:
            waits_invented += not waited
        for tag in row["tags"] or ["(untagged)"]:
            tags[tag].append((reason, decision))
        if not (reason and decision and waited):
            misses.append((row, verdict))

    print(f"{total} errors, read as {via}s{' of a named provider' if provider else ''}")
    for name, count in right.items():
        print(f"  {name:<12} {count / total:7.1%}   ({count} of {total})")
    print(f"  {'waits read':<12} {waits_read} of {waits_said}, and {waits_invented} where none was said")
    print(f"  {'time':<12} median {statistics.median(times):.1f} µs, slowest {max(times):.1f} µs\n")
    print(f"  {'tag':<30} {'rows':>4} {'reason':>7} {'other key':>9}")
    for tag, marks in sorted(tags.items(), key=lambda item: -len(item[1])):
        reasons, decisions = (sum(column) / len(marks) for column in zip(*marks, strict=True))
        print(f"  {tag:<30} {len(marks):>4} {reasons:>7.0%} {decisions:>9.0%}")
    for row, verdict in misses if misses_too else ():
        found = (
            f"{verdict.reason}, other key {verdict.other_key_helps}, wait {verdict.retry_after}"
            if verdict
            else "nothing"
        )
        print(
            f"\n{row['id']}  {row['status']}  {row['exception'] or ''}\n"
            f"  right: {row['reason']}, other key {row['other_key_helps']}, wait {row['retry_after_s']}\n"
            f"  read:  {found}\n"
            f"  body:  {json.dumps(row['body'], ensure_ascii=False)[:400]}\n"
            f"  text:  {(row['message'] or '')[:400]}"
        )


if __name__ == "__main__":
    main()
