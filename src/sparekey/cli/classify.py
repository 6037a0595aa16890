"""``sparekey classify``: what an error is read as, what would cool, and for how long."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

import sparekey as sk
from sparekey._classify import classify as read_error
from sparekey._classify import classify_response
from sparekey.cli._console import console_for
from sparekey.errors import duration


def classify(
    error: Annotated[
        str | None, typer.Argument(help="The error as an SDK shows it, a file that holds it, or - for standard input.")
    ] = None,
    status: Annotated[int | None, typer.Option(help="The HTTP status of the response.", min=100, max=599)] = None,
    body: Annotated[str | None, typer.Option(help="Its body, JSON or text.")] = None,
    header: Annotated[
        list[str] | None, typer.Option(help="One of its headers, as 'retry-after: 20'; may be repeated.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Who answered, as in provider/model.")] = None,
    config: Annotated[Path | None, typer.Option(help="A config file whose sparekey_settings are the policy.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Say what an error is read as: why it failed, what would cool, for how long, and what is tried next.

    No provider is called. Paste the text of an exception, or give --status and --body of a response.
    """
    text = _text_of(error)
    if text is None and status is None and body is None:
        raise sk.ConfigError("classify: nothing to read: paste an error, name a file, or give --status and --body")
    policy = sk.Policy() if config is None else sk.load_policy(config)
    headers = dict(_header(line) for line in header or ())
    if status is None and body is None and not headers and provider is None:
        verdict = read_error(Exception(text))
    else:
        verdict = classify_response(status, headers, body if body is not None else text, text, provider=provider)
    facts = explain(verdict, policy)
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
    else:
        _show(facts)


def explain(verdict: sk.Verdict | None, policy: sk.Policy) -> dict[str, Any]:
    """What a failure read as ``verdict`` does under ``policy``; times in seconds."""
    reason = verdict.reason if verdict is not None else sk.Reason.UNKNOWN
    who = sk.Candidate("provider", "model", credential="key", account="account")
    chain = sk.FallbackChain(sk.CooldownTracker(policy), classify=lambda _: verdict)
    run = chain.begin([who])
    run.next(chain.now())
    final = run.failed(RuntimeError("asked what would happen"), chain.now())
    (attempt,) = run.attempts()
    action = sk.Action.STOP if final is not None else policy.rule(reason).action
    if final is None and attempt.scope is None and verdict is not None and not verdict.other_key_helps:
        action = sk.Action.NEXT_MODEL
    return {
        "reason": reason.value,
        "status": verdict.status if verdict is not None else None,
        "retry_after": verdict.retry_after if verdict is not None else None,
        "other_key_helps": verdict.other_key_helps if verdict is not None else None,
        "other_model_helps": verdict.other_model_helps if verdict is not None else None,
        "action": action.value,
        "cools": attempt.scope.value if attempt.scope is not None else None,
        "cooldown": None if attempt.cooldown is None else round(attempt.cooldown, 3),
        "cooldown_from": attempt.cooldown_from,
    }


_WHAT_COOLS = {
    "candidate": "the key, for this model",
    "credential": "the key, for all its models",
    "account": "the key, or every key of its account, for this model",
}
_THEN = {
    "stop": "stops: the provider's own error is raised",
    "next_candidate": "the next candidate",
    "next_model": "the next model; this one's other keys are passed over",
}


def _show(facts: dict[str, Any]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    unknown = facts["other_key_helps"] is None
    table.add_row(
        "reason", Text(facts["reason"], style="bold cyan") if not unknown else "unknown: nothing is known of it"
    )
    if facts["status"] is not None:
        table.add_row("status", str(facts["status"]))
    if facts["retry_after"] is not None:
        table.add_row("retry after", duration(facts["retry_after"]))
    if not unknown:
        helps = [name for name in ("key", "model") if facts[f"other_{name}_helps"]]
        table.add_row("could help", " or ".join(f"another {name}" for name in helps) or "neither another key nor model")
    if facts["cools"] is None:
        table.add_row("cools", "nothing")
    else:
        by = {"provider": "by the provider's word", "ladder": "the ladder's first step"}[facts["cooldown_from"]]
        table.add_row("cools", f"{_WHAT_COOLS[facts['cools']]}, for {duration(facts['cooldown'])} ({by})")
    table.add_row("then", _THEN[facts["action"]])
    console_for().print(table)


def _text_of(error: str | None) -> str | None:
    if error is None:
        return None if sys.stdin.isatty() else sys.stdin.read() or None
    if error == "-":
        return sys.stdin.read()
    file = Path(error)
    try:
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else error
    except OSError:  # too long for a name, or not ours to read: then it is the error itself
        return error


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise sk.ConfigError(f"--header: must be 'name: value', not {sk.scrub(line)!r}")
    return name.strip(), value.strip()
