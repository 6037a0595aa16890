"""Clients of a real proxy, whose config has ``api_keys`` and whose workers expand them as they start."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.timeout(180)

CHAT = "openai/gpt-4o"
GROUPS = {
    "throttled": CHAT,
    "unpaid": CHAT,
    "refused": CHAT,
    "wrong": CHAT,
    "broken": CHAT,
    "dead": CHAT,
    "down": CHAT,
    "shown": CHAT,
    "vectors": "openai/text-embedding-3-small",
    "answers": CHAT,
    "claude": "anthropic/claude-sonnet-4-6",
    "gpt-as-claude": CHAT,
    "pictures": "openai/gpt-image-1",
    "speech": "openai/tts-1",
    "texts": "text-completion-openai/gpt-3.5-turbo-instruct",
    "told": CHAT,
    "told-stream": CHAT,
    "told-texts": "text-completion-openai/gpt-3.5-turbo-instruct",
}
GROUPS |= {f"{group}-gone": model for group, model in GROUPS.items()}
MESSAGE = {"max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]}
OTHER_WAYS = [
    ("vectors", "/v1/embeddings", {"input": ["hello"]}),
    ("answers", "/v1/responses", {"input": "hello"}),
    ("claude", "/v1/messages", MESSAGE),
    ("gpt-as-claude", "/v1/messages", MESSAGE),
    ("pictures", "/v1/images/generations", {"prompt": "a cat"}),
    ("speech", "/v1/audio/speech", {"input": "hello", "voice": "alloy"}),
    ("texts", "/v1/completions", {"prompt": "hello"}),
]


def keys_of(group):
    return [f"sk-{group}-key-{number}-of-the-proxy" for number in (1, 2, 3)]


@pytest.fixture(scope="module")
def proxy(proxies, provider):
    """One worker; every group has three keys of its own, healthy ones."""
    rows = [
        {
            "model_name": group,
            "litellm_params": {
                "model": model,
                "api_keys": keys_of(group),
                "api_base": provider.url if model.startswith("anthropic") else provider.base_url,
            },
        }
        for group, model in GROUPS.items()
    ]
    return proxies({"model_list": rows}).begin().ready()


@pytest.fixture
def keys(provider):
    """Sets how the keys of a group behave, and forgets what was asked so far."""

    def set_up(group, *behaviours):
        for key, behaviour in zip(keys_of(group), [*behaviours, *["healthy"] * 3], strict=False):
            provider.set(key, behaviour)
        provider.clear()
        return keys_of(group)

    return set_up


def asked(provider, group):
    """How often each key of a group was asked since."""
    return [provider.count(key) for key in keys_of(group)]


@pytest.mark.parametrize(
    ("group", "fault"), [("throttled", "rate_limited"), ("unpaid", "no_credit"), ("refused", "revoked")]
)
def test_the_next_key_answers_and_the_first_is_not_asked_again(proxy, provider, keys, group, fault):
    """Throttled, out of credit or revoked: one call finds out, and the client gets its answer."""
    keys(group, fault)

    first, second = proxy.chat(group), proxy.chat(group)

    assert (first.status_code, second.status_code) == (200, 200)
    assert "hello" in first.json()["choices"][0]["message"]["content"]
    assert asked(provider, group) == [1, 2, 0]


def test_a_wrong_request_is_asked_once_and_is_the_clients(proxy, provider, keys):
    """HTTP 400 after one call upstream, and every key is well."""
    keys("wrong", "bad_request", "bad_request")

    refused = proxy.chat("wrong")

    assert refused.status_code == 400
    assert asked(provider, "wrong") == [1, 0, 0]


def test_a_stream_that_breaks_before_its_first_chunk_is_taken_over(proxy, provider, keys):
    """The client sees HTTP 200 and one whole stream, of the next key."""
    keys("broken", {"kind": "stream_error", "after": 0})

    answer = proxy.chat("broken", stream=True)

    chunks = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    assert answer.status_code == 200
    assert "hello" in "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])
    assert answer.text.rstrip().endswith("data: [DONE]")
    assert asked(provider, "broken") == [1, 1, 0]


@pytest.mark.parametrize("stream", [False, True])
def test_when_all_keys_are_throttled_the_client_is_told_when_to_come_back(proxy, provider, keys, stream):
    """HTTP 429 with the seconds until the first key is due, though another one was refused."""
    keys("dead", "revoked", {"kind": "rate_limited", "retry_after": 40}, "revoked")

    answer = proxy.chat("dead", stream=stream)

    assert answer.status_code == 429
    assert 30 <= int(answer.headers["retry-after"]) <= 40
    assert "all 3 candidates" in answer.json()["error"]["message"]
    assert sum(asked(provider, "dead")) in (0, 3)


def test_when_nobody_is_throttled_the_service_is_unavailable(proxy, keys):
    """A client whose own key is well must not read that it was refused: HTTP 503, and when to come back."""
    keys("down", "revoked", "revoked", "overloaded")

    answer = proxy.chat("down")

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(("group", "path", "body"), OTHER_WAYS)
def test_other_ways_to_ask_fail_over_alike(proxy, provider, keys, group, path, body):
    """Embeddings, responses, messages and the rest: a dead key is asked once, and then never, and headers say so."""
    keys(group, "no_credit")

    answers = [proxy.post(path, {"model": group, **body}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert asked(provider, group) == [1, 2, 0]
    assert answers[0].headers["x-sparekey-tried"] == f"{group}__key_0=billing"
    assert answers[1].headers["x-sparekey-candidate"] == f"{group}__key_1"


@pytest.mark.parametrize(("group", "path", "body"), OTHER_WAYS)
def test_other_ways_to_ask_tell_alike_when_no_key_is_left(proxy, keys, group, path, body):
    """HTTP 503 and when to come back, never the 401 of our keys, whichever way of LiteLLM's the request took."""
    keys(f"{group}-gone", "revoked", "revoked", "revoked")

    answer = proxy.post(path, {"model": f"{group}-gone", **body})

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["error"]["message"].startswith("fallback: all 3 candidates ")
    assert ("type" in answer.json()) == (path == "/v1/messages"), "an error of Anthropic's form where it is expected"


@pytest.mark.parametrize(("group", "stream"), [("told", False), ("told-stream", True)])
def test_headers_say_who_answered_after_whom(proxy, keys, group, stream):
    """An operator sees in any answer which key it came from, and why not from an earlier one."""
    keys(group, "rate_limited")

    headers = proxy.chat(group, stream=stream).headers

    assert headers["x-sparekey-candidate"] == f"{group}__key_1"
    assert headers["x-sparekey-attempts"] == "2"
    assert headers["x-sparekey-tried"] == f"{group}__key_0=rate_limit"


def test_headers_of_a_stream_of_text_say_so_too(proxy, keys):
    """Which LiteLLM gives no place for them by itself."""
    keys("told-texts", "rate_limited")

    headers = proxy.post("/v1/completions", {"model": "told-texts", "prompt": "hello", "stream": True}).headers

    assert headers["x-sparekey-candidate"] == "told-texts__key_1"
    assert headers["x-sparekey-tried"] == "told-texts__key_0=rate_limit"


def test_no_key_is_shown_logged_or_sent_in_a_body(proxy, provider, keys):
    """Not by what the proxy tells of its models, not by its log, not to a provider whose refusals repeat keys."""
    keys("shown", "revoked", "revoked", "revoked")
    answer = proxy.chat("shown")
    bodies = json.dumps([request.body for request in provider.requests])
    shown = [proxy.get(path) for path in ("/model/info", "/v1/model/info", "/v1/models", "/model_group/info")]

    assert answer.status_code == 503
    assert all(page.status_code == 200 for page in shown)
    for text in (answer.text, bodies, proxy.said(), *(page.text for page in shown)):
        assert "api_keys" not in text
        assert "of-the-proxy" not in text


def test_clients_see_one_model_where_there_are_three_keys(proxy):
    """The list of models is that of the config, without a name made up for a key."""
    assert {model["id"] for model in proxy.get("/v1/models").json()["data"]} == set(GROUPS)
