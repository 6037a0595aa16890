"""Another list of keys for a model that is in use, by hand and from a file."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import threading
import time
import weakref

import pytest
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

import sparekey as sk
from langchain_sparekey import ChatSparekey, SparekeyEmbeddings

SMALL = "openai/text-embedding-3-small"


def row(sim, *keys, name="chat", model="openai/gpt-4o", **settings):
    return {"model_name": name, "model": model, "api_keys": list(keys), "api_base": sim.base_url, **settings}


def keys_of(model):
    return [model.clients.model(who).openai_api_key.get_secret_value() for who in model.candidates]


@pytest.fixture
def listed(keys):
    """Builds a model of a list, with a memory of its own."""

    def build(sim, *rows, **options):
        return ChatSparekey(
            "chat", model_list=list(rows) or [row(sim, *keys[:2])], tracker=sk.CooldownTracker(), **options
        )

    return build


# -- keys come and go --------------------------------------------------------------------------


def test_keys_are_added_dropped_and_kept(simulate, listed, ask, keys):
    """The new key answers, and what is known of the one that stays is still known."""
    sim = simulate("revoked", "no_credit", "healthy")
    model = listed(sim)
    with pytest.raises(sk.FallbackExhaustedError):
        model.invoke("hello")

    model.reload([row(sim, keys[1], keys[2])])

    assert "key-3" in ask(model, "hello")
    assert sim.counts == {keys[0]: 1, keys[1]: 1, keys[2]: 1}


def test_copies_and_bindings_are_exchanged_with_it(simulate, listed, keys):
    """A graph holds a binding of a copy; it is one model to who turns its key."""
    sim = simulate("revoked", "healthy")
    model = listed(sim, row(sim, keys[0]))
    others = [model.bind(stop=["."]), model.model_copy(), model.model_copy(deep=True), copy.deepcopy(model)]

    model.reload([row(sim, keys[1])])

    assert ["key-2" in other.invoke("hello").content for other in others] == [True] * 4


def test_what_was_said_beside_the_list_is_said_of_the_new_one(simulate, listed, keys):
    """Settings, a timeout, and what entries say themselves."""
    sim = simulate("healthy", "healthy")
    model = listed(sim, temperature=0.5, timeout=7)

    model.reload([row(sim, keys[0]), row(sim, keys[1], temperature=0.1)])
    built = [model.clients.model(who) for who in model.candidates]

    assert [(each.temperature, each.request_timeout) for each in built] == [(0.5, 7), (0.1, 7)]


def test_models_of_entries_that_stay_are_not_built_again(simulate, listed, keys):
    """Their connections stay open; one whose settings changed is another."""
    sim = simulate("healthy")
    model = listed(sim)
    before = [model.clients.model(who) for who in model.candidates]

    model.reload([row(sim, *keys[:3])])
    after = [model.clients.model(who) for who in model.candidates]
    assert [id(each) for each in after[:2]] == [id(each) for each in before]
    model.reload([row(sim, *keys[:3], temperature=1)])
    assert model.clients.model(model.candidates[0]) is not before[0]


def test_the_one_line_form_is_exchanged_under_its_models_name(simulate, chat, keys):
    """There the model is the name."""
    sim = simulate("revoked", "healthy")
    model = ChatSparekey("openai/gpt-4o", api_key=keys[0], api_base=sim.base_url, tracker=sk.CooldownTracker())

    model.reload([row(sim, keys[1], name="openai/gpt-4o")])

    assert "key-2" in model.invoke("hello").content


# -- what cannot be ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "model_list: must be a list of entries"),
        ([{"model_name": "other", "model": "openai/gpt-4o"}], "no entry is called 'chat'"),
        ([{"model_name": "chat", "model": "openai/gpt-4o", "api_keys": []}], "api_keys: is an empty list"),
        ([{"model_name": "chat", "model": "gpt-4o"}], "'gpt-4o' does not name its provider"),
        ([{"model_name": "chat", "model": "openai/e", "api_key": "k", "mode": "embedding"}], "needs a chat model"),
    ],
)
def test_a_list_that_cannot_work_changes_nothing(simulate, listed, keys, rows, says):
    """It is refused as a constructor would, and the keys there are go on."""
    model = listed(simulate("healthy"))

    with pytest.raises(sk.ConfigError, match=says):
        model.reload(rows)

    assert "key-1" in model.invoke("hello").content


def test_models_given_as_they_are_have_no_list(simulate, keys):
    """Of either kind."""
    sim = simulate("healthy")
    theirs = ChatOpenAI(model="gpt-4o", api_key=keys[0], base_url=sim.base_url)

    with pytest.raises(sk.ConfigError, match="there is no list to exchange"):
        ChatSparekey.from_models([theirs]).reload([row(sim, keys[0])])


# -- requests under way ------------------------------------------------------------------------


def test_a_request_ends_with_the_keys_it_began_with(simulate, listed, ask, keys):
    """Its second key is the old list's, although that list is gone when its turn comes."""
    sim = simulate("revoked", "healthy", "healthy")
    model = listed(sim)

    def exchange(attempt):
        if attempt.error is not None:
            model.reload([row(sim, keys[2])])

    model.on_attempt = exchange

    assert "key-2" in ask(model, "hello")
    assert "key-3" in ask(model, "hello")


class City(BaseModel):
    """A city."""

    name: str


def test_an_answer_is_parsed_by_who_gave_it(simulate, listed, keys):
    """Also when the list was exchanged in between, for one of a provider that answers otherwise."""
    sim = simulate("healthy", "healthy")
    model = listed(sim, row(sim, keys[0]))
    first = model.candidates[0]

    def exchange(attempt):
        if attempt.candidate == first:
            model.reload([row(sim, keys[1], model="anthropic/claude-sonnet-4-6") | {"api_base": sim.url}])

    model.on_attempt = exchange
    answer = model.with_structured_output(City).invoke("hello")

    assert isinstance(answer, City)
    assert model.candidates[0].provider == "anthropic"


def test_what_is_no_longer_used_is_let_go(simulate, listed, keys):
    """Models of dropped keys live until the next exchange, and what is bound to tools does not keep them."""
    sim = simulate("healthy", "healthy")
    model = listed(sim, row(sim, keys[0]))
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    asked = [model.bind_tools([tool]), model.with_structured_output(City, include_raw=True)]
    for each in asked:
        each.invoke("hello")
    old = weakref.ref(model.clients.model(model.candidates[0]))

    for key in (keys[1], keys[2], keys[1]):
        model.reload([row(sim, key)])
    gc.collect()

    assert old() is None
    assert asked


def test_a_pickle_takes_the_list_along(simulate, listed, keys):
    """What was said beside it, too, and no key."""
    sim = simulate("healthy", "healthy")
    model = listed(sim, default_headers={"X-Auth": f"Bearer {keys[3]}"})
    data = pickle.dumps(model)
    back = pickle.loads(data)
    back.reload([row(sim, keys[1])])

    assert not [key for key in keys if key.encode() in data]
    assert back.clients.model(back.candidates[0]).default_headers == {"X-Auth": f"Bearer {keys[3]}"}
    assert "key-2" in back.invoke("hello").content


# -- embeddings --------------------------------------------------------------------------------


@pytest.fixture
def embeddings(keys):
    """Builds embeddings of a list, with a memory of its own."""

    def build(sim, *rows, **options):
        rows = rows or (row(sim, keys[0], name="docs", model=SMALL),)
        return SparekeyEmbeddings("docs", model_list=list(rows), tracker=sk.CooldownTracker(), **options)

    return build


def test_embeddings_go_on_with_other_keys(simulate, embeddings, keys):
    """And remember how long their vectors are."""
    sim = simulate("revoked", "healthy")
    model = embeddings(sim)
    with pytest.raises(sk.FallbackExhaustedError):
        model.embed_query("hello")

    model.reload([row(sim, keys[1], name="docs", model=SMALL)])
    vector = model.embed_query("hello")
    model.reload([row(sim, keys[2], name="docs", model=SMALL)])

    assert model.dimensions == len(vector)


def test_a_question_ends_with_the_keys_it_began_with(simulate, embeddings, keys):
    """Its second key is the old list's, although that list is gone when its turn comes."""
    sim = simulate("revoked", "healthy", "healthy")
    model = embeddings(sim, row(sim, keys[0], keys[1], name="docs", model=SMALL))

    def exchange(attempt):
        if attempt.error is not None:
            model.reload([row(sim, keys[2], name="docs", model=SMALL)])

    model.on_attempt = exchange
    model.embed_query("hello")

    assert sim.counts == {keys[0]: 1, keys[1]: 1, keys[2]: 0}


def test_a_list_of_texts_goes_on_at_its_next_slice(simulate, embeddings, keys):
    """A slice ends with the keys it began with."""
    sim = simulate("healthy", "healthy")
    model = embeddings(sim, chunk_size=1)
    model.on_attempt = lambda _: model.reload([row(sim, keys[1], name="docs", model=SMALL)])

    assert len(model.embed_documents(["a", "b", "c"])) == 3
    assert (sim.counts[keys[0]], sim.counts[keys[1]]) == (1, 2)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"model": "openai/text-embedding-3-large"}, "the list before is 'text-embedding-3-small'"),
        ({"dimensions": 8}, "docs has 8 dimensions, and the list before has 16"),
    ],
)
def test_another_vector_space_is_refused(simulate, embeddings, keys, changed, says):
    """Vectors are kept, so they must stay comparable; the keys there are go on."""
    sim = simulate("healthy", "healthy")
    model = embeddings(sim, row(sim, keys[0], name="docs", model=SMALL, dimensions=16))

    with pytest.raises(sk.ConfigError, match=says):
        model.reload([{**row(sim, keys[1], name="docs", model=SMALL), **changed}])
    model.reload([row(sim, keys[1], name="docs", model=SMALL, dimensions=16)])

    assert len(model.embed_query("hello")) == model.dimensions == 16


def test_dimensions_that_were_said_once_bind_the_next_list(simulate, embeddings, keys):
    """Also when it says nothing of them, and in a pickle of it."""
    sim = simulate("healthy")
    model = embeddings(sim, row(sim, keys[0], name="docs", model=SMALL, dimensions=16))

    model.reload([row(sim, keys[0], name="docs", model=SMALL)])

    assert model.dimensions == pickle.loads(pickle.dumps(model)).dimensions == 16


def test_a_length_that_was_learned_binds_the_next_list(simulate, embeddings, keys):
    """Nobody said how long vectors are, but there are some already."""
    sim = simulate("healthy")
    model = embeddings(sim)
    length = len(model.embed_query("hello"))

    with pytest.raises(sk.ConfigError, match=f"docs has 8 dimensions, and the list before has {length}"):
        model.reload([row(sim, keys[1], name="docs", model=SMALL, dimensions=8)])


# -- from a file -------------------------------------------------------------------------------


def wait_for(what, seconds=30):
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends, "it did not come to be"
        time.sleep(0.01)


def watchers():
    return [thread for thread in threading.enumerate() if thread.name == "sparekey-watch"]


@pytest.fixture
def written(tmp_path):
    """Writes a config of some rows, as a whole."""

    def write(*rows):
        new = tmp_path / "new.json"
        new.write_text(json.dumps({"model_list": rows}), encoding="utf-8")
        return new.replace(tmp_path / "config.json")

    return write


def test_a_watched_file_is_followed_as_long_as_a_copy_lives(simulate, written, keys):
    """Key turned in the file, asked in the next request; nothing is left when the last copy is gone."""
    sim = simulate("revoked", "healthy")

    def follow():
        model = ChatSparekey.from_config(written(row(sim, keys[0])), watch=0.01, tracker=sk.CooldownTracker())
        bound = model.bind(stop=["."])
        del model
        written(row(sim, keys[1]))
        wait_for(lambda: keys_of(bound.bound) == [keys[1]])
        assert "key-2" in bound.invoke("hello").content

    follow()
    gc.collect()
    wait_for(lambda: not watchers())


def test_a_watched_file_of_another_space_is_refused_with_a_warning(simulate, written, keys, caplog):
    """Embeddings go on with the keys they have."""
    sim = simulate("healthy")
    file = written(row(sim, keys[0], name="docs", model=SMALL))
    model = SparekeyEmbeddings.from_config(file, watch=0.01, tracker=sk.CooldownTracker())

    written(row(sim, keys[1], name="docs", model="openai/text-embedding-3-large"))
    wait_for(lambda: caplog.records)

    assert caplog.messages[0].startswith(f"{file}: SparekeyEmbeddings: docs is the model 'text-embedding-3-large'")
    assert keys_of(model) == [keys[0]]


def test_a_file_is_not_watched_unless_it_is_asked_for(simulate, written, keys):
    """No thread is started."""
    before = watchers()  # of models of other tests that are not collected yet
    model = ChatSparekey.from_config(written(row(simulate("healthy"), keys[0])))

    assert "key-1" in model.invoke("hello").content
    assert set(watchers()) <= set(before)
