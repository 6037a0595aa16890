"""Expansion: one entry with several keys becomes several entries with one key each."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

import sparekey as sk


def shape(models):
    return [(m.model_name, m.api_key.get_secret_value() if m.api_key else None, m.fallbacks) for m in models]


@pytest.mark.parametrize(
    ("api_key", "api_keys", "expected"),
    [
        (None, None, []),
        ("", [], []),
        ("k1", [], ["k1"]),
        (None, ["k1", "k2"], ["k1", "k2"]),
        ("k1", ["k2", "k3"], ["k1", "k2", "k3"]),
        ("k1", ["k1", "k2", "k1"], ["k1", "k2"]),
        (" k1 ", ["", "  ", " k2"], ["k1", "k2"]),
        (SecretStr("k1"), [SecretStr("k2")], ["k1", "k2"]),
    ],
)
def test_merging_trims_drops_empties_and_repeats_and_keeps_the_order(api_key, api_keys, expected):
    """api_key comes first, then api_keys, each once."""
    assert sk.merge_api_keys(api_key, api_keys) == expected


def test_an_entry_without_a_key_stays_one_entry():
    """No key is no error: a local model needs none."""
    assert shape(sk.expand_model_list([{"model_name": "m", "model": "ollama/llama3"}])) == [("m", None, [])]


def test_a_single_key_in_the_list_becomes_the_api_key():
    """One key stays one entry, keeps its fallbacks and clears api_keys."""
    (only,) = sk.expand_model_list([{"model_name": "m", "model": "p/m", "api_keys": ["k1"], "fallbacks": ["m"]}])

    assert shape([only]) == [("m", "k1", ["m"])]
    assert only.api_keys == []
    assert not only.virtual


def test_many_keys_become_entries_with_keys_before_models_in_the_fallbacks():
    """The first key keeps the name, and falls back to its siblings before its own fallbacks."""
    expanded = sk.expand_model_list(
        [{"model_name": "glm", "model": "zhipu/glm-4.7", "api_keys": ["k1", "k2", "k3"], "fallbacks": ["other"]}]
    )

    assert shape(expanded) == [
        ("glm", "k1", ["glm__key_1", "glm__key_2", "other"]),
        ("glm__key_1", "k2", []),
        ("glm__key_2", "k3", []),
    ]
    assert [entry.virtual for entry in expanded] == [False, True, True]


def test_repeated_keys_do_not_make_entries():
    """k1, k1, k2, k1 are two keys."""
    expanded = sk.expand_model_list([{"model_name": "m", "model": "p/m", "api_keys": ["k1", "k1", "k2", "k1"]}])

    assert [entry.model_name for entry in expanded] == ["m", "m__key_1"]


def test_every_other_setting_is_copied_to_each_key():
    """Address, rpm, timeout, account and settings sparekey does not know are the entry's, key by key."""
    settings = {"api_base": "http://x/v1", "rpm": 10, "timeout": 5, "account": "acme", "proxy": "http://p", "top_k": 3}

    first, second = sk.expand_model_list([{"model_name": "m", "model": "p/m", "api_keys": ["a", "b"], **settings}])

    for entry in (first, second):
        assert {name: getattr(entry, name) for name in settings} == settings


def test_numbering_continues_through_a_repeated_name():
    """Two entries of one name make one group with distinct names for its further keys."""
    row = {"model_name": "g", "model": "p/m"}

    expanded = sk.expand_model_list([{**row, "api_keys": ["a", "b"]}, {**row, "api_keys": ["c", "d"]}])

    assert [entry.model_name for entry in expanded] == ["g", "g__key_1", "g", "g__key_2"]


def test_expanding_twice_changes_nothing():
    """An expanded list may be expanded again."""
    once = sk.expand_model_list([{"model_name": "m", "model": "p/m", "api_keys": ["a", "b"], "fallbacks": ["m"]}])

    assert sk.expand_model_list(once) == once


def test_a_collision_with_a_users_own_name_names_both():
    """An entry called x__key_1 beside an x with two keys is an error, not a silent overwrite."""
    rows = [
        {"model_name": "x", "model": "p/m", "api_keys": ["secret-one", "secret-two"]},
        {"model_name": "x__key_1", "model": "p/m", "api_key": "secret-three"},
    ]

    with pytest.raises(sk.ConfigError, match=r"model_list\[0\] \(x\).*'x__key_1'.*model_list\[1\]") as caught:
        sk.expand_model_list(rows)

    assert "secret" not in str(caught.value)


def test_a_list_of_blanks_is_an_error():
    """Whoever writes a list of keys means to have one: blanks are an unset variable, usually."""
    with pytest.raises(sk.ConfigError, match=r"model_list\[0\] \(m\): api_keys: has no key in it"):
        sk.expand_model_list([{"model_name": "m", "model": "p/m", "api_keys": ["", "  "]}])


def test_references_in_keys_are_resolved_before_they_are_compared(monkeypatch):
    """Two variables with the same key in them are one key."""
    monkeypatch.setenv("KEY_ONE", "the-same")
    monkeypatch.setenv("KEY_TWO", "the-same")

    expanded = sk.expand_model_list(
        [{"model_name": "m", "model": "p/m", "api_keys": ["os.environ/KEY_ONE", "${KEY_TWO}"]}]
    )

    assert shape(expanded) == [("m", "the-same", [])]


def test_a_missing_variable_names_entry_field_and_variable():
    """The one line says where the reference stands and what it wants."""
    rows = [{"model_name": "m", "model": "p/m", "api_keys": ["a", "os.environ/SPAREKEY_NO_SUCH"]}]

    with pytest.raises(sk.ConfigError, match=r"model_list\[0\] \(m\): api_keys\[1\]: .*SPAREKEY_NO_SUCH is not set"):
        sk.expand_model_list(rows)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("text", r"model_list\[0\]: an entry must be a mapping of settings, not str"),
        ({}, r"model_list\[0\]: model_name: is missing; model: is missing"),
        ({"model_name": "m"}, r"model_list\[0\] \(m\): model: is missing"),
        ({"model_name": "m", "model": " "}, r"\(m\): model: must not be blank"),
        (
            {"model_name": "m", "model": "p/m", "api_keys": "hidden-key"},
            r"\(m\): api_keys: must be a list",
        ),
        ({"model_name": "m", "model": "p/m", "api_keys": [7]}, r"\(m\): api_keys\[0\]: must be text"),
        ({"model_name": "m", "model": "p/m", "rpm": -1}, r"\(m\): rpm: must be greater than 0"),
        ({"model_name": "m", "litellm_params": "hidden-key"}, r"litellm_params: must be a mapping"),
        ({"model_name": "m", "model": "p/m", "api_base": "http://[hidden-key"}, r"\(m\): api_base: is not an address"),
        ({"model_name": "m", "model": "p/m", "api_base": "http://h:hidden-key"}, r"\(m\): api_base: is not an address"),
    ],
)
def test_a_malformed_entry_is_one_line_that_names_entry_and_field(row, says):
    """Never pydantic's own report, which would quote the input, and so a key."""
    with pytest.raises(sk.ConfigError, match=says) as caught:
        sk.expand_model_list([row])

    assert "\n" not in str(caught.value)
    assert "hidden-key" not in repr(caught.value)
    assert caught.value.__context__ is None
