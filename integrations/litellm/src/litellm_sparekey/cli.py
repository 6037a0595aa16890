"""``sparekey expand``: a config of LiteLLM's proxy with lists of keys becomes one that LiteLLM starts as it is."""

from __future__ import annotations

import difflib
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

import sparekey as sk
from litellm_sparekey._config import CALLBACK
from litellm_sparekey._config_file import Expansion, read_config
from litellm_sparekey._expand import expand_rows
from litellm_sparekey._masked import masked


def expand(
    config: Annotated[str, typer.Argument(help="LiteLLM's config.yaml, or - for standard input.", show_default=False)],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, mode 0600.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 if it needs to be expanded.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what changes, with fingerprints for keys.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Let --output be the config itself.")] = False,
) -> None:
    """Write a LiteLLM config with one row for each key, and with sparekey's callback, for litellm --config.

    Comments, order and quotes stay. Keys stand in the output where they stood; references stay references.

    Without an option it is printed.
    """
    if sum((output is not None, check, diff)) > 1:
        raise sk.ConfigError("expand: --output, --check and --diff exclude each other")
    text, where = _read(config)
    expansion = Expansion(text, where)
    if check:
        _check(expansion, where)
        return
    expanded = expansion.text()
    if diff:
        _diff(text, expanded, where)
    elif output is not None:
        _refuse(output, config, force=force)
        _write(output, expanded)
        typer.echo(f"✓ {output}: {_summary(expansion)}")
    else:
        stdout = typer.get_binary_stream("stdout")  # as bytes: a terminal's encoding may lack a character of a key
        stdout.write(expanded.encode())
        stdout.flush()
        if sys.stdout.isatty() and masked(expanded) != expanded:
            typer.echo("note: keys stand in this output, as they do in the config", err=True)


def _read(config: str) -> tuple[str, str]:
    if config != "-":
        return read_config(Path(config)), config
    where = "standard input"
    try:
        return typer.get_binary_stream("stdin").read().decode(), where
    except UnicodeDecodeError:
        pass
    raise sk.ConfigError(f"{where}: is not text in UTF-8")  # out here, or Python would keep its bytes beside it


def _check(expansion: Expansion, where: str) -> None:
    """Say whether LiteLLM can start the config as it is."""
    rows = expansion.merged.get("model_list") or []
    lacking = []
    if number := sum(group != [row] for row, group in zip(rows, expand_rows(rows), strict=True)):
        lacking.append(f"{_counted(number, 'row')} to expand")
    if expansion.merged.get("litellm_settings") != expansion.expanded["litellm_settings"]:
        lacking.append(f"{CALLBACK} is not among litellm_settings.callbacks")
    if lacking:
        typer.echo(f"{where}: {', '.join(lacking)}", err=True)
        raise typer.Exit(1)
    typer.echo(f"✓ {where}: {_summary(expansion)}")


def _diff(old: str, new: str, where: str) -> None:
    lines = difflib.unified_diff(
        masked(old).splitlines(), masked(new).splitlines(), where, f"{where}, expanded", lineterm=""
    )
    for line in lines:
        typer.echo(line)


def _summary(expansion: Expansion) -> str:
    before = expansion.merged.get("model_list") or []
    after = expansion.expanded.get("model_list") or []
    keys = {row["litellm_params"]["api_key"] for row in after if row["litellm_params"].get("api_key")}
    return ", ".join((_counted(len(before), "row"), _counted(len(keys), "key"), _counted(len(after), "deployment")))


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _refuse(output: Path, config: str, *, force: bool) -> None:
    if output.exists() and not output.is_file():
        raise sk.ConfigError(f"{output}: is not a file")
    if not force and config != "-" and output.exists() and output.samefile(config):
        raise sk.ConfigError(f"{output}: is the config itself; use --force to replace it by what becomes of it")


def _write(output: Path, text: str) -> None:
    """All of it or nothing, readable by its owner alone; a link goes on pointing to it."""
    target = output.resolve()
    temporary: Any = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            temporary = file.name  # made with mode 0600
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise sk.ConfigError(f"{output}: cannot be written: {error.strerror}") from None
