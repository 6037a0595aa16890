"""Configs of every style there is, made up: what is promised of each of them."""

from __future__ import annotations

import json

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_sparekey import expand_config, expand_config_text

KEYS = [
    "os.environ/K1",
    "sk-abc",
    "0x1F",
    "1e5",
    "yes",
    "null",
    "a #b",
    "a: b",
    "[y",
    "it's",
    'q"q',
    "&a",
    "- d",
    "é",
    "k,l",
]
COMMENTS = ["", "", "  # note", '  # a: b, [c] "x']


def pick(*choices):
    return st.sampled_from(choices)


@st.composite
def scalars(draw, text):
    """A text as somebody may write it."""
    plain = yaml.safe_dump([text], default_flow_style=True, allow_unicode=True)[1:-2]
    single = "'" + text.replace("'", "''") + "'"
    return draw(pick(plain, single, json.dumps(text, ensure_ascii=False)))


@st.composite
def braces(draw, pairs):
    return "{" + ", ".join(f"{name}: {draw(values(value))}" for name, value in pairs) + "}"


@st.composite
def values(draw, value):
    """On one line."""
    if isinstance(value, list):
        return "[" + ", ".join([draw(scalars(item)) for item in value]) + draw(pick("", ",", " ")) + "]"
    if isinstance(value, dict):
        return draw(braces(value.items()))
    return draw(scalars(value))


@st.composite
def lines(draw, pairs):
    """A mapping on lines of its own."""
    found = []
    for name, value in pairs:
        if draw(st.integers(0, 9)) == 0:
            found.append(draw(pick("", "# between")))
        note = draw(pick(*COMMENTS))
        style = draw(pick("one", "below", "below"))
        if style == "below" and isinstance(value, dict) and value:
            inside = draw(lines(draw(st.permutations(list(value.items())))))
        elif style == "below" and isinstance(value, list) and value:
            inside = [f"- {draw(scalars(item))}{draw(pick(*COMMENTS))}" for item in value]
        else:
            found.append(f"{name}: {draw(values(value))}{note}")
            continue
        indent = " " * draw(pick(1, 2, 4))
        found += [f"{name}:{note}", *(indent + line if line else "" for line in inside)]
    return found or ["{}"]


@st.composite
def rows(draw, number):
    keys = st.sampled_from(KEYS)
    params = {"model": "openai/gpt-4o"}
    if draw(st.booleans()):
        params["api_keys"] = draw(st.lists(keys, min_size=1, max_size=4))
    params |= draw(
        st.fixed_dictionaries({}, optional={"api_key": keys, "account": st.just("org"), "tags": st.just(["t"])})
    )
    row = {"model_name": draw(pick("chat", "b", "*", "x/*")), "litellm_params": params}
    info = draw(pick(None, {}, {"mode": "chat"}, {"id": f"id{number}", "mode": "chat"}))
    row |= {} if info is None else {"model_info": info}
    row |= draw(st.fixed_dictionaries({}, optional={"api_keys": st.lists(keys, min_size=1, max_size=2)}))
    return row


@st.composite
def texts(draw):
    """A config, as text."""
    listed = [draw(rows(i)) for i in range(draw(st.integers(1, 3)))]
    indent, gap = " " * draw(pick(0, 2, 4)), " " * draw(pick(1, 1, 3))
    models = ["model_list:" + draw(pick(*COMMENTS))]
    for row in listed:
        pairs = draw(st.permutations(list(row.items())))
        found = draw(lines(pairs)) if draw(st.booleans()) else [draw(braces(pairs))]
        while found[0].startswith(("#",)) or not found[0]:
            found.pop(0)
        first, *rest = found
        models += [f"{indent}-{gap}{first}", *(f"{indent} {gap}{line}" if line else "" for line in rest)]
    more = {
        "litellm_settings": draw(
            pick({}, {"drop_params": "x"}, {"callbacks": "a"}, {"callbacks": ["a", "b"], "x": "1"})
        ),
        "router_settings": {"fallbacks": "none"},
    }
    others = draw(lines(list(more.items())))
    newline = draw(pick("\n", "\r\n"))
    parts = draw(st.permutations([models, others]))
    return newline.join([line for part in parts for line in part]) + draw(pick("", newline))


def keys_of(row):
    """All keys that a row says, in order, each once."""
    params = row["litellm_params"]
    said = [params.get("api_key"), *params.get("api_keys", ()), row.get("api_key"), *row.get("api_keys", ())]
    return list(dict.fromkeys(key for key in said if key is not None))


@settings(max_examples=300, deadline=None)
@given(texts())
def test_what_is_promised_of_every_text(text):
    """LiteLLM sees what it must, every key once and no list of them, and expanding again changes nothing."""
    before = yaml.safe_load(text)
    expanded = expand_config_text(text)
    after = yaml.safe_load(expanded)

    assert after == expand_config(before)
    assert expand_config_text(expanded) == expanded
    assert "api_keys" not in json.dumps(after["model_list"])
    listed = [key for row in before["model_list"] for key in keys_of(row)]
    assert [key for row in after["model_list"] for key in keys_of(row)] == listed
    assert after["router_settings"] == before["router_settings"]


@settings(max_examples=100, deadline=None)
@given(texts(), st.integers(0, 10**6))
def test_what_stands_outside_of_rows_with_lists_stays(text, seed):
    """To the letter: a row of one key after the others, and what follows."""
    newline = "\r\n" if "\r\n" in text else "\n"
    tail = newline.join(["x-more:   {a:  ~,  b: 0x1F}   # kept", "x-yes:  yes", f'x-{seed}: "\\x41"   # as it is', ""])
    given_text = text.rstrip("\r\n") + newline + tail

    assert expand_config_text(given_text).count(tail) == 1
