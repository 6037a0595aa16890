"""What callbacks, tracers and counters of tokens see: one run, whatever happened inside it."""

from __future__ import annotations

import asyncio

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler

import sparekey as sk
from langchain_sparekey import ChatSparekey, ModelsExhaustedError


def test_one_run_is_one_start_and_one_end(three_dead, chat, ask_whole, listener):
    """Failed attempts are retry events of the run, in order."""
    assert "key-4" in ask_whole(chat(three_dead).with_config(callbacks=[listener]), "hello")

    assert listener.names == ["start", "retry", "retry", "retry", "end"]
    errors = [
        type(said[0]).__name__ for name, said in zip(listener.names, listener.heard, strict=True) if name == "retry"
    ]
    assert errors == ["OpenAIRateLimitError", "OpenAIAuthenticationError", "APIStatusError"]


def test_a_stream_is_one_run_too(three_dead, chat, ask_stream, listener):
    """One start, its tokens, one end."""
    ask_stream(chat(three_dead).with_config(callbacks=[listener]), "hello")

    assert set(listener.names) == {"start", "token", "end"}
    assert (listener.names[0], listener.names[-1]) == ("start", "end")
    assert (listener.names.count("start"), listener.names.count("end")) == (1, 1)


def test_a_run_that_fails_has_one_error(simulate, chat, ask_whole, listener):
    """The exhausted error, and a retry for each time another key was tried."""
    with pytest.raises(ModelsExhaustedError):
        ask_whole(chat(simulate("revoked", "revoked", "revoked")).with_config(callbacks=[listener]), "hello")

    assert listener.names == ["start", "retry", "retry", "error"]


def test_the_caller_hears_of_attempts_whether_or_not_somebody_traces(three_dead, chat, ask_whole, listener):
    """``on_attempt`` hears of failures and of the success; listening to the run takes nothing from it."""
    heard = []
    model = chat(three_dead, on_attempt=heard.append)
    ask_whole(model, "hello")
    ask_whole(model.with_config(callbacks=[listener]), "again")

    assert [attempt.reason for attempt in heard[:4]] == ["rate_limit", "auth", "billing", None]
    assert [attempt.skipped for attempt in heard[4:]] == [True, True, True, False]
    assert listener.names == ["start", "end"]


def test_tokens_are_counted_once(three_dead, chat, ask):
    """Those of the answer, under the name of the model that gave it."""
    usage = UsageMetadataCallbackHandler()
    ask(chat(three_dead, stream_usage=True).with_config(callbacks=[usage]), "hello")

    assert usage.usage_metadata["gpt-4o"]["total_tokens"] == 8


def test_a_trace_is_one_tree_with_one_run_of_the_model(three_dead, chat):
    """Prompt, model, and nothing below the model."""
    traced = RunCollectorCallbackHandler()
    chain = ChatPromptTemplate.from_template("Hello {name}") | chat(three_dead)
    chain.invoke({"name": "you"}, {"callbacks": [traced]})

    (root,) = traced.traced_runs
    (run,) = [child for child in root.child_runs if child.run_type == "llm"]
    assert run.child_runs == []
    assert [event["name"] for event in run.events] == ["start", "retry", "retry", "retry", "end"]
    assert (run.metadata["ls_provider"], run.metadata["ls_model_name"]) == ("openai", "gpt-4o")


async def test_events_are_streamed_once(three_dead, chat):
    """``astream_events`` sees one model, and each token once."""
    events = [event async for event in chat(three_dead).astream_events("hello")]
    text = "".join(event["data"]["chunk"].content for event in events if event["event"] == "on_chat_model_stream")

    assert text == "Hello from key-4 (gpt-4o): you said 'hello'"
    assert [event["event"] for event in events].count("on_chat_model_start") == 1


@pytest.mark.filterwarnings("ignore:.*:langchain_core._api.beta_decorator.LangChainBetaWarning")
def test_the_new_events_are_streamed_once(three_dead, chat):
    """So does LangChain's newer protocol, retries included."""
    stream = chat(three_dead).stream_events("hello", version="v3")

    assert "".join(stream.text) == "Hello from key-4 (gpt-4o): you said 'hello'"
    assert len(stream.output.response_metadata["sparekey"]["attempts"]) == 3


def test_a_trace_names_who_would_serve_now(simulate, keys):
    """The label is given when a run starts: the first candidate that is not cooling down."""
    row = {"api_base": "http://provider.invalid/v1"}
    rows = [
        {**row, "model_name": "chat", "model": "openai/gpt-4o", "api_key": keys[0], "fallbacks": ["spare"]},
        {**row, "model_name": "spare", "model": "google/gemini-next", "api_key": keys[1], "max_tokens": 5},
    ]
    made_by = {"factory": lambda entry: None}
    model = ChatSparekey(model="chat", model_list=rows, tracker=sk.CooldownTracker(), temperature=0.5, **made_by)

    assert model._get_ls_params(stop=["."], model="other") == {
        "ls_provider": "openai",
        "ls_model_name": "other",
        "ls_model_type": "chat",
        "ls_temperature": 0.5,
        "ls_stop": ["."],
    }
    model.tracker.mark_failure(model.candidates[0], "rate_limit")
    assert model._get_ls_params() == {
        "ls_provider": "google_genai",
        "ls_model_name": "gemini-next",
        "ls_model_type": "chat",
        "ls_temperature": 0.5,
        "ls_max_tokens": 5,
    }


def test_batches_are_runs_of_their_own(three_dead, chat, listener):
    """One start and one end for each prompt."""
    model = chat(three_dead).with_config(callbacks=[listener])
    model.invoke("hello")
    answers = [*model.batch(["one", "two"]), *asyncio.run(model.abatch(["three", "four"]))]

    assert [answer.content[-6:].strip(" '") for answer in answers] == ["one", "two", "three", "four"]
    assert (listener.names.count("start"), listener.names.count("end")) == (5, 5)
