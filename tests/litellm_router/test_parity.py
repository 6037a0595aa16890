"""What a router does with healthy keys, it does with sparekey installed: each case here runs both ways."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import litellm
import pytest
from litellm.integrations.custom_logger import CustomLogger

import sparekey as sk
from litellm_sparekey import expand_model_list, install, uninstall

TERSE = "openai/terse"
"""A model of its own: LiteLLM notes what a row says of its model in a table of the whole process."""
MESSAGES = [{"role": "user", "content": "Hi"}]
LISTS = [
    "callbacks",
    "input_callback",
    "success_callback",
    "failure_callback",
    "_async_success_callback",
    "_async_failure_callback",
]


@pytest.fixture(params=[False, True], ids=["without", "with"])
def sparekey_in(request):
    """Whether sparekey is installed."""
    return request.param


@pytest.fixture
def build(loop, sparekey_in, clock, monkeypatch):
    """Builds a router of rows, with sparekey or without; what it registers for the whole process goes with it."""
    for name in LISTS:
        monkeypatch.setattr(litellm, name, [*getattr(litellm, name)])
    monkeypatch.setattr(litellm, "cache", litellm.cache)
    built = []

    async def make(rows, options):
        # Without sparekey a failure would be retried; with it, it is over when no key is left.
        return litellm.Router(model_list=expand_model_list(rows), **{"num_retries": 0, **options})

    async def end():
        tasks = asyncio.all_tasks() - {asyncio.current_task()}  # budgets and usage are kept by one for ever
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def build(rows, **options):
        router = loop.run(make(rows, options))
        built.append(router)
        if sparekey_in:
            install(router, tracker=sk.CooldownTracker(clock=clock))
        return router

    yield build
    loop.run(end())
    for router in built:
        uninstall(router)
        getattr(router, "retire", router.discard)()


class NoMini:
    """A routing plugin that rules small models out."""

    async def run(self, context):
        context.candidate_models = [model for model in context.candidate_models if "mini" not in model]
        return context


@dataclass
class Row:
    """One key in one row."""

    key: str
    name: str = "chat"
    model: str = "openai/gpt-4o"
    info: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)


@dataclass
class Case:
    """Rows, how the router is built and asked, and all that are picked: in the end each, and nobody else."""

    rows: list[Row]
    picked: set[str]
    options: dict[str, Any] = field(default_factory=dict)
    model: str = "chat"
    settings: dict[str, Any] = field(default_factory=dict)


ALL_DAY = {"start": "00:00:00", "end": "23:59:59", "timezone": "Etc/GMT", "team_ids": ["them"]}
NEXT = {"start": "23:59:58", "end": "23:59:59", "timezone": "Etc/GMT", "team_ids": ["them"]}
TEAM = {"team_public_model_name": "chat"}

CASES = {
    "balance": Case([Row("sk-a"), Row("sk-b")], {"sk-a", "sk-b"}),
    "tags": Case(
        [Row("sk-free", params={"tags": ["free"]}), Row("sk-paid", params={"tags": ["paid"]})],
        {"sk-paid"},
        {"enable_tag_filtering": True},
        settings={"metadata": {"tags": ["paid"]}},
    ),
    "tags: whoever has none": Case(
        [Row("sk-free", params={"tags": ["free"]}), Row("sk-else", params={"tags": ["default"]})],
        {"sk-else"},
        {"enable_tag_filtering": True},
    ),
    "a plugin's veto": Case(
        [Row("sk-mini", model="openai/gpt-4o-mini"), Row("sk-big")], {"sk-big"}, {"plugins": [NoMini()]}
    ),
    "weights": Case([Row("sk-a", params={"weight": 0}), Row("sk-b", params={"weight": 1})], {"sk-b"}),
    "order": Case([Row("sk-second", params={"order": 2}), Row("sk-first", params={"order": 1})], {"sk-first"}),
    "a team's own": Case(
        [
            Row("sk-ours", "ours", info={**TEAM, "team_id": "us"}),
            Row("sk-theirs", "theirs", info={**TEAM, "team_id": "them"}),
        ],
        {"sk-ours"},
        settings={"metadata": {"user_api_key_team_id": "us"}},
    ),
    "an access window": Case(
        [Row("sk-theirs", info={"access_windows": [ALL_DAY]}), Row("sk-open", info={"access_windows": [NEXT]})],
        {"sk-open"},
        settings={"metadata": {"user_api_key_team_id": "us"}},
    ),
    "pre-call checks": Case(
        [
            Row("sk-small", model=TERSE, info={"max_input_tokens": 1}),
            Row("sk-large", model=TERSE, info={"max_input_tokens": 1000}),
        ],
        {"sk-large"},
        {"enable_pre_call_checks": True},
    ),
    "a blocked deployment": Case([Row("sk-blocked", info={"blocked": True}), Row("sk-open")], {"sk-open"}),
    "an alias": Case([Row("sk-a")], {"sk-a"}, {"model_group_alias": {"nick": "chat"}}, model="nick"),
    "a wildcard": Case([Row("sk-a", "openai/*", "openai/*"), Row("sk-b")], {"sk-a"}, model="openai/gpt-4.1"),
    "the catch-all": Case([Row("sk-a", "*", "openai/*"), Row("sk-b")], {"sk-a"}, model="gpt-4.1"),
    "a routing group": Case(
        [Row("sk-a"), Row("sk-b", "other"), Row("sk-c", "third")],
        {"sk-a", "sk-b"},
        {"routing_groups": [{"group_name": "both", "models": ["chat", "other"], "routing_strategy": "simple-shuffle"}]},
        model="both",
    ),
    "a deployment by its id": Case([Row("sk-a", info={"id": "one"}), Row("sk-b")], {"sk-a"}, model="one"),
    "by cost": Case(
        [
            Row("sk-dear", params={"input_cost_per_token": 0.01, "output_cost_per_token": 0.01}),
            Row("sk-cheap", params={"input_cost_per_token": 0.0001, "output_cost_per_token": 0.0001}),
        ],
        {"sk-cheap"},
        {"routing_strategy": "cost-based-routing"},
    ),
    "by usage": Case([Row("sk-a"), Row("sk-b")], {"sk-a", "sk-b"}, {"routing_strategy": "usage-based-routing-v2"}),
    "by how busy they are": Case([Row("sk-a"), Row("sk-b")], {"sk-a", "sk-b"}, {"routing_strategy": "least-busy"}),
    "by latency": Case([Row("sk-a"), Row("sk-b")], {"sk-a", "sk-b"}, {"routing_strategy": "latency-based-routing"}),
}


def listed(entry, sim, rows):
    """The rows in LiteLLM's form."""
    made = []
    for row in rows:
        one = entry(sim, None, row.name, row.model, row.info or None, api_key=row.key, **row.params)
        del one["litellm_params"]["api_keys"]
        made.append(one)
    return made


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_same_deployments_are_picked(loop, provider, entry, build, case):
    """All that may be, and none that may not."""
    if case is CASES["an access window"] and not hasattr(litellm.types.router, "ModelAccessWindow"):
        pytest.skip("this LiteLLM has no access windows")
    random.seed(3)
    sim = provider({row.key: "healthy" for row in case.rows}, reply="Hi")
    router = build(listed(entry, sim, case.rows), **case.options)

    async def ask():
        for _ in range(16):
            response = await router.acompletion(case.model, MESSAGES, **case.settings)
            assert response.choices[0].message.content == "Hi"

    loop.run(ask())

    assert {key for key, count in sim.counts.items() if count} == case.picked
    assert sum(sim.counts.values()) == 16


def test_weights_share_as_they_say(loop, provider, entry, build):
    """Three to one, within what chance does."""
    random.seed(5)
    sim = provider({"sk-a": "healthy", "sk-b": "healthy"})
    router = build(listed(entry, sim, [Row("sk-a", params={"weight": 3}), Row("sk-b", params={"weight": 1})]))

    async def ask():
        for _ in range(80):
            await router.acompletion("chat", MESSAGES)

    loop.run(ask())

    assert 45 <= sim.count("sk-a") <= 72


def test_those_that_are_least_busy_are_picked(loop, provider, entry, build):
    """Six requests at a time over three deployments are two each."""
    pytest.importorskip("litellm.router_rust", reason="this LiteLLM notes who is busy too late for a burst")
    keys = ["sk-a", "sk-b", "sk-c"]
    sim = provider({key: {"kind": "slow", "delay": 0.5} for key in keys})
    router = build(listed(entry, sim, [Row(key) for key in keys]), routing_strategy="least-busy")

    async def together():
        await asyncio.gather(*(router.acompletion("chat", MESSAGES) for _ in range(6)))

    loop.run(together())

    assert sim.counts == dict.fromkeys(keys, 2)


def test_what_fits_nobody_is_the_same_error(loop, provider, entry, build):
    """Of LiteLLM's own class, before anybody is called."""
    sim = provider({"sk-a": "healthy"})
    router = build(
        listed(entry, sim, [Row("sk-a", model=TERSE, info={"max_input_tokens": 1})]), enable_pre_call_checks=True
    )

    with pytest.raises(litellm.ContextWindowExceededError):
        loop.run(router.acompletion("chat", MESSAGES))

    assert sim.counts == {"sk-a": 0}


def test_a_tag_that_nobody_has_is_an_error(loop, provider, entry, build):
    """And not a call to whoever is there."""
    sim = provider({"sk-a": "healthy"})
    router = build(listed(entry, sim, [Row("sk-a", params={"tags": ["free"]})]), enable_tag_filtering=True)

    with pytest.raises(Exception, match="tags"):
        loop.run(router.acompletion("chat", MESSAGES, metadata={"tags": ["paid"]}))

    assert sim.counts == {"sk-a": 0}


@pytest.mark.parametrize("where", ["request", "deployment", "router"])
def test_a_timeout_is_the_same_one(loop, provider, entry, build, where):
    """Whoever sets it."""
    sim = provider({"sk-a": "hang"})
    limits = {where: {"timeout": 0.3}}
    router = build(listed(entry, sim, [Row("sk-a", params=limits.get("deployment", {}))]), **limits.get("router", {}))

    with pytest.raises(litellm.Timeout):
        loop.run(router.acompletion("chat", MESSAGES, **limits.get("request", {})))


def test_an_answer_is_cached_once(loop, provider, entry, build, monkeypatch):
    """And given again without a call."""
    pytest.importorskip("fastapi", reason="newer releases look into their cache with their proxy's packages only")
    if importlib.util.find_spec("soundfile") is None:
        monkeypatch.setitem(sys.modules, "soundfile", ModuleType("soundfile"))
    sim = provider({"sk-a": "healthy"}, reply="Hi")
    router = build(listed(entry, sim, [Row("sk-a")]), cache_responses=True)

    async def ask():
        for _ in range(100):  # it is written in the background
            asked = sim.count("sk-a")
            answer = await router.acompletion("chat", MESSAGES)
            if asked and sim.count("sk-a") == asked:
                return answer
            await asyncio.sleep(0.02)
        raise AssertionError("it was never cached")

    assert loop.run(ask()).choices[0].message.content == "Hi"


def test_a_spent_budget_is_no_deployment(loop, provider, entry, build):
    """A provider with nothing left to spend is not asked."""
    sim = provider({"sk-a": "healthy"})
    router = build(
        listed(entry, sim, [Row("sk-a")]),
        provider_budget_config={"openai": {"budget_limit": 1e-9, "time_period": "1d"}},
    )

    async def spend():
        for _ in range(250):  # what was spent is counted in the background
            await router.acompletion("chat", MESSAGES)
            await asyncio.sleep(0.02)

    with pytest.raises(Exception, match=r"(?i)budget"):
        loop.run(spend())

    asked = sim.count("sk-a")
    with pytest.raises(Exception, match=r"(?i)budget"):
        loop.run(spend())
    assert sim.count("sk-a") == asked


@pytest.mark.filterwarnings("ignore:coroutine 'acompletion' was never awaited")  # LiteLLM 1.102's own
@pytest.mark.filterwarnings("ignore:Exception ignored in. <coroutine object acompletion")
def test_a_deployments_own_limit_holds(loop, provider, entry, build):
    """One request a minute, and the next one is refused before it is made."""
    sim = provider({"sk-a": "healthy"}, reply="Hi")
    rows = listed(entry, sim, [Row("sk-a", params={"rpm": 1})])
    router = build(rows, optional_pre_call_checks=["enforce_model_rate_limits"])

    async def ask():
        await router.acompletion("chat", MESSAGES)
        with pytest.raises(litellm.RateLimitError):
            await router.acompletion("chat", MESSAGES)

    loop.run(ask())
    gc.collect()  # or another test is warned

    assert sim.counts == {"sk-a": 1}


class Counting(CustomLogger):
    """How often LiteLLM called for one question; what it tells later of another test's is not of it."""

    def __init__(self, question):
        self.question = question
        self.calls = Counter()

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        self.calls["success"] += kwargs["messages"] == self.question

    async def async_log_failure_event(self, kwargs, response_obj, start_time, end_time):
        self.calls["failure"] += kwargs["messages"] == self.question


@pytest.mark.parametrize(("behaviour", "stream"), [("healthy", False), ("healthy", True), ("bad_request", False)])
def test_logging_callbacks_hear_as_often(loop, provider, entry, build, behaviour, stream):
    """Once of a request, however it ends."""
    sim = provider({"sk-a": behaviour, "sk-b": behaviour})
    question = [{"role": "user", "content": f"Is it {behaviour}, at {sim.base_url}?"}]
    counting = Counting(question)
    litellm.callbacks.append(counting)
    router = build(listed(entry, sim, [Row("sk-a"), Row("sk-b")]))
    expected = "success" if behaviour == "healthy" else "failure"

    async def ask():
        for _ in range(3):
            try:
                answer = await router.acompletion("chat", question, stream=stream)
                if stream:
                    async for _chunk in answer:
                        pass
            except litellm.BadRequestError:
                assert behaviour == "bad_request"
        for _ in range(250):  # some of it is told in the background
            if counting.calls[expected] >= 3:
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)

    loop.run(ask())

    assert +counting.calls == {expected: 3}
