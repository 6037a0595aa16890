"""No key in anything that can be printed, logged or raised, though the providers echo it."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from urllib.parse import quote

import aiohttp
import httpx
import openai
import pytest
from aiohttp.client_reqrep import RequestInfo
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from pydantic import BaseModel, ValidationError

import sparekey as sk
from sparekey._secrets import _known, register, scrub_error

KEY = "sk-proj-4fN0tARealKeyButLongEnough0123456789"


@pytest.fixture(autouse=True, scope="module")
def registry():
    """Hypothesis registers the strangest secrets; they are not left to other tests."""
    yield
    _known.clear()


@pytest.fixture
def one():
    """A candidate with KEY."""
    return sk.candidates_for(
        "m", [{"model_name": "m", "model": "openai/gpt-4o", "api_keys": [KEY, "spare-key-number-two"]}]
    )


def echoing():
    """OpenAI's 401, which repeats the key in its message and body, caused by an HTTP error that does too."""
    text = f"Incorrect API key provided: {KEY}. You can find your API key at https://platform.openai.com."
    request = httpx.Request("POST", "https://api.openai.com/v1", headers={"Authorization": f"Bearer {KEY}"})
    response = httpx.Response(401, json={"error": {"message": text}}, request=request)
    error = openai.AuthenticationError(
        f"Error code: 401 - {text}", response=response, body={"message": text, "code": "invalid_api_key"}
    )
    error.__cause__ = httpx.HTTPStatusError(text, request=request, response=response)
    error.__cause__.__context__ = ExceptionGroup(text, [ValueError(text), ValueError(f"nested {text}")])
    return error


def shown(error):
    """All that a person, a log or an error tracker would see of it."""
    return "".join(traceback.format_exception(error)) + f"{error} {error!r} {vars(error)} {error.args}"


def test_an_exhausted_error_shows_no_key_anywhere(one):
    """Not in its text, its attempts, its cause, nor in what caused that."""

    def fn(_candidate):
        raise echoing()

    with pytest.raises(sk.FallbackExhaustedError) as caught:
        sk.FallbackChain().execute(one, fn)

    error = caught.value
    assert KEY not in shown(error)
    assert KEY not in repr(error.attempts)
    assert f"[key {sk.fingerprint(KEY)}]" in str(error)


def test_a_stopping_error_is_the_same_object_cleaned(one):
    """Its class, status and body survive; the key in them does not."""
    original = echoing()
    chain = sk.FallbackChain(classify=lambda _: sk.Verdict(sk.Reason.FORMAT))

    def fn(_candidate):
        raise original

    with pytest.raises(openai.AuthenticationError) as caught:
        chain.execute(one, fn)

    assert caught.value is original
    assert KEY not in shown(original)
    assert original.body == {"message": scrubbed_text(), "code": "invalid_api_key"}
    assert original.status_code == 401


def scrubbed_text():
    return f"Incorrect API key provided: [key {sk.fingerprint(KEY)}]. You can find your API key at https://platform.openai.com."


def test_a_stream_that_breaks_shows_no_key(one):
    """Also after the first chunk."""

    def fn(_candidate):
        yield 1
        raise echoing()

    chunks = sk.FallbackChain().stream(one, fn).response
    next(chunks)
    with pytest.raises(openai.AuthenticationError) as caught:
        next(chunks)
    assert KEY not in shown(caught.value)


def test_an_error_that_cannot_be_cleaned_is_replaced(one):
    """A compiled exception keeps its text out of reach: its stand-in has the text without the key."""

    class Wants(BaseModel):
        n: int

    def fn(_candidate):
        Wants(n=KEY)

    with pytest.raises(Exception, match="ValidationError") as caught:
        sk.FallbackChain().execute(one, fn)

    assert not isinstance(caught.value, ValidationError)
    assert KEY not in shown(caught.value)


def test_a_cause_that_cannot_be_cleaned_is_replaced():
    """The chain of causes is printed with the error."""
    register(KEY)

    class Wants(BaseModel):
        n: int

    try:
        try:
            Wants(n=KEY)
        except ValidationError as inner:
            raise RuntimeError("outer") from inner
    except RuntimeError as error:
        clean = scrub_error(error)

    assert "outer" in shown(clean)
    assert KEY not in shown(clean)


def test_the_response_and_the_request_of_an_error_are_cleaned():
    """Error trackers and LangChain's traces write its body, and some the headers it was asked with."""
    register(KEY)
    error = echoing()
    assert KEY in error.response.text

    scrub_error(error)

    for response in (error.response, error.__cause__.response):
        assert KEY not in response.text + repr(response.json()) + repr(response.content)
        assert KEY not in repr(list(response.request.headers.items()))
    assert error.response.status_code == 401


def test_notes_are_cleaned():
    """They are printed too."""
    register(KEY)
    error = ValueError("x")
    error.add_note(f"asked with {KEY}")

    assert KEY not in shown(scrub_error(error))


@pytest.mark.parametrize("text", [f"Bearer {KEY}", f"{KEY}", f"<{KEY}{KEY}>", f'{{"k":"{KEY}"}}'])
def test_a_known_key_is_scrubbed_wherever_it_stands(text):
    """Whatever is around it."""
    register(KEY)

    assert KEY not in sk.scrub(text)


@pytest.mark.parametrize(
    "key", ["sk-ant-api03-AbCdEfGhIjKlMnOpQrSt", "AIzaSyA0123456789abcdefghij", "gsk_0123456789abcdefghijkl"]
)
def test_what_looks_like_a_key_is_scrubbed_though_nobody_told_of_it(key):
    """A chat model that the user built may echo a key sparekey never saw."""
    assert key not in sk.scrub(f"Incorrect API key: {key}.")


def test_a_short_key_is_scrubbed_as_a_word_only():
    """A test key of two letters does not tear words apart."""
    register("k1")

    assert sk.scrub("key k1 of k10, k1.") == f"key [key {sk.fingerprint('k1')}] of k10, [key {sk.fingerprint('k1')}]."


ODD = 'ab/cd+EF=="q\\xyz12'


@pytest.mark.parametrize("spell", [str, repr, json.dumps, lambda k: quote(k, safe=""), lambda k: k.replace("/", "\\/")])
def test_a_key_with_odd_letters_is_scrubbed_however_it_is_spelt(spell):
    """In addresses, JSON and reprs it looks different."""
    register(ODD)
    text = f"<{spell(ODD)}>"

    assert spell(ODD).strip("'\"") not in sk.scrub(text)


def test_a_key_that_begins_another_does_not_leave_the_rest_of_it():
    """The longer is looked for first."""
    register("tenant-key")
    register("tenant-key-9f8e7d6c5b4a")

    assert "9f8e7d6c5b4a" not in sk.scrub("bad key tenant-key-9f8e7d6c5b4a")


@pytest.mark.parametrize(
    "setting",
    [
        {"extra_headers": {"Authorization": "Bearer inner-secret-0123456789"}},
        {"vertex_credentials": {"private_key": "inner-secret-0123456789"}},
        {"api_base": "https://h/v1?api-version=2024&key=inner-secret-0123456789&alt=sse"},
        {"api_base": "https://user:inner-secret-0123456789@h/v1"},
        {"proxy": "http://user:inner-secret-0123456789@proxy:8080"},
        {"clientSecret": " inner-secret-0123456789 "},
        {"service_account_json": "inner-secret-0123456789"},
        {"api_key_2": "inner-secret-0123456789"},
        {"jwt": "inner-secret-0123456789"},
    ],
)
def test_every_setting_that_bears_a_credential_is_masked_hashed_and_scrubbed(setting):
    """Whatever it is called, and however deep it is."""
    models = sk.expand_model_list([{"model_name": "m", "model": "p/m", **setting}])
    (found,) = sk.candidates_for("m", models)

    assert found.credential
    assert "inner-secret" not in repr(models)
    assert "inner-secret" not in sk.scrub("the provider says inner-secret-0123456789 is wrong")


def test_what_only_looks_like_a_credential_is_left_alone():
    """Counts of tokens, names of tokens, versions in an address."""
    row = {"model_name": "m", "model": "p/m", "max_tokens": 5, "eos_token": "</s>", "stop_token": "END"}
    (found,) = sk.candidates_for("m", [{**row, "api_base": "https://h/v1"}])

    assert found.credential == ""
    assert (
        sk.scrub("sk-learn-compatible-estimator hf_transformers_pipeline")
        == "sk-learn-compatible-estimator hf_transformers_pipeline"
    )


class Slotted(Exception):  # noqa: N818
    """Keeps its text outside of its dictionary."""

    __slots__ = ("message",)

    def __str__(self):
        return self.message


def slotted():
    error = Slotted()
    error.message = f"slot {KEY}"
    return error


class Stubborn(Exception):  # noqa: N818
    """Cannot be shown at all."""

    def __str__(self):
        raise TypeError("no")


@pytest.mark.parametrize(
    "build",
    [
        slotted,
        lambda: ConnectionRefusedError(111, f"refused {KEY}"),
        lambda: OSError(ConnectionResetError(f"inner {KEY}")),
        lambda: ValueError({"a": [{"b": {"c": {"d": {"e": {"f": {"g": KEY}}}}}}]}),
        lambda: aiohttp.ClientResponseError(
            RequestInfo("http://h", "POST", CIMultiDict(Authorization=f"Bearer {KEY}"), "http://h"), (), status=400
        ),
    ],
)
def test_errors_that_keep_their_text_in_odd_places_keep_their_class(build):
    """So that except clauses go on working."""
    register(KEY)
    error = build()

    assert scrub_error(error) is error
    assert KEY not in shown_anyhow(error)


def shown_anyhow(error):
    return "".join(traceback.format_exception(error)) + f"{error!r} {error.args!r}"


def test_links_to_one_error_that_cannot_be_cleaned_are_all_replaced():
    """Python prints the cause, error trackers the context too."""
    register(KEY)

    class Wants(BaseModel):
        n: int

    try:
        try:
            Wants(n=KEY)
        except ValidationError as inner:
            raise RuntimeError("outer") from inner
    except RuntimeError as error:
        clean = scrub_error(error)

    assert KEY not in f"{clean.__cause__!r} {clean.__context__!r}"


def test_a_chain_of_thousands_of_causes_is_cut():
    """And does not end the stack."""
    error = ValueError(KEY)
    for _ in range(3000):
        outer = ValueError("x")
        outer.__cause__ = error
        error = outer
    register(KEY)

    assert KEY not in "".join(traceback.format_exception(scrub_error(error)))


def test_an_error_that_cannot_be_shown_does_not_break_the_exhausted_error(one):
    """Somebody else's __str__ may do anything."""

    def fn(_candidate):
        raise Stubborn

    chain = sk.FallbackChain(classify=lambda _: sk.Verdict(sk.Reason.NETWORK))
    with pytest.raises(sk.FallbackExhaustedError) as caught:
        chain.execute(one, fn)

    assert "Stubborn cannot be shown" in str(caught.value)
    pickle.loads(pickle.dumps(caught.value))


def test_a_timeout_of_ours_can_be_copied_and_pickled():
    """Workers send their errors home."""
    error = sk.AttemptTimeoutError(3, by_deadline=True)

    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (str(again), again.by_deadline) == ("no answer within the deadline's last 3s", True)


@pytest.mark.parametrize("word", ["a", "none", "EMPTY", "ollama"])
def test_what_stands_for_no_key_is_left_in_peace(word):
    """Servers that want any key get such words, and sentences have them too."""
    register(word)

    assert sk.scrub(f"there is {word} here") == f"there is {word} here"


@given(
    st.text(min_size=8, max_size=60).filter(lambda text: len(text.strip()) >= 8),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_no_registered_secret_survives_scrubbing(secret, before, after):
    """Any text, any surroundings."""
    register(secret)

    assert secret not in sk.scrub(before + secret + after)


def test_no_repr_shows_a_key(one):
    """Entries, candidates, policies, trackers, chains, results: all are logged sooner or later."""
    rows = [
        {
            "model_name": "m",
            "model": "p/m",
            "api_key": KEY,
            "api_keys": [KEY + "2"],
            "api_base": f"https://user:{KEY}@host/v1?key={KEY}",
            "aws_secret_access_key": KEY,
            "extra_headers": {"Authorization": f"Bearer {KEY}", "X-Trace": "visible"},
            "vertex_credentials": {"private_key": KEY},
            "max_tokens": 4096,
        }
    ]
    models = sk.expand_model_list(rows)
    tracker = sk.CooldownTracker()
    chain = sk.FallbackChain(tracker)
    found = sk.candidates_for("m", models)
    tracker.mark_failure(found[0], "auth")
    result = chain.execute(found, lambda candidate: "ok")

    everything = [sk.ModelConfig(**rows[0]), models, found, tracker, tracker.snapshot(), chain, result, result.attempts]
    assert KEY not in repr(everything)
    assert "visible" in repr(models)
    assert "4096" in repr(models)


def test_a_refused_entry_shows_no_key():
    """Pydantic quotes its input unless told not to."""
    with pytest.raises(ValidationError) as caught:
        sk.ModelConfig(model_name="m", model="p/m", api_keys=KEY)

    assert KEY not in shown(caught.value)


def test_an_exhausted_error_survives_pickling_without_a_key(one):
    """Workers send their errors home."""

    def fn(_candidate):
        raise echoing()

    with pytest.raises(sk.FallbackExhaustedError) as caught:
        sk.FallbackChain().execute(one, fn)
    data = pickle.dumps(caught.value)
    back = pickle.loads(data)

    assert KEY.encode() not in data
    assert str(back).splitlines()[0] == str(caught.value).splitlines()[0]
    assert [a.reason for a in back.attempts] == [a.reason for a in caught.value.attempts]
    assert copy.copy(one[0]) == one[0]


def test_fingerprints_are_short_stable_and_distinct():
    """Twelve hex digits; the same today and tomorrow."""
    assert sk.fingerprint("a") == "5ac2dda7d621"
    assert len({sk.fingerprint(str(n)) for n in range(2000)}) == 2000


def test_a_credential_in_a_list_of_settings_is_one():
    """Two entries that differ in nothing else are two candidates, and neither shows it."""
    rows = [
        {
            "model_name": "m",
            "model": "openai/x",
            "extra_body": {"providers": [{"name": "a", "api_key": f"zz-{i}-hidden"}]},
        }
        for i in range(2)
    ]
    models = sk.expand_model_list(rows)

    assert len(sk.candidates_for("m", models)) == 2
    assert "hidden" not in repr(models) + sk.scrub("zz-0-hidden and zz-1-hidden")
    assert b"hidden" not in pickle.dumps(models)
