"""The cooldown tracker: ladders, forgetting, incidents, success, and what it tells."""

from __future__ import annotations

import copy
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sparekey as sk
from sparekey._cooldown import NOTHING, Mark, Record, after_failure, after_success, merged

MINUTE, HOUR = 60, 3600


def climb(tracker, clock, who, reason, steps):
    """Fail, wait the cooldown out, fail again: the lengths of the cooldowns."""
    lengths = []
    for _ in range(steps):
        tracker.mark_failure(who, reason)
        lengths.append(tracker.remaining(who))
        clock.advance(tracker.remaining(who))
    return lengths


# -- classic(): the seed's rows ------------------------------------------------------------


@pytest.fixture
def classic(clock):
    return sk.CooldownTracker(sk.Policy.classic(), clock=clock)


def test_classic_standard_ladder(classic, clock):
    """1 min, 5 min, 25 min, and 1 h from then on."""
    expected = [1 * MINUTE, 5 * MINUTE, 25 * MINUTE, HOUR, HOUR]

    assert climb(classic, clock, "x", "rate_limit", 5) == expected


def test_classic_billing_ladder(classic, clock):
    """5 h, 10 h, 20 h, 24 h."""
    assert climb(classic, clock, "x", "billing", 4) == [5 * HOUR, 10 * HOUR, 20 * HOUR, 24 * HOUR]


def test_classic_standard_counts_errors_of_all_reasons(classic, clock):
    """Billing errors are steps of the standard ladder, but not the other way round."""
    classic.mark_failure("x", "billing")
    classic.mark_failure("x", "rate_limit")
    clock.advance(5 * HOUR)

    assert classic.is_available("x")
    assert (classic.error_count("x"), classic.failure_count("x", "billing")) == (2, 1)
    classic.mark_failure("x", "timeout")
    assert classic.remaining("x") == 25 * MINUTE


def test_classic_longer_of_the_two_wins(classic, clock):
    """A billing cooldown is not shortened by a later 429, nor a 429's hidden by it."""
    classic.mark_failure("x", "billing")
    clock.advance(1)
    classic.mark_failure("x", "rate_limit")

    assert classic.remaining("x") == 5 * HOUR - 1


def test_classic_every_failure_escalates(classic):
    """Four failures of one moment go straight to the hour: the seed's way, kept by name."""
    for _ in range(4):
        classic.mark_failure("x", "rate_limit", started_at=0.0)

    assert classic.remaining("x") == HOUR


def test_classic_ignores_the_providers_time(classic):
    """The seed's ladder is fixed."""
    classic.mark_failure("x", "rate_limit", retry_after=7)

    assert classic.remaining("x") == MINUTE


def test_classic_tells_fewer_reasons_apart(classic):
    """Overloaded counts as rate_limit, server_error and network as timeout."""
    for reason in ("overloaded", "server_error", "network"):
        classic.mark_failure("x", reason)

    assert classic.failure_count("x", "rate_limit") == 1
    assert classic.failure_count("x", "timeout") == 2


def test_available_exactly_at_the_instant_of_expiry(classic, clock):
    """Not a moment later."""
    classic.mark_failure("x", "auth")
    clock.advance(MINUTE - 0.001)
    assert not classic.is_available("x")
    clock.advance(0.001)
    assert classic.is_available("x")


@pytest.mark.parametrize(("pause", "next_length"), [(24 * HOUR, 5 * MINUTE), (24 * HOUR + 1, MINUTE)])
def test_forgetting_needs_more_than_a_day_without_a_failure(classic, clock, pause, next_length):
    """Exactly 24 h still counts; a moment more starts afresh."""
    classic.mark_failure("x", "auth")
    clock.advance(pause)
    classic.mark_failure("x", "auth")

    assert classic.remaining("x") == next_length


def test_success_clears_counters_and_both_cooldowns(classic, clock):
    """And the next failure is a first one."""
    classic.mark_failure("x", "billing")
    classic.mark_failure("x", "auth")
    classic.mark_success("x")

    assert classic.is_available("x")
    assert classic.error_count("x") == 0
    clock.advance(1)
    classic.mark_failure("x", "auth")
    assert classic.remaining("x") == MINUTE


def test_records_are_per_candidate(classic):
    """What one key did says nothing of another."""
    classic.mark_failure("x", "auth")

    assert classic.is_available("y")
    assert classic.remaining("y") == 0


# -- the default policy ---------------------------------------------------------------------


@pytest.fixture
def tracker(clock):
    return sk.CooldownTracker(clock=clock)


@pytest.mark.parametrize(
    ("reasons", "lengths"),
    [
        (["overloaded", "timeout", "server_error", "network"], [5, 10, 20, 40, 80, 160, 300, 300]),
        (["rate_limit", "model_not_found"], [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]),
        (["auth", "billing"], [600, 1200, 2400, 4800, 9600, 19200, 21600, 21600]),
    ],
)
def test_default_ladders(tracker, clock, reasons, lengths):
    """Transient 5 s to 5 min, quotas 30 s to 1 h, credentials 10 min to 6 h; one ladder's reasons climb together."""
    for reason in reasons:
        assert climb(tracker, clock, reason, reason, len(lengths)) == lengths
    tracker.reset()
    mixed = []
    for i in range(len(lengths)):
        tracker.mark_failure("mixed", reasons[i % len(reasons)])
        mixed.append(tracker.remaining("mixed"))
    assert mixed == lengths


@pytest.mark.parametrize("reason", ["format", "context_overflow", "content_policy", "unknown"])
def test_the_callers_mistakes_cool_nothing(tracker, reason):
    """A wrong request says nothing about the key."""
    tracker.mark_failure("x", reason)

    assert tracker.is_available("x")
    assert tracker.snapshot() == {}


@pytest.mark.parametrize(
    ("hint", "length"), [(20, 20), (0.2, 1), (-5, 1), (0, 1), (1e9, 24 * HOUR), (float("nan"), 30), (float("inf"), 30)]
)
def test_the_providers_time_is_used_as_it_is_within_a_second_and_a_day(tracker, hint, length):
    """And what is no number of seconds is no hint."""
    tracker.mark_failure("x", "rate_limit", retry_after=hint)

    assert tracker.remaining("x") == length


def test_a_hint_counts_as_a_step(tracker, clock):
    """The ladder goes on from where the hints left it."""
    tracker.mark_failure("x", "rate_limit", retry_after=20)
    clock.advance(20)
    tracker.mark_failure("x", "rate_limit")

    assert tracker.remaining("x") == 60


def test_one_incident_counts_once(tracker, clock):
    """Failures of calls begun before the cooldown opened belong to it."""
    began = clock()
    clock.advance(1)
    for _ in range(200):
        tracker.mark_failure("x", "rate_limit", started_at=began)

    assert tracker.remaining("x") == 30
    assert tracker.error_count("x") == 1


def test_an_expired_cooldown_still_owns_its_incident(tracker, clock):
    """A slow call of the same burst that fails after the cooldown ended does not open the next rung."""
    began = clock()
    clock.advance(1)
    tracker.mark_failure("x", "timeout", started_at=began)
    clock.advance(60)
    tracker.mark_failure("x", "timeout", started_at=began)

    assert tracker.is_available("x")
    assert tracker.error_count("x") == 1


@pytest.mark.parametrize("ahead", [3, 60, 300])
def test_what_a_clock_ahead_forgave_opens_no_hole(ahead):
    """Placed after another machine's success, a cooldown may end before it opens; the next failure cools as well."""
    policy = sk.Policy()
    known = {}
    for origin in (0.0, float(ahead)):
        record, asked = Record(origin), []
        for now in range(1, 601):
            if record.until <= now:
                asked.append(now)
                record = after_failure(record, sk.Reason.TIMEOUT, policy, now=now + 0.1, started_at=now).record
        known[origin] = asked

    assert known[ahead] == known[0.0]


def test_late_news_may_lengthen_by_the_providers_word(tracker, clock):
    """Of one incident's answers the one that knows the end is believed, and never the shorter of two."""
    began = clock()
    clock.advance(1)
    tracker.mark_failure("x", "rate_limit", started_at=began)
    tracker.mark_failure("x", "rate_limit", started_at=began, retry_after=90)
    tracker.mark_failure("x", "rate_limit", started_at=began, retry_after=10)

    assert tracker.remaining("x") == 90
    assert tracker.error_count("x") == 1


def test_another_ladder_opens_on_its_own(tracker, clock):
    """A late billing error of the same moment is not lost in a throttle."""
    began = clock()
    clock.advance(1)
    tracker.mark_failure("x", "rate_limit", started_at=began)
    tracker.mark_failure("x", "billing", started_at=began)

    assert tracker.remaining("x") == 600


def test_a_success_begun_before_the_cooldown_does_not_clear_it(tracker, clock):
    """The slow answer of an earlier call says nothing about the key now."""
    began = clock()
    clock.advance(1)
    tracker.mark_failure("x", "rate_limit")
    tracker.mark_success("x", started_at=began)
    assert not tracker.is_available("x")
    clock.advance(1)
    tracker.mark_success("x")
    assert tracker.is_available("x")


def test_a_failure_in_the_very_instant_of_a_success_is_not_lost(tracker):
    """Clocks are coarse: what was forgiven and what opens next must not coincide."""
    tracker.mark_failure("x", "timeout")
    tracker.mark_success("x")
    tracker.mark_failure("x", "timeout")

    assert tracker.remaining("x") == 5


def test_a_candidate_is_as_available_as_the_worst_of_its_scopes(tracker):
    """A dead credential cools all its models; a throttled model only itself; a success clears all."""
    rows = [{"model_name": name, "model": f"p/{name}", "api_key": "k"} for name in ("a", "b")]
    (a,), (b,) = (sk.candidates_for(name, rows) for name in ("a", "b"))

    tracker.mark_failure(a, "rate_limit")
    assert (tracker.is_available(a), tracker.is_available(b)) == (False, True)
    tracker.mark_failure(b, "auth")
    assert tracker.remaining(a) == tracker.remaining(b) == 600
    tracker.mark_success(a)
    assert tracker.is_available(a)
    assert tracker.is_available(b)


def test_keys_of_one_account_are_throttled_together(tracker):
    """For the same model: they share the organisation's quota."""
    row = {"model_name": "a", "model": "p/a", "api_keys": ["k1", "k2"], "account": "acme"}
    one, two = sk.candidates_for("a", [row])
    (other,) = sk.candidates_for("b", [{**row, "model_name": "b", "model": "p/b", "api_keys": ["k1"]}])

    tracker.mark_failure(one, "rate_limit")

    assert not tracker.is_available(two)
    assert tracker.is_available(other)


def test_reset_forgets_one_or_all(tracker):
    """For the person who has just topped the account up."""
    for who in ("x", "y"):
        tracker.mark_failure(who, "billing")
    tracker.reset("x")
    assert (tracker.is_available("x"), tracker.is_available("y")) == (True, False)
    tracker.reset()
    assert tracker.is_available("y")
    assert tracker.snapshot() == {}


def test_a_snapshot_says_why_until_when_and_how_often(tracker, clock):
    """Enough for a status page, and no key in it."""
    tracker.mark_failure("x", "rate_limit", retry_after=20)

    assert tracker.snapshot() == {
        "x": {
            "reason": "rate_limit",
            "since": clock(),
            "until": clock() + 20,
            "remaining": 20.0,
            "said_by": "provider",
            "counts": {"rate_limit": 1},
        }
    }


def test_asking_changes_nothing(tracker):
    """No question leaves a record behind."""
    tracker.is_available("x"), tracker.remaining("x"), tracker.error_count("x"), tracker.failure_count("x", "auth")
    tracker.mark_success("x")
    tracker.reset("x")

    assert dict(tracker.records) == {}


def test_many_threads_lose_no_failure(clock):
    """Classic counts every one of them."""
    tracker = sk.CooldownTracker(sk.Policy.classic(), clock=clock)
    threads = [
        threading.Thread(target=lambda: [tracker.mark_failure("x", "timeout") for _ in range(200)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert tracker.error_count("x") == 1600


def test_shared_trackers_are_one_for_each_policy():
    """A model built for each request still remembers."""
    assert sk.shared_tracker() is sk.shared_tracker(sk.Policy())
    assert sk.shared_tracker(sk.Policy.classic()) is sk.shared_tracker(sk.Policy.classic())
    assert sk.shared_tracker() is not sk.shared_tracker(sk.Policy.classic())


def test_a_deep_copy_of_what_uses_a_tracker_uses_the_same(tracker):
    """Frameworks copy models and chains freely."""
    assert copy.deepcopy({"tracker": tracker})["tracker"] is tracker


def test_an_unknown_state_is_an_error():
    """And not silently memory."""
    with pytest.raises(sk.ConfigError, match="'carrier-pigeon' is not a kind of state"):
        sk.CooldownTracker(state="carrier-pigeon://loft")


# -- records merge ---------------------------------------------------------------------------

times = st.integers(0, 50).map(float)
marks = st.builds(Mark, times, times, st.integers(1, 5), st.booleans())
records = st.builds(Record, times, st.dictionaries(st.sampled_from(list(sk.Reason)[:4]), marks, max_size=3))


@given(records, records, records)
def test_merging_is_a_join(a, b, c):
    """Order, repeats and grouping of what other processes say do not matter."""
    assert merged(a, b) == merged(b, a)
    assert merged(a, merged(b, c)) == merged(merged(a, b), c)
    assert merged(a, a) == a


events = st.lists(
    st.tuples(st.sampled_from(["fail", "ok"]), st.sampled_from([sk.Reason.AUTH, sk.Reason.TIMEOUT]), times), max_size=12
)


@given(events)
def test_every_change_wins_a_merge_with_what_it_came_from(history):
    """So that a copy sent to others is never overruled by their older one, even if clocks stand still or step back."""
    record = NOTHING
    for what, reason, now in history:
        before = record
        if what == "fail":
            record = after_failure(record, reason, sk.Policy(), now=now).record
        else:
            record = after_success(record, now, now)
        assert merged(before, record) == record


def test_a_success_between_two_openings_of_one_ladder_does_not_shorten_it():
    """Late news clears nothing of the ladder: its latest cooldown opened after that success began."""
    policy = sk.Policy()
    record = after_failure(NOTHING, sk.Reason.TIMEOUT, policy, now=10).record
    record = after_failure(record, sk.Reason.NETWORK, policy, now=30).record
    record = after_success(record, 20, 40)

    assert after_failure(record, sk.Reason.TIMEOUT, policy, now=50).until == 50 + 20


def test_fail_twice_and_succeed_in_one_instant(clock):
    """A clock that stands still, as a test's does, loses nothing and keeps nothing."""
    for policy in (sk.Policy(), sk.Policy.classic()):
        tracker = sk.CooldownTracker(policy, clock=clock)
        tracker.mark_failure("x", "auth")
        tracker.mark_failure("x", "auth")
        tracker.mark_success("x")

        assert tracker.is_available("x")
        assert tracker.error_count("x") == 0


@given(events, st.floats(0, 1e5))
def test_cooldowns_are_bounded(history, hint):
    """None lasts longer than a day from the failure, and none has ended before it began."""
    record = NOTHING
    for _, reason, now in history:
        opened = after_failure(record, reason, sk.Policy(), now=now, retry_after=hint)
        record = opened.record
        assert now + 1 <= opened.until <= now + 24 * HOUR
