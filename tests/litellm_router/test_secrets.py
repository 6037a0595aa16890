"""A provider's 401 repeats the key; nothing that leaves sparekey does."""

from __future__ import annotations

import traceback

import pytest

import sparekey as sk

KEYS = ["sk-very-secret-key-0001", "sk-very-secret-key-0002"]


def everything(error):
    """All the places where an error shows its text."""
    yield str(error)
    yield repr(error)
    yield "".join(traceback.format_exception(error))
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield repr(vars(error))
        yield repr(error.args)
        error = error.__cause__ or error.__context__


def test_no_key_is_in_an_error(ask, provider, entry, router_of):
    """In its text, its attributes, its causes or its traceback, or those of its attempts."""
    sim = provider(dict.fromkeys(KEYS, "revoked"))
    router = router_of(entry(sim, KEYS))

    with pytest.raises(sk.FallbackExhaustedError) as caught:
        ask(router)

    texts = [*everything(caught.value), *(t for a in caught.value.attempts for t in (repr(a), *everything(a.error)))]
    assert sk.fingerprint(KEYS[0]) in texts[0]
    assert not [text for text in texts if any(key in text for key in KEYS)]


def test_no_key_is_in_an_error_that_stops_the_request(ask, provider, entry, router_of):
    """It is LiteLLM's own object, cleaned."""
    sim = provider({KEYS[0]: {"kind": "bad_request", "message": f"Your key {KEYS[0]} sent temperature 3"}})
    router = router_of(entry(sim, [KEYS[0]]))

    with pytest.raises(Exception, match="temperature") as caught:
        ask(router)

    assert not [text for text in everything(caught.value) if KEYS[0] in text]


def test_no_key_is_in_an_error_of_a_stream_under_way(provider, entry, router_of):
    """The caller gets it from the iterator."""
    fault = {"kind": "stream_error", "after": 1, "error": "revoked"}
    sim = provider({KEYS[0]: fault}, reply="One two three")
    router = router_of(entry(sim, [KEYS[0]]))

    with pytest.raises(Exception) as caught:
        list(router.completion("chat", [{"role": "user", "content": "Hi"}], stream=True))

    assert not [text for text in everything(caught.value) if KEYS[0] in text]


def test_no_key_is_in_what_is_shown_or_written(aask, provider, entry, router_of, attempts):
    """Representations, attempts, and the metadata that LiteLLM logs."""
    sim = provider({KEYS[0]: "revoked", KEYS[1]: "revoked", "sk-very-secret-key-0003": "healthy"})
    router = router_of(
        entry(sim, KEYS), entry(sim, ["sk-very-secret-key-0003"], name="backup"), fallbacks=[{"chat": ["backup"]}]
    )
    metadata = {"mine": 1}

    aask(router, metadata=metadata)

    shown = [repr(x) for x in (router.strategy, router.strategy.host, router.strategy.tracker, attempts, metadata)]
    assert len(attempts) == 3
    assert not [text for text in shown if "very-secret" in text]
