"""The strategy registered by LiteLLM's own means, without ``install``."""

from __future__ import annotations

import warnings

import litellm
import pytest
from litellm.types.router import CustomRoutingStrategyBase

import sparekey as sk
from litellm_sparekey import SparekeyRoutingStrategy, expand_model_list, install, uninstall

MESSAGES = [{"role": "user", "content": "Hi"}]
WAYS = ["set_custom_routing_strategy", "register_plugin"]


@pytest.fixture
def plain(clock, attempts):
    """Builds a router of rows with several keys, and a strategy for it that nobody has registered yet."""
    built = []

    def build(*rows, **options):
        router = litellm.Router(model_list=expand_model_list(rows), **options)
        built.append(router)
        tracker = sk.CooldownTracker(clock=clock)
        return router, SparekeyRoutingStrategy(router, tracker=tracker, on_attempt=attempts.append)

    yield build
    for router in built:
        uninstall(router)
        getattr(router, "retire", router.discard)()


def register(router, strategy, way):
    """Newer releases have another name for it, and the old one says so."""
    if not hasattr(router, way):
        pytest.skip(f"this LiteLLM has no {way}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        getattr(router, way)(strategy)


@pytest.mark.parametrize("way", WAYS)
def test_a_registered_strategy_fails_over_from_the_first_request(ask, provider, entry, plain, way, attempts):
    """402 and 401 lead to the next key, which LiteLLM's own retries do not do, and are remembered."""
    sim = provider({"sk-unpaid-1": "no_credit", "sk-revoked-2": "revoked", "sk-working-3": "healthy"}, reply="Hi")
    router, strategy = plain(entry(sim, ["sk-unpaid-1", "sk-revoked-2", "sk-working-3"]))
    register(router, strategy, way)

    assert ask(router) == "Hi"
    assert ask(router) == "Hi"

    assert sim.counts == {"sk-unpaid-1": 1, "sk-revoked-2": 1, "sk-working-3": 2}
    assert [a.reason for a in attempts if not a.skipped] == ["billing", "auth", None, None]


@pytest.mark.parametrize("way", WAYS)
def test_a_mistake_of_the_request_reaches_one_key_and_no_fallback(ask, provider, entry, plain, way):
    """As with ``install``, for it is the same."""
    sim = provider({"sk-a": "bad_request", "sk-b": "healthy", "sk-spare": "healthy"})
    router, strategy = plain(
        entry(sim, ["sk-a", "sk-b"]), entry(sim, ["sk-spare"], name="backup"), fallbacks=[{"chat": ["backup"]}]
    )
    register(router, strategy, way)

    with pytest.raises(litellm.BadRequestError):
        ask(router)

    assert sim.counts == {"sk-a": 1, "sk-b": 0, "sk-spare": 0}


def test_a_strategy_that_nobody_registers_changes_nothing(loop, provider, entry, plain, attempts):
    """Not a call, and not a setting."""
    sim = provider({"sk-a": "healthy", "sk-b": "healthy"})
    router, _strategy = plain(entry(sim, ["sk-a"]))
    settings = getattr(router, "settings", lambda: router)()

    response = loop.run(router.acompletion("chat", MESSAGES))

    assert "sparekey" not in response._hidden_params
    assert attempts == []
    assert not settings.disable_cooldowns


@pytest.mark.parametrize("way", WAYS)
def test_installing_what_is_registered_gives_the_same(provider, entry, plain, way):
    """And with other settings it is a mistake, as ever."""
    sim = provider({"sk-a": "healthy"})
    router, strategy = plain(entry(sim, ["sk-a"]))
    register(router, strategy, way)

    assert install(router) is strategy
    with pytest.raises(sk.ConfigError, match="uninstall"):
        install(router, policy=sk.Policy.classic())


@pytest.mark.parametrize("way", WAYS)
def test_uninstalling_takes_a_registered_strategy_out(aask, provider, entry, plain, way, attempts):
    """It may be registered twice; it is there once, and then not at all."""
    sim = provider({"sk-a": "healthy", "sk-b": "healthy"}, reply="Hi")
    rows = entry(sim, ["sk-a"], order=1), entry(sim, ["sk-b"], order=2)
    router, strategy = plain(*rows)
    register(router, strategy, way)
    register(router, strategy, way)
    assert aask(router) == "Hi"
    strategy.tracker.mark_failure(attempts[0].candidate, "auth")
    uninstall(router)

    assert aask(router) == "Hi"

    assert len(attempts) == 1
    assert sim.counts == {"sk-a": 2, "sk-b": 0}


@pytest.mark.parametrize("way", WAYS)
def test_somebody_elses_strategy_is_registered_as_ever(aask, provider, entry, plain, way, attempts):
    """While ours waits for its turn, which comes when it is registered; then theirs picks no more."""
    sim = provider({"sk-a": "healthy", "sk-b": "healthy"}, reply="Hi")
    router, strategy = plain(entry(sim, ["sk-a"]), entry(sim, ["sk-b"]))
    register(router, Second(router), way)

    assert aask(router) == "Hi"
    assert sim.counts == {"sk-a": 0, "sk-b": 1}
    assert attempts == []

    register(router, strategy, way)
    assert aask(router) == "Hi"
    assert len(attempts) == 1


def test_a_second_strategy_of_ours_is_refused(aask, provider, entry, plain, attempts):
    """Both would walk over the same keys, one within the other; the first goes on."""
    sim = provider({"sk-a": "no_credit", "sk-b": "healthy"}, reply="Hi")
    router, strategy = plain(entry(sim, ["sk-a", "sk-b"]))
    second = SparekeyRoutingStrategy(router, tracker=sk.CooldownTracker())
    register(router, strategy, "set_custom_routing_strategy")

    with pytest.raises(sk.ConfigError, match="uninstall"):
        register(router, second, "set_custom_routing_strategy")
    with pytest.raises(sk.ConfigError, match="uninstall"):
        SparekeyRoutingStrategy(router, tracker=sk.CooldownTracker())

    assert aask(router) == "Hi"
    assert install(router) is strategy
    assert [attempt.reason for attempt in attempts] == ["billing", None]


def test_a_selection_by_itself_passes_over_what_cools(provider, entry, plain):
    """Without a request around it, and registered nowhere."""
    sim = provider({"sk-a": "healthy", "sk-b": "healthy"})
    _router, strategy = plain(entry(sim, ["sk-a", "sk-b"]))
    entries = [{"model_name": "m", "model": "openai/gpt-4o", "api_base": sim.base_url, "api_key": "sk-a"}]

    strategy.tracker.mark_failure(sk.candidates_for("m", entries)[0], "auth")

    assert strategy.get_available_deployment("chat")["model_info"]["id"] == "chat__key_1"


class Second(CustomRoutingStrategyBase):
    """Somebody's strategy, which always picks the second deployment."""

    def __init__(self, router):
        listed = router.registry().deployments if hasattr(router, "registry") else router.get_model_list
        self.row = listed(model_name="chat")[1]

    async def async_get_available_deployment(self, *args, **kwargs):
        return self.row

    def get_available_deployment(self, *args, **kwargs):
        return self.row
