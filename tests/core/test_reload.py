"""A chain's own model list: names instead of candidates, and another list while requests are under way."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

import sparekey as sk
from sparekey.simulator import Simulator

ONE, TWO, THREE = (f"sk-reload-{name}-0123456789abcdef" for name in ("alpha", "bravo", "charlie"))
HELLO = [{"role": "user", "content": "Hello"}]


def entry(*keys, name="chat", **settings):
    return {"model_name": name, "model": "openai/gpt-4o", "api_keys": list(keys), **settings}


@pytest.fixture
def chain(clock):
    """A chain of two keys."""
    return sk.FallbackChain(sk.CooldownTracker(clock=clock), models=[entry(ONE, TWO)])


def key_of(chain, candidate):
    return chain.config_for(candidate).api_key.get_secret_value()


def keys_of(chain, name="chat"):
    return [key_of(chain, candidate) for candidate in chain.candidates_for(name)]


# -- names -------------------------------------------------------------------------------------


def test_a_name_stands_for_its_candidates(drive, chain, provider_error):
    """Every way to walk takes a name, tries its keys in order, and finds what is behind each."""
    asked = []

    def fn(candidate):
        asked.append(key_of(chain, candidate))
        if asked[-1] == ONE:
            raise provider_error(401)
        return "hi"

    outcome = drive(chain, "chat", fn)

    assert (outcome.response, asked) == ("hi", [ONE, TWO])
    assert outcome.candidate == chain.candidates_for("chat")[1]


def test_images_take_a_name_too(chain):
    """With records of their own, and the same entry behind the candidate."""
    chain.tracker.mark_failure(chain.candidates_for("chat")[0], "rate_limit")

    async def fn(candidate):
        return key_of(chain, candidate)

    assert chain.execute_image("chat", lambda who: key_of(chain, who)).response == ONE
    assert asyncio.run(chain.aexecute_image("chat", fn)).response == ONE


def test_a_name_that_is_none_and_a_chain_without_a_list_say_so(chain):
    """One line each, before anybody is called."""
    with pytest.raises(sk.ConfigError, match="no entry is called 'chta'; did you mean 'chat'"):
        chain.execute("chta", key_of)
    bare = sk.FallbackChain()
    for ask in (
        lambda: bare.execute("chat", key_of),
        lambda: bare.candidates_for("chat"),
        lambda: bare.config_for(chain.candidates_for("chat")[0]),
    ):
        with pytest.raises(sk.ConfigError, match="has no model list"):
            ask()


def test_a_stranger_has_no_entry(chain):
    """A candidate of another list is not mistaken for one of this."""
    (stranger,) = sk.candidates_for("chat", [entry(THREE)])

    with pytest.raises(sk.ConfigError, match="no entry of the model list is"):
        chain.config_for(stranger)


def test_a_list_is_found_once(chain):
    """A request by name costs no search: the chain is the very same object until the list is another."""
    assert chain.candidates_for("chat") is chain.candidates_for("chat")


# -- another list ------------------------------------------------------------------------------


def test_keys_are_added_dropped_and_turned_without_losing_what_is_known_of_the_others(chain, clock):
    """Records are by fingerprint: the one that stays goes on cooling, and the one that comes back still does."""
    one, two = chain.candidates_for("chat")
    chain.tracker.mark_failure(one, "billing")
    chain.tracker.mark_failure(two, "rate_limit", retry_after=50)

    chain.reload([entry(TWO, THREE)])
    assert keys_of(chain) == [TWO, THREE]
    assert chain.execute("chat", lambda who: key_of(chain, who)).response == THREE

    chain.reload([entry(ONE, TWO)])
    with pytest.raises(sk.FallbackExhaustedError) as all_cool:
        chain.execute("chat", key_of)
    assert [attempt.reason for attempt in all_cool.value.attempts] == ["billing", "rate_limit"]
    assert all_cool.value.retry_after == 50


BAD = {
    "empty": ([], "must be a list of entries"),
    "no list": ("chat", "must be a list of entries"),
    "a whole file": ({"model_list": []}, "must be a list of entries"),
    "nothing": (None, "must be a list of entries"),
    "no entry": ([3], r"model_list\[0\]: an entry must be a mapping"),
    "no model": ([entry(ONE), {"model_name": "b"}], r"model_list\[1\] \(b\): model: is missing"),
    "blank keys": ([entry(" ")], "has no key in it"),
    "a lost fallback": (
        [entry(ONE, TWO), entry(THREE, name="b", fallbacks=["chta"])],
        r"model_list\[1\] \(b\): fallbacks\[0\]: no entry is called 'chta'; did you mean 'chat'",
    ),
    "an unset variable": ([entry("os.environ/NOT_SET_HERE")], "NOT_SET_HERE is not set"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_list_that_cannot_work_changes_nothing(chain, case):
    """It is one line, at construction as later, and the list there is goes on."""
    models, said = BAD[case]

    with pytest.raises(sk.ConfigError, match=said):
        chain.reload(models)
    assert keys_of(chain) == [ONE, TWO]
    if models is not None:
        with pytest.raises(sk.ConfigError, match=said):
            sk.FallbackChain(models=models)


def test_an_expanded_list_and_a_generator_are_lists(chain):
    """What ``expand_model_list`` and ``load_config`` give is taken as it is."""
    chain.reload(sk.expand_model_list([entry(TWO, THREE)]))
    assert keys_of(chain) == [TWO, THREE]

    chain.reload(sk.ModelConfig.model_validate(row) for row in [entry(THREE)])
    assert keys_of(chain) == [THREE]


# -- while requests are under way --------------------------------------------------------------


def test_a_request_ends_with_the_list_it_began_with(drive, chain, provider_error):
    """Its next key is the old list's next key, and the entry of that is still found."""
    asked = []

    def fn(candidate):
        asked.append(key_of(chain, candidate))
        if len(asked) == 1:
            chain.reload([entry(THREE)])
            chain.reload([entry(THREE, timeout=5)])
            raise provider_error(401)
        return "hi"

    assert drive(chain, "chat", fn).response == "hi"
    assert asked == [ONE, TWO]
    assert keys_of(chain) == [THREE]


def test_a_walk_of_a_hosts_own_keeps_its_list(chain, clock):
    """As long as the host has it."""
    run = chain.begin("chat")
    chain.reload([entry(THREE)])

    one = run.next(clock())
    run.failed(TimeoutError(), clock())
    assert [key_of(chain, one), key_of(chain, run.next(clock()))] == [ONE, TWO]


def test_what_nobody_uses_any_more_is_let_go(chain):
    """A list that was exchanged, and the keys in it, live no longer than the last request that began with it."""
    run = chain.begin("chat")
    old = weakref.ref(chain._models.current)
    dropped = chain.candidates_for("chat")[0]

    for _ in range(100):
        chain.reload([entry(THREE)])
    assert old() is not None
    assert len(chain._models._before) <= 2
    del run
    assert old() is None
    with pytest.raises(sk.ConfigError, match="no entry"):
        chain.config_for(dropped)


def test_a_chain_is_let_go_at_once():
    """It holds itself nowhere, so what lives with it, such as a watch, ends with it."""
    gc.disable()
    try:
        chain = sk.FallbackChain(models=[entry(ONE)])
        gone = weakref.ref(chain)
        del chain
        assert gone() is None
    finally:
        gc.enable()


def test_copies_and_pickles_have_their_list(chain):
    """A pickle has no key in it, and finds them again where they are known."""
    data = pickle.dumps(chain)

    assert ONE.encode() not in data
    assert keys_of(pickle.loads(data)) == keys_of(copy.deepcopy(chain)) == [ONE, TWO]
    assert pickle.loads(pickle.dumps(sk.FallbackChain()))._models.current is None


def test_requests_and_reloads_from_many_threads():
    """Keys are turned again and again under load: every request is answered, by a key that answers."""
    good, others = THREE, [f"sk-reload-{n}-0123456789abcdef" for n in range(20)]
    with Simulator({good: "healthy", **dict.fromkeys(others, "revoked")}) as sim:
        lists = [[entry(other, good, api_base=sim.base_url)] for other in others]
        chain = sk.FallbackChain(models=lists[0])

        def ask(candidate):
            behind = chain.config_for(candidate)
            key = behind.api_key.get_secret_value()
            with openai.OpenAI(api_key=key, base_url=behind.api_base, max_retries=0) as client:
                return client.chat.completions.create(model=candidate.model, messages=HELLO)

        def turn_and_ask(number):
            chain.reload(lists[number % len(lists)])
            return chain.execute("chat", ask).response

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(turn_and_ask, range(40)))

        assert len(answers) == 40
        assert sim.counts[good] == 40
        # Four requests may meet the same dead key at once, and nobody meets it after.
        assert max(sim.counts[other] for other in others) <= 4
