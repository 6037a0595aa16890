"""``sparekey demo``: that it keeps its promises, and that it would notice if it did not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from xml.etree import ElementTree

import pytest

import sparekey as sk
from sparekey.cli import _hosts
from sparekey.cli._stage import BACKUP, CAST, MODEL, SCENES, Outcome, Stage, Totals, play

TOTALS = "✓  4 requests: 3 served, 1 refused. The provider counted 8 calls, 4 wasted; our hooks agree."


def run_demo(*args, **env):
    """The real command in a process of its own; its output and errors are one text."""
    script = "from sparekey.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", script, "demo", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=55,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "100", "NO_COLOR": "1"} | env,
    )


def test_every_installed_host_keeps_its_promises():
    """As a user runs it: exit code 0, a line of totals for each host, and no key anywhere."""
    result = run_demo()
    assert result.returncode == 0, result.stdout
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert lines.count(TOTALS) == max(1, len(_hosts.choose(())))
    assert "sk-demo" not in result.stdout
    assert "Traceback" not in result.stdout
    assert "\x1b" not in result.stdout
    assert max(map(len, lines)) <= 100


def test_the_picture_is_self_contained(tmp_path):
    """``--svg`` writes what was printed, as well-formed SVG that fetches nothing and holds no key."""
    picture = tmp_path / "demo.svg"
    result = run_demo("core", "--svg", str(picture), COLUMNS="60")
    assert result.returncode == 0, result.stdout
    text = picture.read_text(encoding="utf-8")
    shown = "".join(ElementTree.fromstring(text).itertext()).replace("\xa0", " ")
    assert "The provider counted 8 calls, 4 wasted; our hooks agree." in shown
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert "sk-demo" not in text


def test_a_terminal_without_unicode_is_no_reason_to_fail():
    """Where a tick cannot be printed the demo still runs to its end."""
    result = run_demo("core", PYTHONIOENCODING="ascii")
    assert result.returncode == 0, result.stdout
    assert "our hooks agree." in result.stdout


def test_an_unknown_host_is_one_line(sparekey):
    """Asking for a host there is not names those there are."""
    result = sparekey("demo", "nobody")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: the demo's host 'nobody' is not installed; there are ")


def test_a_picture_that_cannot_be_written_is_one_line(sparekey, tmp_path):
    """A path that leads nowhere is an error like any other."""
    result = sparekey("demo", "core", "--svg", tmp_path / "nowhere" / "demo.svg")
    assert result.code == 2
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1


LIARS = {
    "answers without asking": "def ask(self, prompt, **settings): return 'Paris.'",
    "does not report": "def ask(self, prompt, **settings): self.heard.clear(); return super().ask(prompt, **settings)",
    "falls over": f"def ask(self, prompt, **settings): raise RuntimeError('sk-test-{'x9' * 10}')",
}


@pytest.mark.parametrize("case", LIARS)
def test_a_host_that_breaks_its_promise_fails_the_demo(sparekey, plugin, case):
    """A host that lies, is silent or fails is shown as such, and the exit code is 1."""
    source = (
        "from sparekey.cli import _hosts\n\nclass Host(_hosts._Core):\n"
        "    def __init__(self, model_list, model, on_attempt):\n"
        "        self.heard = []\n        super().__init__(model_list, model, self.heard.append)\n"
        f"    {LIARS[case]}\n"
    )
    plugin("liar", source, {"liar": "Host"}, group="sparekey.demo")
    result = sparekey("demo", "liar")
    assert result.code == 1
    assert "✗  4 requests" in result.out
    assert "expected" in result.out or "the hook told of" in result.out
    assert "sk-test" not in result.out


def test_a_host_that_lacks_a_package_says_which(sparekey, plugin):
    """What is not installed is one line with the way to install it."""
    plugin("needy", "import not_installed_anywhere\n", {"needy": "open_host"}, group="sparekey.demo")
    result = sparekey("demo", "needy")
    assert result.code == 1
    assert "needy needs not_installed_anywhere: pip install not_installed_anywhere" in result.out


@pytest.mark.parametrize("installed", [[], [EntryPoint("langchain", "lacks_openai:open_host", _hosts.GROUP)]])
def test_without_any_host_the_core_is_shown(sparekey, monkeypatch, tmp_path, installed):
    """Nothing to show, or nothing that opens: the core plays by itself, and the way to more is said."""
    (tmp_path / "lacks_openai.py").write_text("import not_installed_anywhere\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(_hosts, "entry_points", lambda group: installed)
    result = sparekey("demo")
    assert result.code == 0
    assert TOTALS in result.out
    assert "pip install 'langchain-sparekey[openai]'" in result.out
    assert "litellm is not installed: pip install litellm-sparekey" in result.out


def test_a_broken_host_fails_the_demo(sparekey, plugin):
    """A host that cannot be opened is one line, and the exit code is 1."""
    plugin("torn", "def open_host(*args): raise RuntimeError('cannot')\n", {"torn": "open_host"}, group="sparekey.demo")
    result = sparekey("demo", "torn")
    assert result.code == 1
    assert "torn cannot be shown: RuntimeError: cannot" in result.out


def test_the_demo_leaves_the_process_as_it_was(monkeypatch):
    """Proxies are out of the way only while the demo lasts, and logging is back after it."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    before = dict(os.environ)
    with _hosts.alone():
        assert "HTTPS_PROXY" not in os.environ
    assert dict(os.environ) == before


@pytest.fixture(scope="module")
def played():
    """Every scene, once, with the core for a host."""
    stage, heard = Stage("test"), []
    with stage.simulator:
        host = _hosts.open_core(stage.model_list(), MODEL, heard.append)
        return [(scene, play(scene, stage, host, heard)) for scene in SCENES]


def test_hooks_and_simulator_tell_the_same(played):
    """Every call the simulator counted was told to the hook, with its key, its order and its outcome."""
    for scene, outcome in played:
        calls = [attempt for attempt in outcome.heard if not attempt.skipped]
        assert [attempt.candidate.credential for attempt in calls] == [record.fingerprint for record in outcome.seen]
        assert [attempt.error is None for attempt in calls] == [record.status == 200 for record in outcome.seen]
        assert list(scene.broken(outcome)) == []


def test_totals_are_the_simulators(played):
    """The last line counts what the provider saw."""
    assert Totals.of([outcome for _, outcome in played]) == Totals(
        requests=4, served=3, refused=1, calls=8, answered=3, faulted=1, wasted=4, agrees=True
    )


def test_the_provider_has_the_word_on_cooldowns(played):
    """Only the throttled key cools for as long as the provider said."""
    told = [(a.cooldown, a.cooldown_from) for a in played[0][1].heard if a.error is not None]
    assert told[0] == (pytest.approx(20, abs=1), "provider")
    assert {source for _, source in told[1:]} == {"ladder"}


def test_broken_promises_are_told_apart(played):
    """Each promise of a scene has a line of its own when it is not kept."""
    scene, good = played[0]
    bare = Outcome(None, None, 0.0, [], [])
    assert len(list(scene.broken(bare))) == 1
    assert len(list(scene.broken(replace(good, heard=[])))) == 1
    assert len(list(scene.broken(replace(good, error=ValueError("no"))))) == 1
    scene, good = played[2]
    assert len(list(scene.broken(replace(good, error=None)))) == 1
    assert len(list(scene.broken(replace(good, error=sk.ConfigError("no"))))) == 1


def test_the_cast_is_one_good_key_of_four():
    """The stage gives a model its four keys in order, and a second model that is its fallback."""
    stage = Stage("cast")
    with stage.simulator:
        chain = sk.candidates_for(MODEL, stage.model_list())
    digests = [sk.fingerprint(stage.secrets[key.part]) for key in (*CAST, BACKUP)]
    assert [candidate.credential for candidate in chain] == digests
