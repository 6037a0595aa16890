"""Which commands there are, and how one of them is run."""

from __future__ import annotations

import ast
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from sparekey import SparekeyError, __version__, scrub

GROUP = "sparekey.commands"

_HELP = {"help_option_names": ["-h", "--help"]}


def run(args: list[str] | None = None) -> None:
    """Run the command line with ``args``, by default those of the process; ends it with an exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a tick shows a question mark, and the command goes on.
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")
    app().main(args, prog_name="sparekey")


def app() -> Any:
    """The group of all commands there are, as something click can run."""
    found = typer.Typer(cls=_Commands, add_completion=False, no_args_is_help=True, context_settings=_HELP)
    found.callback()(_sparekey)
    return get_command(found)


def say(kind: str, text: str) -> None:
    """One line on stderr, without any key that a library's message may repeat."""
    typer.echo(f"{kind}: {' '.join(scrub(text).split())}", err=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sparekey {__version__}")
        raise typer.Exit


def _sparekey(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """When one LLM key fails, use the spare: key and model failover that remembers what is cooling down."""


class _Commands(TyperGroup):
    """The group: lists commands without importing them, and turns errors into lines and exit codes."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.entries = commands_of(entry_points(group=GROUP))
        for name in self.entries:
            self.commands[name] = TyperCommand(name)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - click's signature
        """What the listing shows of a command: its name and its summary."""
        if (entry := self.entries.get(cmd_name)) is None:
            return None
        try:
            return TyperCommand(cmd_name, help=summary(entry))
        except Exception as error:
            say("warning", _broken(entry, error))
            return None

    def resolve_command(self, ctx: Any, args: Any) -> Any:
        """The command itself, imported."""
        # Here get_command() would read the summary of one command more than is needed.
        entry = self.entries.get(args[0]) if args else None
        if entry is None:
            return super().resolve_command(ctx, args)
        try:
            return entry.name, load(entry), args[1:]
        except SparekeyError as error:  # an extra it needs is not there
            say("error", str(error))
        except Exception as error:
            say("error", _broken(entry, error))
        raise typer.Exit(2)

    def invoke(self, ctx: Any) -> Any:
        """Run it."""
        try:
            return super().invoke(ctx)
        except SparekeyError as error:
            say("error", str(error))
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except Exception as error:
            if not _is_a_bug(error):
                raise
            # Python would print it itself, with any key that stands in its text.
            typer.echo(scrub(traceback.format_exc()), err=True, nl=False)
            raise typer.Exit(1) from None


def _is_a_bug(error: Exception) -> bool:
    # Exit, Abort and usage errors are typer's own affair (the classes move between its versions), a broken pipe too.
    return type(error).__module__.partition(".")[0] not in ("typer", "click") and not isinstance(error, BrokenPipeError)


def commands_of(entries: Iterable[EntryPoint]) -> dict[str, EntryPoint]:
    """The commands by name. No package can take over a name of sparekey's own, nor two share one."""
    commands: dict[str, EntryPoint] = {}
    for entry in sorted(entries, key=lambda entry: (_package(entry) != "sparekey", entry.name, _package(entry))):
        taken = commands.setdefault(entry.name, entry)
        if taken.value != entry.value:
            say("warning", f"command {entry.name!r} of {_package(entry)} is ignored: {_package(taken)} has one")
    return dict(sorted(commands.items()))


def load(entry: EntryPoint) -> Any:
    """The command behind an entry point, imported."""
    loaded = entry.load()
    outer = typer.Typer(add_completion=False)
    if isinstance(loaded, typer.Typer):
        outer.callback()(lambda: None)  # so that one command below it stays one of a group
        outer.add_typer(loaded, name=entry.name)
        group: Any = get_command(outer)
        return group.commands[entry.name]
    if not callable(loaded):
        raise TypeError(f"{entry.value} is neither a function nor a typer.Typer")
    outer.command(entry.name)(loaded)
    return get_command(outer)


def summary(entry: EntryPoint) -> str:
    """The first line of a command's docstring, read from its source; imported only when that fails."""
    text = _written(entry)
    if text is None:
        command = load(entry)
        text = command.help or ""
    return text.strip().partition("\n")[0]


def _written(entry: EntryPoint) -> str | None:
    spec = _locate(entry.module)
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    for node in ast.parse(Path(spec.origin).read_bytes()).body:
        if isinstance(node, ast.FunctionDef) and node.name == entry.attr:
            return ast.get_docstring(node) or ""
    return None


def _locate(module: str) -> ModuleSpec | None:
    """Where a module's source is. Unlike ``importlib.util.find_spec`` this imports none of its packages."""
    name, _, rest = module.partition(".")
    spec = importlib.util.find_spec(name)
    while rest and spec is not None:
        part, _, rest = rest.partition(".")
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations or [])
    return spec


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "an unknown package"


def _broken(entry: EntryPoint, error: Exception) -> str:
    return f"command {entry.name!r} of {_package(entry)} cannot be loaded: {type(error).__name__}: {error}"
