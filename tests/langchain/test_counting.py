"""Counting tokens: by the first model that there is, and past keys that its provider turns away."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage

import sparekey as sk
from langchain_sparekey import ChatSparekey, ModelsExhaustedError

ASKED = [HumanMessage("one two three")]


@pytest.fixture
def claude(keys):
    """A model of Anthropic's, whose class has its provider count."""

    def build(sim, **options):
        options = {"tracker": sk.CooldownTracker(), "max_tokens": 50, **options}
        return ChatSparekey("anthropic/claude-next", api_keys=keys[:2], api_base=sim.url, **options)

    return build


def test_a_dead_key_does_not_keep_from_counting(simulate, claude, keys):
    """The next one counts; nothing cools for it, since counting has limits of its own."""
    sim = simulate("rate_limited", "healthy")
    model = claude(sim)

    assert model.get_num_tokens_from_messages(ASKED) == 3
    assert sim.counts == {keys[0]: 1, keys[1]: 1}
    assert model.tracker.snapshot() == {}


def test_who_is_well_is_asked_first_and_who_cools_all_the_same(simulate, claude, keys):
    """What was learned in answering is of use; but when all keys cool, counting may still work."""
    sim = simulate("healthy", "healthy")
    model = claude(sim)
    model.tracker.mark_failure(model.candidates[0], "rate_limit")
    model.get_num_tokens_from_messages(ASKED)
    model.tracker.mark_failure(model.candidates[1], "rate_limit")

    assert model.get_num_tokens_from_messages(ASKED) == 3
    assert sim.counts == {keys[0]: 1, keys[1]: 1}


def test_when_no_key_may_count_one_error_says_so(simulate, claude, keys):
    """Without a key in it."""
    with pytest.raises(ModelsExhaustedError) as raised:
        claude(simulate("revoked", "no_credit")).get_num_tokens_from_messages(ASKED)

    assert [attempt.reason for attempt in raised.value.attempts] == ["auth", "billing"]
    assert not any(key in str(raised.value) for key in keys)


def test_trouble_in_this_process_is_no_keys_fault(scripted, monkeypatch):
    """A tokenizer that could not be fetched is told as it is, at once."""
    asked = []

    def count(self, messages, tools=None, **kwargs):
        asked.append(self.name_)
        raise ConnectionError("no tokenizer")

    monkeypatch.setattr(scripted, "get_num_tokens_from_messages", count)
    model = ChatSparekey.from_models([scripted(name_="a"), scripted(name_="b")], tracker=sk.CooldownTracker())
    with pytest.raises(ConnectionError, match="no tokenizer"):
        model.get_num_tokens_from_messages(ASKED)

    assert (asked, model.tracker.snapshot()) == (["a"], {})


def test_a_model_that_cannot_be_built_is_not_the_one_that_counts(scripted):
    """The first that there is counts, and promises."""

    def factory(entry):
        if entry.model.endswith("missing"):
            raise ValueError("no such class")
        return scripted(name_=entry.model, custom_get_token_ids=lambda text: [1, 2], profile={"tool_calling": True})

    rows = [
        {"model_name": "chat", "model": "mine/missing", "api_key": "sk-one", "fallbacks": ["spare"]},
        {"model_name": "spare", "model": "mine/there", "api_key": "sk-two"},
    ]
    model = ChatSparekey("chat", model_list=rows, factory=factory)

    assert model.get_num_tokens("any") == 2
    assert model.get_num_tokens_from_messages(ASKED) == 2
    assert model.profile == {"tool_calling": True}


def test_a_counter_of_the_users_own_counts(scripted):
    """``custom_get_token_ids`` is a field of every LangChain model."""
    model = ChatSparekey.from_models([scripted()], custom_get_token_ids=lambda text: [7] * len(text.split()))

    assert model.get_token_ids("a b") == [7, 7]
    assert model.get_num_tokens("a b c") == 3
    assert model.get_num_tokens_from_messages(ASKED) == 4  # LangChain's own way of writing a conversation


def test_gemini_before_its_third_generation_promises_no_structured_output(scripted):
    """It cannot have that and tools at once, which LangChain's agents know by a name that a chain does not have."""
    profile = {"structured_output": True}
    rows = [{"model_name": "chat", "model": "google_genai/gemini-2.5-pro", "api_key": "sk-one"}]
    made_by = {"factory": lambda entry: scripted(profile=profile)}

    assert ChatSparekey("chat", model_list=rows, **made_by).profile == {"structured_output": False}
    rows[0]["model"] = "google_genai/gemini-3-pro"
    assert ChatSparekey("chat", model_list=rows, **made_by).profile == {"structured_output": True}
