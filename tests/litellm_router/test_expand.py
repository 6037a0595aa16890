"""Rows with several keys become rows with one."""

from __future__ import annotations

import copy

import pytest
from pydantic import SecretStr

import sparekey as sk
from litellm_sparekey import expand_model_list


def row(name="chat", info=None, **params):
    return {"model_name": name, "litellm_params": {"model": "openai/gpt-4o", **params}} | (
        {} if info is None else {"model_info": info}
    )


def ids(rows):
    return [r["model_info"]["id"] for r in rows]


def test_each_key_gets_a_row_of_the_same_group():
    """Three keys are three deployments of one name, equal but for key and id."""
    rows = expand_model_list([row(api_keys=["k1", "k2", "k3"], rpm=10, tags=["paid"])])

    assert {r["model_name"] for r in rows} == {"chat"}
    assert [r["litellm_params"] for r in rows] == [
        {"model": "openai/gpt-4o", "rpm": 10, "tags": ["paid"], "api_key": key} for key in ("k1", "k2", "k3")
    ]
    assert ids(rows) == ["chat__key_0", "chat__key_1", "chat__key_2"]
    assert {r["model_info"]["sparekey_entry"] for r in rows} == {"chat__key_0"}


def test_keys_are_merged_trimmed_and_told_apart_once():
    """``api_key`` goes first; blanks and repeats go away; keys beside ``litellm_params`` count too."""
    rows = expand_model_list(
        [row(api_key=" k1 ", api_keys=["k2", "", None, "k1", SecretStr("k3")]) | {"api_keys": ["k4"]}]
    )

    assert [r["litellm_params"]["api_key"] for r in rows] == ["k1", "k2", "k3", "k4"]
    assert all("api_keys" not in r and "api_keys" not in r["litellm_params"] for r in rows)


def test_references_stay_references():
    """LiteLLM resolves them itself, but not inside a list."""
    rows = expand_model_list([row(api_keys=["os.environ/KEY_ONE", "os.environ/KEY_TWO"])])

    assert [r["litellm_params"]["api_key"] for r in rows] == ["os.environ/KEY_ONE", "os.environ/KEY_TWO"]


def test_numbering_goes_on_where_a_name_repeats():
    """Ids are unique, and an entry is known by its first."""
    rows = expand_model_list([row(api_keys=["k1", "k2"]), row(api_keys=["k3", "k4"])])

    assert ids(rows) == ["chat__key_0", "chat__key_1", "chat__key_2", "chat__key_3"]
    assert [r["model_info"]["sparekey_entry"] for r in rows] == ["chat__key_0"] * 2 + ["chat__key_2"] * 2


def test_an_id_of_the_users_is_the_base():
    """The first key keeps it, with all else that the row says of itself."""
    rows = expand_model_list([row(api_keys=["k1", "k2"], info={"id": "west", "mode": "chat"})])

    assert ids(rows) == ["west", "west__key_1"]
    assert all(r["model_info"]["mode"] == "chat" for r in rows)


def test_a_row_without_a_list_of_keys_stays_as_it_is():
    """It is LiteLLM's own matter."""
    plain = row(api_key="k1", info={"id": "mine"})

    assert expand_model_list([plain, row()]) == [plain, row()]


def test_expanding_twice_changes_nothing():
    """And what is added later is numbered on."""
    once = expand_model_list([row(api_keys=["k1", "k2"])])

    assert expand_model_list(once) == once
    assert ids(expand_model_list([*once, row(api_keys=["k3", "k4"])]))[2:] == ["chat__key_2", "chat__key_3"]


def test_the_input_is_left_alone_and_rows_share_nothing():
    """LiteLLM writes into what it is given."""
    given = [row(api_keys=["k1", "k2"], tags=["paid"], extra_headers={"a": "b"})]
    before = copy.deepcopy(given)

    first, second = expand_model_list(given)
    first["litellm_params"]["tags"].append("free")
    first["litellm_params"]["extra_headers"]["a"] = "c"

    assert given == before
    assert second["litellm_params"]["tags"] == ["paid"]
    assert second["litellm_params"]["extra_headers"] == {"a": "b"}


def test_an_account_is_kept_from_the_provider():
    """LiteLLM sends every parameter it does not know upstream."""
    rows = expand_model_list([row(api_keys=["k1", "k2"], account="org-1")])

    assert all("account" not in r["litellm_params"] for r in rows)
    assert all(r["model_info"]["account"] == "org-1" for r in rows)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (["sk-secret"], "model_list[0]: a row must be a mapping of settings, not str"),
        ([{"litellm_params": {}}], "model_list[0]: model_name: must be a text, and not blank"),
        ([{"model_name": "chat", "model": "x"}], "model_list[0] (chat): litellm_params: is missing"),
        ([{"model_name": "chat", "litellm_params": ["sk-secret"]}], "litellm_params: must be a mapping"),
        ([{"model_name": "chat", "litellm_params": {}}], "litellm_params.model: must be a text, and not blank"),
        ([row(api_keys="sk-secret")], "litellm_params.api_keys: must be a list of keys, not str"),
        ([row(api_keys=["k1", 12])], "litellm_params.api_keys[1]: must be a text, not int"),
        ([row(api_keys=[" ", None])], "model_list[0] (chat): api_keys: has no key in it"),
        ([row(api_keys=[])], "api_keys: has no key in it"),
        (
            [row(info={"id": "a"}), row(info={"id": "a"})],
            "model_list[1] (chat): model_info.id: 'a' is already the id of",
        ),
        (
            [row(api_keys=["k1", "k2"]), row(info={"id": "chat__key_1"})],
            "model_info.id: 'chat__key_1' is already the id of model_list[1] (chat)",
        ),
        (
            [row(api_keys=["k1", "k2"]), row(name="chat__key_1", api_key="k3")],
            "model_info.id: 'chat__key_1' is also the model_name of model_list[1] (chat__key_1)",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_row_and_field(rows, text):
    """And shows no key."""
    with pytest.raises(sk.ConfigError) as caught:
        expand_model_list(rows)

    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "sk-secret" not in str(caught.value)
