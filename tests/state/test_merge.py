"""Three processes, a store that forgets, and news that comes late, twice or never: all end up knowing the same."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

import sparekey as sk
from sparekey._cooldown import NOTHING, Mark, Record, after_failure, after_success, merged
from sparekey._policy import DAY
from sparekey.state import _codec, _store
from sparekey.state._store import Kept

NOW = 1_800_000_000.0
POLICY = sk.Policy()
REASONS = [sk.Reason.BILLING, sk.Reason.AUTH, sk.Reason.RATE_LIMIT, sk.Reason.TIMEOUT]

replicas = st.integers(0, 2)
seconds = st.floats(0, 20)
steps = st.one_of(
    st.tuples(st.just("fail"), replicas, st.sampled_from(REASONS), st.none() | seconds, st.none() | seconds),
    st.tuples(st.just("succeed"), replicas, seconds),
    st.tuples(st.just("reset"), replicas),
    st.tuples(st.just("deliver"), replicas, st.integers(0, 30)),
    st.tuples(st.just("snapshot"), replicas),
    st.tuples(st.just("empty")),
)
histories = st.lists(st.tuples(seconds, steps), max_size=30)
skews = st.tuples(*[st.floats(-5, 5)] * 3)


class World:
    """One record in three processes, with a clock each, and in a store; everything sent goes through its text."""

    def __init__(self, skews):
        self.skews = skews
        self.records = [NOTHING] * 3
        self.kept = {}
        self.sent = []
        self.forgiven = []
        self.now = NOW

    def step(self, kind, *details, ignoring=None):
        if kind == "empty":
            self.kept = {}
            return
        who, *details = details
        now = self.now + self.skews[who]
        before = self.records[who]
        if kind == "fail":
            reason, ago, hint = details
            started_at = None if ago is None else now - ago
            if reason is not ignoring:
                opened = after_failure(before, reason, POLICY, now=now, started_at=started_at, retry_after=hint)
                self.records[who] = opened.record
        elif kind == "deliver":
            self.receive(who, self.sent[details[0] % len(self.sent)] if self.sent else None)
        elif kind == "snapshot":
            self.snapshot(who)
        else:
            started_at = now - details[0] if kind == "succeed" else None
            self.records[who] = after_success(before, started_at, now)
            if self.records[who] is not before:
                self.forgiven.append(self.records[who].cleared_at)
        # A slot for each step, so that two histories that differ in one deliver the same.
        self.sent.append(_codec.kept("x", self.records[who], DAY))

    def receive(self, who, message):
        if message is not None:
            record, doubt = _codec.read(message, self.now + self.skews[who], _codec.longest(POLICY))
            assert doubt is None
            self.records[who] = merged(self.records[who], record)

    def snapshot(self, who):
        """Load all there is, and save what one knows: what a replicator does when it connects."""
        if self.kept:
            self.receive(who, Kept("x", self.kept, NOW + DAY))
        self.kept = _store.merged(self.kept, _codec.kept("x", self.records[who], DAY).fields)


def lived(history, skews, ignoring=None):
    world = World(skews)
    for pause, step in history:
        world.now += pause
        world.step(*step, ignoring=ignoring)
    for who in (0, 1, 2, 0, 1):
        world.snapshot(who)
    return world


@settings(max_examples=300, deadline=None)
@given(histories, skews)
def test_all_end_up_knowing_the_same(history, skews):
    """Whatever was lost or repeated before, one look at what the others know is enough."""
    world = lived(history, skews)
    one, other, third = world.records

    assert one == other == third
    assert _codec.read(Kept("x", world.kept, NOW), world.now + 5, DAY)[0] == one


@settings(max_examples=300, deadline=None)
@given(histories, skews)
def test_only_a_success_that_began_later_forgives(history, skews):
    """A cooldown that is void was forgiven by a success or a reset not older than itself, wherever that was seen."""
    world = lived(history, skews)

    for mark in world.records[0].marks.values():
        if mark.opened_at <= world.records[0].cleared_at:
            assert any(forgiven >= mark.opened_at for forgiven in world.forgiven)
    assert world.records[0].cleared_at == max(world.forgiven, default=NOTHING.cleared_at)


@settings(max_examples=300, deadline=None)
@given(histories, skews)
def test_a_late_429_does_not_shorten_a_billing_cooldown(history, skews):
    """The billing cooldown is what it is without any 429, in every process, and the key cools at least as long."""
    history = [(pause, step) for pause, step in history if step[0] != "reset"]  # which forgives all that was seen
    with_them = lived(history, skews).records[0]
    without = lived(history, skews, ignoring=sk.Reason.RATE_LIMIT).records[0]

    assert with_them.marks.get(sk.Reason.BILLING) == without.marks.get(sk.Reason.BILLING)
    if sk.Reason.BILLING in with_them.live:
        assert with_them.until >= with_them.live[sk.Reason.BILLING].until


past = st.floats(0, NOW)
marks = st.builds(Mark, past, past, st.integers(1, 10**6), st.booleans(), st.integers(1, 10**6))
records = st.builds(Record, past, st.dictionaries(st.sampled_from(list(sk.Reason)), marks, max_size=4))


@settings(max_examples=300, deadline=None)
@given(records, records)
def test_texts_merge_as_records_do(one, other):
    """A store that knows nothing of cooldowns comes to the same as the processes do."""
    texts = _store.merged(_codec.kept("x", one, DAY).fields, _codec.kept("x", other, DAY).fields)

    assert _codec.read(Kept("x", texts, 0), NOW, DAY) == (merged(one, other), None)


def test_replicas_that_meet_again_agree(shelf_store, shelf, until):
    """The same with the real thing: three trackers that learned apart while their store was down."""
    trackers = [sk.CooldownTracker(state=shelf_store()) for _ in range(3)]
    shelf.broken = ConnectionError("down")
    for number, tracker in enumerate(trackers):
        tracker.mark_failure("shared", REASONS[number])
        tracker.mark_failure(f"own {number}", "billing", started_at=time.time())
    trackers[0].mark_success("shared", started_at=time.time() - 60)
    shelf.broken = None

    until(lambda: len(trackers[0].snapshot()) == 4)
    until(lambda: dict(trackers[0].records) == dict(trackers[1].records) == dict(trackers[2].records))
    assert trackers[0].snapshot()["shared"]["counts"].keys() == set(REASONS[:3])
