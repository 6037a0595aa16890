"""How the demo looks: nothing is decided here."""

from __future__ import annotations

import sys

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

import sparekey as sk
from sparekey.cli._stage import BACKUP, CAST, DEAD, MODEL, Key, Outcome, Scene, Totals
from sparekey.errors import duration

_MARGIN = (0, 0, 0, 3)
_NAME, _WHAT = 13, 18
_GOOD, _BAD, _STOP, _DIM = "bold green", "bold red", "bold yellow", "dim"


def intro() -> RenderableType:
    """Who is on the stage."""
    # Keys have no names here: each host has its own way to name them.
    table = _grid(_NAME, _WHAT, 7, 1)
    for place, key in enumerate(CAST, 1):
        first = place == 1
        table.add_row(MODEL if first else "", "openai/gpt-4o" if first else "", _nth(place), *_health(key))
    table.add_row(BACKUP.part, "openai/gpt-4o-mini", "", *_health(BACKUP))
    head = Text.assemble(
        (f"{len(CAST)} keys of one model, {len(DEAD)} of them dead, and a second model.", "bold"),
        (" The provider is simulated on this machine.", _DIM),
    )
    under_the_names_below = (0, 0, 0, 6)
    return Group(Text(), head, Text(), Padding(table, under_the_names_below))


def _health(key: Key) -> tuple[Text, Text]:
    dead = key.part in DEAD
    return Text("✗", _BAD) if dead else Text("✓", _GOOD), Text(key.about, "red" if dead else "green")


def _nth(place: int) -> Text:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(place, "th")
    return Text(f"{place}{ending} key", _DIM)


def opening(title: str, code: str) -> RenderableType:
    """A host enters."""
    # ANSI colours, so that the code wears what the terminal wears.
    listing = Syntax(code.strip(), "python", theme="ansi_dark", background_color="default", word_wrap=True)
    rule = Rule(Text(title, "bold cyan"), align="left", style="cyan")
    return Group(Text(), rule, Text(), Padding(listing, _MARGIN))


def scene(number: int, said: Scene, outcome: Outcome) -> RenderableType:
    """One request: what was tried, and what came of it."""
    head = Table.grid(expand=True)
    head.add_column()
    head.add_column(justify="right")
    head.add_row(Text.assemble((f"{number}  ", "bold cyan"), (said.title, "bold")), _ms(outcome.seconds))
    table = _grid(1, _NAME, _WHAT)
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    table.expand = True
    for attempt in outcome.heard:
        if not attempt.skipped:
            table.add_row(*_attempt(attempt, outcome))
    skipped = [attempt for attempt in outcome.heard if attempt.skipped]
    return Group(Text(), head, Padding(Group(*([_skips(skipped)] if skipped else []), table), _MARGIN))


def _skips(skipped: list[sk.Attempt]) -> Text:
    left = [f"{a.candidate.name} for {duration(a.cooldown)}" for a in skipped if a.cooldown is not None]
    return Text(f"·  cooling: {', '.join(left)}", _DIM)


def _attempt(attempt: sk.Attempt, outcome: Outcome) -> list[Text]:
    name, took = Text(attempt.candidate.name), _ms(attempt.duration)
    if attempt.error is None:
        return [Text("✓", _GOOD), name, Text("answered", "green"), Text(f"“{outcome.answer}”"), took]
    verdict = sk.classify(attempt.error)
    status = f"{verdict.status} " if verdict is not None and verdict.status else ""
    what = f"{status}{attempt.reason or 'unknown'}"
    if attempt.cooldown is None and outcome.error is not None:
        raised = Text.assemble((_class_of(outcome.error), "yellow"), (", nothing cools", _DIM))
        return [Text("■", _STOP), name, Text(what, "yellow"), raised, took]
    return [Text("✗", _BAD), name, Text(what, "red"), _cools(attempt), took]


def _cools(attempt: sk.Attempt) -> Text:
    if attempt.cooldown is None:
        return Text("cools nothing", _DIM)
    by = "the provider says" if attempt.cooldown_from == "provider" else "ladder"
    return Text.assemble(f"cools {duration(attempt.cooldown)}", (f" ({by})", _DIM))


def _class_of(error: BaseException) -> str:
    """The class people catch it by, ``openai.BadRequestError``: the first of its classes a package offers by name."""
    for kind in type(error).__mro__:
        package = kind.__module__.partition(".")[0]
        if package != "builtins" and getattr(sys.modules.get(package), kind.__name__, None) is kind:
            return f"{package}.{kind.__name__}"
    return type(error).__name__


def broken(promises: list[str]) -> RenderableType:
    """What did not go as promised."""
    return Padding(Group(*(Text.assemble(("✗  ", _BAD), (sk.scrub(text), "red")) for text in promises)), _MARGIN)


def totals(counted: Totals, *, kept: bool) -> RenderableType:
    """The line at the end of a host's turn."""
    hooks = "our hooks agree" if counted.agrees else "our hooks disagree"
    text = (
        f"{counted.requests} requests: {counted.served} served, {counted.refused} refused. "
        f"The provider counted {counted.calls} calls, {counted.wasted} wasted; {hooks}."
    )
    return Group(Text(), Text.assemble(("✓  ", _GOOD) if kept else ("✗  ", _BAD), (text, "bold")))


def missing(what: str, how: str) -> RenderableType:
    """Something is not installed."""
    return Text.assemble("\n", ("·  ", _DIM), f"{what}: ", (how, "bold"))


def failed(name: str, error: Exception) -> RenderableType:
    """A host that cannot be opened."""
    text = " ".join(sk.scrub(f"{type(error).__name__}: {error}").split())
    return Text.assemble("\n", ("✗  ", _BAD), (f"{name} cannot be shown: {text}", "red"))


def what_next() -> RenderableType:
    """The end."""
    table = _grid(32)
    for command, why in (
        ("sparekey check config.yaml", "your own keys, in the order they would be tried"),
        ("sparekey simulate scenario.yaml", "rehearse an outage of your own"),
        ("sparekey demo --help", "one host alone, or a picture of this"),
    ):
        table.add_row(Text(command, "cyan"), Text(why, _DIM))
    return Group(
        Text(), Rule(Text("What next", "bold cyan"), align="left", style="cyan"), Text(), Padding(table, _MARGIN)
    )


def _grid(*widths: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for width in widths:
        table.add_column(min_width=width, no_wrap=True)
    return table


def _ms(seconds: float) -> Text:
    return Text(f"{seconds * 1000:.0f} ms", _DIM)
