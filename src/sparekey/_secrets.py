"""Fingerprints of credentials, and the scrubbing of texts that echo one.

Providers repeat the key in their own error text (OpenAI's 401 does), so it is not enough
never to print a key: what comes back is cleaned too. The registry below lives in this
process only and is never written anywhere; it maps a fingerprint to the text to look for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

# A secret this long cannot turn up inside an ordinary word by chance, so it is replaced
# wherever it stands; a shorter one ("k1") only where it is a word of its own.
_LONG = 8

# Keys sparekey was never told of (a chat model built by the user) still have a known look.
# Prefixes: OpenAI, Anthropic, OpenRouter, DeepSeek "sk-"; Google "AIza"; Groq "gsk_"; xAI "xai-";
# Hugging Face "hf_"; Perplexity "pplx-"; NVIDIA "nvapi-"; Fireworks "fw_"; Cerebras "csk-".
_LOOKS_LIKE_A_KEY = re.compile(r"(?<![A-Za-z0-9])(?:sk-|AIza|gsk_|xai-|hf_|pplx-|nvapi-|fw_|csk-)[A-Za-z0-9_\-]{16,}")

# What people write where a server wants any key at all. No secret, and scrubbing it would tear up
# ordinary sentences ("no such model in ollama").
_NO_SECRETS = frozenset(
    {"none", "null", "empty", "dummy", "test", "fake", "key", "token", "ollama", "lm-studio", "vllm", "no-key", "n/a"}
)

_BODY = "_content"

_known: dict[str, str] = {}


def fingerprint(secret: str) -> str:
    """Twelve hex digits that stand for ``secret``, the same in every process.

    BLAKE2b, 6 bytes, personalised, so that it equals no digest of the key published elsewhere.
    """
    return hashlib.blake2b(secret.encode(), digest_size=6, person=b"sparekey").hexdigest()


def register(secret: str) -> str:
    """Remember ``secret`` as something to scrub, and return its fingerprint."""
    digest = fingerprint(secret)
    # One letter is no secret either, and stands in every sentence.
    if len(secret.strip()) > 1 and secret.strip().lower() not in _NO_SECRETS:
        _known[digest] = secret
    return digest


def scrub(text: str) -> str:
    """``text`` with every known secret, and all that looks like a key, replaced by its fingerprint."""
    # A snapshot: another thread may register a key while this one reads.
    for digest, secret in list(_known.items()):
        if secret not in text:
            continue
        if len(secret) >= _LONG:
            text = text.replace(secret, f"[key {digest}]")
        else:
            word = rf"(?<![A-Za-z0-9_]){re.escape(secret)}(?![A-Za-z0-9_])"
            text = re.sub(word, f"[key {digest}]", text)
    return _LOOKS_LIKE_A_KEY.sub(lambda found: f"[key {fingerprint(found.group())}]", text)


def scrub_error(error: BaseException) -> BaseException:
    """Clean ``error`` in place, with all it was caused by; return it, or a stand-in.

    Its class and identity stay, so ``except openai.BadRequestError`` goes on working. Only
    when an error keeps its text where Python cannot reach it (an exception of a compiled
    module) does a :class:`ScrubbedError` with the cleaned text take its place.
    """
    return _scrub_error(error, set())


class ScrubbedError(Exception):
    """Stands for an error whose own text could not be cleaned of a key."""


def _scrub_error(error: BaseException, seen: set[int]) -> BaseException:
    seen.add(id(error))
    _clean_in_place(error)
    for link in ("__cause__", "__context__"):
        linked = getattr(error, link, None)
        if isinstance(linked, BaseException) and id(linked) not in seen:
            clean = _scrub_error(linked, seen)
            if clean is not linked:
                suppress = error.__suppress_context__  # assigning a cause would set it
                setattr(error, link, clean)
                error.__suppress_context__ = suppress
    for member in getattr(error, "exceptions", ()) if isinstance(error, BaseExceptionGroup) else ():
        if id(member) not in seen:
            _scrub_error(member, seen)
    shown = _text_of(error)
    if scrub(shown) == shown:
        return error
    return ScrubbedError(scrub(shown)).with_traceback(error.__traceback__)


def _text_of(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error} {error!r}"
    except Exception:  # somebody else's __str__ may do anything
        return type(error).__name__


def _clean_in_place(error: BaseException) -> None:
    if error.args:
        _try_set(error, "args", tuple(_scrub_value(value) for value in error.args))
    for name, value in list(getattr(error, "__dict__", {}).items()):
        clean = _scrub_value(value)
        if clean is not value:
            _try_set(error, name, clean)
    response = getattr(error, "response", None)
    for message in (response, getattr(response, "request", None), getattr(error, "request", None)):
        if message is not None:
            _clean_http(message)


def _clean_http(message: Any) -> None:
    """Clean the response or request an error carries: error trackers print its body and headers."""
    with suppress(Exception):  # anything may be called so, and a stream's body may not have been read
        for name, value in list(message.headers.items()):
            if (clean := scrub(value)) != value:
                message.headers[name] = clean
    with suppress(Exception):
        # httpx and requests both keep the body here, and have no way to change it; httpx also keeps its text.
        body = getattr(message, _BODY)
        if (clean := _scrub_value(body)) is not body:
            setattr(message, _BODY, clean)
            vars(message).pop("_text", None)


def _try_set(error: BaseException, name: str, value: object) -> None:
    try:
        setattr(error, name, value)
    except Exception:  # a read-only property: the check of the whole text decides
        return


def _scrub_value(value: Any, depth: int = 6) -> Any:
    """``value`` itself when it holds no secret, else a cleaned copy of it."""
    if isinstance(value, str):
        clean = scrub(value)
        return value if clean == value else clean
    if isinstance(value, bytes):
        text = value.decode("utf-8", "surrogateescape")
        clean = scrub(text)
        return value if clean == text else clean.encode("utf-8", "surrogateescape")
    if depth and type(value) is dict:
        pairs = {_scrub_value(k, depth - 1): _scrub_value(v, depth - 1) for k, v in value.items()}
        return value if _same(value, pairs) else pairs
    if depth and type(value) in (list, tuple):
        items = [_scrub_value(item, depth - 1) for item in value]
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else type(value)(items)
    return value


def _same(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> bool:
    return len(old) == len(new) and all(key in old and old[key] is item for key, item in new.items())
