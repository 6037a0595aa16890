"""Which settings of an entry bear a credential, and the fingerprint they make together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sparekey._secrets import fingerprint, register

# By the last word of the name, so that api_key, aws_secret_access_key, azure_ad_token, hf-token, client_secret,
# vertex_credentials, x-api-key and Authorization are all found, and max_tokens or key_field are not.
_SECRET = re.compile(
    r"(^|[_-])(api_?keys?|access_?key(_id)?|secret(_?key)?|keys?|tokens?|passwords?|passwd|passphrase|credentials?"
    r"|authorization|auth|cookie|bearer)$",
    re.IGNORECASE,
)
_COUNTS_TOKENS = re.compile(
    r"(^|[_-])(max|min|num|stop|eos|bos|pad|completion|prompt|input|output|budget)[a-z_]*[_-]tokens?$", re.IGNORECASE
)

# Not secret, but part of whose credential it is: the same key in two projects has two quotas.
_OWNER = re.compile(
    r"^(openai_)?(organization|project)(_id)?$|^vertex_(ai_)?(project|location)$|^aws_(profile|role|session|region)_name$"
    r"|^(azure_)?(tenant|client|subscription)_id$|^workspace(_id)?$",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Whether a setting of this name may bear a credential, and so is never shown."""
    return _SECRET.search(name) is not None and _COUNTS_TOKENS.search(name) is None


def masked(name: str, value: Any) -> Any:
    """``value`` as it may be shown: what may bear a credential is replaced, at any depth."""
    if is_secret(name) and value is not None and not isinstance(value, (bool, int, float)):
        return "**********"
    if isinstance(value, Mapping):
        return {key: masked(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked("", item) for item in value]
    if isinstance(value, str) and "://" in value:
        return public_address(value)
    return value


def public_address(url: str) -> str:
    """``url`` without user, password, query and fragment, any of which may be a credential."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def endpoint(url: str | None) -> str:
    """Where an address points, as part of an identity: host, port and path, without the scheme."""
    if not url:
        return ""
    bare = public_address(url if "://" in url else f"//{url}")
    return bare.partition("//")[2].rstrip("/").lower()


def credential(api_key: str | None, api_base: str | None, settings: Mapping[str, Any]) -> str:
    """The fingerprint of every credential-bearing setting; empty when there is none.

    A key on its own has the fingerprint of the key, so that a text scrubbed of it can be matched
    to its candidate. Every secret found is registered for scrubbing.
    """
    secrets = dict(_secrets(settings, ""))
    parts = urlsplit(api_base or "")
    if parts.query or "@" in parts.netloc:
        secrets["api_base"] = f"{parts.netloc.rpartition('@')[0]}?{parts.query}"
        for text in (parts.password, parts.query.rpartition("=")[2]):
            if text:
                register(text)
    owners = {name: str(value) for name, value in settings.items() if _OWNER.match(name) and value is not None}
    if api_key and not secrets and not owners:
        return register(api_key)
    if api_key:
        register(api_key)
        secrets["api_key"] = api_key
    everything = {**owners, **secrets}
    return fingerprint(json.dumps(everything, sort_keys=True)) if everything else ""


def _secrets(settings: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        where = f"{path}{name}"
        if isinstance(value, Mapping) and not is_secret(str(name)):
            yield from _secrets(value, f"{where}.")
        elif is_secret(str(name)) and value is not None and not isinstance(value, (bool, int, float)):
            text = value if isinstance(value, str) else _text(value)
            register(text)
            yield where, text


def _text(value: Any) -> str:
    reveal = getattr(value, "get_secret_value", None)
    if reveal is not None:
        return str(reveal())
    return json.dumps(value, sort_keys=True, default=_text if isinstance(value, (Mapping, list, tuple)) else str)
