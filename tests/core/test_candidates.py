"""Candidates: who is tried, in which order, and what makes two of them the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sparekey as sk


def names(candidates):
    return [f"{c.provider}/{c.model}" for c in candidates]


@pytest.mark.parametrize(
    ("primary", "fallbacks", "default", "expected"),
    [
        ("openai/gpt-4o", [], "", ["openai/gpt-4o"]),
        ("gpt-4o", [], "openai", ["openai/gpt-4o"]),
        (" openai/gpt-4o ", [" anthropic/claude-x "], "", ["openai/gpt-4o", "anthropic/claude-x"]),
        ("openrouter/vendor/model:free", [], "", ["openrouter/vendor/model:free"]),
        ("openai/", ["", "  ", "a/b"], "openai", ["a/b"]),
        ("/x", [], "p", ["p//x"]),
        ("", ["a/b"], "", ["a/b"]),
        ("a/b", ["A/B", "a/b"], "", ["a/b"]),
        ("gpt/gpt-4o", ["openai/GPT-4o"], "", ["openai/gpt-4o"]),
        ("z.ai/m", ["z-ai/m", "zai/m"], "", ["zai/m"]),
    ],
)
def test_raw_names_are_parsed_folded_and_deduplicated_in_order(primary, fallbacks, default, expected):
    """Primary first; split at the first slash; provider aliases and case do not make another candidate."""
    assert names(sk.resolve_candidates(primary, fallbacks, default_provider=default)) == expected


def test_an_alias_is_looked_up_before_it_is_parsed():
    """What the lookup does not know is taken as it stands; equals after the lookup are one."""
    aliases = {"best": "openai/gpt-4o"}

    found = sk.resolve_candidates("best", ["openai/gpt-4o", "a/b"], lookup=aliases.get)

    assert names(found) == ["openai/gpt-4o", "a/b"]


def test_a_lookup_that_returns_entries_keeps_two_keys_two_candidates():
    """The defect of the program this descends from: its lookup folded all keys of a model into one."""
    entries = {
        e.model_name: e for e in sk.expand_model_list([{"model_name": "m", "model": "p/m", "api_keys": ["a", "b"]}])
    }

    found = sk.resolve_candidates("m", entries["m"].fallbacks, lookup=entries.get)

    assert len({c.id for c in found}) == 2


def test_three_keys_of_one_model_are_three_candidates_with_three_ids_and_no_key_in_them():
    """What expansion made stays distinct end to end, and shows fingerprints only."""
    keys = ["sk-first-0123456789", "sk-second-0123456789", "sk-third-0123456789"]

    found = sk.candidates_for("m", [{"model_name": "m", "model": "openai/gpt-4o", "api_keys": keys}])

    assert len({c.id for c in found}) == len({c.credential for c in found}) == 3
    assert [c.name for c in found] == ["m", "m__key_1", "m__key_2"]
    for key, candidate in zip(keys, found, strict=True):
        assert key not in f"{candidate!r} {candidate} {candidate.scopes}"
        assert candidate.credential == sk.fingerprint(key)


def test_a_chain_is_its_keys_then_its_fallbacks_breadth_first_and_ends_in_cycles():
    """Keys of the whole group first, then each fallback with its keys, however they point at each other."""
    models = [
        {"model_name": "a", "model": "p/a", "api_keys": ["a1", "a2"], "fallbacks": ["b", "c"]},
        {"model_name": "a", "model": "p/a", "api_keys": ["a3", "a4"]},
        {"model_name": "b", "model": "p/b", "api_keys": ["b1", "b2"], "fallbacks": ["d", "a"]},
        {"model_name": "c", "model": "p/c", "api_key": "c1"},
        {"model_name": "d", "model": "p/d", "api_key": "d1", "fallbacks": ["b"]},
    ]

    chain = sk.candidates_for("a", models)

    by_key = {sk.fingerprint(key): key for key in ["a1", "a2", "a3", "a4", "b1", "b2", "c1", "d1"]}
    assert [by_key[c.credential] for c in chain] == ["a1", "a2", "a3", "a4", "b1", "b2", "c1", "d1"]


def test_an_unknown_name_is_an_error_with_the_nearest_known_one():
    """A typo is answered with what was probably meant."""
    models = [{"model_name": "glm-4.7", "model": "zhipu/glm-4.7"}]

    with pytest.raises(sk.ConfigError, match=r"no entry is called .glm-4-7.; did you mean .glm-4\.7."):
        sk.candidates_for("glm-4-7", models)


def test_an_unknown_fallback_names_whose_it_is():
    """The message leads to the line that has to be mended."""
    models = [{"model_name": "a", "model": "p/a", "fallbacks": ["zzz"]}]

    with pytest.raises(sk.ConfigError, match="no entry is called 'zzz', a fallback of 'a'"):
        sk.candidates_for("a", models)


def test_config_for_finds_the_key_of_each_candidate_of_a_group():
    """Also where two entries share a name."""
    row = {"model_name": "g", "model": "p/m"}
    models = sk.expand_model_list([{**row, "api_keys": ["a", "b"]}, {**row, "api_keys": ["c", "d"]}])

    found = [sk.config_for(c, models).api_key.get_secret_value() for c in sk.candidates_for("g", models)]

    assert found == ["a", "b", "c", "d"]


def test_config_for_an_alien_candidate_is_an_error():
    """A candidate of another list is not silently somebody else."""
    with pytest.raises(sk.ConfigError, match="no entry of the model list is"):
        sk.config_for(sk.Candidate("p", "m", name="nobody"), [{"model_name": "m", "model": "p/m"}])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"api_key": "k"}, {"api_key": "k"}, True),
        ({"api_key": "k"}, {"api_key": " k "}, True),
        ({"api_key": "k"}, {"api_key": "K"}, False),
        ({"api_key": "k"}, {"api_key": "k", "temperature": 1}, True),
        ({"api_key": "k"}, {"api_key": "k", "organization": "acme"}, False),
        ({"api_key": "k"}, {"api_key": "k", "extra_headers": {"Authorization": "Bearer z"}}, False),
        (
            {"aws_access_key_id": "a", "aws_secret_access_key": "s"},
            {"aws_access_key_id": "a", "aws_secret_access_key": "t"},
            False,
        ),
        ({"vertex_project": "a"}, {"vertex_project": "b"}, False),
        ({"max_tokens": 5}, {"max_tokens": 6}, True),
        ({"api_base": "https://a/v1"}, {"api_base": "https://a/v1/"}, True),
        ({"api_base": "https://a/v1"}, {"api_base": "https://b/v1"}, False),
        ({"api_base": "https://u:p@a/v1"}, {"api_base": "https://u:q@a/v1"}, False),
        ({"api_base": "https://a/v1?key=p"}, {"api_base": "https://a/v1?key=q"}, False),
    ],
)
def test_identity_is_provider_model_endpoint_and_every_credential(one, other, same):
    """Settings that bear no credential do not matter; any that does tells two candidates apart."""
    models = [{"model_name": "m", "model": "p/m", **settings} for settings in (one, other)]

    assert (len(sk.candidates_for("m", models)) == 1) is same


def test_no_credential_in_an_address_is_shown():
    """User, password and query of an address are hashed, not shown."""
    (found,) = sk.candidates_for(
        "m", [{"model_name": "m", "model": "p/m", "api_base": "https://usr:pwd@host:8/v1?key=sss"}]
    )

    assert found.endpoint == "host:8/v1"
    assert not any(secret in repr(found) for secret in ("usr", "pwd", "sss"))


def test_ids_are_the_same_in_every_process():
    """What one worker learns of a key must fit the key in another, whatever its hash seed."""
    program = (
        "import sparekey as sk; print([c.id for c in sk.candidates_for('m', [{'model_name': 'm', 'model': 'p/m', "
        "'api_keys': ['a', 'b'], 'api_base': 'http://h/v1', 'organization': 'o'}])])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }

    assert len(runs) == 1


def test_a_reference_is_resolved_before_it_is_hashed(monkeypatch):
    """The fingerprint is the key's, not the variable's name's."""
    monkeypatch.setenv("THE_KEY", "sk-from-the-environment")

    (found,) = sk.candidates_for("m", [sk.ModelConfig(model_name="m", model="p/m", api_key="os.environ/THE_KEY")])

    assert found.credential == sk.fingerprint("sk-from-the-environment")


def test_one_key_has_one_credential_scope_for_all_its_models():
    """A dead key is dead for every model at its provider and endpoint."""
    models = [{"model_name": name, "model": f"p/{name}", "api_key": "k"} for name in ("a", "b")]

    (a,), (b,) = (sk.candidates_for(name, models) for name in ("a", "b"))

    assert a.id != b.id
    assert a.scope_id(sk.Scope.CREDENTIAL) == b.scope_id(sk.Scope.CREDENTIAL)


def test_without_a_credential_the_credential_scope_is_the_candidate_alone():
    """Two local models without keys do not cool each other."""
    a, b = sk.Candidate("p", "a"), sk.Candidate("p", "b")

    assert a.scope_id(sk.Scope.CREDENTIAL) == a.id != b.scope_id(sk.Scope.CREDENTIAL)


def test_a_candidate_is_frozen():
    """It may be a key of a dict, and shared between threads."""
    with pytest.raises(AttributeError):
        sk.Candidate("p", "m").provider = "q"


def test_a_path_is_told_apart_by_case_and_a_host_is_not():
    """Two tenants behind one gateway are two endpoints."""
    rows = [
        {"model_name": "m", "model": "p/m", "api_base": f"https://{host}/{path}"}
        for host, path in (("GW", "a"), ("gw", "A"), ("gw", "a"))
    ]

    assert [c.endpoint for c in sk.candidates_for("m", rows)] == ["gw/a", "gw/A"]


def test_a_fallback_that_is_another_entrys_key_waits_its_turn():
    """Only an entry's own keys go before its fallbacks."""
    rows = [
        {"model_name": "a", "model": "p/a", "api_key": "a1", "fallbacks": ["c", "b__key_1"]},
        {"model_name": "b", "model": "p/b", "api_keys": ["b1", "b2"]},
        {"model_name": "c", "model": "p/c", "api_key": "c1"},
    ]

    assert [c.name for c in sk.candidates_for("a", sk.expand_model_list(rows))] == ["a", "c", "b__key_1"]


def test_config_for_never_gives_another_key():
    """A candidate of an older list, whose key was rotated since, has no entry any more."""
    row = {"model_name": "m", "model": "p/m"}
    (old,) = sk.candidates_for("m", [{**row, "api_key": "old-key"}])

    with pytest.raises(sk.ConfigError, match="no entry of the model list is"):
        sk.config_for(old, [{**row, "api_key": "new-key"}])


def test_a_value_that_looks_like_a_reference_is_followed_once(monkeypatch):
    """What a variable holds is a key, whatever is in it."""
    monkeypatch.setenv("OUTER", "abc${INNER}def")
    models = sk.expand_model_list([{"model_name": "m", "model": "p/m", "api_key": "${OUTER}"}])

    (found,) = sk.candidates_for("m", models)

    assert sk.config_for(found, models).api_key.get_secret_value() == "abc${INNER}def"
    assert found.credential == sk.fingerprint("abc${INNER}def")


def test_a_reference_may_stand_inside_an_address(monkeypatch):
    """A port is often one."""
    monkeypatch.setenv("PORT_OF_IT", "8123")
    (found,) = sk.candidates_for("m", [{"model_name": "m", "model": "p/m", "api_base": "http://h:${PORT_OF_IT}/v1"}])

    assert found.endpoint == "h:8123/v1"


def test_lists_that_were_expanded_apart_are_not_put_together_silently():
    """Two entries of one made name: one of their keys would be lost."""
    row = {"model_name": "x", "model": "p/m"}
    both = [
        *sk.expand_model_list([{**row, "api_keys": ["a", "b"]}]),
        *sk.expand_model_list([{**row, "api_keys": ["c", "d"]}]),
    ]

    with pytest.raises(sk.ConfigError, match="put lists together before they are expanded"):
        sk.expand_model_list(both)


def test_a_provider_without_a_model_is_an_error():
    """Nothing can be asked of it."""
    with pytest.raises(sk.ConfigError, match=r"\(m\): model: names a provider and no model"):
        sk.expand_model_list([{"model_name": "m", "model": "openai/"}])
