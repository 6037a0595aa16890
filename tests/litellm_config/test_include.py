"""Files that a config includes."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path

import pytest
import yaml

import sparekey as sk
from litellm_sparekey import expand_config_text

MAIN = """\
# Main.
include:
  - models.yaml
  - more/others.yaml

model_list:
  - model_name: chat
    litellm_params: {model: openai/gpt-4o, api_keys: [k1, k2]}  # ours
litellm_settings: {drop_params: true}
"""
MODELS = "model_list:\n- model_name: chat\n  litellm_params: {model: openai/gpt-4o, api_keys: [k3, k4]}\n"
OTHERS = """\
include: [nested.yaml, models.yaml]
router_settings: {num_retries: 3}
litellm_settings:
  callbacks: [prometheus]
"""
NESTED = "model_list:\n- model_name: b\n  litellm_params: {model: x, api_key: '0x1F'}\nguardrails: []\n"


@pytest.fixture
def files(write, tmp_path):
    """A config with three more files in two folders."""
    (tmp_path / "more").mkdir()
    write(MODELS, "models.yaml")
    write(OTHERS, "more/others.yaml")
    write(NESTED, "more/nested.yaml")
    return write(MAIN)


def test_included_files_are_taken_in(files):
    """The main file stays as it is written; ids go on from file to file."""
    expanded = expand_config_text(MAIN, where=files)
    config = yaml.safe_load(expanded)

    assert "include" not in config
    assert [(row["model_info"]["id"], row["litellm_params"]["api_key"]) for row in config["model_list"][:4]] == [
        ("chat__key_0", "k1"),
        ("chat__key_1", "k2"),
        ("chat__key_2", "k3"),
        ("chat__key_3", "k4"),
    ]
    assert config["model_list"][4:] == [{"model_name": "b", "litellm_params": {"model": "x", "api_key": "0x1F"}}]
    assert config["litellm_settings"] == {"callbacks": ["prometheus", "litellm_sparekey.proxy.callback"]}
    assert "litellm_params: {model: openai/gpt-4o, api_key: k1}  # ours" in expanded
    assert expand_config_text(expanded, where=files) == expanded


def test_they_are_put_together_as_litellm_does(files, write):
    """LiteLLM's own reading of the four files, keys aside, is its reading of the one."""
    includes = importlib.import_module("litellm.proxy.common_utils.config_includes")
    texts = [text.replace("api_keys: [k1, k2]", "api_key: k1").replace("[k3, k4]", "k3") for text in (MAIN, MODELS)]
    texts[1] = texts[1].replace("api_keys", "api_key")
    write(texts[1], "models.yaml")

    def load(path):
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))

    four = asyncio.run(
        includes.resolve_includes(
            config=yaml.safe_load(texts[0]),
            location=str(Path("config.yaml").absolute()),
            resolve=lambda name, by: includes.resolve_include_file_path(name, by, str(Path("config.yaml").absolute())),
            read=lambda path: asyncio.to_thread(load, path),
        )
    )
    one = yaml.safe_load(expand_config_text(texts[0], where=files))
    assert one["litellm_settings"]["callbacks"].pop() == "litellm_sparekey.proxy.callback"

    assert one == four


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        (
            "models.yaml",
            "model_list:\n- model_name: a\n",
            "models.yaml:2: model_list[0] (a): litellm_params: is missing",
        ),
        (
            "more/others.yaml",
            "credential_list:\n- credential_name: c\n  credential_values: {api_keys: [sk-secret]}",
            "more/others.yaml:3: credential_list[0] (c): credential_values.api_keys: LiteLLM would send it",
        ),
        ("models.yaml", "- sk-secret", "models.yaml: must be a mapping of settings, not list"),
        ("models.yaml", "a: {", "models.yaml:1:5: not valid YAML"),
        ("more/others.yaml", "include: [gone.yaml]", "more/others.yaml:1: include[0]: there is no file more/gone.yaml"),
        (
            "models.yaml",
            "model_list:\n- model_name: a\n  litellm_params: {model: x}\n  model_info: {id: chat__key_0}\n",
            "config.yaml:7: model_list[0] (chat): model_info.id: 'chat__key_0' is already the id of model_list[1] (a)",
        ),
    ],
)
def test_a_mistake_names_the_file_it_is_in(files, write, name, text, line):
    """Or the main one, when only together they are wrong."""
    write(text, name)
    with pytest.raises(sk.ConfigError) as caught:
        expand_config_text(MAIN, where=files)

    assert str(caught.value).startswith(line)
    assert "sk-secret" not in str(caught.value)


def test_files_that_include_each_other_are_read_once(write):
    """As LiteLLM does."""
    write("include: [a.yaml]\nx: 1\n", "a.yaml")
    write("include: [a.yaml]\ny: 2\n", "b.yaml")
    text = "include: [b.yaml, config.yaml]\n"
    config = yaml.safe_load(expand_config_text(text, where=write(text)))

    assert config == {"x": 1, "y": 2, "litellm_settings": {"callbacks": ["litellm_sparekey.proxy.callback"]}}


def test_a_config_may_do_nothing_but_include(write):
    """In braces, too."""
    write("model_list:\n- model_name: a\n  litellm_params: {model: x, api_keys: [k1, k2]}\n", "a.yaml")
    for text in ("{include: [a.yaml]}", "include: [a.yaml]", "include: [a.yaml]\nmodel_list: []\n"):
        config = yaml.safe_load(expand_config_text(text, where=write(text)))
        assert [row["litellm_params"]["api_key"] for row in config["model_list"]] == ["k1", "k2"]
