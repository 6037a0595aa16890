"""LiteLLM's own rules go on: sparekey picks among the keys of an entry, LiteLLM among entries."""

from __future__ import annotations

import importlib
import random

import litellm
import pytest
from litellm.types.router import Deployment

import sparekey as sk
from litellm_sparekey import expand_model_list


def put(router, *rows):
    """Add deployments to a running router, or replace those with the same id."""
    for row in rows:
        deployment = Deployment(**row)
        if hasattr(router, "apply"):
            changes = importlib.import_module("litellm.router_api").ChangeSet
            router.apply(changes(upsert=[deployment]))
        else:
            router.upsert_deployment(deployment)


def drop(router, name):
    """Take a deployment out of a running router."""
    if hasattr(router, "apply"):
        router.apply(importlib.import_module("litellm.router_api").ChangeSet(delete=[name]))
    else:
        router.delete_deployment(name)


def test_three_keys_are_three_deployments_and_three_candidates(provider, entry, router_of):
    """Each with an id of its own, and a fingerprint of its own key."""
    sim = provider({"sk-a": "revoked", "sk-b": "revoked", "sk-c": "revoked"})
    router = router_of(entry(sim, ["sk-a", "sk-b", "sk-c"]))

    with pytest.raises(sk.FallbackExhaustedError) as caught:
        router.completion("chat", [{"role": "user", "content": "Hi"}])

    tried = [a.candidate for a in caught.value.attempts]
    assert [c.name for c in tried] == ["chat__key_0", "chat__key_1", "chat__key_2"]
    assert [c.credential for c in tried] == [sk.fingerprint(key) for key in ("sk-a", "sk-b", "sk-c")]
    assert len({c.id for c in tried}) == 3
    assert all((c.provider, c.model) == ("openai", "gpt-4o") for c in tried)


def test_an_environment_reference_is_the_key_it_stands_for(aask, provider, entry, router_of, monkeypatch, attempts):
    """Its fingerprint is that of the key, in every process."""
    monkeypatch.setenv("SPAREKEY_TEST_KEY", "sk-from-the-environment")
    sim = provider({"sk-from-the-environment": "healthy"})

    aask(router_of(entry(sim, ["os.environ/SPAREKEY_TEST_KEY"])))

    assert [a.candidate.credential for a in attempts] == [sk.fingerprint("sk-from-the-environment")]


def test_entries_share_the_load_whatever_their_number_of_keys(aask, provider, entry, router_of):
    """Each entry takes part with its best key."""
    random.seed(7)
    sim = provider({"sk-a": "healthy", "sk-b": "healthy", "sk-c": "healthy", "sk-d": "healthy"})
    router = router_of(entry(sim, ["sk-a", "sk-b", "sk-c"]), entry(sim, ["sk-d"]))

    for _ in range(30):
        aask(router)

    assert sim.count("sk-a") + sim.count("sk-d") == 30
    assert 8 <= sim.count("sk-d") <= 22


def test_weights_hold_for_entries(ask, provider, entry, router_of):
    """And not for the key that happens to be in use."""
    sim = provider({"sk-a": "revoked", "sk-b": "healthy", "sk-c": "healthy"})
    router = router_of(entry(sim, ["sk-a", "sk-b"], weight=1), entry(sim, ["sk-c"], weight=0))

    for _ in range(5):
        ask(router)

    assert sim.counts == {"sk-a": 1, "sk-b": 5, "sk-c": 0}


def test_tags_hold_and_no_other_entry_steps_in(aask, provider, entry, router_of):
    """A request for paid keys never ends up with a free one, even when the paid ones are dead."""
    sim = provider({"sk-free": "healthy", "sk-p1": "revoked", "sk-p2": "healthy"}, reply="Hi")
    router = router_of(
        entry(sim, ["sk-free"], tags=["free"]), entry(sim, ["sk-p1", "sk-p2"], tags=["paid"]), enable_tag_filtering=True
    )

    assert aask(router, metadata={"tags": ["paid"]}) == "Hi"
    sim.set("sk-p2", "revoked")
    with pytest.raises(sk.FallbackExhaustedError) as caught:
        aask(router, metadata={"tags": ["paid"]})

    assert sim.counts == {"sk-free": 0, "sk-p1": 1, "sk-p2": 2}
    assert [a.skipped for a in caught.value.attempts] == [True, False]
    assert aask(router, metadata={"tags": ["free"]}) == "Hi"


def test_a_last_resort_is_one_that_litellm_allows(aask, provider, entry, router_of):
    """A key that cools for a passing reason is tried when the ready ones are not for this request."""
    sim = provider({"sk-free": "healthy", "sk-paid": ["server_error", "healthy"]}, reply="Hi")
    router = router_of(
        entry(sim, ["sk-free"], tags=["free"]), entry(sim, ["sk-paid"], tags=["paid"]), enable_tag_filtering=True
    )

    with pytest.raises(sk.FallbackExhaustedError):
        aask(router, metadata={"tags": ["paid"]})

    assert aask(router, metadata={"tags": ["paid"]}) == "Hi"
    assert sim.counts == {"sk-free": 0, "sk-paid": 2}


def test_an_order_holds_until_its_keys_are_dead(aask, provider, entry, router_of):
    """Then LiteLLM goes to the next."""
    sim = provider({"sk-a": "healthy", "sk-b": "healthy", "sk-c": "healthy"}, reply="Hi")
    router = router_of(entry(sim, ["sk-a", "sk-b"], order=1), entry(sim, ["sk-c"], order=2))

    aask(router)
    assert sim.counts == {"sk-a": 1, "sk-b": 0, "sk-c": 0}

    sim.set("sk-a", "revoked")
    sim.set("sk-b", "revoked")
    assert aask(router) == "Hi"
    assert aask(router) == "Hi"
    assert sim.counts == {"sk-a": 2, "sk-b": 1, "sk-c": 2}


def test_a_later_order_goes_before_a_last_resort(ask, provider, entry, router_of):
    """A key that cools for a passing reason is tried again when nobody else is left, and then it is tried."""
    sim = provider({"sk-a": "server_error", "sk-b": "healthy", "sk-c": "healthy"}, reply="Hi")
    router = router_of(entry(sim, ["sk-a"], order=1), entry(sim, ["sk-b", "sk-c"], order=2))

    for _ in range(3):
        assert ask(router) == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-b": 3, "sk-c": 0}

    sim.clear()
    sim.set("sk-b", "no_credit")
    assert ask(router) == "Hi"
    assert sim.counts == {"sk-a": 0, "sk-b": 1, "sk-c": 1}

    sim.clear()
    sim.set("sk-a", "healthy")
    sim.set("sk-c", "no_credit")
    assert ask(router) == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-b": 0, "sk-c": 1}


def test_a_key_is_tried_once_however_many_orders_there_are(ask, provider, entry, router_of):
    """LiteLLM goes through them after the walk, which has been there."""
    sim = provider(dict.fromkeys(["sk-a", "sk-b", "sk-c"], "server_error"))
    router = router_of(*(entry(sim, [key], order=i) for i, key in enumerate(["sk-a", "sk-b", "sk-c"], 1)))
    for _ in range(2):
        sim.clear()
        with pytest.raises(sk.FallbackExhaustedError):
            ask(router)
        assert sim.counts == {"sk-a": 1, "sk-b": 1, "sk-c": 1}


def test_an_order_holds_however_often_litellm_is_asked(aask, provider, entry, router_of):
    """Its own question loses the order with the first answer."""
    sim = provider({"sk-a": "revoked", "sk-free": "healthy", "sk-d": ["server_error", "healthy"]}, reply="Hi")
    router = router_of(
        entry(sim, ["sk-a"], order=1, tags=["paid"]),
        entry(sim, ["sk-free"], order=2, tags=["free"]),
        entry(sim, ["sk-d"], order=2, tags=["paid"]),
        enable_tag_filtering=True,
    )
    with pytest.raises(sk.FallbackExhaustedError):
        aask(router, metadata={"tags": ["paid"]})

    assert aask(router, metadata={"tags": ["paid"]}) == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-free": 0, "sk-d": 2}


@pytest.mark.parametrize(
    ("name", "options", "asked"),
    [
        ("chat", {"model_group_alias": {"nick": "chat"}}, "nick"),
        ("openai/*", {}, "openai/gpt-4.1"),
        ("*", {}, "openai/gpt-4.1"),
        (
            "chat",
            {"routing_groups": [{"group_name": "all", "models": ["chat"], "routing_strategy": "simple-shuffle"}]},
            "all",
        ),
    ],
    ids=["alias", "wildcard", "catch-all", "routing group"],
)
def test_other_names_for_a_group_lead_to_its_keys(ask, provider, entry, router_of, name, options, asked):
    """Each is a name of its own to LiteLLM, and the same keys to sparekey."""
    sim = provider({"sk-a": "no_credit", "sk-b": "healthy"}, reply="Hi")
    model = "openai/gpt-4o" if name == "chat" else "openai/*"
    router = router_of(entry(sim, ["sk-a", "sk-b"], name=name, model=model), **options)

    assert ask(router, asked) == "Hi"
    assert ask(router, asked) == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-b": 2}


def test_a_wildcard_serves_models_that_cool_on_their_own(aask, provider, entry, router_of):
    """A throttled key is throttled for the model that was asked for."""
    sim = provider({"sk-a": {"behaviour": "healthy", "models": {"gpt-4.1": "rate_limited"}}, "sk-b": "healthy"})
    router = router_of(entry(sim, ["sk-a", "sk-b"], name="openai/*", model="openai/*"))

    aask(router, "openai/gpt-4.1")
    aask(router, "openai/gpt-4o")

    assert sim.count("sk-a", model="gpt-4.1") == 1
    assert sim.count("sk-a", model="gpt-4o") == 1


def test_a_deployment_asked_for_by_id_is_the_only_one_tried(aask, provider, entry, router_of):
    """Whoever names one key means it, cooling or not."""
    sim = provider({"sk-a": "healthy", "sk-b": ["revoked", "healthy"]}, reply="Hi")
    router = router_of(entry(sim, ["sk-a", "sk-b"]))

    with pytest.raises(litellm.AuthenticationError):
        aask(router, "chat__key_1")

    assert aask(router, "chat__key_1") == "Hi"
    assert sim.counts == {"sk-a": 0, "sk-b": 2}


def test_deployments_of_another_team_are_not_offered(aask, provider, entry, router_of):
    """Not even when a team's own keys are dead."""
    sim = provider({"sk-ours": "revoked", "sk-theirs": "healthy"})
    team = {"team_public_model_name": "chat"}
    router = router_of(
        entry(sim, ["sk-ours"], name="ours", info={**team, "team_id": "us"}),
        entry(sim, ["sk-theirs"], name="theirs", info={**team, "team_id": "them"}),
    )

    with pytest.raises(sk.FallbackExhaustedError) as caught:
        aask(router, metadata={"user_api_key_team_id": "us"})

    assert [a.candidate.name for a in caught.value.attempts] == ["ours__key_0"]
    assert sim.counts == {"sk-ours": 1, "sk-theirs": 0}


@pytest.mark.parametrize(
    ("fallbacks", "served"),
    [
        ([{"cheap": ["dear"]}, {"smart": ["other"]}], "sk-dear"),
        ([{"smart": ["other"]}], "sk-other"),
    ],
    ids=["its own fallbacks", "those of the name"],
)
def test_a_group_that_litellm_routes_to_is_walked_like_any(aask, provider, entry, router_of, fallbacks, served):
    """Its auto-routers choose a group by the question; keys before fallbacks there as well."""
    sim = provider(
        {"sk-a": "revoked", "sk-b": ["healthy", "no_credit"], "sk-dear": "healthy", "sk-other": "healthy"}, reply="Hi"
    )
    tiers = {"SIMPLE": "cheap", "MEDIUM": "cheap", "COMPLEX": "dear", "REASONING": "dear"}
    smart = {
        "model_name": "smart",
        "litellm_params": {
            "model": "auto_router/complexity_router",
            "complexity_router_config": {"tiers": tiers},
            "complexity_router_default_model": "cheap",
        },
    }
    router = router_of(
        smart,
        entry(sim, ["sk-a", "sk-b"], name="cheap"),
        entry(sim, ["sk-dear"], name="dear"),
        entry(sim, ["sk-other"], name="other"),
        fallbacks=fallbacks,
    )

    assert aask(router, "smart") == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-b": 1, "sk-dear": 0, "sk-other": 0}
    for _ in range(2):
        assert aask(router, "smart") == "Hi"

    assert sim.counts == {"sk-a": 1, "sk-b": 2, "sk-dear": 0, "sk-other": 0, served: 2}
    if hasattr(router, "health"):  # LiteLLM counts for each deployment, and no more than was asked
        assert router.health().failures_this_minute("cheap__key_0") <= 1


def test_pre_call_checks_are_litellms_last_word(aask, provider, entry, router_of):
    """What it refuses before any call leaves as its own error."""
    sim = provider({"sk-a": "healthy", "sk-b": "healthy"})
    # Of a model of its own: LiteLLM notes what a row says of its model in a table of the whole process.
    row = entry(sim, ["sk-a", "sk-b"], model="openai/terse", info={"max_input_tokens": 1})
    router = router_of(row, enable_pre_call_checks=True)

    with pytest.raises(litellm.ContextWindowExceededError):
        aask(router)

    assert sim.counts == {"sk-a": 0, "sk-b": 0}


def test_routing_plugins_are_heeded(aask, provider, entry, router_of):
    """What a plugin rules out is not tried, whatever else is dead."""

    class NoMini:
        async def run(self, context):
            context.candidate_models = [model for model in context.candidate_models if "mini" not in model]
            return context

    sim = provider({"sk-mini": "healthy", "sk-a": "revoked", "sk-b": "healthy"}, reply="Hi")
    router = router_of(
        entry(sim, ["sk-mini"], model="openai/gpt-4o-mini"), entry(sim, ["sk-a", "sk-b"]), plugins=[NoMini()]
    )

    assert aask(router) == "Hi"
    assert aask(router) == "Hi"
    assert sim.counts == {"sk-mini": 0, "sk-a": 1, "sk-b": 2}


def test_a_routing_plugin_that_fails_ends_the_request(aask, provider, entry, router_of):
    """With its own error, as without sparekey: no key is asked, and none is blamed."""

    class Failing:
        async def run(self, context):
            raise LookupError("no such tenant")

    sim = provider({"sk-a": "healthy", "sk-b": "healthy"})
    router = router_of(entry(sim, ["sk-a", "sk-b"]), plugins=[Failing()])

    with pytest.raises(LookupError, match="no such tenant"):
        aask(router)

    assert sim.counts == {"sk-a": 0, "sk-b": 0}
    assert not router.strategy.tracker.snapshot()


def test_a_providers_name_for_a_model_is_walked_over_all_groups_that_have_it(aask, provider, entry, router_of):
    """LiteLLM takes whoever has that model, though it is no group's name; a dead key of one group is skipped."""
    sim = provider({"sk-a": "revoked", "sk-b": "healthy", "sk-c": "healthy"}, reply="Hi")
    router = router_of(entry(sim, ["sk-a"]), entry(sim, ["sk-b", "sk-c"], name="spare"))

    for _ in range(20):
        assert aask(router, "openai/gpt-4o") == "Hi"

    assert sim.counts["sk-a"] <= 1


def test_an_unknown_model_is_litellms_own_error(aask, provider, entry, router_of):
    """There is nothing to fail over."""
    sim = provider({"sk-a": "healthy"})
    router = router_of(entry(sim, ["sk-a"]))

    with pytest.raises(litellm.BadRequestError) as caught:
        aask(router, "nothing")

    assert not isinstance(caught.value, sk.SparekeyError)


def test_deployments_added_later_are_found(aask, provider, entry, router_of):
    """Even in the request in which all the others die."""
    sim = provider({"sk-a": "revoked", "sk-b": "healthy", "sk-c": "healthy"}, reply="Hi")
    router = router_of(entry(sim, ["sk-a"]))
    with pytest.raises(sk.FallbackExhaustedError):
        aask(router)

    put(router, *expand_model_list([entry(sim, ["sk-b", "sk-c"], info={"id": "later"})]))

    assert aask(router) == "Hi"
    assert aask(router) == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-b": 2, "sk-c": 0}


def test_a_deployment_with_another_key_is_another_candidate(aask, provider, entry, router_of):
    """A rotated key does not inherit what its predecessor did."""
    sim = provider({"sk-old": "revoked", "sk-new": "healthy"}, reply="Hi")
    router = router_of(entry(sim, ["sk-old"], info={"id": "mine"}))
    with pytest.raises(sk.FallbackExhaustedError):
        aask(router)

    put(router, *expand_model_list([entry(sim, ["sk-new"], info={"id": "mine"})]))

    assert aask(router) == "Hi"
    assert sim.counts == {"sk-old": 1, "sk-new": 1}


def test_deployments_taken_out_are_forgotten(aask, provider, entry, router_of, monkeypatch):
    """And LiteLLM is asked for them once, not in every request."""
    sim = provider({"sk-a": "healthy", "sk-b": "healthy"}, reply="Hi")
    router = router_of(entry(sim, ["sk-a", "sk-b"]))
    aask(router)
    drop(router, "chat__key_0")
    assert aask(router) == "Hi"

    asked, native = [], router.strategy._native_async

    async def counted(**question):
        asked.append(question)
        return await native(**question)

    monkeypatch.setattr(router.strategy, "_native_async", counted)
    assert aask(router) == "Hi"
    assert len(asked) <= 1  # the router in Rust picks by itself
    assert sim.counts == {"sk-a": 1, "sk-b": 2}


def test_unexpanded_keys_that_come_later_are_refused_too(aask, provider, entry, router_of):
    """Before LiteLLM sends them to the provider."""
    sim = provider({"sk-a": "revoked", "sk-b": "healthy"})
    router = router_of(entry(sim, ["sk-a"]))
    with pytest.raises(sk.FallbackExhaustedError):
        aask(router)

    put(router, entry(sim, ["sk-b"], api_key="sk-b"))

    with pytest.raises(sk.ConfigError, match="expand_model_list"):
        aask(router)
    assert sim.counts == {"sk-a": 1, "sk-b": 0}


def test_plain_rows_with_one_key_each_are_served_alike(ask, provider, entry, router_of):
    """As people wrote them before, in one group."""
    sim = provider({"sk-a": "no_credit", "sk-b": "no_credit", "sk-c": "healthy"}, reply="Hi")
    rows = [entry(sim, None) for _ in range(3)]
    for row, key in zip(rows, ["sk-a", "sk-b", "sk-c"], strict=True):
        del row["litellm_params"]["api_keys"]
        row["litellm_params"]["api_key"] = key
    router = router_of(*rows)

    for _ in range(8):
        assert ask(router) == "Hi"

    assert sim.count("sk-a") <= 1
    assert sim.count("sk-b") <= 1
    assert sim.count("sk-c") == 8


@pytest.mark.parametrize("grouped", [True, False], ids=["entry", "rows"])
def test_a_key_that_was_found_dead_elsewhere_is_not_asked(aask, provider, entry, router_of, grouped, attempts):
    """By another router or another process, after this one had seen it well."""
    keys = [f"sk-{i}" for i in range(6)]
    sim = provider(dict.fromkeys(keys, "healthy"), reply="Hi")
    rows = [entry(sim, keys)] if grouped else [entry(sim, [key]) for key in keys]
    router = router_of(*rows)
    aask(router)
    for key in keys[:5]:
        twin = sk.candidates_for(
            "x", [{"model_name": "x", "model": "openai/gpt-4o", "api_base": sim.base_url, "api_key": key}]
        )
        router.strategy.tracker.mark_failure(twin[0], "rate_limit", retry_after=60)
    sim.clear()

    for _ in range(6):
        assert aask(router) == "Hi"

    assert sim.counts == {**dict.fromkeys(keys[:5], 0), "sk-5": 6}


@pytest.mark.parametrize("strategy", ["least-busy", "latency-based-routing", "usage-based-routing-v2"])
def test_other_strategies_of_litellms_go_on_underneath(loop, aask, provider, entry, router_of, strategy):
    """They select among what is not left out."""
    sim = provider({"sk-a": "revoked", "sk-b": "healthy"}, reply="Hi")

    async def build():  # within the loop, or a strategy begins a task in one that nobody runs
        return router_of(entry(sim, ["sk-a", "sk-b"]), routing_strategy=strategy)

    router = loop.run(build())

    assert aask(router) == "Hi"
    assert aask(router) == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-b": 2}
