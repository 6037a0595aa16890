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


# -- written down ------------------------------------------------------------------------------


def test_a_policy_is_written_in_a_few_lines(tmp_path):
    """Beside the model list; what is not said stays as it is."""
    file = tmp_path / "models.yaml"
    file.write_text(
        "model_list: []\n"
        "sparekey_settings:\n"
        "  max_wait: 10\n"
        "  selection: round_robin\n"
        "  reasons:\n"
        "    billing: {cooldown: 60}\n"
        "    overloaded: next_model\n"
        "    rate_limit: {first: 10, cap: 40}\n"
        "    model_not_found: {action: stop}\n"
    )

    policy = sk.load_policy(file)

    assert (policy.max_wait, policy.selection) == (10, "round_robin")
    billing, throttled = policy.rule(sk.Reason.BILLING), policy.rule(sk.Reason.RATE_LIMIT)
    assert [billing.ladder.seconds(n) for n in range(3)] == [60, 60, 60]
    assert billing.scope is sk.Scope.CREDENTIAL
    assert [throttled.ladder.seconds(n) for n in range(4)] == [10, 20, 40, 40]
    assert policy.rule(sk.Reason.OVERLOADED).action is sk.Action.NEXT_MODEL
    assert policy.rule(sk.Reason.MODEL_NOT_FOUND).action is sk.Action.STOP
    assert policy.rule(sk.Reason.AUTH) == sk.Policy().rule(sk.Reason.AUTH)


def test_a_file_without_settings_means_the_default_policy(tmp_path):
    """Most files say nothing."""
    (tmp_path / "m.json").write_text('{"model_list": []}')

    assert sk.load_policy(tmp_path / "m.json") == sk.Policy()
    assert sk.policy_from({"policy": "classic"}) == sk.Policy.classic()


def test_a_reason_that_stopped_goes_on_when_it_is_given_a_cooldown():
    """Cooling something and then stopping would help nobody."""
    policy = sk.policy_from({"reasons": {"content_policy": {"cooldown": 5}}})

    assert policy.rule(sk.Reason.CONTENT_POLICY).action is sk.Action.NEXT_CANDIDATE


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"max_wiat": 3}, "sparekey_settings.max_wiat: is not a setting there is"),
        ({"max_wait": -1}, "sparekey_settings.max_wait: must be 0 or more"),
        ({"reasons": {"tired": "stop"}}, "sparekey_settings.reasons.tired: is not a setting there is"),
        (
            {"reasons": {"auth": "nxt"}},
            "sparekey_settings.reasons.auth.action: must be 'stop', 'next_candidate'",
        ),
        (
            {"reasons": {"auth": {"cooldown": 0}}},
            "sparekey_settings.reasons.auth.cooldown: must be greater than 0",
        ),
        ("fast", "sparekey_settings: must be a mapping of settings"),
    ],
)
def test_a_setting_that_is_wrong_is_one_line_that_names_it(settings, says):
    """A typo is not silently a default."""
    with pytest.raises(sk.ConfigError) as caught:
        sk.policy_from(settings)

    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)
