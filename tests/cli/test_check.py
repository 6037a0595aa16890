"""``sparekey check``: what it shows of a good config, and the one line on a bad one."""

from __future__ import annotations

import json

import pytest

import sparekey as sk

SECRET = "sk-test-9f8e7d6c5b4a39281706"
OTHER = "sk-test-00112233445566778899"

GOOD = f"""
model_list:
  - model_name: chat
    model: openai/gpt-4o
    api_base: https://user:{OTHER}@llm.example/v1
    api_keys: [{SECRET}, "${{SPARE_KEY}}"]
    account: team
    rpm: 60
    fallbacks: [backup]
  - model_name: backup
    litellm_params: {{model: openai/gpt-4o-mini, api_key: os.environ/SPARE_KEY, timeout: 20}}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a config and stands beside it."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="config.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write


def test_a_good_config_is_shown(sparekey, write, monkeypatch):
    """Every model's chain is there in order, with its settings, and with fingerprints for keys."""
    monkeypatch.setenv("SPARE_KEY", "sk-test-spare-0123456789abcdef")
    result = sparekey("check", write(GOOD))
    assert (result.code, result.err) == (0, "")
    lines = [line.split() for line in result.out.splitlines()]
    chat = sk.candidates_for("chat", sk.expand_model_list(sk.load_config("config.yaml")))
    digests = [f"#{candidate.credential}" for candidate in chat]
    assert ["1", "chat", "openai/gpt-4o", digests[0], "llm.example/v1", "team", "60"] in lines
    assert ["2", "chat__key_1", "openai/gpt-4o", digests[1], "llm.example/v1", "team", "60"] in lines
    assert ["3", "↳", "backup", "openai/gpt-4o-mini", digests[2], "20s"] in lines
    assert "✓ config.yaml: 2 models, 3 keys, 3 candidates" in result.out
    assert "sk-" not in result.out


def test_the_same_as_json(sparekey, write, monkeypatch):
    """``--json`` holds chains, totals and warnings, and no key."""
    monkeypatch.setenv("SPARE_KEY", "sk-test-spare-0123456789abcdef")
    result = sparekey("check", write(GOOD), "--json")
    told = json.loads(result.out)
    assert told["totals"] == {"models": 2, "keys": 3, "candidates": 3}
    assert told["warnings"] == []
    chat, backup = told["models"]
    assert chat["name"] == "chat"
    assert chat["fallbacks"] == ["backup"]
    assert [candidate["name"] for candidate in chat["candidates"]] == ["chat", "chat__key_1", "backup"]
    assert backup["candidates"][0]["timeout"] == 20
    assert "sk-" not in result.out


BACKUP = "{model_name: backup, model: a/c}"
TAKEN = "{model_name: chat__key_1, model: a/b}"
BAD = {
    "a mistyped setting of the policy": (
        f"model_list: [{{model_name: chat, model: a/b, api_key: {SECRET}}}]\nsparekey_settings: {{max_wiat: 3}}",
        "sparekey_settings.max_wiat: is not a setting there is",
    ),
    "a mistyped fallback": (
        f"model_list: [{{model_name: chat, model: a/b, api_key: {SECRET}, fallbacks: [bakcup]}}, {BACKUP}]",
        "model_list[0] (chat): fallbacks[0]: no entry is called 'bakcup'; did you mean 'backup'?",
    ),
    "a variable that is not set": (
        f"model_list: [{{model_name: chat, model: a/b, api_keys: [{SECRET}, os.environ/NOT_SET_HERE]}}]",
        "model_list[0] (chat): api_keys[1]: the environment variable NOT_SET_HERE is not set",
    ),
    "two names that collide": (
        f"model_list: [{{model_name: chat, model: a/b, api_keys: [{SECRET}, {OTHER}]}}, {TAKEN}]",
        "which model_list[1] already has",
    ),
    "keys that are all blank": (
        'model_list: [{model_name: chat, model: a/b, api_keys: ["", " "]}]',
        "model_list[0] (chat): api_keys: has no key in it",
    ),
    "no keys in a list of keys": (
        "model_list: [{model_name: chat, model: a/b, api_keys: []}]",
        "model_list[0] (chat): api_keys: is an empty list",
    ),
    "a syntax error beside a key": (f"model_list:\n  - api_key: {SECRET}: oops\n", "config.yaml:2:"),
    "a missing model": (f"model_list: [{{model_name: chat, api_key: {SECRET}}}]", "model: is missing"),
    "a key where a list belongs": (
        f"model_list: [{{model_name: chat, model: a/b, api_keys: {SECRET}}}]",
        "model_list[0] (chat): api_keys: ",
    ),
    "a key where an entry belongs": (f"model_list: [{SECRET}]", "model_list[0]: "),
    "a rate below nothing": ("model_list: [{model_name: chat, model: a/b, rpm: -1}]", "rpm: "),
    "no list": ("models: []", "model_list: must be a list"),
    "nothing": ("", "model_list: must be a list"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_config_is_one_line(sparekey, write, case):
    """What cannot work is one line that names file and place, exit code 2, no traceback and no key."""
    text, said = BAD[case]
    result = sparekey("check", write(text))
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert result.err.startswith("error: config.yaml:")
    assert said in result.err
    assert SECRET not in result.err
    assert OTHER not in result.err


@pytest.mark.parametrize("name", ["config.json", "config.toml", "config.ini", "nowhere.yaml"])
def test_a_file_that_cannot_be_read_is_one_line(sparekey, write, name):
    """Another format's syntax error, an unknown format and a missing file are one line too."""
    if name != "nowhere.yaml":
        write(f'{{"api_key": "{SECRET}" [', name)
    result = sparekey("check", name)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {name}")
    assert result.err.count("\n") == 1
    assert SECRET not in result.err


DOUBTS = {
    "one key for two models": (
        f"{{model_name: a, model: x/1, api_key: {SECRET}}}, {{model_name: b, model: x/2, api_key: {SECRET}}}",
        f"a and b: the same key (#{sk.fingerprint(SECRET)}); refused or out of credit for one, it is for all",
    ),
    "one key twice for one model": (
        f"{{model_name: a, model: x/1, api_key: {SECRET}}}, {{model_name: a, model: x/1, api_key: {SECRET}}}",
        f"a and a: the same model with the same key (#{sk.fingerprint(SECRET)}) is tried once",
    ),
    "no key": ("{model_name: a, model: x/1}", "a: has no key; whoever makes the call must know one, or need none"),
    "a mistyped setting": (
        f"{{model_name: a, model: x/1, api_key: {SECRET}, api_kyes: [k]}}",
        "a: api_kyes is passed on as it is; was api_keys meant?",
    ),
    "no provider": (
        f"{{model_name: a, model: gpt-4o, api_key: {SECRET}}}",
        "a: model 'gpt-4o' names no provider, as in openai/gpt-4o",
    ),
}


@pytest.mark.parametrize("case", DOUBTS)
def test_what_may_not_be_meant_is_a_warning(sparekey, write, case):
    """What works but is odd is said, and is no error."""
    entries, said = DOUBTS[case]
    result = sparekey("check", write(f"model_list: [{entries}]"))
    assert result.code == 0
    assert [line for line in result.out.splitlines() if line.startswith("!")] == [f"! {said}"]


def test_cloud_credentials_are_a_key(sparekey, write):
    """An entry that authenticates otherwise than by api_key is not warned about."""
    result = sparekey("check", write("model_list: [{model_name: a, model: bedrock/x, aws_secret_access_key: s3cret}]"))
    assert "!" not in result.out
    assert "s3cret" not in result.out
