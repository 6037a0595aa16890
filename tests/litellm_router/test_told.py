"""Every response tells which deployment gave it, and after which attempts."""

from __future__ import annotations

import asyncio
import json
import types
from typing import ClassVar

import litellm
import pytest

import sparekey as sk
from litellm_sparekey import uninstall
from litellm_sparekey._told import Log

MESSAGES = [{"role": "user", "content": "Hi"}]
DEAD = {"sk-unpaid-1": "no_credit", "sk-revoked-2": "revoked"}
KEYS = [*DEAD, "sk-working-3"]


def hidden(response):
    """The hidden parameters, wherever LiteLLM keeps them for such a response."""
    return response["_hidden_params"] if isinstance(response, dict) else response._hidden_params


def headers(response):
    """Ours among the headers."""
    return {name: v for name, v in hidden(response)["additional_headers"].items() if name.startswith("x-sparekey")}


@pytest.fixture
def ask_for(loop):
    """Asks a router and gives the response as it is."""

    def call(router, **settings):
        return loop.run(router.acompletion("chat", MESSAGES, **settings))

    return call


CALLS = {
    "chat": ("acompletion", {"messages": MESSAGES}),
    "chat stream": ("acompletion", {"messages": MESSAGES, "stream": True}),
    "chat, sync": ("completion", {"messages": MESSAGES}),
    "chat stream, sync": ("completion", {"messages": MESSAGES, "stream": True}),
    "embeddings": ("aembedding", {"input": ["Hi"]}),
    "embeddings, sync": ("embedding", {"input": ["Hi"]}),
    "responses": ("aresponses", {"input": "Hi"}),
    "responses stream": ("aresponses", {"input": "Hi", "stream": True}),
    "messages": ("aanthropic_messages", {"messages": MESSAGES, "max_tokens": 9}),
    "text": ("atext_completion", {"prompt": "Hi"}),
    "text stream": ("atext_completion", {"prompt": "Hi", "stream": True}),
}


@pytest.mark.parametrize("call", CALLS)
def test_the_pick_is_in_hidden_parameters_and_headers(loop, provider, entry, router_of, call):
    """Whatever was called: names, reasons and times, and nothing of what the providers said."""
    method, settings = CALLS[call]
    sim = provider({**DEAD, "sk-working-3": "healthy"})
    router = router_of(entry(sim, KEYS, model="openai/text-embedding-3-small" if "embed" in call else "openai/gpt-4o"))

    async def ask():
        answer = getattr(router, method)(model="chat", **settings)
        return await answer if asyncio.iscoroutine(answer) else answer

    response = loop.run(ask())

    assert headers(response) == {
        "x-sparekey-candidate": "chat__key_2",
        "x-sparekey-attempts": "3",
        "x-sparekey-tried": "chat__key_0=billing;chat__key_1=auth",
    }
    note = hidden(response)["sparekey"]
    assert note["deployment"] == "chat__key_2"
    assert note["candidate"].endswith(sk.fingerprint("sk-working-3"))
    assert [(a["deployment"], a["reason"]) for a in note["attempts"]] == [
        ("chat__key_0", "billing"),
        ("chat__key_1", "auth"),
    ]
    assert set(note["attempts"][0]) == {"deployment", "candidate", "reason", "duration"}
    assert not any(key in json.dumps(note) for key in KEYS)


def test_a_first_attempt_that_answers_is_told_in_two_headers(ask_for, provider, entry, router_of):
    """And who was passed over is only counted."""
    sim = provider({**DEAD, "sk-working-3": "healthy"})
    router = router_of(entry(sim, KEYS))
    ask_for(router)

    response = ask_for(router)

    assert headers(response) == {"x-sparekey-candidate": "chat__key_2", "x-sparekey-attempts": "1"}
    assert hidden(response)["sparekey"]["attempts"] == []
    assert hidden(response)["sparekey"]["skipped"] == 2


@pytest.mark.parametrize("stream", [False, True])
def test_attempts_of_the_groups_before_a_fallback_are_told_too(ask_for, provider, entry, router_of, stream):
    """A request is one story, however many model groups it goes through."""
    sim = provider({"sk-a": "revoked", "sk-b": "rate_limited", "sk-c": "server_error", "sk-d": "healthy"})
    router = router_of(
        entry(sim, ["sk-a"]),
        entry(sim, ["sk-b"], name="backup"),
        entry(sim, ["sk-c", "sk-d"], name="last"),
        fallbacks=[{"chat": ["backup", "last"]}],
    )

    response = ask_for(router, stream=stream)

    assert headers(response) == {
        "x-sparekey-candidate": "last__key_1",
        "x-sparekey-attempts": "4",
        "x-sparekey-tried": "chat__key_0=auth;backup__key_0=rate_limit;last__key_0=server_error",
    }


def test_an_attempt_that_leads_to_fallbacks_of_its_own_is_told(ask_for, provider, entry, router_of):
    """A prompt that was too long for the group before."""
    sim = provider({"sk-a": "context_overflow", "sk-b": "healthy"})
    router = router_of(
        entry(sim, ["sk-a"]), entry(sim, ["sk-b"], name="long"), context_window_fallbacks=[{"chat": ["long"]}]
    )

    assert headers(ask_for(router))["x-sparekey-tried"] == "chat__key_0=context_overflow"


def test_requests_side_by_side_do_not_tell_of_each_other(loop, provider, entry, router_of):
    """Not even when they share what LiteLLM shares."""
    sim = provider({"sk-a": {"kind": "server_error", "delay": 0.05}, "sk-b": "healthy", "sk-c": "healthy"})
    router = router_of(entry(sim, ["sk-a", "sk-b"]), entry(sim, ["sk-c"], name="other"))
    shared = {"trace": "one for all"}

    async def together():
        names = ["chat", "other"] * 10
        return await asyncio.gather(*(router.acompletion(name, MESSAGES, metadata=shared) for name in names))

    answers = loop.run(together())

    assert {headers(answer)["x-sparekey-candidate"] for answer in answers[::2]} == {"chat__key_1"}
    assert all(
        headers(a) == {"x-sparekey-candidate": "other__key_0", "x-sparekey-attempts": "1"} for a in answers[1::2]
    )


def test_a_router_without_sparekey_tells_nothing(loop, provider, entry, router_of):
    """Nor one that it was taken out of."""
    sim = provider({"sk-a": "healthy"})
    router = router_of(entry(sim, ["sk-a"]))

    uninstall(router)

    response = loop.run(router.acompletion("chat", MESSAGES))

    assert headers(response) == {}
    assert "sparekey" not in hidden(response)


def test_strange_ids_make_no_strange_headers(ask_for, provider, entry, router_of):
    """An id is the user's own text; a line break in a header would be a header more."""
    sim = provider({"sk-a": "revoked", "sk-b": "healthy"})
    router = router_of(entry(sim, ["sk-a", "sk-b"], info={"id": "a;b=c\r\nx-evil: ä"}))

    said = headers(ask_for(router))

    assert said["x-sparekey-tried"] == "a%3Bb%3Dc%0D%0Ax-evil: %C3%A4=auth"
    assert said["x-sparekey-candidate"] == "a%3Bb%3Dc%0D%0Ax-evil: %C3%A4__key_1"


def test_a_thousand_attempts_are_no_header_of_a_thousand(provider, entry, router_of):
    """What has no room is counted; the note in the hidden parameters has them all."""
    candidates = sk.candidates_for("m", [{"model_name": "m", "model": "openai/gpt-4o", "api_key": "sk-many"}])
    log = Log()
    log.tried = [(f"chat__key_{i}", sk.Attempt(candidates[0], reason=sk.Reason.AUTH)) for i in range(1000)]
    response = litellm.ModelResponse()

    log.tell(response, "chat__key_1000", candidates[0])

    tried = headers(response)["x-sparekey-tried"]
    assert len(tried) < 1100
    *shown, rest = tried.split(";")
    assert rest == f"+{1000 - len(shown)}"
    assert headers(response)["x-sparekey-attempts"] == "1001"
    assert len(hidden(response)["sparekey"]["attempts"]) == 1000


class Frozen:
    """What allows no change."""

    __slots__ = ()
    _hidden_params = types.MappingProxyType({})


@pytest.mark.parametrize("answer", [None, b"sound", [1], {"object": "list"}, iter(()), object(), Frozen()])
def test_what_has_nothing_hidden_is_left_alone(answer, candidates):
    """Whatever it is, it is an answer."""
    before = repr(answer)

    Log().tell(answer, "chat__key_0", candidates[0])

    assert repr(answer) == before


class Shared:
    """An answer of a class that keeps one dictionary for all of them."""

    _hidden_params: ClassVar[dict] = {}


def test_no_other_answer_is_written_into(candidates):
    """Nor the class of it."""
    answer = Shared()

    Log().tell(answer, "chat__key_0", candidates[0])

    assert headers(answer)["x-sparekey-candidate"] == "chat__key_0"
    assert Shared._hidden_params == {}
