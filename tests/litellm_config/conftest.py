"""A config that many tests expand, and the command in this process."""

from __future__ import annotations

import io
import os
import sys
from importlib.metadata import EntryPoint
from typing import NamedTuple

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or importing litellm fetches a price map

import pytest

from sparekey.cli import _commands


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def expand(capsys, monkeypatch):
    """Runs ``sparekey expand`` with arguments; ``given`` is its standard input."""
    entry = EntryPoint("expand", "litellm_sparekey.cli:expand", _commands.GROUP)
    monkeypatch.setattr(_commands, "entry_points", lambda group: [entry])
    monkeypatch.setenv("COLUMNS", "100")

    def call(*args, given=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        with pytest.raises(SystemExit) as ended:
            _commands.run(["expand", *(str(arg) for arg in args)])
        return Result(ended.value.code or 0, *capsys.readouterr())

    return call


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a file and stands beside it."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="config.yaml"):
        (tmp_path / name).write_bytes(text.encode())
        return name

    return write
