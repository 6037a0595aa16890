"""ModelConfig and load_config: both forms, three file kinds, references, and one clear line for each mistake."""

from __future__ import annotations

import json

import pytest

import sparekey as sk

YAML = """
model_list:
  - model_name: chat
    model: openai/gpt-4o
    api_keys: [os.environ/KEY_ONE, "${KEY_TWO}", "file://%s"]
    api_base: https://${HOST}/v1
    rpm: 60
    temperature: 0.2
    fallbacks: [backup]
  - model_name: backup
    litellm_params:
      model: anthropic/claude
      api_key: os.environ/KEY_ONE
      timeout: 30
    model_info: {id: b1}
"""


@pytest.fixture
def environment(monkeypatch, tmp_path):
    monkeypatch.setenv("KEY_ONE", "secret-one")
    monkeypatch.setenv("KEY_TWO", "secret-two")
    monkeypatch.setenv("HOST", "proxy.example")
    (tmp_path / "key three").write_text("secret-three\n")
    return (tmp_path / "key three").as_uri()


def test_yaml_with_references_and_both_forms(tmp_path, environment):
    """What a person writes: references resolved, nested entries read, further settings kept."""
    file = tmp_path / "models.yaml"
    file.write_text(YAML % environment.removeprefix("file://"))

    chat, backup = sk.load_config(file)

    assert [key.get_secret_value() for key in chat.api_keys] == ["secret-one", "secret-two", "secret-three"]
    assert (chat.api_base, chat.rpm, chat.temperature) == ("https://proxy.example/v1", 60, 0.2)
    assert (backup.model, backup.api_key.get_secret_value(), backup.timeout) == ("anthropic/claude", "secret-one", 30)
    assert backup.model_info == {"id": "b1"}
    assert len(sk.candidates_for("chat", [chat, backup])) == 4


def test_json_and_toml_say_the_same(tmp_path):
    """Three notations, one meaning; a bare list will do."""
    rows = [{"model_name": "m", "model": "p/m", "api_keys": ["a", "b"]}]
    (tmp_path / "m.json").write_text(json.dumps(rows))
    (tmp_path / "m.toml").write_text('[[model_list]]\nmodel_name = "m"\nmodel = "p/m"\napi_keys = ["a", "b"]\n')

    assert sk.load_config(tmp_path / "m.json") == sk.load_config(str(tmp_path / "m.toml"))


def test_fallbacks_in_litellms_own_place_are_understood(tmp_path):
    """A LiteLLM config names them in router_settings or litellm_settings."""
    file = tmp_path / "litellm.json"
    params = {"model": "openai/x", "api_key": "k"}
    rows = [{"model_name": name, "litellm_params": params} for name in ("a", "b", "c")]
    settings = {"router_settings": {"fallbacks": [{"a": ["b"]}]}, "litellm_settings": {"fallbacks": [{"a": ["c"]}]}}
    file.write_text(json.dumps({"model_list": rows, **settings}))

    assert [entry.fallbacks for entry in sk.load_config(file)] == [["b", "c"], [], []]


ENTRY = {"model_name": "m", "model": "p/m", "api_key": "hidden-key"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            {"model_list": [{**ENTRY, "fallbacks": ["typo"]}]},
            "model_list[0] (m): fallbacks[0]: no entry is called 'typo'; there are 'm'",
        ),
        (
            {"model_list": [ENTRY, {**ENTRY, "model_name": "backup", "fallbacks": ["bakup"]}]},
            "model_list[1] (backup): fallbacks[0]: no entry is called 'bakup'; did you mean 'backup'?",
        ),
        (
            {"model_list": [{**ENTRY, "api_key": "os.environ/SPAREKEY_NOT_SET"}]},
            "model_list[0] (m): api_key: the environment variable SPAREKEY_NOT_SET is not set",
        ),
        (
            {"model_list": [{**ENTRY, "api_keys": ["a", "${SPAREKEY_NOT_SET}"]}]},
            "model_list[0] (m): api_keys[1]: the environment variable SPAREKEY_NOT_SET is not set",
        ),
        (
            {
                "model_list": [
                    {"model_name": "m", "litellm_params": {"model": "p/m", "api_keys": ["os.environ/SPAREKEY_NOT_SET"]}}
                ]
            },
            "model_list[0] (m): litellm_params.api_keys[0]: the environment variable SPAREKEY_NOT_SET is not set",
        ),
        (
            {"model_list": [{**ENTRY, "api_key": "file:///no/such/file"}]},
            "model_list[0] (m): api_key: cannot read /no/such/file: No such file or directory",
        ),
        (
            {
                "model_list": [
                    {"model_name": "x", "model": "p/m", "api_keys": ["hidden-1", "hidden-2"]},
                    {**ENTRY, "model_name": "x__key_1"},
                ]
            },
            (
                "model_list[0] (x): api_keys: its keys expand to the name 'x__key_1', "
                "which model_list[1] already has; rename one of the two"
            ),
        ),
        (
            {"model_list": [{"model_name": "m", "model": "p/m", "api_keys": ["", " "]}]},
            "model_list[0] (m): api_keys: has no key in it, only blanks",
        ),
        (
            {"model_list": [{"model_name": "m", "model": "p/m", "api_keys": []}]},
            "model_list[0] (m): api_keys: is an empty list",
        ),
        (
            {"model_list": [{**ENTRY, "rpm": "hidden-key"}]},
            "model_list[0] (m): rpm: must be a number",
        ),
        (
            {
                "model_list": [
                    {"model_name": "m", "api_key": "a", "litellm_params": {"model": "p/m", "api_key": "hidden-key"}}
                ]
            },
            "model_list[0] (m): api_key: given beside litellm_params and inside it, with different values",
        ),
        (
            {"model_list": [ENTRY], "router_settings": {"fallbacks": [{"typo": ["m"]}]}},
            "router_settings.fallbacks[0]: no entry is called 'typo'; there are 'm'",
        ),
        (
            {"model_list": [ENTRY], "router_settings": {"fallbacks": [{"m": "m"}]}},
            "router_settings.fallbacks[0].m: must be a list of names",
        ),
        (
            {"model_list": [ENTRY], "router_settings": {"fallbacks": [{"m": ["typo"]}]}},
            "router_settings.fallbacks[0]: no entry is called 'typo'; there are 'm'",
        ),
        (
            {"model_list": [{**ENTRY, "model_name": "two\nlines", "rpm": -1}]},
            "model_list[0] (two lines): rpm: must be greater than 0",
        ),
        ({"model_list": [{**ENTRY, "timeout": True}]}, "model_list[0] (m): timeout: must be a number"),
        ({"model_list": [ENTRY], "router_settings": {"fallbacks": 3}}, "router_settings.fallbacks: must be a list"),
        ({"model_list": {}}, "model_list: must be a list of entries with at least one in it"),
        ({"models": [ENTRY]}, "model_list: must be a list of entries with at least one in it"),
        ([], "model_list: must be a list of entries with at least one in it"),
        ("text", "model_list: must be a list of entries with at least one in it"),
    ],
)
def test_each_mistake_is_one_line_that_names_file_entry_and_field(tmp_path, content, says):
    """And never a key."""
    file = tmp_path / "models.json"
    file.write_text(json.dumps(content))

    with pytest.raises(sk.ConfigError) as caught:
        sk.load_config(file)

    assert str(caught.value) == f"{file}: {says}"
    assert "hidden" not in repr(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("m.yaml", "model_list:\n  - model_name: m\n   api_key: hidden-key\n", ":3:4: not valid YAML: "),
        ("m.yaml", "a: [hidden-key\n", ":2:1: not valid YAML: "),
        ("m.json", '{"model_list": [hidden-key]}', ":1:17: not valid JSON: Expecting value"),
        ("m.toml", "model_list = hidden-key", ": not valid TOML, at line 1, column 14"),
        ("m.yaml", "a: {api_key: hidden-1, b: 1, api_key: hidden-2}", ":1:30: not valid YAML: api_key is given twice"),
        ("m.json", '{"api_key": "hidden-1", "api_key": "hidden-2"}', ": api_key: is given twice in one mapping"),
        ("m.json", "[" * 100_000, ": not valid JSON: it is nested too deeply"),
        ("m.yaml", "[" * 100_000, ": not valid YAML: it is nested too deeply"),
        ("m.yaml", "a: !hidden-tag x", ":1:4: not valid YAML: could not determine a constructor for the tag '…'"),
        ("m.yaml", "a: 2024-13-45", ": not valid YAML: a value in it is not what its tag or look says"),
        ("m.yaml", "model_list:\n  - &a {model_name: m, model: p/m, x: *a}", ": it is nested too deeply, or in itself"),
        ("m.json", "9" * 5000, ": not valid JSON: a number in it is too long"),
        ("m.toml", "a = " + "9" * 5000, ": not valid TOML: a number in it is too long"),
        ("m.ini", "x", ": cannot tell what .ini is; use .yaml, .json or .toml"),
        ("m", "x", ": cannot tell what a file without an ending is; use .yaml, .json or .toml"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_without_quoting_it(tmp_path, name, text, says):
    """A parser's own message may show the line, and the key on it."""
    file = tmp_path / name
    file.write_text(text)

    with pytest.raises(sk.ConfigError) as caught:
        sk.load_config(file)

    assert str(caught.value).startswith(f"{file}{says}")
    assert "\n" not in str(caught.value)
    assert "hidden" not in repr(caught.value)
    assert caught.value.__context__ is None


def test_merge_keys_of_yaml_may_be_overruled(tmp_path):
    """That is what they are for."""
    file = tmp_path / "m.yaml"
    file.write_text(
        "base: &base {model: p/m, timeout: 5}\n"
        "model_list:\n"
        "  - {<<: *base, model_name: a, timeout: 9}\n"
        "  - {<<: *base, model_name: b}\n"
    )

    assert [entry.timeout for entry in sk.load_config(file)] == [9, 5]


def test_a_missing_file_and_one_that_is_not_text(tmp_path):
    """Named, in one line."""
    with pytest.raises(sk.ConfigError, match=r"nowhere\.yaml: cannot be read: No such file or directory"):
        sk.load_config(tmp_path / "nowhere.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(sk.ConfigError, match=r"bytes\.yaml: is not a text file in UTF-8"):
        sk.load_config(tmp_path / "bytes.yaml")


def test_yaml_without_pyyaml_names_the_extra(tmp_path, monkeypatch):
    """The core alone needs pydantic only, and says what else would be needed."""
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    (tmp_path / "m.yaml").write_text("model_list: []")

    with pytest.raises(sk.ConfigError, match=r"pip install 'sparekey\[yaml\]'"):
        sk.load_config(tmp_path / "m.yaml")


def test_an_entry_dumps_without_the_mark_of_expansion():
    """Expanded entries are never written back as if somebody had configured them."""
    _, virtual = sk.expand_model_list([{"model_name": "m", "model": "p/m", "api_keys": ["a", "b"]}])

    assert virtual.virtual
    assert "virtual" not in virtual.model_dump()
