"""The examples of the core run, and show what they say they show."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "shows"),
    [
        ("plain_core.py", ["request 1: Hello", "chat failed: rate_limit, 20 s", "chat__key_1 skipped: auth"]),
        (
            "why.py",
            ["all 3 candidates failed, 1 of them skipped", "chat billing credential 60.0 ladder", "come back in 5 s"],
        ),
    ],
)
def test_an_example_runs(name, shows, capsys):
    """As a reader would run it."""
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")

    out = capsys.readouterr().out
    for text in shows:
        assert text in out
    assert "sk-example" not in out
