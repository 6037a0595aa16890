"""What the command line's tests use: the command in this process, its exit code and what it printed."""

from __future__ import annotations

import sys
from typing import NamedTuple

import pytest

from sparekey.cli._commands import run


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def sparekey(capsys, monkeypatch):
    """Runs ``sparekey`` with arguments, 100 columns wide."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERMINAL_WIDTH", "100")

    def call(*args):
        with pytest.raises(SystemExit) as ended:
            run([str(arg) for arg in args])
        return Result(ended.value.code or 0, *capsys.readouterr())

    return call


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Installs a package of one module, with its entry points in the group of commands."""
    monkeypatch.syspath_prepend(tmp_path)
    installed = []

    def install(name, source, commands, group="sparekey.commands"):
        installed.append(name)
        if source is not None:
            (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        lines = [f"[{group}]", *(f"{command} = {name}:{attr}" for command, attr in commands.items())]
        (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")

    yield install
    for name in installed:
        sys.modules.pop(name, None)
