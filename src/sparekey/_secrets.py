"""Fingerprints of credentials, and the scrubbing of texts that echo one.

Providers repeat the key in their own error text (OpenAI's 401 does), so it is not enough
never to print a key: what comes back is cleaned too. The registry below lives in this
process only and is never written anywhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

# A secret this long cannot turn up inside an ordinary word by chance, so it is replaced
# wherever it stands; a shorter one ("k1") only where it is a word of its own.
_LONG = 8

# Keys sparekey was never told of (a chat model built by the user) still have a known look.
# Prefixes: OpenAI, Anthropic, OpenRouter, DeepSeek "sk-"; Google "AIza"; Groq "gsk_"; xAI "xai-";
# Hugging Face "hf_"; Perplexity "pplx-"; NVIDIA "nvapi-"; Fireworks "fw_"; Cerebras "csk-". A digit is asked
# for, because names of things ("sk-learn-compatible-estimator") have the prefixes too.
_LOOKS_LIKE_A_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-|AIza|gsk_|xai-|hf_|pplx-|nvapi-|fw_|csk-)(?=[A-Za-z_\-]*[0-9])[A-Za-z0-9_\-]{16,}"
)

# What people write where a server wants any key at all. No secret, and scrubbing it would tear up
# ordinary sentences ("no such model in ollama").
_NO_SECRETS = frozenset(
    {"none", "null", "empty", "dummy", "test", "fake", "key", "token", "ollama", "lm-studio", "vllm", "no-key", "n/a"}
)

_BODY = "_content"
_PLACES = ("message", "msg", "body", "detail", "reason", "strerror", "request_info")
"""Attributes of errors that are not in their ``__dict__``: slots, and what OSError keeps for itself."""

_known: dict[str, str] = {}
"""From the text to look for to the fingerprint that stands for it."""
_texts: dict[str, str] = {}
"""From the fingerprint back to the secret."""
_by_length: list[tuple[str, str]] = []
"""The same in the order it is looked for; empty until it is asked for, and after a change."""
_PLAIN = re.compile(r"[A-Za-z0-9_.\-]+")


def fingerprint(secret: str) -> str:
    """Twelve hex digits that stand for ``secret``, the same in every process.

    BLAKE2b, 6 bytes, personalised, so that it equals no digest of the key published elsewhere.
    """
    return hashlib.blake2b(secret.encode("utf-8", "surrogatepass"), digest_size=6, person=b"sparekey").hexdigest()


def register(secret: str) -> str:
    """Remember ``secret`` as something to scrub, and return its fingerprint."""
    digest = fingerprint(secret)
    bare = secret.strip()
    # One letter is no secret, and stands in every sentence.
    if len(bare) > 1 and bare.lower() not in _NO_SECRETS and bare not in _known:
        _known.update(dict.fromkeys(spellings(bare), digest))
        _texts[digest] = bare
        _by_length.clear()
    return digest


def spellings(secret: str) -> list[str]:
    """``secret`` as it is, and as it stands in an address, in JSON and in a repr; always in this order."""
    if _PLAIN.fullmatch(secret):
        return [secret]
    quoted = [quote(secret, safe="", errors="replace"), json.dumps(secret)[1:-1], repr(secret)[1:-1]]
    return [secret, *quoted, secret.replace("/", "\\/")]


def replaced(text: str, stand_in: Callable[[str, str], str]) -> str:
    """``text`` with ``stand_in(spelling, fingerprint)`` in the place of every known secret, however it is spelled."""
    for secret, digest in _known_by_length():
        if secret not in text:
            continue
        if len(secret) >= _LONG:
            text = text.replace(secret, stand_in(secret, digest))
        else:
            word = rf"(?<![A-Za-z0-9_]){re.escape(secret)}(?![A-Za-z0-9_])"
            text = re.sub(word, lambda found, digest=digest: stand_in(found.group(), digest), text)  # type: ignore[misc]
    return text


def _known_by_length() -> list[tuple[str, str]]:
    """Longest first, because a key may be the beginning of another."""
    ordered = list(_by_length)
    if not ordered:
        ordered = sorted(_known.copy().items(), key=lambda pair: -len(pair[0]))
        _by_length[:] = ordered
    return ordered


def scrub(text: str) -> str:
    """``text`` with every known secret, and all that looks like a key, replaced by its fingerprint."""
    text = replaced(text, lambda _, digest: f"[key {digest}]")
    return _LOOKS_LIKE_A_KEY.sub(lambda found: f"[key {fingerprint(found.group())}]", text)


def revealed(digest: str) -> str | None:
    """The secret of a fingerprint, if this process knows it."""
    return _texts.get(digest)


def register_lookalikes(text: str) -> None:
    """Remember all in ``text`` that looks like a key, so that what :func:`scrub` puts in its place can be undone."""
    for found in _LOOKS_LIKE_A_KEY.finditer(text):
        register(found.group())


def scrub_error(error: BaseException) -> BaseException:
    """Clean ``error`` in place, with all it was caused by; return it, or a stand-in.

    Its class and identity stay, so ``except openai.BadRequestError`` goes on working. Only
    when an error keeps its text where Python cannot reach it (an exception of a compiled
    module) does a :class:`ScrubbedError` with the cleaned text take its place.
    """
    return _scrub_error(error, {}, 0)


class ScrubbedError(Exception):
    """Stands for an error whose own text could not be cleaned of a key."""


def _scrub_error(error: BaseException, seen: dict[int, BaseException], depth: int) -> BaseException:
    if id(error) in seen:
        return seen[id(error)]
    seen[id(error)] = error
    _clean_in_place(error, lambda value: _scrub_value(value, seen))
    dirty_member = False
    for member in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        dirty_member |= _scrub_error(member, seen, depth + 1) is not member  # a group cannot be given another
    for link in ("__cause__", "__context__"):
        linked = getattr(error, link, None)
        if isinstance(linked, BaseException):
            # Nobody reads the fiftieth cause of a cause, and it must not be where the stack ends.
            clean = _scrub_error(linked, seen, depth + 1) if depth < _DEEPEST else None
            if clean is not linked:
                suppress_context = error.__suppress_context__  # assigning a cause would set it
                setattr(error, link, clean)
                error.__suppress_context__ = suppress_context
    if not _shows_a_key(error) and not dirty_member:
        return error
    # Something in it prints a key by itself, as a client's record of the request may: its text takes its place.
    _clean_in_place(error, lambda value: _scrub_thing(value, seen))
    if not _shows_a_key(error) and not dirty_member:
        return error
    stand_in = ScrubbedError(scrub(_shown(error))).with_traceback(error.__traceback__)
    stand_in.__cause__, stand_in.__suppress_context__ = error.__cause__, True
    seen[id(error)] = stand_in
    return stand_in


_DEEPEST = 50


def _shown(error: BaseException) -> str:
    return f"{type(error).__name__}: {text_of(error)}"


def _shows_a_key(error: BaseException) -> bool:
    try:
        shown = f"{_shown(error)} {error!r}"
    except Exception:  # somebody else's __repr__ may do anything
        shown = _shown(error)
    return scrub(shown) != shown


def text_of(error: object) -> str:
    """``str(error)``, whatever its ``__str__`` does."""
    try:
        return str(error)
    except Exception:
        return f"({type(error).__name__} cannot be shown)"


def _clean_in_place(error: BaseException, clean_value: Callable[[Any], Any]) -> None:
    if error.args:
        _try_set(error, "args", tuple(clean_value(value) for value in error.args))
    attributes = dict(getattr(error, "__dict__", {}))
    for name in _PLACES:
        if name not in attributes:
            with suppress(Exception):
                attributes[name] = getattr(error, name)
    for name, value in attributes.items():
        clean = clean_value(value)
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
        if (clean := _scrub_value(body, {})) is not body:
            setattr(message, _BODY, clean)
            vars(message).pop("_text", None)


def _try_set(error: BaseException, name: str, value: object) -> None:
    try:
        setattr(error, name, value)
    except Exception:  # a read-only property: the check of the whole text decides
        return


def _scrub_thing(value: Any, seen: dict[int, BaseException]) -> Any:
    """As :func:`_scrub_value`, but an object whose repr shows a secret is replaced by that repr, cleaned."""
    clean = _scrub_value(value, seen)
    if clean is not value or isinstance(value, (str, bytes, int, float, BaseException)):
        return clean
    try:
        shown = repr(value)
    except Exception:
        return value
    return value if scrub(shown) == shown else scrub(shown)


def _scrub_value(value: Any, seen: dict[int, BaseException], depth: int = 12) -> Any:
    """``value`` itself when it holds no secret, else a cleaned copy of it."""
    if isinstance(value, str):
        clean = scrub(value)
        return value if clean == value else clean
    if isinstance(value, bytes):
        text = value.decode("utf-8", "surrogateescape")
        clean = scrub(text)
        return value if clean == text else clean.encode("utf-8", "surrogateescape")
    if isinstance(value, BaseException):
        return _scrub_error(value, seen, len(seen))
    if type(value) not in (dict, list, tuple):
        return value
    if not depth:
        shown = repr(value)
        return value if scrub(shown) == shown else scrub(shown)
    if isinstance(value, dict):
        pairs = {_scrub_value(k, seen, depth - 1): _scrub_value(v, seen, depth - 1) for k, v in value.items()}
        return value if _same(value, pairs) else pairs
    items = [_scrub_value(item, seen, depth - 1) for item in value]
    same = all(new is old for new, old in zip(items, value, strict=True))
    return value if same else type(value)(items)


def _same(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> bool:
    return len(old) == len(new) and all(key in old and old[key] is item for key, item in new.items())
