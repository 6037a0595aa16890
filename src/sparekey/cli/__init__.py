"""The command ``sparekey``.

Commands come from the entry-point group ``sparekey.commands``, each a plain function or a
``typer.Typer``, so that an adapter adds its own and nothing here knows of any. Only the command
that is asked for is imported: one of them may take a second or four.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec


def main() -> None:
    """Run the command line; the console script."""
    for needed in ("typer", "rich"):
        if find_spec(needed) is None:
            sys.stderr.write(f"error: the command line needs {needed}: pip install 'sparekey[cli]'\n")
            sys.exit(2)
    from sparekey.cli._commands import run

    run()
