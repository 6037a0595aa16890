"""A config as text: what must change changes, in place."""

from __future__ import annotations

import textwrap

import pytest
import yaml

import sparekey as sk
from litellm_sparekey import expand_config, expand_config_text

TAIL = "litellm_settings:\n  callbacks:\n    - litellm_sparekey.proxy.callback\n"


def text(block):
    return textwrap.dedent(block).lstrip("\n")


def expanded(given):
    """The expanded text, which LiteLLM's reader sees as it sees the expanded mapping, and which stays so."""
    found = expand_config_text(given)
    assert yaml.safe_load(found) == expand_config(yaml.safe_load(given))
    assert expand_config_text(found) == found
    return found


def test_a_comment_goes_with_what_is_written_anew():
    """Beside a value that becomes a list, and beside keys that move into their row's parameters."""
    given = text("""
        model_list:
          - model_name: chat
            api_keys: [a, b]  # ours
            litellm_params:
              model: x
        litellm_settings:
          callbacks: prometheus  # metrics
        """)

    expanded = expand_config_text(given)

    assert "api_key: a  # ours" in expanded
    assert "callbacks:  # metrics" in expanded


def test_comments_order_and_quotes_stay():
    """A row is repeated as it is written; what is said beside a key goes with it."""
    given = text("""
        # Our proxy.
        model_list:
          # The good ones.
          - model_name:   chat   # big
            litellm_params:
                model: 'openai/gpt-4o'
                api_keys:  # paid
                  - os.environ/A
                  # the second team
                  - "sk-two"   # until May
                rpm:   60
            model_info: {mode: chat}

          # The rest.
          - {model_name: b, litellm_params: {model: x, api_key: os.environ/C}}   # one key

        router_settings: {fallbacks: [ {chat: [b]} ]}
        litellm_settings:
          callbacks:
          - prometheus   # metrics
          drop_params:   yes
    """)
    assert expanded(given) == text("""
        # Our proxy.
        model_list:
          # The good ones.
          - model_name:   chat   # big
            litellm_params:
                model: 'openai/gpt-4o'
                # paid
                api_key: os.environ/A
                rpm:   60
            model_info: {mode: chat, id: chat__key_0, sparekey_entry: chat__key_0}
          - model_name:   chat   # big
            litellm_params:
                model: 'openai/gpt-4o'
                # the second team
                api_key: "sk-two"  # until May
                rpm:   60
            model_info: {mode: chat, id: chat__key_1, sparekey_entry: chat__key_0}

          # The rest.
          - {model_name: b, litellm_params: {model: x, api_key: os.environ/C}}   # one key

        router_settings: {fallbacks: [ {chat: [b]} ]}
        litellm_settings:
          callbacks:
          - prometheus   # metrics
          - litellm_sparekey.proxy.callback
          drop_params:   yes
    """)


def test_a_row_in_braces_stays_in_braces():
    """And an account moves with it."""
    given = "model_list: [{model_name: a, litellm_params: {model: x, account: o, api_keys: [k1, 'k 2']}}]\n" + TAIL
    assert expanded(given) == (
        "model_list: [{model_name: a, litellm_params: {model: x, api_key: k1}, "
        "model_info: {account: o, id: a__key_0, sparekey_entry: a__key_0}}, "
        "{model_name: a, litellm_params: {model: x, api_key: 'k 2'}, "
        "model_info: {account: o, id: a__key_1, sparekey_entry: a__key_0}}]\n" + TAIL
    )


def test_keys_that_stand_in_several_places_are_gathered():
    """``api_key`` first, then both lists; what is said in a list goes where its key goes."""
    given = text("""
        model_list:
        - api_keys: [three, one]
          model_name: a
          litellm_params:
            api_key: one  # the first
            model: x
            api_keys:
            - two  # the second
    """)
    head, *rows = expanded(given + TAIL).removesuffix(TAIL).split("- model_name: a\n")
    info = "  model_info:\n    id: a__key_{}\n    sparekey_entry: a__key_0\n"
    assert head == "model_list:\n"
    assert rows == [
        "  litellm_params:\n    api_key: one  # the first\n    model: x\n" + info.format(0),
        "  litellm_params:\n    api_key: two  # the second\n    model: x\n" + info.format(1),
        "  litellm_params:\n    api_key: three\n    model: x\n" + info.format(2),
    ]


def test_aliases_and_merges_stay_where_they_can():
    """What they bring that must go, a list of keys, is written out."""
    given = text("""
        x-keys: &keys [os.environ/A, "b"]
        x-limits: &limits {rpm: 1}
        x-both: &both {api_keys: [c, d], rpm: 2}
        model_list:
          - model_name: a
            litellm_params:
              <<: *limits
              model: x
              api_keys: *keys
          - &b
            model_name: b
            litellm_params: &params
              <<: *both
              model: y
          - model_name: c
            litellm_params: *params
          - <<: *b
            model_name: d
    """)
    found = expanded(given)
    assert found.startswith(given[: given.index("x-both")])
    assert found.count("<<: *limits") == 2
    assert "api_keys" not in found[found.index("model_list") :]


def test_an_anchor_is_named_once():
    """A row may have some; what refers to them means the first of its copies."""
    given = text("""
        model_list:
          - model_name: a   # kept
            litellm_params: {model: x, tags: &tags [t], api_keys: [k1, k2]}
          - model_name: b
            litellm_params: {model: x, tags: *tags, api_key: k3}
    """)
    found = expanded(given)
    assert found.count("# kept") == 2
    assert (found.count("&tags [t]"), found.count("tags: [t]"), found.count("*tags")) == (1, 1, 1)


def test_what_goes_may_stand_just_before_what_comes():
    """A list at the end of its row, after the place where the id is put."""
    given = text("""
        model_list:
          - model_name: a   # kept
            litellm_params: {model: x}
            model_info:
              mode: chat
            api_keys: [k1]
    """)
    assert expanded(given + TAIL) == (
        text("""
            model_list:
              - model_name: a   # kept
                litellm_params: {model: x, api_key: k1}
                model_info:
                  mode: chat
                  id: a__key_0
                  sparekey_entry: a__key_0
        """)
        + TAIL
    )


def test_a_row_may_end_with_a_text_of_several_lines():
    """What is said before the next row is said once."""
    given = text("""
        model_list:
          - model_name: a   # kept
            litellm_params:
              model: x
              api_keys: [k1, k2]
              prompt: |
                Be kind.

          # next
          - model_name: b
            litellm_params: {model: y}
    """)
    found = expanded(given)
    assert (found.count("# kept"), found.count("Be kind."), found.count("\n\n  # next\n")) == (2, 2, 1)


def test_what_cannot_be_repeated_is_written_anew():
    """An anchor in a row with several keys, that a row without them repeats, must not bring it an id."""
    given = text("""
        # Kept.
        model_list:
          - model_name: a
            litellm_params: {model: x, api_keys: [k1, k2]}
            model_info: &info {mode: chat}
          - model_name: b
            litellm_params: {model: y}
            model_info: *info
    """)
    assert expanded(given).startswith("# Kept.\nmodel_list:\n  - model_name: a\n")


def test_a_config_whose_anchors_cannot_be_had_is_refused():
    """Rather than be written wrong."""
    given = text("""
        model_list:
          - &row
            model_name: a
            litellm_params: {model: x, api_keys: [k1, k2]}
        x-rows: [*row]
    """)
    with pytest.raises(sk.ConfigError, match=r"^config\.yaml: its anchors and aliases are such"):
        expand_config_text(given)


@pytest.mark.parametrize(
    "given",
    [
        '{"model_list": [{"model_name":"a","litellm_params":{"model":"x","api_keys":["a","b"]}}]}',
        '{\n "model_list": [\n  {"model_name": "a", "litellm_params": {"model": "x", "api_keys": ["a", "b"]}}\n ]\n}\n',
        "%YAML 1.1\n---\nmodel_list:\n- model_name: a\n  litellm_params: {model: x, api_keys: [a, b]}\n...\n# tail\n",
        "model_list:\n-\n  # c\n  model_name: a\n  litellm_params: {model: x, api_keys: [a, b]}\n",
        "model_list:\n- model_name: a\n  litellm_params:\n    model: x\n    ? api_keys\n    : - a\n      - b\n",
        "model_list:\n- litellm_params: {model: x}\n  api_keys:\n  - >-\n   a\n  - |\n   b\n  model_name: a\n",
        "model_list: [{api_key: a, api_keys: [b], model_name: n, litellm_params: {api_keys: [d], model: x}}]",
        "model_list: [{litellm_params: {model: x, api_key: c, api_keys: [d], account: o}, model_name: n}]",
        "model_list: [{model_name: a, litellm_params: {model: x}, api_key: a, account: o}]",
        "model_list: !!seq\n- !!map\n  model_name: a\n  litellm_params: {model: x, api_keys: [!!str 12, b]}\n",
        "model_list:\n- model_name: a\n  litellm_params: {model: x, api_keys: [&k a, b, *k]}\n",
        "x: &n api_keys\nmodel_list:\n- model_name: a\n  litellm_params: {model: x, *n : [a, b]}\n",
        "model_list:\n- model_name: a\n  litellm_params: {model: x, api_keys: [a, b]}",
        "model_list:\n- model_name: a\n  litellm_params: {model: x, api_keys: [a, b]}\n  model_info:\n",
        "general_settings: {}",
        "{}",
        "litellm_settings:\n",
        "model_list:\n",
        "x: !!set {a, b}\n",
    ],
)
def test_however_it_is_written_it_says_what_it_must(given):
    """JSON, directives, tags, folded texts, aliases in odd places."""
    expanded(given)


@pytest.mark.parametrize(
    "key", ["0x1F", "1e5", "yes", "null", "~", "a#b", "a #b", "a: b", "é", "it's", "&a", "12:30", "${X}"]
)
@pytest.mark.parametrize("quoted", ["'{}'", '"{}"'])
def test_a_key_stays_the_text_it_was(key, quoted):
    """Whatever else it looks like to YAML."""
    written = quoted.format(key.replace("'", "''") if quoted[0] == "'" else key)
    for listed in (f"[{written}, b]", f"\n    - {written}\n    - b", f"&list [{written}, b]"):
        found = expanded(f"model_list:\n- model_name: a\n  litellm_params:\n    model: x\n    api_keys: {listed}\n")
        assert yaml.safe_load(found)["model_list"][0]["litellm_params"]["api_key"] == key


def test_line_ends_and_a_mark_at_the_beginning_stay():
    """As Windows' editors write them."""
    lines = ["\ufeff# c", "model_list:", "- model_name: a", "  litellm_params:", "    model: x", "    api_keys:"]
    given = "\r\n".join([*lines, "    - a  # one", "    - b", ""])
    found = expanded(given)
    assert found.startswith("\ufeff# c\r\n")
    assert "\n" not in found.replace("\r\n", "")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("", "config.yaml: is empty"),
        ("# nothing\n", "config.yaml: is empty"),
        ("- sk-secret", "config.yaml: must be a mapping of settings, not list"),
        ("sk-secret", "config.yaml: must be a mapping of settings, not str"),
        ("a: 1\n---\nb: sk-secret\n", "config.yaml:2:1: not valid YAML: a second document begins"),
        ("model_list: []\nmodel_list: [sk-secret]", "config.yaml:2:1: not valid YAML: a name is given twice"),
        ("a:\n\t- sk-secret", "config.yaml:2:1: not valid YAML: found character"),
        ("a: *sk-secret", "config.yaml:1:4: not valid YAML: found undefined alias"),
        ("a: 1\nb: '\x01'", "config.yaml:2: not valid YAML: a character that YAML does not allow"),
        ("a: 2024-99-99", "config.yaml: not valid YAML: a value in it"),
        ("[" * 3000, "config.yaml: not valid YAML: it is nested too deeply"),
        ("litellm_settings: &a [*a]", "config.yaml: it is nested too deeply, or in itself"),
        (
            "model_list:\n- model_name: a\n  litellm_params:\n    model: x\n    api_keys: sk-secret\n",
            "config.yaml:5: model_list[0] (a): litellm_params.api_keys: must be a list of keys, not str",
        ),
        (
            "model_list:\n- model_name: a\n  litellm_params:\n    model: x\n    api_keys:\n    - a\n    - 0x1F\n",
            "config.yaml:7: model_list[0] (a): litellm_params.api_keys[1]: must be a text, not int",
        ),
        (
            "credential_list:\n- credential_name: c\n  credential_values:\n    api_keys: [sk-secret]\n",
            "config.yaml:4: credential_list[0] (c): credential_values.api_keys: LiteLLM would send it",
        ),
        ("model_list:\n- sk-secret\n", "config.yaml:2: model_list[0]: a row must be a mapping of settings, not str"),
        ("model_list:\n- model_name: a\n", "config.yaml:2: model_list[0] (a): litellm_params: is missing"),
        ("include: sk-secret", "config.yaml:1: include: must be a list of file names"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_line(given, line):
    """And shows no key."""
    with pytest.raises(sk.ConfigError) as caught:
        expand_config_text(given)

    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
    assert "sk-secret" not in str(caught.value)
    assert caught.value.__context__ is None
