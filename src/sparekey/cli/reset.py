"""``sparekey reset``: forget what cools down in a state that programs share."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterable
from typing import Annotated

import typer

import sparekey as sk
from sparekey._meant import meant, named
from sparekey.cli._console import console_for
from sparekey.cli._state import State, StateOption
from sparekey.cli._state_table import forgotten, in_order


def reset(
    who: Annotated[
        list[str] | None,
        typer.Argument(
            help="A key's fingerprint, a model, a provider, or the id of a record.",
            show_default=False,
            metavar="WHO...",
        ),
    ] = None,
    state: StateOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Forget all there is.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before --all.")] = False,
) -> None:
    """Forget what cools down in a shared state, so that every program tries it again at once.

    For an account that was topped up, or a key that was unblocked. A model (openai/gpt-4o, or gpt-4o of any provider)
    means what cools it; a fingerprint means the key for all its models.
    """
    if bool(who) == everything:
        raise sk.ConfigError("reset: say what to forget: a key's fingerprint, a model, a provider or an id; or --all")
    with State(state) as shared:
        records = shared.read()
        if everything:
            found = list(records)
            if found and not yes:
                typer.confirm(f"Forget all {len(found)} records in {shared.name}?", abort=True)
        else:
            found = _found(who or (), records, shared.name)
        chosen = {key: records[key] for key in found}
        shared.forget(chosen)
        console = console_for()
        if chosen:
            console.print(forgotten(in_order(chosen, time.time())))
        count = f"{len(chosen)} record{'' if len(chosen) == 1 else 's'}"
        console.print(f"{count} forgotten in {shared.name}", markup=False, soft_wrap=True)


def _found(said: Iterable[str], ids: Iterable[str], where: str) -> list[str]:
    """The ids that are meant; all that is said must mean one."""
    found: dict[str, None] = {}
    for each in said:
        these = meant(each, ids)
        if not these:
            raise sk.ConfigError(_unknown(each, list(ids), where))
        found.update(dict.fromkeys(these))
    return list(found)


def _unknown(said: str, ids: list[str], where: str) -> str:
    if not ids:
        return f"nothing cools down in {where}"
    names = {name for key in ids for name in _names(key)}
    provider, slash, _ = said.lower().partition("/")
    close = difflib.get_close_matches(said.lower(), names, n=3) or (meant(provider, ids)[:3] if slash else [])
    if close:
        return f"nothing that cools down in {where} is called {said!r}; did you mean {' or '.join(map(repr, close))}?"
    # It may be a key that no record is of.
    shown = repr(said) if "/" in said or len(said) < 16 else f"as the key with the fingerprint {sk.fingerprint(said)}"
    return f"nothing that cools down in {where} is called {shown}; sparekey status shows what there is"


def _names(key: str) -> list[str]:
    name = named(key)
    return [key, name.where, name.where.rpartition("/")[2], name.where.partition("/")[0], f"#{name.key}"]
