"""OpenAI's own clients take the simulator for OpenAI."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import openai
import pytest

from sparekey.simulator import Simulator
from sparekey.simulator._mind.decide import _short

Ask = Callable[..., Any]

MESSAGES: list[Any] = [{"role": "user", "content": "are you there?"}]


Client = Callable[..., openai.OpenAI]


@pytest.fixture
def client() -> Iterator[Client]:
    """Makes clients, and closes them when the test is over."""
    with ExitStack() as open_clients:

        def make(sim: Simulator, key: str = "sk-a") -> openai.OpenAI:
            made = openai.OpenAI(base_url=sim.base_url, api_key=key, max_retries=0, timeout=5)
            return open_clients.enter_context(made)

        yield make


def test_a_healthy_key_answers_by_name(ask: Ask) -> None:
    """The answer names the entry and the model, echoes the prompt, and counts words."""
    with Simulator([{"name": "spare-2", "key": "sk-a"}]) as sim:
        answer = ask(sim, "sk-a").answer

    assert answer.choices[0].message.content == "Hello from spare-2 (gpt-4o): you said 'are you there?'"
    assert (answer.model, answer.choices[0].finish_reason) == ("gpt-4o", "stop")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (
        3,
        9,
        12,
    )


def test_the_stream_has_openais_chunks(ask: Ask) -> None:
    """First a chunk with a role and no text, then the text, a finish, and usage because it was asked for."""
    with Simulator({"sk-a": "healthy"}, reply="one two") as sim:
        chunks = ask(sim, "sk-a", stream=True, stream_options={"include_usage": True}).chunks

    first, *middle, last, usage = chunks
    assert (first.choices[0].delta.role, first.choices[0].delta.content) == ("assistant", "")
    assert [chunk.choices[0].delta.content for chunk in middle] == ["one ", "two"]
    assert (last.choices[0].finish_reason, last.choices[0].delta.content) == ("stop", None)
    assert (usage.choices, usage.usage.completion_tokens) == ([], 2)
    assert len({chunk.id for chunk in chunks}) == 1


def test_usage_comes_only_when_asked_for(ask: Ask) -> None:
    """Without include_usage no chunk carries a count."""
    with Simulator({"sk-a": "healthy"}) as sim:
        chunks = ask(sim, "sk-a", stream=True).chunks

    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


def test_the_stream_ends_with_done() -> None:
    """On the wire the last event is OpenAI's end mark."""
    with Simulator({"sk-a": "healthy"}) as sim:
        body = {"model": "gpt-4o", "messages": MESSAGES, "stream": True}
        answer = httpx.post(f"{sim.base_url}/chat/completions", json=body, headers={"authorization": "Bearer sk-a"})

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.endswith("data: [DONE]\n\n")


def test_max_tokens_cuts_the_answer(ask: Ask) -> None:
    """A limit is kept, and the finish reason says so."""
    with Simulator({"sk-a": "healthy"}) as sim:
        choice = ask(sim, "sk-a", max_tokens=2).answer.choices[0]

    assert (choice.message.content, choice.finish_reason) == ("Hello from ", "length")


def test_stop_sequences_and_choices_are_kept(ask: Ask) -> None:
    """The text ends before a stop sequence, and comes as often as choices are asked for."""
    with Simulator({"sk-a": "healthy"}, reply="one two three") as sim:
        choices = ask(sim, "sk-a", stop=["three", " two"], n=2).answer.choices
        chunks = ask(sim, "sk-a", n=2, stream=True).chunks

    assert [(choice.message.content, choice.finish_reason) for choice in choices] == [("one", "stop")] * 2
    second = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices[0].index == 1]
    assert "".join(second) == "one two three"


def test_a_long_prompt_is_cut_before_it_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be it many words, one word or mostly space; the answer is the same as ever."""
    wrapped: list[str] = []

    def shorten(text: str, width: int, placeholder: str) -> str:
        wrapped.append(text)
        return textwrap_shorten(text, width, placeholder=placeholder)

    textwrap_shorten = textwrap.shorten
    monkeypatch.setattr(textwrap, "shorten", shorten)

    said = [
        _short(text) for text in ("word " * 10**5, "w" * 10**6, " " * 10**6 + "a  b" + " " * 10**6, "well-" * 10**5)
    ]
    assert max(map(len, wrapped)) < 20_000
    assert said == ["word " * 15 + "word…", "…", "a b", "well-" * 15 + "…"]


def test_usage_has_its_details(ask: Ask) -> None:
    """Nothing is cached and nothing was reasoned, and the fields for it are there."""
    with Simulator({"sk-a": "healthy"}) as sim:
        usage = ask(sim, "sk-a").answer.usage

    assert (usage.prompt_tokens_details.cached_tokens, usage.completion_tokens_details.reasoning_tokens) == (0, 0)


REFUSALS = {
    "revoked": (401, openai.AuthenticationError, "invalid_api_key"),
    "no_credit": (402, openai.APIStatusError, "invalid_request_error"),
    "insufficient_quota": (429, openai.RateLimitError, "insufficient_quota"),
    "rate_limited": (429, openai.RateLimitError, "rate_limit_exceeded"),
    "forbidden": (403, openai.PermissionDeniedError, None),
    "region_blocked": (403, openai.PermissionDeniedError, "unsupported_country_region_territory"),
    "overloaded": (503, openai.InternalServerError, "overloaded"),
    "server_error": (500, openai.InternalServerError, None),
    "bad_request": (400, openai.BadRequestError, "decimal_above_max_value"),
    "context_overflow": (400, openai.BadRequestError, "context_length_exceeded"),
    "content_policy": (400, openai.BadRequestError, "content_policy_violation"),
    "model_not_found": (404, openai.NotFoundError, "model_not_found"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("kind", REFUSALS)
def test_refusals_raise_the_right_class(ask: Ask, kind: str, stream: bool) -> None:
    """Each refusal has its status, its code and the client's own exception, streamed or not."""
    status, expected, code = REFUSALS[kind]
    with Simulator({"sk-a": kind, "sk-b": "healthy"}) as sim:
        error = ask(sim, "sk-a", stream=stream).error

        assert sim.counts == {"sk-a": 1, "sk-b": 0}
    assert isinstance(error, expected)
    assert (error.status_code, error.code) == (status, code)
    assert error.request_id


def test_a_revoked_key_is_echoed(ask: Ask) -> None:
    """OpenAI repeats the key in its 401, so the simulator does: whoever shows that error must scrub it."""
    with Simulator({"sk-secret": "revoked"}) as sim:
        error = ask(sim, "sk-secret").error

    assert error.body == {
        "message": "Incorrect API key provided: sk-secret. "
        "You can find your API key at https://platform.openai.com/account/api-keys.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_api_key",
    }


def test_an_unknown_key_is_refused_like_a_revoked_one(ask: Ask) -> None:
    """A key nobody listed gets 401, and is counted."""
    with Simulator({"sk-a": "healthy"}) as sim:
        error = ask(sim, "sk-x").error

        assert sim.count("sk-x") == 1
        assert sim.requests[0].behaviour == "unknown_key"
    assert isinstance(error, openai.AuthenticationError)


def test_the_default_takes_in_unknown_keys(ask: Ask) -> None:
    """With a default, keys nobody listed behave so."""
    with Simulator({"sk-a": "revoked"}, default="healthy") as sim:
        assert ask(sim, "sk-x").error is None
        assert sim.counts == {"sk-a": 0, "sk-x": 1}


def test_settings_change_a_refusal(ask: Ask) -> None:
    """Status, words and waiting time can be told."""
    told = {"kind": "overloaded", "status": 529, "message": "full", "retry_after": 7}
    with Simulator({"sk-a": told}) as sim:
        error = ask(sim, "sk-a").error

    assert (error.status_code, error.code, error.body["message"]) == (529, "overloaded", "full")
    assert error.response.headers["retry-after"] == "7"


def test_custom_answers_are_sent_as_they_are(ask: Ask) -> None:
    """Whatever is not in the list can be spelled out: status, headers, body."""
    told = {
        "kind": "custom",
        "status": 418,
        "headers": {"X-Pot": "tea"},
        "body": {"error": {"code": "teapot"}},
    }
    with Simulator({"sk-a": told}) as sim:
        error = ask(sim, "sk-a").error

    assert isinstance(error, openai.APIStatusError)
    assert (error.status_code, error.code, error.response.headers["x-pot"]) == (418, "teapot", "tea")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_malformed_body_breaks_the_parser(ask: Ask, stream: bool) -> None:
    """Status 200 and no JSON: the client fails while it parses."""
    with Simulator({"sk-a": "malformed"}) as sim:
        error = ask(sim, "sk-a", stream=stream).error

        assert sim.requests[0].status == 200
    assert isinstance(error, ValueError)


CHAT = {"model": "gpt-4o", "messages": MESSAGES}
INVALID: list[tuple[str, dict[str, Any], str | None]] = [
    ("chat/completions", {"messages": MESSAGES}, None),
    ("chat/completions", {"model": "gpt-4o"}, "messages"),
    ("chat/completions", {"model": "gpt-4o", "messages": []}, "messages"),
    ("chat/completions", {"model": "gpt-4o", "messages": "hello"}, "messages"),
    ("chat/completions", {"model": "gpt-4o", "messages": ["hello"]}, "messages[0]"),
    ("chat/completions", {"model": "gpt-4o", "messages": [{"content": "hello"}]}, "messages[0].role"),
    ("chat/completions", {**CHAT, "stream": "yes"}, "stream"),
    ("chat/completions", {**CHAT, "max_tokens": 0}, "max_tokens"),
    ("chat/completions", {**CHAT, "stream_options": {"include_usage": True}}, "stream_options"),
    ("chat/completions", {**CHAT, "stream": True, "stream_options": 1}, "stream_options"),
    ("embeddings", {"model": "e"}, "input"),
    ("embeddings", {"model": "e", "input": ""}, "input"),
    ("embeddings", {"model": "e", "input": ["a", ""]}, "input"),
    ("embeddings", {"model": "e", "input": [[1, 2], "a", {}]}, "input"),
    ("embeddings", {"model": "e", "input": ["a"] * 2049}, "input"),
    ("embeddings", {"model": "e", "input": "a", "dimensions": 0}, "dimensions"),
    ("embeddings", {"model": "e", "input": "a", "encoding_format": "hex"}, "encoding_format"),
]


@pytest.mark.parametrize(("path", "body", "param"), INVALID)
def test_an_invalid_request_is_refused_whatever_the_key(path: str, body: Any, param: str | None) -> None:
    """What is wrong with the request itself is a 400 naming the field, even for a key that would hang."""
    with Simulator({"sk-a": "hang"}) as sim:
        answer = httpx.post(f"{sim.base_url}/{path}", json=body, headers={"authorization": "Bearer sk-a"})

        assert sim.requests[0].behaviour == "invalid"
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["param"]) == (400, "invalid_request_error", param)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000], ids=["nothing", "half", "list", "bytes", "deep"]
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    """Garbage in is a 400, not a crash."""
    with Simulator({"sk-a": "healthy"}) as sim:
        answer = httpx.post(f"{sim.base_url}/chat/completions", content=body, headers={"authorization": "Bearer sk-a"})

    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


def test_an_invalid_request_takes_no_turn(ask: Ask) -> None:
    """A schedule waits for the first request it can apply to."""
    with Simulator({"sk-a": ["server_error", "healthy"]}) as sim:
        assert isinstance(ask(sim, "sk-a", messages=[]).error, openai.BadRequestError)
        assert isinstance(ask(sim, "sk-a").error, openai.InternalServerError)
        assert ask(sim, "sk-a").error is None


def test_without_a_key_there_is_no_answer() -> None:
    """A missing Authorization header is a 401 of its own."""
    with Simulator({"sk-a": "healthy"}, default="healthy") as sim:
        answer = httpx.post(f"{sim.base_url}/chat/completions", json=CHAT)

    assert answer.status_code == 401
    assert "You didn't provide an API key" in answer.json()["error"]["message"]


def test_an_unknown_path_is_refused_in_openais_words() -> None:
    """Clients find an error body where they look for it."""
    with Simulator({"sk-a": "healthy"}) as sim:
        answer = httpx.post(f"{sim.base_url}/nothing", json={})

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_url")


def test_the_models_of_the_scenario_are_the_models_there_are(ask: Ask, client: Client) -> None:
    """They are listed, and another one is a 404."""
    with Simulator({"sk-a": "healthy"}, models=["gpt-4o", "small"]) as sim:
        assert [model.id for model in client(sim).models.list()] == ["gpt-4o", "small"]
        assert client(sim).models.retrieve("small").id == "small"
        assert ask(sim, "sk-a", model="gpt-4o").error is None
        assert isinstance(ask(sim, "sk-a", model="gpt-5").error, openai.NotFoundError)


def test_listing_models_needs_a_working_key(client: Client) -> None:
    """The list is refused as chats are."""
    with Simulator({"sk-a": "revoked"}) as sim, pytest.raises(openai.AuthenticationError):
        client(sim).models.list()


def test_embeddings_are_the_same_in_both_encodings(client: Client) -> None:
    """Base64, the client's default, and plain numbers hold the same vector of length 1."""
    with Simulator({"sk-a": "healthy"}) as sim:
        embed = client(sim).embeddings.create
        default = embed(model="text-embedding-3-small", input="a spare key").data[0].embedding
        plain = embed(model="text-embedding-3-small", input=["a spare key"], encoding_format="float").data[0]

    assert len(default) == 1536
    assert default == pytest.approx(plain.embedding, abs=1e-7)
    assert math.hypot(*default) == pytest.approx(1, abs=1e-6)


def embedding(client: openai.OpenAI, model: str) -> list[float]:
    return client.embeddings.create(model=model, input="x").data[0].embedding


def test_embeddings_depend_on_model_text_and_nothing_else(client: Client) -> None:
    """Two keys and two runs agree; two models do not, so mixing them up shows."""
    vectors: list[list[float]] = []
    for _ in range(2):
        with Simulator({"sk-a": "healthy", "sk-b": "healthy"}) as sim:
            vectors += [embedding(client(sim, key), "m") for key in ("sk-a", "sk-b")]
            other = embedding(client(sim), "n")

    assert all(each == vectors[0] for each in vectors)
    assert other != vectors[0]


def test_texts_that_share_words_are_near(client: Client) -> None:
    """Retrieval over the simulator finds what it should."""
    texts = ["the cat sat on the mat", "a cat on a mat", "quarterly revenue grew"]
    with Simulator({"sk-a": "healthy"}) as sim:
        cat, kitten, money = (e.embedding for e in client(sim).embeddings.create(model="m", input=texts).data)

    assert sum(a * b for a, b in zip(cat, kitten, strict=True)) > 0.2
    assert abs(sum(a * b for a, b in zip(cat, money, strict=True))) < 0.1


@pytest.mark.parametrize(
    ("given", "vectors"),
    [("hi there", 1), (["hi", "there"], 2), ([5, 6, 7], 1), ([[5, 6], [7]], 2)],
    ids=["text", "texts", "tokens", "lists of tokens"],
)
def test_embeddings_take_every_form_of_input(given: Any, vectors: int, client: Client) -> None:
    """Texts and token arrays, one or several; dimensions are kept."""
    with Simulator({"sk-a": "healthy"}) as sim:
        answer = client(sim).embeddings.create(model="m", input=given, dimensions=8)

    assert [len(item.embedding) for item in answer.data] == [8] * vectors
    assert [item.index for item in answer.data] == list(range(vectors))
    assert answer.usage.prompt_tokens in (2, 3)
