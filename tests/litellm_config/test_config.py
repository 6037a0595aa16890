"""A whole config, as a mapping."""

from __future__ import annotations

import copy

import pytest

import sparekey as sk
from litellm_sparekey import expand_config, expand_model_list

CALLBACK = "litellm_sparekey.proxy.callback"


def rows(*keys, **more):
    return [{"model_name": "chat", "litellm_params": {"model": "openai/gpt-4o", "api_keys": list(keys)}, **more}]


def test_rows_and_the_callback_change_and_nothing_else():
    """Every other section is LiteLLM's, and stays as it is."""
    config = {
        "model_list": [
            *rows("os.environ/A", "k2"),
            {"model_name": "b", "litellm_params": {"model": "x", "litellm_credential_name": "c"}},
        ],
        "credential_list": [{"credential_name": "c", "credential_values": {"api_key": "os.environ/B"}}],
        "router_settings": {"fallbacks": [{"chat": ["b"]}], "model_group_alias": {"gpt": "chat"}},
        "litellm_settings": {"drop_params": True},
        "environment_variables": {"X": "1"},
        "sparekey_settings": {"max_wait": 5},
    }
    before = copy.deepcopy(config)
    expanded = expand_config(config)

    assert config == before
    assert expanded == {
        **config,
        "model_list": expand_model_list(config["model_list"]),
        "litellm_settings": {"drop_params": True, "callbacks": [CALLBACK]},
    }
    assert expand_config(expanded) == expanded


@pytest.mark.parametrize(
    ("there", "then"),
    [
        ({}, [CALLBACK]),
        (None, [CALLBACK]),
        ({"callbacks": None}, [CALLBACK]),
        ({"callbacks": []}, [CALLBACK]),
        ({"callbacks": "prometheus"}, ["prometheus", CALLBACK]),
        ({"callbacks": ["a", "b"]}, ["a", "b", CALLBACK]),
        ({"callbacks": [CALLBACK, "b"]}, [CALLBACK, "b"]),
        ({"callbacks": CALLBACK}, CALLBACK),
    ],
)
def test_the_callback_joins_those_that_are_there(there, then):
    """A text or a list; once."""
    assert expand_config({"litellm_settings": there})["litellm_settings"]["callbacks"] == then


def test_a_config_without_models_gets_the_callback_alone():
    """LiteLLM may have its models in a database."""
    assert expand_config({}) == {"litellm_settings": {"callbacks": [CALLBACK]}}
    assert expand_config({"model_list": None})["model_list"] is None


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (
            {"credential_list": [{"credential_name": "c", "credential_values": {"api_keys": ["sk-secret"]}}]},
            "credential_list[0] (c): credential_values.api_keys: LiteLLM would send it",
        ),
        (
            {"router_settings": {"model_list": rows("sk-secret")}},
            "router_settings.model_list[0].litellm_params.api_keys",
        ),
        (
            {"router_settings": {"default_litellm_params": {"api_keys": ["sk-secret"]}}},
            "router_settings.default_litellm_params.api_keys",
        ),
        (
            {"litellm_settings": {"default_fallbacks": [{"model": "x", "api_keys": ["sk-secret"]}]}},
            "litellm_settings.default_fallbacks[0].api_keys",
        ),
        (
            {"search_tools": [{"search_tool_name": "s", "litellm_params": {"api_keys": ["sk-secret"]}}]},
            "search_tools[0] (s): litellm_params.api_keys",
        ),
        ({"assistant_settings": {"litellm_params": {"api_keys": ["sk-secret"]}}}, "assistant_settings.litellm_params"),
        (
            {"model_list": rows("k", model_info={"api_keys": ["sk-secret"]})},
            "model_list[0] (chat): model_info.api_keys: LiteLLM would take it",
        ),
        (
            {"model_list": [{"model_name": "a", "litellm_params": {"model": "x", "extra_body": {"api_keys": ["k"]}}}]},
            "model_list[0] (a): litellm_params.extra_body.api_keys",
        ),
        (
            {"model_list": [{"model_name": "a", "litellm_params": {"model": "x", "api_key": ["sk-secret"]}}]},
            "model_list[0] (a): litellm_params.api_key: must be a text; several keys are api_keys",
        ),
        ({"model_list": {"model_name": "chat"}}, "model_list: must be a list of rows, not dict"),
        ({"litellm_settings": ["sk-secret"]}, "litellm_settings: must be a mapping of settings, not list"),
        ({"litellm_settings": {"callbacks": {"sk-secret": 1}}}, "litellm_settings.callbacks: must be a list, not dict"),
        ({"include": ["models.yaml"]}, "include: names files"),
    ],
)
def test_a_list_of_keys_is_expanded_or_refused(config, text):
    """Wherever a deployment could get it from, in one line without a key."""
    with pytest.raises(sk.ConfigError) as caught:
        expand_config(config)

    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "sk-secret" not in str(caught.value)


def test_what_is_no_deployments_stays():
    """A guardrail of one's own, and a section that LiteLLM does not know, may have an ``api_keys``."""
    config = {
        "guardrails": [{"guardrail_name": "g", "litellm_params": {"guardrail": "my.Guard", "api_keys": ["a"]}}],
        "x-keys": {"api_keys": ["a", "b"]},
    }

    assert expand_config(config) == {**config, "litellm_settings": {"callbacks": [CALLBACK]}}
