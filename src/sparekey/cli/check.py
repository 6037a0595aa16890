"""``sparekey check``: what a config file says, seen as sparekey will use it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

import sparekey as sk
from sparekey.cli._console import console_for


def check(
    config: Annotated[Path, typer.Argument(help="YAML, JSON or TOML file with a model_list.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check a config file and show, for every model, what would be tried in which order.

    No provider is called. A config that cannot work is one line and exit code 2.

    What works, but may not be meant, is a warning.
    """
    report = examine(sk.load_config(config))
    sk.load_policy(config)  # its sparekey_settings may be wrong, too
    if as_json:
        typer.echo(json.dumps(report.as_data(), indent=2))
    else:
        _show(console_for(), config, report)


@dataclass(frozen=True, slots=True)
class Report:
    """What there is to say about a model list."""

    chains: dict[str, list[sk.Candidate]]
    """By the name requests ask for: its candidates, in the order they are tried."""
    fallbacks: dict[str, list[str]]
    warnings: list[str]

    @property
    def keys(self) -> set[str]:
        """The fingerprints of all keys."""
        return {candidate.credential for chain in self.chains.values() for candidate in chain} - {""}

    def totals(self) -> dict[str, int]:
        """How many there are of everything."""
        candidates = {candidate for chain in self.chains.values() for candidate in chain}
        return {"models": len(self.chains), "keys": len(self.keys), "candidates": len(candidates)}

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        models = [
            {"name": name, "fallbacks": self.fallbacks[name], "candidates": [_facts(c) for c in chain]}
            for name, chain in self.chains.items()
        ]
        return {"models": models, "totals": self.totals(), "warnings": self.warnings}


def examine(entries: list[sk.ModelConfig]) -> Report:
    """Expand ``entries`` and look for what may not be meant."""
    expanded = sk.expand_model_list(entries)
    fallbacks: dict[str, list[str]] = {}
    for entry in entries:
        known = fallbacks.setdefault(entry.model_name, [])
        known += [name for name in entry.fallbacks if name not in known]
    chains = {name: sk.candidates_for(name, expanded) for name in fallbacks}
    return Report(chains, fallbacks, list(_doubts(entries, expanded)))


def _doubts(entries: list[sk.ModelConfig], expanded: list[sk.ModelConfig]) -> Iterator[str]:
    for entry in entries:
        for name in entry.settings:
            close = difflib.get_close_matches(name, sk.ModelConfig.model_fields, n=1, cutoff=0.8)
            if close:
                yield f"{entry.model_name}: {name} is passed on as it is; was {close[0]} meant?"
        if "/" not in entry.model:
            yield f"{entry.model_name}: model {entry.model!r} names no provider, as in openai/{entry.model}"
    users: dict[str, list[sk.Candidate]] = {}
    for entry in expanded:
        # An entry alone in its list is unambiguous where a name is repeated.
        (candidate,) = sk.candidates_for(entry.model_name, [entry.model_copy(update={"fallbacks": []})])
        if candidate.credential:
            users.setdefault(candidate.credential, []).append(candidate)
        else:
            yield f"{entry.model_name}: has no key; whoever makes the call must know one, or need none"
    for digest, candidates in users.items():
        if len(candidates) > 1:
            yield _shared(digest, candidates)


def _shared(digest: str, candidates: list[sk.Candidate]) -> str:
    names = _joined([candidate.name for candidate in candidates])
    if len(set(candidates)) == 1:
        return f"{names}: the same model with the same key (#{digest}) is tried once"
    return f"{names}: the same key (#{digest}); refused or out of credit for one, it is for all"


def _joined(names: list[str]) -> str:
    shown = names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def _facts(candidate: sk.Candidate) -> dict[str, Any]:
    return {
        "name": candidate.name,
        "provider": candidate.provider,
        "model": candidate.model,
        "endpoint": candidate.endpoint or None,
        "key": candidate.credential or None,
        "account": candidate.account or None,
        "rpm": candidate.rpm,
        "timeout": candidate.timeout,
    }


# A column in which nobody has anything is left out.
_COLUMNS = ("name", "model", "key", "endpoint", "account", "rpm", "timeout")


def _cells(candidate: sk.Candidate) -> dict[str, str]:
    return {
        "name": candidate.name,
        "model": f"{candidate.provider}/{candidate.model}" if candidate.provider else candidate.model,
        "key": f"#{candidate.credential}" if candidate.credential else "none",
        "endpoint": candidate.endpoint,
        "account": candidate.account,
        "rpm": "" if candidate.rpm is None else f"{candidate.rpm:g}",
        "timeout": "" if candidate.timeout is None else f"{candidate.timeout:g}s",
    }


def _show(console: Console, config: Path, report: Report) -> None:
    rows = {name: [_cells(candidate) for candidate in chain] for name, chain in report.chains.items()}
    columns = [column for column in _COLUMNS if any(cells[column] for chain in rows.values() for cells in chain)]
    table = Table(box=None, header_style="dim", padding=(0, 1), pad_edge=False)
    table.add_column("", justify="right", style="dim", no_wrap=True, min_width=2)
    for column in columns:
        number = column in ("rpm", "timeout")
        table.add_column(
            column, justify="right" if number else "left", no_wrap=number or column == "key", overflow="fold"
        )
    for name, chain in rows.items():
        table.add_row()
        for place, cells in enumerate(chain, 1):
            own = cells["name"] == name or cells["name"].startswith(f"{name}__key_")
            style = "bold cyan" if place == 1 else "" if own else "dim"
            shown = {**cells, "name": cells["name"] if own else f"↳ {cells['name']}"}
            table.add_row(f"{place}", *(_styled(column, shown[column], style) for column in columns))
    console.print(table)
    console.print()
    console.print(_summary(config, report), soft_wrap=True)
    for warning in report.warnings:
        console.print(Text.assemble(("!", "bold yellow"), " ", warning), soft_wrap=True)


def _styled(column: str, text: str, style: str) -> Text:
    if column == "name":
        return Text(text, style=style)
    return Text(text, style="yellow" if text == "none" else "dim" if column == "key" or style == "dim" else "")


def _summary(config: Path, report: Report) -> Text:
    counts = [f"{number} {what.removesuffix('s') if number == 1 else what}" for what, number in report.totals().items()]
    verdict = ("✓", "bold green") if not report.warnings else ("✓", "bold yellow")
    return Text.assemble(verdict, f" {config}: ", ", ".join(counts))
