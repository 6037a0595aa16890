"""``sparekey status``: what is cooling down in a state that programs share."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

import sparekey as sk
from sparekey.cli._console import console_for
from sparekey.cli._state import State, StateOption
from sparekey.cli._state_table import in_order, summary, table

_EVERY = 1.0
"""Seconds between two looks."""


def status(
    state: StateOption = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look every second, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show what is cooling down in a shared state: who, why, since when, until when, and who said so.

    Keys are shown as fingerprints. Nothing is changed, and a file that is not there is not made.
    """
    console = console_for()
    if watch and (as_json or not console.is_terminal):
        raise sk.ConfigError("status --watch: is for a terminal; programs take --json as often as they like")
    with State(state) as shared:
        if watch:
            _watch(console, shared)
            return
        records, now = shared.read(), time.time()
        rows = in_order(records, now)
        if as_json:
            typer.echo(json.dumps({"state": shared.name, "at": now, "records": rows}, indent=2))
            return
        if rows:
            console.print(table(rows, now, console.width))
            console.print()
        console.print(summary(shared.name, rows), soft_wrap=True)


def _watch(console: Console, shared: State) -> None:
    records, trouble = shared.read(), ""
    with Live(console=console, auto_refresh=False, screen=False) as live:
        try:
            while True:
                now = time.time()
                live.update(_scene(console, shared.name, in_order(records, now), now, trouble), refresh=True)
                time.sleep(_EVERY)
                try:
                    records, trouble = shared.read(), ""
                except sk.SparekeyError as error:  # it may come back, and what was seen last is better than nothing
                    trouble = str(error)
        except KeyboardInterrupt:
            return


def _scene(console: Console, name: str, rows: list[dict[str, Any]], now: float, trouble: str) -> RenderableType:
    # The summary comes first, since a table of folded lines may be cut off at the end of the screen.
    parts: list[RenderableType] = [summary(name, rows)]
    if trouble:
        parts.append(Text.assemble(("!", "bold yellow"), f" {trouble}"))
    if rows:
        parts += [Text(), table(rows, now, console.width, max(1, console.height - 6))]
    return Group(*parts)
