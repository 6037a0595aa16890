"""A key is shown nowhere, although the provider's 401 repeats it."""

from __future__ import annotations

import asyncio
import json
import traceback

import openai
import pytest
from langchain_core.load import dumpd
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langchain_openai import ChatOpenAI

import sparekey as sk
from langchain_sparekey import ChatSparekey, ModelsExhaustedError


def leaks(text, keys):
    """Which of the keys stand in a text."""
    return [key for key in keys if key in text]


def everything(listener):
    """All that a listener was told, as far as a repr goes, and what is inside of errors."""
    parts = []
    for said in listener.heard:
        parts.append(repr(said))
        for part in said:
            if isinstance(part, BaseException):
                parts += traceback.format_exception(part)
                parts.append(getattr(getattr(part, "response", None), "text", ""))
    return "\n".join(parts)


def test_a_model_shows_no_key(simulate, chat, keys):
    """Neither its repr, nor its string, nor what LangChain writes of it into a trace."""
    model = chat(
        simulate("healthy", "healthy"), temperature=0.5, default_headers={"Authorization": f"Bearer {keys[2]}"}
    )
    shown = [repr(model), str(model), json.dumps(dumpd(model)), repr(model.clients), repr(model.candidates)]
    shown += [repr(model.asdict()), str(model._get_ls_params()), model._get_llm_string(), str(model.model_dump())]

    assert not leaks("\n".join(shown), keys)


def test_a_model_of_given_models_shows_no_key(keys):
    """The same for models that the user has built."""
    model = ChatSparekey.from_models([ChatOpenAI(model="gpt-4o", api_key=keys[0])], tracker=sk.CooldownTracker())
    shown = [repr(model), json.dumps(dumpd(model)), repr(model.clients), repr(model.candidates), repr(model.asdict())]

    assert not leaks("\n".join(shown), keys)


def test_no_error_shows_a_key(simulate, chat, ask, keys):
    """The exhausted error with its whole traceback: its cause quotes a 401 that named the key."""
    with pytest.raises(ModelsExhaustedError) as raised:
        ask(chat(simulate("rate_limited", "revoked")), "hello")

    text = "".join(traceback.format_exception(raised.value)) + repr(raised.value.attempts)
    text += "".join(attempt.error.response.text for attempt in raised.value.attempts)
    assert "Incorrect API key provided: [key " in text
    assert not leaks(text, keys)


def test_an_error_that_leaves_as_it_was_shows_no_key(simulate, chat, ask, keys):
    """A provider may quote the key in a 400, too; its class stays, the key goes."""
    sim = simulate({"kind": "bad_request", "message": f"No such thing for {keys[0]}"})

    with pytest.raises(openai.BadRequestError) as raised:
        ask(chat(sim), "hello")

    text = "".join(traceback.format_exception(raised.value)) + repr(raised.value.body) + raised.value.response.text
    assert not leaks(text, keys)


@pytest.mark.parametrize("behaviours", [["revoked", "healthy"], ["revoked", "revoked"]], ids=["served", "exhausted"])
def test_nobody_who_listens_hears_a_key(simulate, chat, ask, listener, keys, behaviours):
    """Starts, retries, tokens, ends and errors of a run, as callbacks and tracers are told them."""
    traced = RunCollectorCallbackHandler()
    model = chat(simulate(*behaviours), streaming=True).with_config(callbacks=[listener, traced])
    try:
        ask(model, "hello")
    except ModelsExhaustedError:
        assert "error" in listener.names

    assert "start" in listener.names
    assert not leaks(everything(listener), keys)
    assert not leaks("".join(run.model_dump_json(exclude={"parent_run"}) for run in traced.traced_runs), keys)


def test_a_trace_of_an_error_that_leaves_shows_no_key(simulate, chat, ask, keys):
    """LangChain writes the body of the response it finds on an error into the trace."""
    sim = simulate({"kind": "bad_request", "message": f"No such thing for {keys[0]}"})
    traced = RunCollectorCallbackHandler()

    with pytest.raises(openai.BadRequestError):
        ask(chat(sim).with_config(callbacks=[traced]), "hello")

    (run,) = traced.traced_runs
    assert "No such thing for" in run.model_dump_json()
    assert not leaks(run.model_dump_json(), keys)


def test_an_answer_shows_no_key(simulate, chat, keys):
    """What is noted in an answer about the failures before it are ids and reasons."""
    answer = chat(simulate("revoked", "healthy")).invoke("hello")

    assert not leaks(answer.model_dump_json(), keys)


def test_a_setting_that_cannot_work_is_explained_without_a_key(simulate, chat, keys):
    """Pydantic would quote the input, keys included, and hang on to it in the cause."""
    model = chat(simulate("healthy"), temperature="hot")

    with pytest.raises(sk.ConfigError, match="openai/gpt-4o: temperature: ") as raised:
        model.invoke("hello")

    assert raised.value.__cause__ is None
    assert not leaks("".join(traceback.format_exception(raised.value)), keys)


def test_the_hook_hears_no_key(simulate, chat, keys):
    """``on_attempt`` gets errors that have been cleaned."""
    heard = []
    asyncio.run(chat(simulate("revoked", "healthy"), on_attempt=heard.append).ainvoke("hello"))

    assert [attempt.reason for attempt in heard] == ["auth", None]
    assert not leaks(repr(heard), keys)
