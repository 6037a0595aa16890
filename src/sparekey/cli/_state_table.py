"""How a state looks: nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

import sparekey as sk
from sparekey._cooldown import Record
from sparekey._meant import named
from sparekey.errors import duration

_COLUMNS = ("", "who", "key", "reason", "left", "until", "since", "says", "failures")
_NARROWEST = {"key": 70, "says": 80, "failures": 90, "until": 100, "since": 110}
"""Columns that a terminal must have for a column to be shown."""


def facts(key: str, record: Record, now: float) -> dict[str, Any]:
    """One record, for programs; times in epoch seconds."""
    name = named(key)
    reason = record.reason
    assert reason is not None  # a record without one is not shown
    return {
        "id": sk.scrub(key),
        "kind": name.kind,
        "who": sk.scrub(name.where),
        "key": name.key or None,
        "account": sk.scrub(name.account) or None,
        "cooling": record.until > now,
        "reason": reason.value,
        "since": record.live[reason].opened_at,
        "until": record.until,
        "remaining": max(0.0, record.until - now),
        "said_by": "provider" if record.hinted else "ladder",
        "failures": {reason.value: mark.failures for reason, mark in record.live.items()},
    }


def in_order(records: Mapping[str, Record], now: float) -> list[dict[str, Any]]:
    """What cools first, the soonest to recover before the others; then what recovers, the latest first."""
    found = [facts(key, record, now) for key, record in records.items()]
    return sorted(found, key=lambda row: (not row["cooling"], row["until"] if row["cooling"] else -row["until"]))


def table(rows: list[dict[str, Any]], now: float, width: int, most: int | None = None) -> RenderableType:
    """The rows, as many as there is room for."""
    columns = [column for column in _COLUMNS if width >= _NARROWEST.get(column, 0)]
    grid = Table(box=None, header_style="dim", padding=(0, 1), pad_edge=False)
    for column in columns:
        right = column in ("left", "until", "since")
        grid.add_column(
            column, justify="right" if right else "left", no_wrap=column not in ("who", "failures"), overflow="fold"
        )
    for row in rows[:most]:
        cells = _cells(row, now)
        if "key" not in columns:
            cells["who"].append_text(Text.assemble(" ", cells["key"]) if row["key"] else Text())
        grid.add_row(*(cells[column] for column in columns))
    hidden = len(rows[most:]) if most is not None else 0
    return Group(grid, Text(f"and {hidden} more", "dim")) if hidden else grid


def summary(name: str, rows: list[dict[str, Any]]) -> Text:
    """The line below the table."""
    cooling = sum(row["cooling"] for row in rows)
    recovering = len(rows) - cooling
    if not rows:
        return Text.assemble(("✓", "bold green"), f" {name}: nothing cools down, and nothing recovers")
    mark = ("●", "bold red") if cooling else ("○", "bold yellow")
    return Text.assemble(mark, f" {name}: {cooling} cooling, {recovering} recovering")


def forgotten(rows: Iterable[dict[str, Any]]) -> RenderableType:
    """What a reset took back."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for column in range(3):
        grid.add_column(no_wrap=column != 1, overflow="fold")
    for row in rows:
        left = f", {duration(row['remaining'])} left" if row["cooling"] else ", recovering"
        grid.add_row(Text("✓", "bold green"), _printable(row["id"]), Text(f"{row['reason']}{left}", "dim"))
    return grid


def _cells(row: dict[str, Any], now: float) -> dict[str, Text]:
    cooling = row["cooling"]
    kind = {"candidate": "", "credential": "all models", "account": f"account {row['account']}"}.get(
        row["kind"], row["kind"]
    )
    counts = ", ".join(f"{number} {reason}" for reason, number in row["failures"].items())
    if len(row["failures"]) == 1:
        counts = counts.partition(" ")[0]  # the reason is said already
    return {
        "": Text("●", "bold red") if cooling else Text("○", "bold yellow"),
        "who": Text.assemble(_printable(row["who"]) or "any", (f" ({_printable(kind)})" if kind else "", "dim")),
        "key": Text(f"#{row['key']}" if row["key"] else "", "dim"),
        "reason": Text(row["reason"], "red" if cooling else "yellow"),
        "left": Text(duration(row["remaining"]) if cooling else "recovering", "bold" if cooling else "yellow"),
        "until": Text(_clock(row["until"], now), "dim" if not cooling else ""),
        "since": Text(_clock(row["since"], now), "dim"),
        "says": Text(row["said_by"], "dim"),
        "failures": Text(counts, "dim"),
    }


def _clock(when: float, now: float) -> str:
    """A time of day; of another day with its date."""
    local, today = (datetime.fromtimestamp(at).astimezone() for at in (when, now))
    return f"{local:%H:%M:%S}" if local.date() == today.date() else f"{local:%m-%d %H:%M}"


def _printable(text: str) -> str:
    """What a stranger may have written into the state, without what could rewrite the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)
