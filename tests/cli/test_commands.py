"""The command itself: its list, its plug-ins, its errors."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import sparekey as sk

KEY = "sk-command-0123456789abcdef"


def python(*args, **env):
    """Run this Python on its own, so that what was imported can be told."""
    return subprocess.run(
        [sys.executable, *args], capture_output=True, text=True, timeout=50, check=False, env={**os.environ, **env}
    )


def test_help_lists_every_command_with_its_summary(sparekey):
    """The help shows the first sentence of each command."""
    result = sparekey("--help")
    assert result.code == 0
    assert result.err == ""
    for text in ("check", "Check a config file", "demo", "Watch dead keys", "simulate", "Run a local provider"):
        assert text in result.out


def test_help_imports_no_command():
    """Listing the commands reads their sources and imports none of them."""
    script = (
        "import sys\nfrom sparekey.cli._commands import run\n"
        "try:\n    run(['--help'])\nfinally:\n"
        "    loaded = {'sparekey.cli.check', 'sparekey.cli.demo', 'sparekey.simulator', 'litellm', 'langchain_core'}\n"
        "    print('LOADED', sorted(loaded & set(sys.modules)))\n"
    )
    result = python("-c", script)
    assert "LOADED []" in result.stdout
    assert result.returncode == 0


def test_version(sparekey):
    """``--version`` says the library's version."""
    assert sparekey("--version") == (0, f"sparekey {sk.__version__}\n", "")


def test_a_mistyped_command_is_named(sparekey):
    """An unknown command suggests the nearest one and exits with 2."""
    result = sparekey("chekc")
    assert result.code == 2
    assert "check" in result.err
    assert "Traceback" not in result.err


def test_a_package_adds_a_function(sparekey, plugin):
    """A plain function becomes a command, with its docstring in the list and its arguments parsed."""
    source = 'def greet(name: str) -> None:\n    """Greet somebody."""\n    print(f"hello {name}")\n'
    plugin("greeter", source, {"greet": "greet"})
    assert "Greet somebody." in sparekey("--help").out
    assert "greeter" not in sys.modules
    assert sparekey("greet", "you") == (0, "hello you\n", "")


def test_a_package_adds_a_group(sparekey, plugin):
    """A typer.Typer becomes a command with commands of its own."""
    source = (
        'import typer\n\napp = typer.Typer(help="Look after things.")\n\n\n'
        '@app.command()\ndef one() -> None:\n    """Do one."""\n    print("one done")\n'
    )
    plugin("grouper", source, {"things": "app"})
    assert "Look after things." in sparekey("--help").out
    assert sparekey("things", "one") == (0, "one done\n", "")


def test_a_broken_package_is_one_warning_line(sparekey, plugin):
    """A plug-in that is not there, or does not parse, is a line in the list and breaks nobody else."""
    plugin("gone", None, {"gone": "run"})
    plugin("torn", "def run(:\n", {"torn": "run"})
    result = sparekey("--help")
    assert result.code == 0
    assert "Check a config file" in result.out
    assert sorted(line.split(" cannot")[0] for line in result.err.splitlines()) == [
        "warning: command 'gone' of gone",
        "warning: command 'torn' of torn",
    ]
    assert sparekey("--version").code == 0


def test_a_broken_command_is_one_error_line(sparekey, plugin):
    """Running a plug-in whose import fails is one line, without any key its error repeats."""
    plugin("raiser", f'raise RuntimeError("no {KEY}")\n', {"raise": "run"})
    result = sparekey("raise")
    assert result.code == 2
    assert result.err.startswith("error: command 'raise' of raiser cannot be loaded: RuntimeError: no [key ")
    assert result.err.count("\n") == 1


def test_what_is_no_command_is_said_so(sparekey, plugin):
    """An entry point that is neither a function nor an app is named."""
    plugin("number", "answer = 42\n", {"answer": "answer"})
    assert "neither a function nor a typer.Typer" in sparekey("answer").err


def test_a_name_of_sparekeys_own_is_not_taken_over(sparekey, plugin):
    """A package cannot replace ``check``."""
    plugin("aaa", 'def check() -> None:\n    """Be somebody else."""\n    print("mine")\n', {"check": "check"})
    result = sparekey("--help")
    assert "Check a config file" in result.out
    assert result.err == "warning: command 'check' of aaa is ignored: sparekey has one\n"


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (f'sk.ConfigError("two\\nlines of {KEY}")', 2, f"error: two lines of [key {sk.fingerprint(KEY)}]\n"),
        ("KeyboardInterrupt()", 130, ""),
        ("typer.Exit(7)", 7, ""),
    ],
)
def test_errors_become_a_line_and_a_code(sparekey, plugin, raised, code, said):
    """Sparekey's errors are one clean line and 2; an interrupt is quiet and 130; an exit is its code."""
    source = f"import sparekey as sk\nimport typer\n\ndef fall() -> None:\n    raise {raised}\n"
    plugin("faller", source, {"fall": "fall"})
    assert sparekey("fall") == (code, "", said)


def test_a_bugs_traceback_shows_no_key(sparekey, plugin):
    """An unexpected error keeps its traceback and loses the key in it."""
    plugin("buggy", f'def fall() -> None:\n    raise RuntimeError("bad {KEY}")\n', {"fall": "fall"})
    result = sparekey("fall")
    assert result.code == 1
    assert "Traceback" in result.err
    assert f"bad [key {sk.fingerprint(KEY)}]" in result.err
    assert KEY not in result.err


@pytest.mark.parametrize("absent", ["typer", "rich"])
def test_a_missing_extra_is_named(absent):
    """Without what the extra brings, the command says how to get it."""
    result = python("-c", f"import sys\nsys.modules[{absent!r}] = None\nfrom sparekey.cli import main\nmain()\n")
    assert result.returncode == 2
    assert result.stderr == f"error: the command line needs {absent}: pip install 'sparekey[cli]'\n"


def test_a_missing_extra_of_one_command_is_named():
    """Without the simulator, the demo says how to get it."""
    script = "import sys\nsys.modules['starlette'] = None\nfrom sparekey.cli import main\nmain()\n"
    result = python("-c", script, "demo")
    assert result.returncode == 2
    assert result.stderr == "error: sparekey.simulator needs starlette: pip install 'sparekey[simulator]'\n"
