"""Putting sparekey into a router, and taking it out."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from importlib.metadata import version

import litellm
import pytest
from litellm.types.router import CustomRoutingStrategyBase

import litellm_sparekey
import sparekey as sk
from litellm_sparekey import SparekeyRoutingStrategy, expand_model_list, install, uninstall
from litellm_sparekey._host import host_of
from sparekey.state import SQLiteStore

MESSAGES = [{"role": "user", "content": "Hi"}]


def cooldowns_disabled(router):
    settings = getattr(router, "settings", None)
    return router.disable_cooldowns if settings is None else settings().disable_cooldowns


def attributes(router):
    """All that is set on a router, wherever it keeps it; some of it changes by itself."""
    found = {**vars(router), **vars(vars(router).get("_core", router))}
    return {name: id(value) for name, value in found.items() if callable(value)}


def test_the_package_shows_what_it_says():
    """And imports LiteLLM, which takes seconds, only for what needs it."""
    assert set(litellm_sparekey.__all__) <= set(dir(litellm_sparekey))
    assert litellm_sparekey.SparekeyRoutingStrategy is SparekeyRoutingStrategy
    with pytest.raises(AttributeError):
        litellm_sparekey.nothing  # noqa: B018


def test_expanding_does_not_import_litellm():
    """It takes seconds, and a command that only expands a file can do without."""
    code = "import sys, litellm_sparekey as ls; ls.expand_model_list([]); sys.exit('litellm' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_installing_twice_is_installing_once(aask, provider, entry, router_of, attempts):
    """The strategy is the same, and no attempt is told twice."""
    sim = provider({"sk-a": "healthy"})
    router = router_of(entry(sim, ["sk-a"]))

    assert install(router) is router.strategy
    aask(router)

    assert len(attempts) == 1


def test_installing_again_with_other_settings_is_a_mistake(provider, entry, router_of):
    """Which of the two would count?"""
    sim = provider({"sk-a": "healthy"})
    router = router_of(entry(sim, ["sk-a"]))

    with pytest.raises(sk.ConfigError, match="uninstall"):
        install(router, policy=sk.Policy.classic())


def test_uninstalling_leaves_nothing_behind(loop, provider, entry):
    """The router is what it was; a second time does nothing."""
    sim = provider({"sk-a": "no_credit", "sk-b": "healthy"})
    router = litellm.Router(model_list=expand_model_list([entry(sim, ["sk-a"])]), num_retries=0)
    before, cooldowns = attributes(router), cooldowns_disabled(router)

    strategy = install(router, tracker=sk.CooldownTracker())
    assert cooldowns_disabled(router) is True
    uninstall(router)
    uninstall(router)

    assert attributes(router) == before
    assert cooldowns_disabled(router) == cooldowns
    with pytest.raises(Exception) as caught:
        loop.run(router.acompletion("chat", MESSAGES))
    assert not isinstance(caught.value, sk.SparekeyError)
    assert strategy.tracker.snapshot() == {}


def test_what_somebody_wrapped_meanwhile_goes_on_after_uninstalling(loop, provider, entry):
    """Ours then passes everything on."""
    sim = provider({"sk-a": "healthy"})
    router = litellm.Router(model_list=expand_model_list([entry(sim, ["sk-a"])]))
    heard = []
    strategy = install(router, tracker=sk.CooldownTracker(), on_attempt=heard.append)
    inside = strategy.host.inside
    name = next(name for name in strategy.host.needs if inspect.iscoroutinefunction(vars(inside).get(name)))
    ours, calls = getattr(inside, name), []

    async def theirs(*args, **kwargs):
        calls.append(1)
        return await ours(*args, **kwargs)

    setattr(inside, name, theirs)
    uninstall(router)
    loop.run(router.acompletion("chat", MESSAGES))

    assert len(calls) == 1
    assert heard == []


def test_the_trackers_are_shared_unless_told_otherwise(provider, entry):
    """A router built for each request still remembers."""
    sim = provider({"sk-a": "healthy"})
    routers = [litellm.Router(model_list=expand_model_list([entry(sim, ["sk-a"])])) for _ in range(2)]

    assert install(routers[0]).tracker is install(routers[1]).tracker is sk.shared_tracker()


def test_a_state_may_be_a_store_and_comes_with_no_tracker(provider, entry, tmp_path):
    """It goes to the tracker that is made; one that is given has its own, and a second would count for nothing."""
    sim = provider({"sk-a": "healthy"})
    router = litellm.Router(model_list=expand_model_list([entry(sim, ["sk-a"])]))
    store = SQLiteStore(tmp_path / "state.db")
    with pytest.raises(sk.ConfigError, match="state: a tracker has one already"):
        install(router, tracker=sk.CooldownTracker(), state=store)

    install(router, state=store).tracker.mark_failure("x", "billing")

    assert not sk.shared_tracker(state=store).is_available("x")


@pytest.mark.parametrize("place", ["litellm_params", "model_info"])
def test_a_router_with_unexpanded_keys_is_refused(provider, entry, place):
    """LiteLLM would send them all to the provider, in the request's body."""
    sim = provider({"sk-secret-1": "healthy"})
    row = entry(sim, None)
    row["litellm_params"]["api_keys"] = None
    row["litellm_params"].pop("api_keys")
    row.setdefault(place, {})["api_keys"] = ["sk-secret-1"]
    router = litellm.Router(model_list=[row])
    before = attributes(router)

    with pytest.raises(sk.ConfigError, match="expand_model_list") as caught:
        install(router)

    assert "sk-secret-1" not in str(caught.value)
    assert attributes(router) == before


def test_a_litellm_that_lacks_something_is_told_so(provider, entry, monkeypatch):
    """Looked for, not concluded from a version; and the router is left as it is."""
    sim = provider({"sk-a": "healthy"})
    router = litellm.Router(model_list=expand_model_list([entry(sim, ["sk-a"])]))
    before, inside = attributes(router), vars(router).get("_core", router)

    for method in host_of(router).needs:
        with monkeypatch.context() as patched:
            patched.setattr(type(inside), method, None)
            with pytest.raises(sk.ConfigError, match=f"LiteLLM {version('litellm')} has a router without {method}"):
                install(router)
    with monkeypatch.context() as patched:
        patched.delattr(litellm.utils, "get_excluded_filtered_deployments")
        with pytest.raises(sk.ConfigError, match=r"litellm-sparekey knows 1\.102 to 1\.\d+$"):
            install(router)

    assert attributes(router) == before


class Disobedient:
    """A core in Rust that does not retry what it is told to."""

    def __init__(self, *settings):
        pass

    def start(self, *request):
        return self

    def next(self, answer):
        kind = "pre_route" if answer is None else "attempt" if "model_info" in answer else "failed"
        return {"kind": kind, "events": []}


def test_a_core_that_does_not_go_on_as_it_is_told_is_refused():
    """Nobody would notice otherwise, until a key dies."""
    trip = importlib.import_module("litellm_sparekey._trip")

    assert trip.obeys(Disobedient) is False


def test_a_strategy_set_anew_does_not_push_sparekey_out(aask, provider, entry, router_of):
    """LiteLLM drops custom strategies when its own one changes."""
    sim = provider({"sk-a": "no_credit", "sk-b": "healthy"}, reply="Hi")
    router = router_of(entry(sim, ["sk-a", "sk-b"]))
    if hasattr(router, "apply"):
        changes = importlib.import_module("litellm.router_api").ChangeSet
        router.apply(changes(settings={"routing_strategy": "least-busy"}))
    else:
        router.update_settings(routing_strategy="least-busy")

    assert aask(router) == "Hi"
    assert sim.counts == {"sk-a": 1, "sk-b": 1}


class TheirOwn(CustomRoutingStrategyBase):
    """Somebody's strategy, which always picks the same deployment."""

    def __init__(self, row):
        self.row = row

    async def async_get_available_deployment(self, *args, **kwargs):
        return self.row

    def get_available_deployment(self, *args, **kwargs):
        return self.row


@pytest.fixture
def pair(provider, entry):
    """A router of two keys in a row each, the simulator behind it, and a strategy that always picks the second."""
    sim = provider({"sk-a": "healthy", "sk-b": "healthy"}, reply="Hi")
    rows = expand_model_list([entry(sim, ["sk-a"]), entry(sim, ["sk-b"])])
    return litellm.Router(model_list=rows), sim, TheirOwn(rows[1])


def register(router, strategy):
    """By the name that this LiteLLM has for it."""
    getattr(router, "register_plugin" if hasattr(router, "register_plugin") else "set_custom_routing_strategy")(
        strategy
    )


def test_a_strategy_of_the_users_own_goes_on_underneath(ask, pair):
    """It picks among what is not left out, as LiteLLM's would, and is back when sparekey goes."""
    router, sim, theirs = pair
    register(router, theirs)

    install(router, tracker=sk.CooldownTracker())
    for _ in range(4):
        assert ask(router) == "Hi"
    uninstall(router)
    for _ in range(4):
        assert ask(router) == "Hi"

    assert sim.counts == {"sk-a": 0, "sk-b": 8}


def test_a_strategy_that_is_registered_after_sparekey_selects(aask, pair):
    """Alone: the router has been told so, and sparekey neither narrows its pick nor makes one."""
    router, sim, theirs = pair
    install(router, tracker=sk.CooldownTracker())
    register(router, theirs)

    for _ in range(8):
        assert aask(router) == "Hi"

    assert sim.counts == {"sk-a": 0, "sk-b": 8}


@pytest.fixture
def assigned(pair):
    """Puts the selection in the place of LiteLLM's, by the name that its core in Rust still heeds; what it is asked."""
    router, _, theirs = pair
    core = vars(router).get("_core")
    if not hasattr(core, "_run_steps"):
        pytest.skip("this LiteLLM has no core that heeds it")
    asked = []

    async def pick(**question):
        asked.append(question["model"])
        return theirs.row

    def assign():
        vars(core)["_core_async_get_available_deployment"] = pick
        return asked

    return assign


def test_a_selection_that_is_put_in_the_place_of_litellms_is_asked_once(aask, pair, assigned):
    """Somebody's function; sparekey does not come between."""
    router, sim, _ = pair
    install(router, tracker=sk.CooldownTracker())
    asked = assigned()

    assert aask(router) == "Hi"
    assert asked == ["chat"]
    assert sim.counts == {"sk-a": 0, "sk-b": 1}


def test_a_selection_that_was_there_before_is_back_when_sparekey_goes(aask, pair, assigned):
    """LiteLLM drops it when a strategy is registered."""
    router, sim, _ = pair
    asked = assigned()
    install(router, tracker=sk.CooldownTracker())
    uninstall(router)

    for _ in range(4):
        assert aask(router) == "Hi"

    assert asked == ["chat"] * 4
    assert sim.counts == {"sk-a": 0, "sk-b": 4}


def test_a_process_with_many_routers_loses_none(loop, provider, entry, clock):
    """LiteLLM's own memory needs global callbacks, of which it drops all after the first hundred or so."""
    sim = provider({"sk-a": "no_credit", "sk-b": "healthy"})
    rows = expand_model_list([entry(sim, ["sk-a", "sk-b"])])
    routers = [litellm.Router(model_list=rows) for _ in range(250)]
    for router in routers:
        install(router, tracker=sk.CooldownTracker(clock=clock))

    for _ in range(2):
        loop.run(routers[-1].acompletion("chat", MESSAGES))

    assert sim.counts == {"sk-a": 1, "sk-b": 2}
    for router in routers:
        getattr(router, "retire", router.discard)()
