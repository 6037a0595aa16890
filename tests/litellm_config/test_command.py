"""``sparekey expand``: what it prints, writes, shows and refuses."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import sparekey as sk
from litellm_sparekey import expand_config_text
from sparekey.simulator import Simulator, load_scenario

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "litellm_proxy" / "config.yaml"
SECRET = "sk-test-9f8e7d6c5b4a39281706"
OTHER = "a short key"
CONFIG = f"""\
model_list:
  - model_name: chat
    litellm_params:
      model: openai/gpt-4o
      api_keys: [os.environ/A, {SECRET}, '{OTHER}']
general_settings:
  master_key: {OTHER}
  database_url: postgres://me:{SECRET}@db/x  # not sk-old-0123456789abcdef0123
"""
DONE = expand_config_text(CONFIG)


def mode(path):
    return stat.S_IMODE(Path(path).stat().st_mode)


def test_it_is_printed(expand, write):
    """Keys where they stood, and nothing else on any stream."""
    assert expand(write(CONFIG)) == (0, DONE, "")
    assert expand("-", given=CONFIG.encode()) == (0, DONE, "")


def test_line_ends_and_letters_are_printed_as_they_are(write):
    """Bytes go through."""
    config = CONFIG.replace("\n", "\r\n").replace("chat", "chât")
    code = "import sys; from litellm_sparekey.cli import expand; expand(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, write(config)],
        stdout=subprocess.PIPE,
        check=True,
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert done.stdout == expand_config_text(config).encode()


@pytest.mark.parametrize(("config", "said"), [(CONFIG, 1), (EXAMPLE.read_text(encoding="utf-8"), 0)])
def test_a_terminal_is_told_once_that_keys_stand_there(expand, write, monkeypatch, config, said):
    """Not for references."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    result = expand(write(config))
    assert result.err.count("note: keys stand in this output") == said
    assert len(result.err.splitlines()) == said


def test_a_file_is_written_for_its_owner_alone(expand, write):
    """Also where there was one that others could read; and one line says what is in it."""
    old = Path(write("old", "out.yaml"))
    old.chmod(0o644)
    result = expand(write(CONFIG), "-o", "out.yaml")
    assert result == (0, "✓ out.yaml: 1 row, 3 keys, 3 deployments\n", "")
    assert old.read_text(encoding="utf-8") == DONE
    assert mode("out.yaml") == 0o600
    assert sorted(path.name for path in Path().iterdir()) == ["config.yaml", "out.yaml"]


def test_a_link_goes_on_pointing_to_what_is_written(expand, write):
    """It is not replaced by a file."""
    write("old", "there.yaml")
    Path("out.yaml").symlink_to("there.yaml")
    expand(write(CONFIG), "-o", "out.yaml")
    assert Path("out.yaml").is_symlink()
    assert Path("there.yaml").read_text(encoding="utf-8") == DONE


def test_the_config_itself_is_replaced_only_by_force(expand, write):
    """By whatever name it is called."""
    name = write(CONFIG)
    Path("link.yaml").symlink_to(name)
    for output in (name, "./config.yaml", "link.yaml"):
        result = expand(name, "-o", output)
        assert (result.code, len(result.err.splitlines())) == (2, 1)
        assert "is the config itself; use --force" in result.err
    assert Path(name).read_text(encoding="utf-8") == CONFIG
    assert expand(name, "-o", name, "--force").code == 0
    assert Path(name).read_text(encoding="utf-8") == DONE


def test_a_file_that_cannot_be_written_is_one_line(expand, write):
    """And nothing is left behind."""
    write(CONFIG)
    Path("folder").mkdir()
    assert expand("config.yaml", "-o", "folder").err == "error: folder: is not a file\n"
    result = expand("config.yaml", "-o", "gone/out.yaml")
    assert (result.code, result.err) == (2, "error: gone/out.yaml: cannot be written: No such file or directory\n")
    assert sorted(path.name for path in Path().iterdir()) == ["config.yaml", "folder"]


def test_check_says_whether_litellm_can_start_it(expand, write):
    """0 when it can, 1 when it must be expanded, 2 when it is wrong."""
    assert expand(write(DONE), "--check") == (0, "✓ config.yaml: 3 rows, 3 keys, 3 deployments\n", "")
    assert expand(write(CONFIG), "--check") == (
        1,
        "",
        "config.yaml: 1 row to expand, litellm_sparekey.proxy.callback is not among litellm_settings.callbacks\n",
    )
    wrong = expand(write(CONFIG.replace("[os.environ/A", "{os.environ/A").replace("']", "'}")), "--check")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err == (
        "error: config.yaml:5: model_list[0] (chat): litellm_params.api_keys: must be a list of keys, not dict\n"
    )


def test_check_reads_what_is_included(expand, write):
    """A file that needs nothing may include one that does not either."""
    write("model_list:\n- model_name: a\n  litellm_params: {model: x}\n", "models.yaml")
    assert expand(write("include: [models.yaml]\n" + DONE), "--check").code == 0
    write("model_list:\n- model_name: a\n  litellm_params: {model: x, api_keys: [k]}\n", "models.yaml")
    assert expand("config.yaml", "--check").code == 1


def test_diff_shows_no_key(expand, write):
    """Neither those of rows, nor others, nor what looks like one in a comment."""
    result = expand(write(CONFIG), "--diff")
    assert result.code == 0
    for secret in (SECRET, OTHER, "sk-old"):
        assert secret not in result.out
    assert f"+      api_key: [key {sk.fingerprint(OTHER)}]" in result.out.splitlines()
    assert "+      api_key: os.environ/A" in result.out.splitlines()
    assert result.out.startswith("--- config.yaml\n+++ config.yaml, expanded\n@@ ")


def test_nothing_to_change_is_no_diff(expand, write):
    """As diff has it."""
    assert expand(write(DONE), "--diff") == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "given", "line"),
    [
        (["gone.yaml"], b"", "gone.yaml: cannot be read: No such file or directory"),
        (["."], b"", ".: cannot be read: Is a directory"),
        (["-"], b"", "standard input: is empty"),
        (["-"], b"\xff", "standard input: is not text in UTF-8"),
        (["-"], b"a: *sk-secret-1", "standard input:1:4: not valid YAML: found undefined alias"),
        (["-", "--check", "--diff"], b"{}", "expand: --output, --check and --diff exclude each other"),
    ],
)
def test_a_mistake_is_one_line(expand, write, arguments, given, line):
    """On standard error, and the exit code is 2."""
    write("", "empty.yaml")
    assert expand(*arguments, given=given) == (2, "", f"error: {line}\n")


def test_the_command_takes_no_seconds():
    """Importing LiteLLM would."""
    code = (
        "import sys; from litellm_sparekey.cli import expand; expand(sys.argv[1]); sys.exit('litellm' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, EXAMPLE], check=True, stdout=subprocess.DEVNULL)


def test_the_package_brings_the_command():
    """Under the entry point that sparekey looks for."""
    package = tomllib.loads((ROOT / "integrations" / "litellm" / "pyproject.toml").read_text(encoding="utf-8"))
    assert package["project"]["entry-points"]["sparekey.commands"] == {"expand": "litellm_sparekey.cli:expand"}


# LiteLLM's and its dependencies' own.
@pytest.mark.filterwarnings("ignore:Items? .* on TypedDict class:UserWarning")
@pytest.mark.filterwarnings("ignore:Accessing the .* attribute on the instance:DeprecationWarning")
def test_a_router_of_the_example_serves(expand, monkeypatch):
    """What the command makes of the example is what LiteLLM's router takes: its dead keys are passed over."""
    import litellm

    from litellm_sparekey import install, uninstall

    with Simulator(load_scenario(ROOT / "examples" / "litellm_proxy" / "provider.yaml")) as provider:
        monkeypatch.setenv("PROVIDER_URL", provider.base_url)
        for i, name in enumerate(("throttled", "unpaid", "working", "rotated", "throttled-too"), 1):
            monkeypatch.setenv(f"KEY_{i}", f"sk-example-{name}")
        config = yaml.safe_load(expand(EXAMPLE).out)
        router = litellm.Router(model_list=config["model_list"])
        install(router)
        try:
            answer = asyncio.run(router.acompletion("chat", [{"role": "user", "content": "Hello"}]))
        finally:
            uninstall(router)
        counts = dict(provider.counts)
    assert answer.choices[0].message.content
    asked = [key for key, number in counts.items() for _ in range(number)]
    assert sorted(asked) == ["sk-example-throttled", "sk-example-unpaid", "sk-example-working"]
