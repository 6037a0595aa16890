"""The console that commands print to."""

from __future__ import annotations

import os
import sys

from rich.console import Console

WIDTH = 100
"""Columns where nobody says how many there are: in a pipe, in a picture."""


def console_for(*, record: bool = False) -> Console:
    """Standard output, in colour where it is a terminal that wants it."""
    told = record or not (sys.stdout.isatty() or os.environ.get("COLUMNS"))
    return Console(highlight=False, emoji=False, record=record, width=WIDTH if told else None)
