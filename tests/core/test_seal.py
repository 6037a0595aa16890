"""What leaves the process holds no key, and what comes back has it again."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

import sparekey as sk

KEY = "sk-sealed-0123456789abcdef"
ROW = {"model_name": "chat", "model": "openai/gpt-4o"}
READ = "import pickle, sys; print(pickle.load(sys.stdin.buffer).api_key.get_secret_value())"


def elsewhere(data, **variables):
    """What another process makes of a pickle: its output, and its last line of trouble."""
    done = subprocess.run(
        [sys.executable, "-c", READ], input=data, capture_output=True, env={**os.environ, **variables}, check=False
    )
    return done.stdout.decode().strip(), done.stderr.decode().strip().rpartition("\n")[2]


@pytest.mark.parametrize(
    "settings",
    [
        {"api_key": KEY},
        {"api_keys": [KEY, "sk-second-0123456789abcdef"]},
        {"api_base": f"https://user:{KEY}@provider.invalid/v1"},
        {"default_headers": {"Authorization": f"Bearer {KEY}", "X-Other": ["plain", KEY]}},
        {"token": SecretStr(KEY)},
        {"note": f"not a setting for keys, and yet: {KEY}"},
        {"api_key": "k1"},
        {"api_key": "seed", "seed": 1, "extra_body": {"seed": {"k": "seed"}}},
        {
            "api_key": 'pa"ss/w?rd-0123',
            "extra_body": {"raw": '{"k": "pa\\"ss/w?rd-0123"}', "url": "pa%22ss%2Fw%3Frd-0123"},
        },
    ],
    ids=str,
)
def test_a_pickled_entry_holds_no_key_and_is_the_same_again(settings):
    """Wherever in it the key stands; in the process that knows it."""
    (entry, *_) = sk.expand_model_list([{**ROW, **settings}])
    data = pickle.dumps(entry)
    again = pickle.loads(data)

    assert KEY.encode() not in data
    assert again == entry
    assert again.resolved


def test_another_process_follows_the_reference():
    """The key is read where the model is used, from where the config says."""
    os.environ["SEALED_TEST_KEY"] = KEY
    try:
        (entry,) = sk.expand_model_list([{**ROW, "api_key": "os.environ/SEALED_TEST_KEY"}])
        data = pickle.dumps(entry)
    finally:
        del os.environ["SEALED_TEST_KEY"]

    assert KEY.encode() not in data
    assert elsewhere(data, SEALED_TEST_KEY="sk-rotated-0123456789")[0] == "sk-rotated-0123456789"
    assert elsewhere(data)[1].endswith("the environment variable SEALED_TEST_KEY is not set")


def test_another_process_that_knows_no_key_says_which():
    """By its fingerprint, with what to do about it."""
    written = "sk-written-0123456789abcdef"
    (entry,) = sk.expand_model_list([{**ROW, "api_key": written}])

    trouble = elsewhere(pickle.dumps(entry))[1]
    assert f"this process does not know the key {sk.fingerprint(written)}" in trouble
    assert "os.environ/NAME" in trouble


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_whatever_is_sealed_comes_back(value):
    """Seals change nothing but what is secret."""
    assert sk.unseal(pickle.loads(pickle.dumps(sk.seal(value)))) == value


def test_a_tracker_is_the_same_again_in_its_process():
    """A model that was pickled goes on remembering with the others."""
    private, classic = sk.CooldownTracker(), sk.shared_tracker(sk.Policy.classic())

    assert pickle.loads(pickle.dumps(private)) is private
    assert pickle.loads(pickle.dumps(classic)) is classic


def test_trackers_that_travel_together_stay_together():
    """In another process two models with one memory still have one, and a stranger's has its own policy."""
    mine = sk.CooldownTracker(sk.Policy(max_wait=7))
    program = (
        "import pickle, sys, sparekey as sk; one, two, shared = pickle.load(sys.stdin.buffer); "
        "print(one is two, one.policy.max_wait, shared is sk.shared_tracker())"
    )
    data = pickle.dumps([mine, mine, sk.shared_tracker()])
    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=True)

    assert done.stdout.decode().split() == ["True", "7", "True"]


def test_an_object_that_keeps_a_secret_is_refused_rather_than_written():
    """A seal cannot take its place inside."""

    class Login(BaseModel):
        password: SecretStr

    (entry,) = sk.expand_model_list([{**ROW, "login": Login(password=SecretStr(KEY))}])
    with pytest.raises(sk.ConfigError, match="a Login keeps a secret and cannot be sealed"):
        pickle.dumps(entry)
