"""The documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import sparekey as sk

ROOT = Path(__file__).parents[2]
SECONDS = {"s": 1, "m": 60, "h": 3600}


def rows(page, first_column):
    """The cells of a Markdown table's rows."""
    text = (ROOT / page).read_text(encoding="utf-8")
    table = text[text.index(f"| {first_column} |") :].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def seconds(text):
    return int(text[:-1]) * SECONDS[text[-1]]


def test_the_table_of_the_cooling_page_is_the_default_policy():
    """Row by row, every reason in it."""
    table = rows("docs/cooling.md", "reason")

    assert [row[0].strip("`") for row in table] == [reason.value for reason in sk.Reason]
    for name, cools, first, factor, cap, then in table:
        rule = sk.Policy().rule(sk.Reason(name.strip("`")))
        assert then.replace(" ", "_") == rule.action.value
        if cools == "nothing":
            assert rule.ladder is None
        else:
            assert cools == rule.scope.value
            assert (seconds(first), float(factor), seconds(cap)) == (
                rule.ladder.first,
                rule.ladder.factor,
                rule.ladder.cap,
            )


def test_the_readmes_table_says_the_same():
    """In its own words."""
    told = {}
    for names, _, _, length, then in rows("README.md", "reason"):
        for name in re.findall(r"`(\w+)`", names) or ["unknown"]:
            told[name] = length, then
    assert set(told) == {reason.value for reason in sk.Reason}
    for name, (length, then) in told.items():
        rule = sk.Policy().rule(sk.Reason(name))
        assert then.startswith("stops") is (rule.action is sk.Action.STOP)
        if rule.ladder is not None:
            first, cap = (seconds(f"{n}{unit[0]}") for n, unit in re.findall(r"(\d+) (s|min|h)\b", length))
            assert (first, cap) == (rule.ladder.first, rule.ladder.cap)


@pytest.mark.parametrize("page", ["docs/tutorial.md"])
def test_the_tutorial_runs_from_top_to_bottom(page, capsys):
    """Every line of Python in it, in order, as a reader would type it."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "..." not in block]
    scope = {}
    try:
        exec("\n".join(blocks), scope)
    finally:
        if "sim" in scope:
            scope["sim"].stop()
    out = capsys.readouterr().out
    assert "Hello" in out
    assert "rate_limit" in out
    assert "come back in" in out


def test_the_settings_shown_are_valid():
    """A reader may copy them."""
    text = (ROOT / "docs/cooling.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)

    policy = sk.policy_from(yaml.safe_load(block)["sparekey_settings"])

    assert policy.max_wait == 10
    assert policy.rule(sk.Reason.OVERLOADED).action is sk.Action.NEXT_MODEL
