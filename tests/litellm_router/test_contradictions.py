"""Settings of LiteLLM's that do not hold while sparekey is installed, and who is told."""

from __future__ import annotations

import logging

import litellm
import pytest

import sparekey as sk
from litellm_sparekey import _settings, expand_model_list, install, uninstall

WALK = "a request tries every key of a group once"
COOLING = "a key cools from its first failure on, for as long as its provider or the policy says"
WAIT = "the policy's max_wait says how long a request may wait for a key"


@pytest.fixture
def told(provider, entry, caplog):
    """What is logged as a router with these settings, of rows with these, gets sparekey."""
    _settings._say_once.cache_clear()
    built = []

    def warnings(options=None, **params):
        sim = provider({"sk-a": "healthy", "sk-b": "healthy"})
        router = litellm.Router(model_list=expand_model_list([entry(sim, ["sk-a", "sk-b"], **params)]), **options or {})
        built.append(router)
        caplog.clear()
        with caplog.at_level(logging.WARNING, "litellm_sparekey"):
            install(router, tracker=sk.CooldownTracker())
        return [record.message for record in caplog.records if record.name == "litellm_sparekey"]

    yield warnings
    for router in built:
        uninstall(router)
        getattr(router, "retire", router.discard)()


ROUTER = [
    ({"num_retries": 5}, f"the router's num_retries=5 does not hold while sparekey is installed: {WALK}"),
    ({"retry_policy": {"TimeoutErrorRetries": 3}}, f"the router's retry_policy does not hold {{}}: {WALK}"),
    (
        {"model_group_retry_policy": {"chat": {"TimeoutErrorRetries": 3}}},
        f"the router's model_group_retry_policy does not hold {{}}: {WALK}",
    ),
    ({"retry_after": 7}, f"the router's retry_after=7 does not hold {{}}: {WAIT}"),
    ({"enable_weighted_failover": True}, f"the router's enable_weighted_failover=True does not hold {{}}: {WALK}"),
    ({"disable_cooldowns": False}, f"the router's disable_cooldowns=False does not hold {{}}: {COOLING}"),
    ({"allowed_fails": 7}, f"the router's allowed_fails=7 does not hold {{}}: {COOLING}"),
    (
        {"allowed_fails_policy": {"TimeoutErrorAllowedFails": 3}},
        f"the router's allowed_fails_policy does not hold {{}}: {COOLING}",
    ),
    ({"cooldown_time": 61}, f"the router's cooldown_time=61 does not hold {{}}: {COOLING}"),
]


@pytest.mark.parametrize(("options", "text"), ROUTER)
def test_a_setting_of_the_router_that_does_not_hold_is_told(told, options, text):
    """Which it is, and what holds instead."""
    assert told(options) == [text.format("while sparekey is installed")]


ROW = [({"num_retries": 3}, WALK), ({"max_retries": 3}, WALK), ({"cooldown_time": 30}, COOLING)]


@pytest.mark.parametrize(("params", "instead"), ROW)
def test_a_setting_of_a_row_is_told_once(told, params, instead):
    """And not for each of its keys."""
    ((name, value),) = params.items()

    assert told(**params) == [f"{name}={value} of 'chat' does not hold while sparekey is installed: {instead}"]


@pytest.mark.parametrize("options", [{}, {"num_retries": 0}, {"disable_cooldowns": True}])
def test_nobody_is_told_who_said_nothing_to_the_contrary(told, options):
    """LiteLLM's own defaults are no wish of the user's."""
    assert told(options) == []


def test_a_router_for_each_request_is_told_of_once(told):
    """A log is read by people."""
    assert len(told({"num_retries": 5})) == 1
    assert told({"num_retries": 5}) == []
