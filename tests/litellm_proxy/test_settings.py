"""What a proxy's config may say of sparekey, and what it may not."""

from __future__ import annotations

import pytest

import sparekey as sk
from litellm_sparekey._proxy_settings import STATE, settings_of


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """No state in the environment, until a test puts one there."""
    monkeypatch.delenv(STATE, raising=False)
    return monkeypatch


def said(**settings):
    return settings_of({"model_list": [], "sparekey_settings": settings})


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"sparekey_settings": [1]}, "sparekey_settings: must be a mapping"),
        ({"sparekey_settings": False}, "sparekey_settings: must be a mapping"),
        ({"sparekey_settings": {"state": 7}}, "sparekey_settings.state: must be a URL, not int"),
        ({"sparekey_settings": {"deadline": "60"}}, "sparekey_settings.deadline: must be a number of seconds, not str"),
        (
            {"sparekey_settings": {"deadline": True}},
            "sparekey_settings.deadline: must be a number of seconds, not bool",
        ),
        ({"sparekey_settings": {"deadline": 0}}, "sparekey_settings.deadline: must be a number of seconds above 0"),
        ({"sparekey_settings": {"deadline": -1}}, "sparekey_settings.deadline: must be a number of seconds above 0"),
        ({"sparekey_settings": {"deadline": float("nan")}}, "sparekey_settings.deadline: must be"),
        ({"sparekey_settings": {"deadline": float("inf")}}, "sparekey_settings.deadline: must be"),
        ({"sparekey_settings": {"max_weight": 1}}, "sparekey_settings.max_weight: is not a setting"),
        ({"sparekey_setting": {}}, "sparekey_setting: is not read; settings stand in sparekey_settings"),
        ({"litellm_settings": {"sparekey_settings": {}}}, "litellm_settings.sparekey_settings: is not read"),
        ({"router_settings": {"sparekey_settings": {}}}, "router_settings.sparekey_settings: is not read"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_place(config, words):
    """Also a value that would fail every request, and settings that stand where nobody reads them."""
    with pytest.raises(sk.ConfigError) as caught:
        settings_of(config)

    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)


def test_nothing_said_is_the_default():
    """An empty section, or none, is the default policy in memory, without a deadline."""
    assert settings_of({}) == settings_of({"sparekey_settings": None}) == (sk.Policy(), "memory://", None)


def test_the_config_goes_before_the_environment(environment):
    """The state is the config's; that of the environment, where it has none."""
    environment.setenv(STATE, "sqlite:////tmp/theirs.db")

    assert said(state="sqlite:////tmp/ours.db").state == "sqlite:////tmp/ours.db"
    assert said(deadline=2.5) == (sk.Policy(), "sqlite:////tmp/theirs.db", 2.5)
