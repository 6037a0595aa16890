"""The simulator's page in the documentation says what is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sparekey.simulator import Limited, describe
from sparekey.simulator._behaviours import KINDS, STEPS
from sparekey.simulator._exchange import CARRY_OUT
from sparekey.simulator._scenario import read_scenario

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("kind", KINDS)
def test_every_behaviour_can_be_carried_out_and_is_documented(kind: str) -> None:
    """No kind is without an implementation, or without its line in the table."""
    (behaviour,) = STEPS.validate_python({"kind": kind, **({"status": 200} if kind == "custom" else {})})

    assert describe([behaviour]).split()[0] == kind
    assert isinstance(behaviour, Limited) or type(behaviour) in CARRY_OUT
    assert f"| `{kind}` |" in PAGE


@pytest.mark.parametrize("program", blocks("python"))
def test_the_program_runs(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What the page shows prints what the page says."""
    names: dict[str, Any] = {}
    exec(program, names)
    names["client"].close()

    printed = capsys.readouterr().out.strip()
    assert f"# {printed}" in program


@pytest.mark.parametrize("text", blocks("yaml"))
def test_the_scenarios_can_be_read(text: str) -> None:
    """Every piece of YAML on the page is a whole, sound scenario."""
    assert read_scenario(yaml.safe_load(text)).keys
