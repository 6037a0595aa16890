"""``sparekey classify``: every decision can be explained before it is made."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import sparekey as sk
from sparekey.cli.classify import explain


def run(*args, text=""):
    """The command as a user runs it."""
    program = "from sparekey.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "classify", *args], input=text, capture_output=True, text=True, check=False
    )


PASTED = (
    "openai.RateLimitError: Error code: 429 - {'error': {'message': 'You exceeded your current quota, please check "
    "your plan and billing details.', 'type': 'insufficient_quota', 'param': None, 'code': 'insufficient_quota'}}"
)


def test_a_pasted_error_is_explained():
    """Billing behind a 429: the key cools for all its models."""
    done = run(PASTED)

    assert done.returncode == 0
    for words in ("billing", "429", "the key, for all its models, for 10m", "the next candidate"):
        assert words in done.stdout


@pytest.mark.parametrize("how", ["file", "stdin"])
def test_an_error_in_a_file_or_on_standard_input(how, tmp_path):
    """However it is at hand."""
    (tmp_path / "error.txt").write_text(PASTED)
    done = run(str(tmp_path / "error.txt")) if how == "file" else run("-", text=PASTED)

    assert "billing" in done.stdout


def test_a_response_is_explained_with_the_providers_own_time():
    """Status, headers and body as they came over the wire."""
    body = json.dumps({"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}})
    done = run("--status", "429", "--body", body, "--header", "retry-after: 20", "--json")

    assert json.loads(done.stdout) == {
        "reason": "rate_limit",
        "status": 429,
        "retry_after": 20,
        "other_key_helps": True,
        "other_model_helps": True,
        "action": "next_candidate",
        "cools": "account",
        "cooldown": 20,
        "cooldown_from": "provider",
    }


def test_the_policy_of_a_config_decides(tmp_path):
    """What is written down is what would happen."""
    (tmp_path / "m.yaml").write_text("sparekey_settings: {reasons: {billing: {cooldown: 60}}}")

    assert "for 1m" in run(PASTED, "--config", str(tmp_path / "m.yaml")).stdout


def test_an_error_nobody_knows_stops():
    """And cools nothing."""
    done = run("something odd happened on the way to the forum")

    assert "nothing is known of it" in done.stdout
    assert "stops" in done.stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "error: classify: nothing to read: paste an error"),
        (("--status", "429", "--header", "nonsense"), "error: --header: must be 'name: value', not 'nonsense'"),
        ((PASTED, "--config", "/no/such.yaml"), "error: /no/such.yaml: cannot be read: No such file or directory"),
    ],
)
def test_bad_input_is_one_line(args, says):
    """On stderr, with exit code 2 and no traceback."""
    done = run(*args)

    assert done.returncode == 2
    assert done.stderr.startswith(says)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("reason", list(sk.Reason))
def test_every_reason_is_explained_as_the_policy_has_it(reason):
    """The explanation is a dry run of the engine, so it cannot say something else."""
    rule = sk.Policy().rule(reason)

    facts = explain(sk.Verdict(reason), sk.Policy())

    assert facts["action"] == rule.action.value
    assert facts["cools"] == (rule.scope.value if rule.ladder else None)
    assert facts["cooldown"] == (rule.ladder.first if rule.ladder else None)
