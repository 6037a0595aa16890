"""What only its issuer knows goes to its issuer: stored answers, uploaded files, sealed reasoning."""

from __future__ import annotations

import asyncio

import anthropic
import openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage

import sparekey as sk
from langchain_sparekey import ChatSparekey, ModelsExhaustedError
from langchain_sparekey._issuers import ISSUERS, Issuers, references


@pytest.fixture(autouse=True)
def _nobody_knows():
    """What one test's requests taught of ids is forgotten before the next."""
    ISSUERS.forget()


@pytest.fixture
def responses(simulate, keys):
    """A model of three keys that speaks OpenAI's Responses, and its provider."""

    def build(*behaviours, **options):
        sim = simulate(*behaviours)
        options = {"use_responses_api": True, "tracker": sk.CooldownTracker(), **options}
        count = len(behaviours)
        return ChatSparekey("openai/gpt-5", api_keys=keys[:count], api_base=sim.base_url, **options), sim

    return build


def ask(model, how, said, **settings):
    """An answer, whole or put together from a stream."""
    if how == "invoke":
        return model.invoke(said, **settings)
    if how == "ainvoke":
        return asyncio.run(model.ainvoke(said, **settings))
    first, *rest = model.stream(said, **settings)
    return sum(rest, first)


def served_by(answer, model):
    """The place of the key that answered."""
    return [who.id for who in model.candidates].index(answer.response_metadata["sparekey"]["candidate"])


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream"])
def test_a_stored_answer_is_gone_on_from_where_it_is(responses, keys, how):
    """The first key is well again, but the conversation is kept under the second."""
    model, sim = responses([{"kind": "server_error"}, "healthy"], "healthy")
    first = ask(model, how, "hello")
    model.tracker.reset()
    second = ask(model, how, "and then?", previous_response_id=first.response_metadata["id"])

    assert (served_by(first, model), served_by(second, model)) == (1, 1)
    assert sim.counts == {keys[0]: 1, keys[1]: 2}


def test_a_model_that_always_goes_on_does_too(responses, keys):
    """``use_previous_response_id`` takes the id from the latest answer in the messages."""
    model, sim = responses([{"kind": "server_error"}, "healthy"], "healthy", use_previous_response_id=True)
    first = model.invoke("hello")
    model.tracker.reset()
    second = model.invoke([HumanMessage("hello"), first, HumanMessage("and then?")])

    assert served_by(second, model) == 1
    assert sim.requests[-1].body["previous_response_id"] == first.response_metadata["id"]
    assert len(sim.requests[-1].body["input"]) == 1


def test_it_fails_there_rather_than_elsewhere(responses, keys):
    """Another key would say that there is no such answer; the truth is that its issuer is throttled, and until when."""
    model, sim = responses("healthy", "healthy")
    first = model.invoke("hello")
    sim.set(keys[0], "rate_limited", retry_after=30)

    with pytest.raises(ModelsExhaustedError) as raised:
        model.invoke("and then?", previous_response_id=first.response_metadata["id"])
    assert 29 < raised.value.retry_after <= 30
    assert raised.value.is_retryable
    assert any("nobody but" in note for note in raised.value.__notes__)
    assert sim.counts[keys[1]] == 0
    assert model.invoke("something else").response_metadata["sparekey"]["candidate"] == model.candidates[1].id


def test_keys_of_one_account_keep_things_together(simulate, keys):
    """An organisation's keys know each other's answers; entries say so with ``account``."""
    sim = simulate("healthy", "healthy", "healthy")
    row = {"model_name": "chat", "model": "openai/gpt-5", "api_base": sim.base_url, "use_responses_api": True}
    rows = [{**row, "api_keys": keys[:2], "account": "ours"}, {**row, "api_key": keys[2], "account": "theirs"}]
    model = ChatSparekey("chat", model_list=rows, tracker=sk.CooldownTracker())
    first = model.invoke("hello")
    sim.set(keys[0], "revoked")

    with pytest.raises(openai.BadRequestError):  # the simulator has an organisation for each key
        model.invoke("and then?", previous_response_id=first.response_metadata["id"])
    assert [request.name for request in sim.requests[-2:]] == ["key-1", "key-2"]


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream"])
def test_sealed_reasoning_goes_back_to_who_can_read_it(responses, keys, how):
    """It stands in the messages, with a note on whose it is: so another process knows, too."""
    settings = {"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"], "store": False}
    model, sim = responses([{"kind": "server_error"}, "healthy"], "healthy", output_version="responses/v1", **settings)
    first = ask(model, how, "hello")
    assert any(block["type"] == "reasoning" for block in first.content)
    model.tracker.reset()
    ISSUERS.forget()
    second = ask(model, how, [HumanMessage("hello"), first, HumanMessage("and then?")])

    assert (served_by(first, model), served_by(second, model)) == (1, 1)
    assert sim.counts == {keys[0]: 1, keys[1]: 2}


def test_an_id_of_an_unknown_issuer_is_looked_for(responses, keys):
    """Whoever knows it answers, the others are none the worse, and the next request goes there at once."""
    model, sim = responses("healthy", "healthy", "healthy")
    first = ChatSparekey(
        "openai/gpt-5", api_keys=keys[2:3], api_base=sim.base_url, use_responses_api=True, tracker=sk.CooldownTracker()
    ).invoke("hello")
    ISSUERS.forget()
    sim.clear()
    for _ in range(2):
        answer = model.invoke("and then?", previous_response_id=first.response_metadata["id"])
        assert served_by(answer, model) == 2

    assert sim.counts == {keys[0]: 1, keys[1]: 1, keys[2]: 2}
    assert model.tracker.snapshot() == {}


def test_an_id_that_nobody_knows_is_the_providers_own_error(responses, keys):
    """As with one key; each was asked once, and none cools."""
    model, sim = responses("healthy", "healthy")

    with pytest.raises(openai.BadRequestError, match="resp_unknown"):
        model.invoke("and then?", previous_response_id="resp_unknown")
    assert sim.counts == {keys[0]: 1, keys[1]: 1}
    assert model.tracker.snapshot() == {}


def test_an_id_that_its_issuer_may_know_is_worth_another_try(responses, keys):
    """The key that could know it is throttled: the error lists both, and says when."""
    model, _ = responses("healthy", {"kind": "rate_limited", "retry_after": 30})

    with pytest.raises(ModelsExhaustedError) as raised:
        model.invoke("and then?", previous_response_id="resp_unknown")
    assert [(attempt.skipped, attempt.reason) for attempt in raised.value.attempts] == [
        (True, raised.value.attempts[0].reason),
        (False, "rate_limit"),
    ]
    assert raised.value.is_retryable


def test_reasoning_in_langchains_older_form_is_bound_too(responses, keys):
    """There it stands beside the content."""
    settings = {"reasoning": {"effort": "low"}, "output_version": "v0"}
    model, _ = responses("healthy", "healthy", policy=sk.Policy(selection="round_robin"), **settings)
    first = model.invoke("hello")
    assert first.additional_kwargs["reasoning"]["id"].startswith("rs_")
    second = model.invoke([HumanMessage("hello"), first, HumanMessage("and then?")])

    assert served_by(second, model) == served_by(first, model)


def test_what_is_wrong_with_a_thing_stops_as_any_wrong_request(simulate, chat, keys):
    """A 400 that names it, and does not say that it is not there, is about the request."""
    sim = simulate(
        {"kind": "bad_request", "message": "Invalid file data for 'file-abc123': unsupported type"}, "healthy"
    )
    said = [HumanMessage([{"type": "text", "text": "What is in it?"}, file_block("openai", "file-abc123")])]

    with pytest.raises(openai.APIStatusError):
        chat(sim).invoke(said)
    assert sim.counts[keys[1]] == 0


def file_block(provider, file_id):
    if provider == "openai":
        return {"type": "file", "file": {"file_id": file_id}}
    return {"type": "document", "source": {"type": "file", "file_id": file_id}}


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_an_uploaded_file_is_found_under_the_key_it_was_uploaded_with(simulate, keys, provider):
    """The caller uploaded it with the second key; nobody has to say so."""
    sim = simulate("healthy", "healthy")
    if provider == "openai":
        client = openai.OpenAI(api_key=keys[1], base_url=sim.base_url)
        file_id = client.files.create(file=("a.pdf", b"%PDF-1.4"), purpose="user_data").id
        model = ChatSparekey("openai/gpt-4o", api_keys=keys[:2], api_base=sim.base_url, tracker=sk.CooldownTracker())
    else:
        own = anthropic.Anthropic(api_key=keys[1], base_url=sim.url)
        file_id = own.beta.files.upload(file=("a.pdf", b"%PDF-1.4", "application/pdf")).id
        settings = {"max_tokens": 50, "betas": ["files-api-2025-04-14"], "tracker": sk.CooldownTracker()}
        model = ChatSparekey("anthropic/claude-next", api_keys=keys[:2], api_base=sim.url, **settings)
    sim.clear()
    said = [HumanMessage([{"type": "text", "text": "What is in it?"}, file_block(provider, file_id)])]
    for _ in range(2):
        assert served_by(model.invoke(said), model) == 1

    assert sim.counts == {keys[0]: 1, keys[1]: 2}
    assert model.tracker.snapshot() == {}


@pytest.mark.parametrize(
    "said",
    [
        [HumanMessage("resp_1 file_id")],
        [AIMessage("", tool_calls=[{"name": "look", "args": {"file_id": "a"}, "id": "1", "type": "tool_call"}])],
        [AIMessage([{"type": "tool_use", "id": "1", "name": "look", "input": {"file_id": "a", "container": "b"}}])],
        [AIMessage([{"type": "reasoning", "summary": []}])],
        [AIMessage([{"type": "thinking", "thinking": "hm", "signature": "s"}])],
    ],
    ids=["text", "tool call", "tool use", "reasoning", "thinking"],
)
def test_what_only_looks_like_a_reference_binds_nobody(scripted, said):
    """An argument of the caller's own tool is no file at the provider; thoughts that are told in full are anybody's."""
    assert references(said, {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}) == (
        None,
        None,
    )


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"previous_response_id": "resp_1"}, {"resp_1"}),
        ({"conversation": {"id": "conv_1"}}, {"conv_1"}),
        ({"container": "container_1"}, {"container_1"}),
        ({"tools": [{"type": "file_search", "vector_store_ids": ["vs_1", "vs_2"]}]}, {"vs_1", "vs_2"}),
        ({"tools": [{"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["f_1"]}}]}, {"f_1"}),
    ],
)
def test_references_stand_in_settings_and_tools_too(given, names):
    """Wherever the providers put them."""
    assert references([], given)[0].names == names


def test_a_spoken_answer_is_referred_to_by_its_id():
    """OpenAI takes no sound back, only its id."""
    spoken = AIMessage("", additional_kwargs={"audio": {"id": "audio_1"}})
    spoken.response_metadata["sparekey"] = {"candidate": "openai/gpt-audio#1", "attempts": []}

    assert references([spoken], {})[0] == ({"audio_1"}, "openai/gpt-audio#1")


def test_the_oldest_ids_are_forgotten(candidates):
    """A process that runs for months remembers no more than it can use."""
    issuers = Issuers(kept=3)
    for number in range(5):
        issuers.learn([f"resp_{number}"], candidates[0])

    assert [issuers.of([f"resp_{number}"]) is not None for number in range(5)] == [False, False, True, True, True]
