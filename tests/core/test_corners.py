"""Corners of the rules, each of which a plausible slip would get wrong unseen."""

from __future__ import annotations

import asyncio

import pytest

import sparekey as sk

KEYS = ["corner-key-0", "corner-key-1", "corner-key-2"]
ROW = {"model_name": "m", "model": "openai/gpt-4o", "api_keys": KEYS}


def chain_of(clock, policy=None, **settings):
    return sk.FallbackChain(sk.CooldownTracker(policy or sk.Policy(**settings), clock=clock))


class Scripted(Exception):  # noqa: N818 - it is not an error but a script
    """Carries the verdict it is read as."""

    def __init__(self, reason, **facts):
        super().__init__(reason)
        self.verdict = sk.Verdict(sk.Reason(reason), **facts)


def scripted(clock, policy=None, **settings):
    tracker = sk.CooldownTracker(policy or sk.Policy(**settings), clock=clock)
    return sk.FallbackChain(tracker, classify=lambda error: error.verdict)


def play(chain, candidates, script):
    """One request: each candidate raises or answers by its place in ``script``; who was asked, and the error."""
    asked = []

    def fn(candidate):
        place = candidates.index(candidate)
        asked.append(place)
        answer = script[place]
        if isinstance(answer, Exception):
            raise answer
        return "ok"

    try:
        chain.execute(candidates, fn)
    except Exception as error:
        return asked, error
    return asked, None


# -- late news, through the drivers ------------------------------------------------------------


async def test_a_slow_success_does_not_forgive_what_opened_while_it_was_under_way(clock, candidates):
    """The request began before the key went bad."""
    chain = chain_of(clock)
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def fn(_candidate):
        under_way.set()
        await go_on.wait()
        return "ok"

    task = asyncio.create_task(chain.aexecute(candidates, fn))
    await under_way.wait()
    clock.advance(1)
    chain.tracker.mark_failure(candidates[0], "rate_limit")
    go_on.set()
    await task

    assert not chain.tracker.is_available(candidates[0])


def test_a_stream_that_breaks_late_belongs_to_the_incident_it_was_part_of(clock, candidates):
    """It began before the cooldown opened, so it is no further step."""
    chain = scripted(clock)

    def fn(_candidate):
        yield 1
        raise Scripted("network")

    chunks = chain.stream(candidates, fn).response
    clock.advance(5)
    chain.tracker.mark_failure(candidates[0], "network")
    clock.advance(5)
    next(chunks)
    with pytest.raises(Scripted):
        next(chunks)

    assert chain.tracker.error_count(candidates[0]) == 1


async def test_calls_under_way_together_are_one_incident_even_when_the_clock_stands_still(clock, candidates):
    """A coarse clock gives them all the same instant."""
    chain = chain_of(clock)

    async def fn(candidate):
        await asyncio.sleep(0)
        if candidate == candidates[0]:
            raise ConnectionResetError
        return "ok"

    await asyncio.gather(*(chain.aexecute(candidates, fn) for _ in range(200)))

    assert chain.tracker.error_count(candidates[0]) == 1


def test_a_reset_forgets_what_opened_in_the_same_instant(clock):
    """Also when a success had just pushed that opening a hair into the future."""
    tracker = sk.CooldownTracker(clock=clock)
    tracker.mark_failure("x", "auth")
    tracker.mark_success("x")
    tracker.mark_failure("x", "auth")
    tracker.reset("x")

    assert tracker.is_available("x")


def test_classic_success_forgives_whenever_it_began(clock):
    """The seed knows no late news."""
    tracker = sk.CooldownTracker(sk.Policy.classic(), clock=clock)
    began = clock()
    clock.advance(1)
    tracker.mark_failure("x", "auth")
    tracker.mark_success("x", started_at=began)

    assert tracker.is_available("x")


def test_a_success_with_nothing_to_forgive_writes_nothing(clock, candidates):
    """Healthy traffic costs no write, and later no publishing of one."""
    chain = chain_of(clock)
    chain.tracker.mark_failure(candidates[0], "auth")
    clock.advance(600)
    chain.execute(candidates, lambda _: "ok")
    forgiven = dict(chain.tracker.records)
    clock.advance(1)
    chain.execute(candidates, lambda _: "ok")

    assert {key: id(record) for key, record in chain.tracker.records.items()} == {
        key: id(record) for key, record in forgiven.items()
    }


def test_the_chains_policy_goes_before_the_trackers(clock, candidates):
    """One memory may serve chains of different tempers."""
    tracker = sk.CooldownTracker(clock=clock)
    policy = sk.Policy().with_rule("auth", ladder=sk.Ladder("auth", 7, 2, 70))
    chain = sk.FallbackChain(tracker, policy, classify=lambda error: error.verdict)

    play(chain, candidates, [Scripted("auth"), "ok", "ok"])

    assert tracker.remaining(candidates[0]) == 7


# -- probes ------------------------------------------------------------------------------------


@pytest.fixture
def recovering(clock, candidates):
    """A chain whose first key has just come back."""

    def build(**settings):
        chain = chain_of(clock, **settings)
        chain.tracker.mark_failure(candidates[0], "rate_limit")
        clock.advance(30)
        return chain

    return build


def test_a_claim_lasts_as_long_as_an_attempt_may(recovering, clock, candidates):
    """Not the 30 seconds of an attempt that nothing limits."""
    chain = recovering(attempt_timeout=5)
    chain.begin(candidates).next(chain.now())

    clock.advance(4.9)
    assert chain.execute(candidates, lambda c: c).response == candidates[1]
    clock.advance(0.1)
    assert chain.execute(candidates, lambda c: c).response == candidates[0]


def test_without_half_open_nobody_waits_for_a_probe(recovering, candidates):
    """A recovered key is everybody's at once."""
    chain = recovering(half_open=False)
    chain.begin(candidates).next(chain.now())

    assert chain.execute(candidates, lambda c: c).response == candidates[0]


def test_a_claim_is_one_request_s(recovering, clock, candidates):
    """Two threads that pick in the same instant do not both hold it."""
    tracker = recovering().tracker

    assert tracker.claim(["a", "b"], clock(), clock() + 5)
    assert not tracker.claim(["b", "c"], clock(), clock() + 5)
    assert tracker.claim(["c"], clock(), clock() + 5)
    tracker.release(["b"], clock() + 99)
    assert not tracker.claim(["b"], clock(), clock() + 5), "somebody else's claim is not given back"
    tracker.release(["b"], clock() + 5)
    assert tracker.claim(["b"], clock(), clock() + 5)


def test_a_probe_the_callers_deadline_ended_is_given_back(recovering, clock, candidates):
    """It had no outcome."""
    chain = recovering()

    def fn(_candidate):
        clock.advance(2)
        raise TimeoutError("the client gave up")

    with pytest.raises(sk.FallbackExhaustedError, match="deadline"):
        chain.execute(candidates, fn, deadline=2)
    assert chain.execute(candidates, lambda c: c).response == candidates[0]


def test_who_is_put_off_for_a_probe_is_told_as_skipped(recovering, candidates):
    """The attempts say why the first key was not asked; and only when it really was not."""
    chain = recovering()
    chain.begin(candidates).next(chain.now())

    (skip,) = chain.execute(candidates, lambda _: "ok").attempts
    assert skip.candidate == candidates[0]
    assert "recovering, another request is trying it" in str(skip.error)
    asked = chain.execute(candidates[:1], lambda _: "ok")
    assert asked.attempts == []


# -- sick endpoints ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "third", "sick"),
    [
        ("network", "network", "auth", True),
        ("network", "auth", "network", False),
        ("network", "server_error", "network", False),
        ("timeout", "server_error", "auth", True),
        ("timeout", "network", "auth", False),
        ("auth", "auth", "auth", False),
    ],
)
def test_an_endpoint_is_suspected_after_two_of_its_own_troubles_in_a_row(clock, candidates, first, second, third, sick):
    """Unreachable and failing are different troubles, and a key's own trouble between breaks the row."""
    chain = scripted(clock)
    play(chain, candidates, [Scripted(first), Scripted(second), Scripted(third)])

    assert any(key.startswith("endpoint:") for key in chain.tracker.snapshot()) is sick


def test_two_timeouts_condemn_the_model_not_the_endpoint(clock, candidates):
    """A slow model says nothing of the others there."""
    chain = scripted(clock)
    play(chain, candidates, [Scripted("timeout"), Scripted("timeout"), "ok"])
    chain = scripted(clock)
    play(chain, candidates, [Scripted("timeout")] * 3)

    (key,) = [key for key in chain.tracker.snapshot() if key.startswith("endpoint:")]
    assert key.endswith("/gpt-4o")


async def test_an_outage_seen_by_many_requests_is_one_step_of_the_endpoints_ladder(clock, candidates):
    """As for keys."""
    chain = scripted(clock)

    async def fn(_candidate):
        await asyncio.sleep(0)
        raise Scripted("server_error")

    await asyncio.gather(*(chain.aexecute(candidates, fn) for _ in range(20)), return_exceptions=True)

    assert chain.tracker.error_count(f"endpoint:{candidates[0].group}") == 1


def test_one_request_is_one_witness(clock):
    """A request that loses ten keys there takes one step of the endpoint's ladder, however long it took."""
    ten = sk.candidates_for("m", [{**ROW, "api_keys": [f"witness-{i}" for i in range(10)]}])
    chain = scripted(clock)

    def fn(_candidate):
        clock.advance(1)
        raise Scripted("overloaded")

    with pytest.raises(sk.FallbackExhaustedError):
        chain.execute(ten, fn)

    assert chain.tracker.error_count(f"endpoint:{ten[0].group}") == 1


def test_two_models_of_unknown_place_are_not_one_endpoint(clock):
    """Without a provider and an address nobody knows where they are."""
    a, b = sk.Candidate("", "a", credential="1"), sk.Candidate("", "b", credential="2")

    assert set(a.endpoints).isdisjoint(b.endpoints)


# -- the bench ---------------------------------------------------------------------------------


def test_the_last_resort_is_the_soonest_to_recover(clock, candidates):
    """Not the first in the list; and one a request."""
    chain = scripted(clock)
    chain.tracker.mark_failure(candidates[0], "overloaded", retry_after=50)
    chain.tracker.mark_failure(candidates[1], "overloaded", retry_after=40)
    chain.tracker.mark_failure(candidates[2], "auth")

    assert play(chain, candidates, [Scripted("overloaded")] * 3)[0] == [1]


def test_a_throttle_the_provider_timed_late_is_no_last_resort(clock, candidates):
    """The second answer of the incident named the end, and that is believed."""
    chain = scripted(clock)
    began = clock()
    clock.advance(1)
    chain.tracker.mark_failure(candidates[0], "rate_limit", started_at=began)
    chain.tracker.mark_failure(candidates[0], "rate_limit", started_at=began, retry_after=90)

    assert play(chain, candidates[:1], ["ok"])[0] == []


@pytest.mark.parametrize("reason", ["auth", "billing", "rate_limit", "model_not_found"])
def test_keys_that_cannot_help_are_not_tried_from_the_bench_either(clock, candidates, reason):
    """Neither as recovered, nor as a last resort, nor after a wait."""
    chain = scripted(clock, max_wait=60)
    chain.tracker.mark_failure(candidates[0], "timeout")
    chain.tracker.mark_failure(candidates[1], "timeout")

    asked, error = play(chain, candidates, ["ok", "ok", Scripted(reason, other_key_helps=False)])

    assert asked == [2]
    assert isinstance(error, sk.FallbackExhaustedError)


def test_the_cooldown_of_a_useless_key_may_end_without_it_being_tried(clock, candidates):
    """Its model was closed for this request meanwhile."""
    chain = scripted(clock)
    chain.tracker.mark_failure(candidates[0], "timeout")
    other = sk.candidates_for("n", [{"model_name": "n", "model": "p/n", "api_key": "corner-key-other"}])
    asked = []

    def fn(candidate):
        asked.append(candidate)
        clock.advance(10)
        if candidate == candidates[1]:
            raise Scripted("auth", other_key_helps=False)
        return "ok"

    chain.execute([*candidates, *other], fn)

    assert asked == [candidates[1], *other]


def test_classic_ignores_that_no_other_key_helps(clock, candidates):
    """The seed tries the next, and cools this one."""
    chain = scripted(clock, sk.Policy.classic())

    asked, _ = play(chain, candidates, [Scripted("auth", other_key_helps=False), "ok", "ok"])

    assert asked == [0, 1]
    assert chain.tracker.remaining(candidates[0]) == 60


def test_classic_never_goes_back(clock, candidates):
    """A key that recovers during the request is not revisited: the seed walks once."""
    chain = chain_of(clock, sk.Policy.classic())
    chain.tracker.mark_failure(candidates[0], "auth")
    clock.advance(59)
    asked = []

    def fn(candidate):
        asked.append(candidate)
        clock.advance(10)
        raise ConnectionResetError

    with pytest.raises(sk.FallbackExhaustedError):
        chain.execute(candidates, fn)
    assert asked == candidates[1:]


def test_all_that_recover_during_a_request_get_their_turn(clock, candidates):
    """Not only the first of them."""
    chain = chain_of(clock)
    for candidate in candidates[:2]:
        chain.tracker.mark_failure(candidate, "auth", retry_after=5)
    asked = []

    def fn(candidate):
        asked.append(candidate)
        clock.advance(6)
        raise ConnectionResetError

    with pytest.raises(sk.FallbackExhaustedError):
        chain.execute(candidates, fn)
    assert asked == [candidates[2], candidates[0], candidates[1]]


def test_a_recovery_at_the_deadline_is_not_waited_for(clock, candidates):
    """There would be no time left to ask."""
    chain = chain_of(clock, max_wait=10)
    for candidate in candidates:
        chain.tracker.mark_failure(candidate, "rate_limit", retry_after=3)
    began = clock()

    with pytest.raises(sk.FallbackExhaustedError):
        chain.execute(candidates, lambda _: "ok", deadline=3)
    assert clock() == began


def test_without_a_last_resort_sick_and_probed_ones_are_still_tried(recovering, clock, candidates):
    """The setting is about cooling candidates; to be put last is not to be left out."""
    chain = recovering(last_resort=False)
    chain.begin(candidates).next(chain.now())
    assert chain.execute(candidates[:1], lambda c: c).response == candidates[0]

    chain = scripted(clock, last_resort=False)
    assert play(chain, candidates, [Scripted("overloaded"), Scripted("overloaded"), "ok"])[0] == [0, 1, 2]
    assert play(chain, candidates[:2], ["ok", "ok"])[0] == []


def test_who_was_put_off_is_heard_of_however_the_request_ends(clock, candidates):
    """The hook hears what the attempts list."""
    heard = []
    tracker = sk.CooldownTracker(clock=clock)
    chain = sk.FallbackChain(tracker, classify=lambda error: error.verdict, on_attempt=heard.append)

    def fn(_candidate):
        clock.advance(2)
        raise Scripted("overloaded")

    with pytest.raises(sk.FallbackExhaustedError) as caught:
        chain.execute(candidates, fn, deadline=4)

    assert [a.candidate for a in heard] == [a.candidate for a in caught.value.attempts]


def test_a_deadline_that_leaves_somebody_untried_says_to_come_back_at_once(clock, candidates):
    """The others may serve now; only time was short."""
    chain = scripted(clock)

    def fn(_candidate):
        clock.advance(5)
        raise Scripted("auth")

    with pytest.raises(sk.FallbackExhaustedError) as caught:
        chain.execute(candidates, fn, deadline=4)

    assert caught.value.retry_after == 0


def test_a_sleep_that_ends_a_hair_early_does_not_fail_the_request(clock, candidates):
    """The request has waited all it may, and there are microseconds to go."""
    clock.sleep = lambda seconds: clock.advance(seconds * 0.999)
    chain = chain_of(clock, max_wait=3)
    chain.tracker.mark_failure(candidates[0], "rate_limit", retry_after=3)

    assert chain.execute(candidates[:1], lambda _: "ok").response == "ok"


# -- whose time it was ---------------------------------------------------------------------------


async def test_an_error_a_client_makes_of_being_ended_is_the_deadlines(candidates):
    """It was cancelled because time was up, whatever it calls that."""
    chain = sk.FallbackChain()

    async def fn(_candidate):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionError("aborted") from None

    with pytest.raises(sk.FallbackExhaustedError, match="deadline"):
        await chain.aexecute(candidates, fn, deadline=0.02)
    assert chain.tracker.snapshot() == {}


def test_a_hang_is_learned_when_the_attempts_own_time_ran_out_just_before_the_deadline(clock, candidates):
    """The smaller of the two ended it."""
    chain = chain_of(clock, attempt_timeout=3.99)

    def fn(_candidate):
        clock.advance(3.99)
        raise TimeoutError("the client gave up")

    with pytest.raises(sk.FallbackExhaustedError):
        chain.execute(candidates, fn, deadline=4)
    assert chain.tracker.failure_count(candidates[0], "timeout") == 1


def test_a_broken_stream_is_counted_once_and_closed(clock, candidates):
    """However often it is asked again."""

    class Source:
        closed = False

        def __iter__(self):
            return self

        chunks = iter([1])

        def __next__(self):
            for chunk in self.chunks:
                return chunk
            raise ConnectionResetError("cut")

        def close(self):
            self.closed = True

    source = Source()
    chain = chain_of(clock, sk.Policy.classic())
    chunks = chain.stream(candidates, lambda _: source).response
    next(chunks)
    with pytest.raises(ConnectionResetError):
        next(chunks)
    with pytest.raises(StopIteration):
        next(chunks)

    assert chain.tracker.error_count(candidates[0]) == 1
    assert source.closed


def test_a_classifier_that_fails_gives_the_probe_back(recovering, clock, candidates):
    """Its error is the user's to see, and no key is stuck behind it."""
    tracker = recovering().tracker

    def classify(_error):
        raise LookupError("my classifier")

    chain = sk.FallbackChain(tracker, classify=classify)
    with pytest.raises(LookupError):
        chain.execute(candidates, lambda _: 1 / 0)
    assert dict(tracker.claims) == {}


def test_a_classifier_may_say_the_reason_as_text(clock, candidates):
    """It is an enumeration of texts."""
    chain = sk.FallbackChain(classify=lambda _: sk.Verdict("auth"))

    with pytest.raises(sk.FallbackExhaustedError) as caught:
        chain.execute(candidates, lambda _: 1 / 0)
    assert caught.value.attempts[0].reason is sk.Reason.AUTH


# -- hosts that choose for themselves ------------------------------------------------------------


def test_a_host_s_last_resort_is_one_a_request_too(clock, candidates):
    """Rank 3 is offered until one was taken."""
    chain = scripted(clock)
    for candidate in candidates:
        chain.tracker.mark_failure(candidate, "timeout")
    run = chain.begin(candidates)

    assert [run.rank(c, chain.now()) for c in candidates] == [3, 3, 3]
    run.take(candidates[0], chain.now())
    run.failed(Scripted("timeout"), chain.now())
    assert [run.rank(c, chain.now()) for c in candidates] == [None, None, None]


def test_a_host_is_not_offered_a_model_that_no_key_can_reach(clock, candidates):
    """The verdict closes the model for this request."""
    chain = scripted(clock)
    run = chain.begin(candidates)
    run.take(candidates[0], chain.now())
    run.failed(Scripted("model_not_found", other_key_helps=False), chain.now())

    assert [run.rank(c, chain.now()) for c in candidates] == [None, None, None]


def test_a_host_may_wait_and_then_ask_the_same_again(clock, candidates):
    """Who was tried before the wait is offered after it."""
    chain = scripted(clock, max_wait=30)
    run = chain.begin(candidates[:1])
    run.take(candidates[0], chain.now())
    run.failed(Scripted("rate_limit", retry_after=9), chain.now())

    assert run.wait(chain.now()) == 9
    clock.advance(9)
    assert run.rank(candidates[0], chain.now()) == 0
    run.take(candidates[0], chain.now())
    run.failed(Scripted("rate_limit", retry_after=25), chain.now())
    assert run.wait(chain.now()) == 0


# -- affinity ----------------------------------------------------------------------------------


def test_entries_that_share_a_name_share_the_conversations(clock):
    """Two entries of one group are two keys, whatever they are called."""
    row = {"model_name": "g", "model": "p/m"}
    pair = sk.candidates_for("g", [{**row, "api_key": "one"}, {**row, "api_key": "two"}])
    chain = chain_of(clock)
    served = [chain.execute(pair, lambda c: c.id, affinity=f"chat-{i}").response for i in range(64)]

    assert {served.count(candidate.id) > 16 for candidate in pair} == {True}
