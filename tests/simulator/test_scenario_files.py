"""Scenario files: what they may say, and how a wrong one is reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sparekey.errors import ConfigError
from sparekey.simulator import Limited, Simulator, describe, load_scenario
from sparekey.simulator._behaviours import STEPS

EXAMPLE = Path(__file__).parents[2] / "examples" / "outage.yaml"
KEY = "sk-live-0123456789abcdef0123"


def write(folder: Path, text: str, name: str = "outage.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mapping_and_a_list_say_the_same(tmp_path: Path) -> None:
    """Keys may be a mapping from key to behaviour, or a list of entries."""
    short = load_scenario(write(tmp_path, "keys: {sk-a: revoked, sk-b: {behaviour: hang, name: n}}"))
    long = load_scenario(
        write(tmp_path, "keys: [{key: sk-a, behaviour: revoked}, {key: sk-b, name: n, behaviour: [hang]}]")
    )

    assert short == long
    assert [entry.name for entry in short.keys] == ["key-1", "n"]


def test_json_is_read_too(tmp_path: Path) -> None:
    """A file that ends in .json is JSON."""
    data = {"keys": {"sk-a": {"kind": "limited", "requests": 9, "window": 2}}, "default": "healthy"}
    scenario = load_scenario(write(tmp_path, json.dumps(data), "s.json"))

    assert scenario.keys[0].behaviour == (Limited(requests=9, window=2),)


def test_the_example_is_a_scenario() -> None:
    """The file the documentation sends people to can be read, and every key in it has a name."""
    scenario = load_scenario(EXAMPLE)

    assert len(scenario.keys) == 7
    assert not any(entry.name.startswith("key-") for entry in scenario.keys)


WRONG = {
    "keys: {%s: revokd}": "keys[0].behaviour[0]: no such behaviour; did you mean 'revoked'?",
    "keys: {%s: xyzzy}": "keys[0].behaviour[0]: no such behaviour; there are healthy, slow, limited,",
    "keys: {%s: {kind: slow, delay: soon}}": "keys[0].behaviour[0].delay: Input should be a valid number",
    "keys: {%s: {kind: slow, dealy: 1}}": "keys[0].behaviour[0].dealy: no such field",
    "keys: {%s: [hang, {kind: limited, requests: -1}]}": "keys[0].behaviour[1].requests: Input should be",
    "keys: {%s: []}": "keys[0].behaviour: ",
    "keys: {%s: 5}": "keys[0].behaviour: expected a name, a mapping with the field 'kind', or a list of them",
    "keys: {%s: {kind: custom}}": "keys[0].behaviour[0].status: this field is required",
    "keys: {%s: {models: {m: nope}}}": "keys[0].models.m[0]: no such behaviour",
    "keys: [{key: %s, kind: hang}]": "keys[0].kind: no such field",
    "keys: [{name: x}]\n# %s": "keys[0].key: this field is required",
    "keys: [{key: %s}, {key: %s}]": "keys: two entries have the same key",
    "keys: [{key: %s, name: x}, {key: b, name: x}]": "keys: two entries have the same name",
    "keys: [{key: %s, name: my %s}]": "keys: a name holds its key; names are shown",
    "keys: {%s: 5, b: 6}": "(and 1 more)",
    "%s: revoked": "no such field",
    "- %s": "a scenario is a mapping with the field 'keys'",
    "keys: {%s: healthy\nmodels: x": "line 2: ",
    "keys: %s": "keys: expected a mapping from key to behaviour, or a list of entries",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_file_is_one_line_without_the_key(tmp_path: Path, text: str) -> None:
    """The message names file and field, is one line, and holds no key."""
    path = write(tmp_path, text.replace("%s", KEY))
    with pytest.raises(ConfigError) as caught:
        load_scenario(path)

    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert WRONG[text] in message
    assert "\n" not in message
    assert KEY not in message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(("name", "why"), [("missing.yaml", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_a_config_error(tmp_path: Path, name: str, why: str) -> None:
    """What the system says is passed on, with the path."""
    with pytest.raises(ConfigError, match=why):
        load_scenario(tmp_path / name)


def test_a_file_that_is_no_text_is_a_config_error(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are reported, not raised as they are."""
    path = tmp_path / "s.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        load_scenario(path)


def test_python_gets_the_same_errors() -> None:
    """A mapping given in Python is checked as a file is."""
    with pytest.raises(ConfigError, match=r"^keys\[0\].behaviour\[0\]: no such behaviour") as caught:
        Simulator({KEY: "xyzzy"})
    assert KEY not in str(caught.value)


def test_behaviours_are_told_in_one_line() -> None:
    """Tables show what was said, not every default, and never a long text."""
    steps = STEPS.validate_python(
        [
            {"kind": "limited", "requests": 3, "seconds": 9},
            {"kind": "custom", "status": 418, "body": "x" * 999, "times": 2},
        ]
    )

    assert describe(steps) == "limited requests=3 for 9s, then custom status=418 2 times"
