"""A deadline covers a request over all its keys and fallbacks, and blames nobody."""

from __future__ import annotations

import asyncio

import litellm
import pytest

import sparekey as sk
from litellm_sparekey import expand_model_list, install

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def routed(provider):
    """A router over one hanging key, and a healthy group to fall back to; with its simulator and strategy."""

    def build(first, **settings):
        sim = provider({"sk-first": first, "sk-backup": "healthy"})
        rows = [
            {
                "model_name": name,
                "litellm_params": {"model": "openai/gpt-4o", "api_base": sim.base_url, "api_keys": [key]},
            }
            for name, key in (("chat", "sk-first"), ("backup", "sk-backup"))
        ]
        router = litellm.Router(model_list=expand_model_list(rows), fallbacks=[{"chat": ["backup"]}])
        return router, sim, install(router, tracker=sk.CooldownTracker(), **settings)

    return build


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("own", [{}, {"timeout": 30}])
def test_a_spent_deadline_ends_the_request_and_cools_nobody(routed, colour, own):
    """Not even the fallback is asked, and a longer timeout of the request gives way."""
    router, sim, strategy = routed("hang", deadline=0.4)

    ask = router.completion if colour == "sync" else lambda *a, **k: asyncio.run(router.acompletion(*a, **k))

    with pytest.raises(sk.FallbackExhaustedError, match="the deadline was spent after 1 attempt"):
        ask("chat", HELLO, **own)

    assert sim.counts == {"sk-first": 1, "sk-backup": 0}
    assert strategy.tracker.snapshot() == {}


def test_fallbacks_for_just_this_kind_of_error_have_what_is_left(provider, entry, clock):
    """A group that ends by a mistake of the request's hands on its deadline like one that ends by its keys."""
    sim = provider({"sk-short": "context_overflow", "sk-long": "healthy"}, on_request=lambda _: clock.advance(11))
    rows = [entry(sim, ["sk-short"]), entry(sim, ["sk-long"], name="long")]
    router = litellm.Router(model_list=expand_model_list(rows), context_window_fallbacks=[{"chat": ["long"]}])
    install(router, tracker=sk.CooldownTracker(clock=clock), deadline=10)

    with pytest.raises(litellm.ContextWindowExceededError):
        router.completion("chat", HELLO)

    assert sim.counts == {"sk-short": 1, "sk-long": 0}


def test_within_the_deadline_the_fallback_answers(routed):
    """A failure that leaves time is failed over as always."""
    router, sim, _ = routed("revoked", deadline=20)

    assert "Hello" in router.completion("chat", HELLO).choices[0].message.content
    assert sim.counts == {"sk-first": 1, "sk-backup": 1}


def test_a_deadline_that_is_none_is_one_clear_error(routed):
    """Before anything is installed."""
    with pytest.raises(sk.ConfigError, match="deadline must be a number of seconds, 0 or more, not -1"):
        routed("healthy", deadline=-1)
