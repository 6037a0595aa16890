"""``sparekey demo``: what happens to a request when keys die, on a provider simulated here."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import sparekey as sk
from sparekey.cli._console import WIDTH, console_for

try:
    from sparekey.cli import _hosts, _picture, _show
    from sparekey.cli._stage import MODEL, SCENES, Host, Outcome, Stage, Totals, play, rehearse
except ImportError as error:  # the simulator's extra
    raise sk.ConfigError(str(error)) from error


def demo(
    hosts: Annotated[
        list[str] | None,
        typer.Argument(help="Whom to show: langchain, litellm, core. By default all that are installed."),
    ] = None,
    svg: Annotated[Path | None, typer.Option(help="Also write a picture of the output, 100 columns wide.")] = None,
) -> None:
    """Watch dead keys being failed over, with your own frameworks and no real key.

    A provider on this machine plays one throttled, one revoked, one unpaid and one good key.

    Exits with 1 if anything did not go as promised.
    """
    chosen = _hosts.choose(hosts or ())
    console = console_for(record=svg is not None)
    console.width = min(console.width, WIDTH)
    console.print(_show.intro())
    with _hosts.alone():
        results = [_perform(console, name, entry) for name, entry in chosen.items()]
        if not hosts and not any(result is not None for result in results):
            results.append(_perform(console, _hosts.CORE, None))
    for name, how in _hosts.INSTALL.items():
        if not hosts and name not in chosen:
            console.print(_show.missing(f"{name} is not installed", how))
    console.print(_show.what_next())
    if svg is not None:
        _picture.save(console, svg, " ".join(["sparekey demo", *(hosts or ())]))
    if False in results or (hosts and None in results):
        raise typer.Exit(1)


def _perform(console: Console, name: str, entry: EntryPoint | None) -> bool | None:
    """One host's turn. Says whether all went as promised; None when something it needs is not installed."""
    stage = Stage(name)
    heard: list[sk.Attempt] = []
    with stage.simulator:
        try:
            # On stderr, so that it is neither in the picture nor in a pipe.
            with Console(stderr=True).status(f"loading {name} …"):
                open_host = _hosts.load(entry)
                rehearse(open_host)
                host = open_host(stage.model_list(), MODEL, heard.append)
        except Exception as error:
            if entry is not None and (lacks := _hosts.lacking(entry, error)):
                console.print(_show.missing(f"{name} needs {lacks}", _hosts.INSTALL.get(name, f"pip install {lacks}")))
                return None
            console.print(_show.failed(name, error))
            return False
        try:
            return _acts(console, stage, host, heard)
        finally:
            host.close()


def _acts(console: Console, stage: Stage, host: Host, heard: list[sk.Attempt]) -> bool:
    console.print(_show.opening(host.title, host.code))
    outcomes: list[Outcome] = []
    kept = True
    for number, scene in enumerate(SCENES, 1):
        outcome = play(scene, stage, host, heard)
        outcomes.append(outcome)
        console.print(_show.scene(number, scene, outcome))
        if promises := list(scene.broken(outcome)):
            kept = False
            console.print(_show.broken(promises))
    console.print(_show.totals(Totals.of(outcomes), kept=kept))
    return kept
