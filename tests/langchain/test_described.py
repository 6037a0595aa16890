"""What LangChain does with a model besides asking it: caches, copies, counts, profiles."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.runnables import ConfigurableField
from langchain_openai import ChatOpenAI

from langchain_sparekey import ChatSparekey


def test_models_that_answer_differently_share_no_cached_answer(scripted):
    """LangChain's cache tells models apart by what they say of themselves."""
    cache = InMemoryCache()
    answers = [
        ChatSparekey.from_models([scripted(name_=name, temperature=temperature)], cache=cache).invoke("hello").content
        for name, temperature in [("a", 0.0), ("b", 0.0), ("a", 1.0)]
    ]
    again = ChatSparekey.from_models([inner := scripted(name_="a", temperature=0.0)], cache=cache)

    assert answers == ["a", "b", "a"]
    assert len(cache._cache) == 3
    assert again.invoke("hello").content == "a"
    assert inner.calls == []


def test_what_the_answers_depend_on_is_the_identity(simulate, keys):
    """Models, addresses and settings are; keys, and how many there are, are not."""

    def said(**options):
        options = {"model": "openai/gpt-4o", "api_keys": keys[:1], **options}
        return ChatSparekey(**options)._get_llm_string()

    assert said() == said(api_keys=keys[1:3])
    different = [said(), said(model="openai/gpt-4o-mini"), said(temperature=1), said(api_base="http://x.invalid")]
    assert len(set(different)) == 4
    model = ChatSparekey(model="openai/gpt-4o", api_keys=keys)
    assert model._identifying_params is model._identifying_params


def test_a_message_format_is_this_models_and_the_candidates(simulate, chat):
    """It is kept when LangChain builds the model again from its fields."""
    model = chat(simulate("healthy"), output_version="v1")
    again = model.configurable_fields(deadline=ConfigurableField(id="d")).with_config(configurable={"d": 9.0})

    assert again.invoke("hello").content[0]["type"] == "text"
    assert model.clients.model(model.candidates[0]).output_version == "v1"


@pytest.mark.parametrize(
    "copied",
    [
        lambda model: model.bind(stop=["."]),
        lambda model: model.with_config(tags=["a"]),
        lambda model: model.model_copy(),
        lambda model: model.model_copy(update={"deadline": 9.0}, deep=True),
        copy.copy,
        copy.deepcopy,
        lambda model: model.configurable_fields(deadline=ConfigurableField(id="d")).with_config(
            configurable={"d": 9.0}
        ),
        lambda model: model.with_retry(),
    ],
    ids=["bind", "with_config", "model_copy", "deep", "copy", "deepcopy", "configurable", "with_retry"],
)
def test_every_copy_shares_the_memory(three_dead, chat, keys, copied):
    """What one learned of a key the other knows, and nothing is connected twice."""
    model = chat(three_dead)
    model.invoke("hello")

    assert "key-4" in copied(model).invoke("again").content
    assert three_dead.counts == {**dict.fromkeys(keys, 1), keys[3]: 2}


def test_the_name_asked_for_can_be_configured_at_run_time(simulate, keys, ask_stream):
    """One list, many names: a request chooses, and streams as before."""
    sim = simulate("healthy", "healthy")
    rows = [
        {"model_name": name, "model": f"openai/{name}", "api_key": key, "api_base": sim.base_url}
        for name, key in [("small", keys[0]), ("large", keys[1])]
    ]
    model = ChatSparekey(model="small", model_list=rows).configurable_fields(model=ConfigurableField(id="model"))

    assert "key-1 (small)" in ask_stream(model, "hello")
    assert "key-2 (large)" in ask_stream(model.with_config(configurable={"model": "large"}), "hello")


def test_tokens_are_counted_as_the_first_model_counts(scripted):
    """Without this LangChain would count with a tokenizer of its own, from a package that may be missing."""
    model = ChatSparekey.from_models([scripted(custom_get_token_ids=lambda text: [len(word) for word in text.split()])])

    assert model.get_token_ids("one three") == [3, 5]
    assert model.get_num_tokens("one three") == 2
    assert model.get_num_tokens_from_messages([]) == 0


def test_a_profile_promises_what_all_models_can(scripted):
    """A yes only when all say yes, the smallest limit, and nothing they disagree on."""
    first = {"max_input_tokens": 100, "tool_calling": True, "image_inputs": True, "name": "a", "text_inputs": True}
    second = {"max_input_tokens": 50, "tool_calling": True, "image_inputs": False, "name": "b"}
    model = ChatSparekey.from_models([scripted(name_="a", profile=first), scripted(name_="b", profile=second)])

    assert model.profile == {"max_input_tokens": 50, "tool_calling": True, "image_inputs": False}
    assert "profile" not in repr(model)
    assert ChatSparekey.from_models([scripted(name_="a", profile=first), scripted(name_="b")]).profile is None
    assert ChatSparekey.from_models([scripted()], profile=second).profile == second


def test_a_listed_model_has_its_providers_profile(keys):
    """Agents decide by it whether the provider can give structured answers by itself."""
    model = ChatSparekey(model="openai/gpt-4o", api_keys=keys)

    assert model.profile == ChatOpenAI(model="gpt-4o", api_key="sk-none").profile
    with pytest.raises(AttributeError):
        _ = model.profiles


def test_nothing_of_a_provider_is_imported_before_its_turn():
    """A program that starts is not held up by SDKs it may never need, and 1,000 keys build no client."""
    program = """if True:
        import sys
        from langchain_sparekey import ChatSparekey
        rows = [{"model_name": "chat", "model": "openai/gpt-4o", "api_keys": [f"key-{i}" for i in range(1000)],
                 "fallbacks": ["spare"]},
                {"model_name": "spare", "model": "anthropic/claude-next", "api_key": "key-a"}]
        model = ChatSparekey(model="chat", model_list=rows)
        repr(model), model._identifying_params, model._get_ls_params()
        assert len(model.candidates) == 1001
        assert repr(model.clients) == "ListedClients(1001 entries, 0 built)"
        found = {"langchain", "langchain_openai", "langchain_anthropic", "openai", "anthropic"} & set(sys.modules)
        assert not found, found
    """
    subprocess.run([sys.executable, "-c", program], check=True)
