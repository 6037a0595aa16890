"""The engine by itself: invariants over random requests, and the hooks of a host that picks for itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

import sparekey as sk
from sparekey._run import Run

CHAIN = [sk.Candidate("p", f"m{i % 2}", name=f"c{i}", credential=f"{i:012x}") for i in range(5)]
REASONS = [reason for reason in sk.Reason if sk.Policy().rule(reason).ladder is not None]


class ScriptedError(Exception):
    """What a scripted call raises; the verdict is in it."""

    def __init__(self, verdict):
        super().__init__("failed")
        self.verdict = verdict


def read(error):
    return error.verdict


answers = st.lists(
    st.one_of(
        st.just("ok"),
        st.builds(
            sk.Verdict,
            st.sampled_from(list(sk.Reason)),
            retry_after=st.none() | st.floats(0, 100),
            other_key_helps=st.booleans(),
        ),
    ),
    min_size=len(CHAIN),
    max_size=len(CHAIN),
)
cooling = st.lists(st.none() | st.sampled_from(REASONS), min_size=len(CHAIN), max_size=len(CHAIN))
policies = st.sampled_from([sk.Policy(), sk.Policy.classic()])


def walk(policy, already, script):
    """One request against a script; (asked, outcome, tracker before, error)."""
    clock = iter(range(1_000_000, 2_000_000)).__next__
    tracker = sk.CooldownTracker(policy, clock=clock)
    for candidate, reason in zip(CHAIN, already, strict=True):
        if reason is not None:
            tracker.mark_failure(candidate, reason, retry_after=500)
    available = {c for c in CHAIN if tracker.is_available(c)}
    run = Run(CHAIN, tracker, policy, read)
    asked = []
    while (candidate := run.next(clock())) is not None:
        asked.append(candidate)
        answer = script[CHAIN.index(candidate)]
        if answer == "ok":
            run.succeeded(clock())
            return asked, candidate, available, run
        if (fatal := run.failed(ScriptedError(answer), clock())) is not None:
            return asked, fatal, available, run
    return asked, run.exhausted(clock()), available, run


@given(policies, cooling, answers)
def test_a_request_ends_and_asks_nobody_twice(policy, already, script):
    """Whatever the script."""
    asked, _, _, _ = walk(policy, already, script)

    assert len(asked) == len(set(asked)) <= len(CHAIN)


@given(policies, cooling, answers)
def test_ready_candidates_are_asked_in_order_before_any_other(policy, already, script):
    """Selection keeps the order given; one cooling candidate at most is tried, and last."""
    asked, _, available, _ = walk(policy, already, script)

    ready = [c for c in asked if c in available]
    assert ready == sorted(ready, key=CHAIN.index)
    assert asked[: len(ready)] == ready
    assert len(asked) - len(ready) <= (1 if policy.last_resort else 0)


@given(cooling, answers)
def test_classic_never_asks_a_cooling_candidate(already, script):
    """The seed's rule."""
    asked, _, available, _ = walk(sk.Policy.classic(), already, script)

    assert set(asked) <= available


@given(policies, cooling, answers)
def test_a_request_succeeds_when_a_ready_candidate_can_serve_and_nothing_stops_it(policy, already, script):
    """There is no retry count: every eligible key is tried."""
    _, outcome, available, _ = walk(policy, already, script)
    stops = [a for a in script if a != "ok" and policy.rule(a.reason).action is sk.Action.STOP]
    spares = [a for a in script if a != "ok" and not a.other_key_helps]

    if not stops and not spares and any(c in available and a == "ok" for c, a in zip(CHAIN, script, strict=True)):
        assert isinstance(outcome, sk.Candidate)


@given(policies, cooling, answers)
def test_every_candidate_is_accounted_for_when_all_is_exhausted(policy, already, script):
    """Failed or skipped, nobody is missing from the list; each skip has a text and no duration."""
    _, outcome, _, _ = walk(policy, already, script)

    if isinstance(outcome, sk.FallbackExhaustedError):
        assert {a.candidate for a in outcome.attempts} == set(CHAIN)
        assert all(a.error is not None for a in outcome.attempts)
        assert all(a.duration == 0 for a in outcome.attempts if a.skipped)


@given(cooling, answers)
def test_only_what_the_table_says_cools(already, script):
    """A stop marks nobody, and neither does an answer that no other key could better."""
    policy = sk.Policy()
    *_, run = walk(policy, already, script)

    for attempt in run.attempts():
        if not attempt.skipped and attempt.reason is not None:
            verdict = script[CHAIN.index(attempt.candidate)]
            stops = policy.rule(verdict.reason).action is sk.Action.STOP
            assert (attempt.cooldown is None) >= stops


def test_a_host_may_choose_among_the_ready(candidates, clock):
    """LiteLLM's router balances by its own lights; what it took is not offered again."""
    chain = sk.FallbackChain(sk.CooldownTracker(clock=clock), classify=read)
    chain.tracker.mark_failure(candidates[0], "auth")
    run = chain.begin(candidates)

    assert [run.rank(c, chain.now()) for c in candidates] == [None, 0, 0]
    run.pass_over(candidates[0], chain.now())
    run.take(candidates[2], chain.now())
    assert run.failed(ScriptedError(sk.Verdict(sk.Reason.TIMEOUT)), chain.now()) is None
    assert [run.rank(c, chain.now()) for c in candidates] == [None, 0, None]
    run.take(candidates[1], chain.now())
    run.failed(ScriptedError(sk.Verdict(sk.Reason.TIMEOUT)), chain.now())

    assert [run.rank(c, chain.now()) for c in candidates] == [None, None, None]
    assert run.wait(chain.now()) == 0
    assert [(a.candidate, a.skipped) for a in run.exhausted(chain.now()).attempts] == [
        (candidates[0], True),
        (candidates[2], False),
        (candidates[1], False),
    ]
