"""``sparekey simulate``: a provider on this machine that fails as a scenario file says."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sparekey._secrets import fingerprint
from sparekey.errors import ConfigError

if TYPE_CHECKING:
    from sparekey.simulator import Behaviour, RequestRecord, Scenario, Simulator


def simulate(
    scenario: Annotated[Path, typer.Argument(help="YAML or JSON file: which keys there are, and how each fails.")],
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8080,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Allow a host that other machines can reach.")
    ] = False,
) -> None:
    """Run a local provider whose keys fail as a scenario says, until Ctrl-C."""
    try:
        # Here and not above: the command line can be installed without the extra.
        from sparekey.simulator import Simulator, describe, load_scenario
    except ImportError as error:
        raise ConfigError(str(error)) from None
    console = Console(highlight=False)
    told = load_scenario(scenario)
    simulator = Simulator(
        told,
        host=host,
        port=port,
        allow_remote=allow_remote,
        on_request=lambda record: console.print(_log_line(record), soft_wrap=True),
    )
    with simulator:
        console.print(_table(told, describe))
        console.print(_directions(told, simulator), soft_wrap=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            counts = simulator.counts
    total = sum(counts.values())
    console.print(f"\nstopped after {total} request{'' if total == 1 else 's'}")


def _table(told: Scenario, describe: Callable[[Sequence[Behaviour]], str]) -> Table:
    table = Table("key", "fingerprint", "model", "behaviour", box=box.SIMPLE_HEAD)
    for entry in told.keys:
        who = (Text(entry.name), fingerprint(entry.key.get_secret_value()))
        table.add_row(*who, "*", Text(describe(entry.behaviour)))
        for model, steps in entry.models.items():
            table.add_row("", "", Text(model), Text(describe(steps)))
    others = "401, as an unknown key" if told.default is None else describe(told.default)
    table.add_row("any other", "", "*", Text(others), style="dim")
    return table


def _directions(told: Scenario, simulator: Simulator) -> Text:
    model = told.models[0] if told.models else "gpt-4o"
    return Text.assemble(
        ("OpenAI     ", "dim"),
        (f"{simulator.base_url}\n", "bold"),
        ("Anthropic  ", "dim"),
        (f"{simulator.url}\n", "bold"),
        ("requests   ", "dim"),
        f"{simulator.url}/_sparekey/requests\n\n",
        "KEY=<a key of the scenario>\n"
        f"curl {simulator.base_url}/chat/completions \\\n"
        '  -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\\n'
        f"""  -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "hello"}}]}}'\n""",
        ("\nCtrl-C stops\n", "dim"),
    )


def _log_line(record: RequestRecord) -> Text:
    status = "---" if record.status is None else str(record.status)
    colour = {"2": "green", "4": "yellow", "5": "red"}.get(status[0], "magenta")
    # A 200 whose stream breaks is no success.
    colour = "magenta" if record.behaviour.startswith("stream_") and record.stream else colour
    return Text.assemble(
        (f"{datetime.fromtimestamp(record.at, UTC).astimezone():%H:%M:%S}  ", "dim"),
        f"{record.name:<20} {_printable(record.model or ''):<24} ",
        (f"{status} {record.behaviour}", colour),
        (" stream" if record.stream else "", "dim"),
    )


def _printable(text: str) -> str:
    """What a client sent, without the control characters that could rewrite the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)
