"""Policies: plain data, derived in a line, and hashable."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

import sparekey as sk


def test_policies_are_values():
    """Equal when they say the same, usable as keys, and picklable for worker processes."""
    assert sk.Policy() == sk.Policy()
    assert hash(sk.Policy.classic()) == hash(sk.Policy.classic())
    assert pickle.loads(pickle.dumps(sk.Policy.classic())) == sk.Policy.classic()


def test_one_row_is_changed_in_a_line():
    """And the others stay."""
    policy = sk.Policy().with_rule("context_overflow", action=sk.Action.NEXT_MODEL)

    assert policy.rule(sk.Reason.CONTEXT_OVERFLOW).action is sk.Action.NEXT_MODEL
    assert policy.rule(sk.Reason.AUTH) == sk.Policy().rule(sk.Reason.AUTH)


def test_a_changed_row_decides(clock):
    """With it, an overflow passes over the model's other keys and asks the next model."""
    rows = [
        {"model_name": "m", "model": "p/small", "api_keys": ["a", "b"], "fallbacks": ["n"]},
        {"model_name": "n", "model": "p/large", "api_key": "a"},
    ]
    policy = sk.Policy().with_rule("context_overflow", action=sk.Action.NEXT_MODEL)
    chain = sk.FallbackChain(policy=policy, classify=lambda _: sk.Verdict(sk.Reason.CONTEXT_OVERFLOW))
    asked = []

    def fn(candidate):
        asked.append(candidate.model)
        if candidate.model == "small":
            raise ValueError("too long")
        return "ok"

    chain.execute(sk.candidates_for("m", rows), fn)

    assert asked == ["small", "large"]
    assert chain.tracker.snapshot() == {}


def test_one_ladder_is_changed_in_a_line(clock):
    """A shorter lockout for an unpaid account."""
    policy = sk.Policy().with_rule("billing", ladder=sk.Ladder("billing", 60, 2, 600))
    tracker = sk.CooldownTracker(policy, clock=clock)
    tracker.mark_failure("x", "billing")

    assert tracker.remaining("x") == 60


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda: sk.Policy(attempt_timeout=-1), "attempt_timeout must be a positive number of seconds, not -1"),
        (lambda: replace(sk.Policy(), hint_cap=float("nan")), "hint_cap must be a positive number of seconds, not nan"),
        (lambda: sk.Policy().with_rule("tired"), "there is no reason 'tired'; there are auth, rate_limit"),
        (lambda: sk.Policy().with_rule("auth", laddder=None), "a rule has no laddder"),
    ],
)
def test_a_policy_that_cannot_work_is_one_clear_error(change, says):
    """Named, when it is made and not when it is needed."""
    with pytest.raises(sk.ConfigError, match=says):
        change()
