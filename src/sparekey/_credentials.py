"""Which settings of an entry bear a credential, and the fingerprint they make together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from sparekey._secrets import fingerprint, register

# By the last word of the name, in snake or camel case, so that api_key, aws_secret_access_key, azureAdToken, hf-token,
# client_secret, vertex_credentials, x-api-key and Authorization are found, and max_tokens or key_field are not.
_SECRET = re.compile(
    r"(^|[_-])(api_?keys?|access_?key(_id)?|secret(_?key)?|keys?|token|(api|access|auth|secret)_tokens|passwords?|passwd"
    r"|passphrase|credentials?|service_account|authorization|auth|cookie|bearer|jwt|pat)"
    r"([_-]?(\d+|json|file|path|content))?$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NAMES_A_TOKEN = re.compile(r"(^|_)(eos|bos|pad|stop|unk|mask|sep|cls)_token$", re.IGNORECASE)

# Not secret, but part of whose credential it is: the same key in two projects has two quotas.
_OWNER = re.compile(
    r"^(openai_)?(organization|project)(_id)?$|^vertex_(ai_)?(project|location)$|^aws_(profile|role|session|region)_name$"
    r"|^(azure_)?(tenant|client|subscription)_id$|^workspace(_id)?$",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Whether a setting of this name may bear a credential, and so is never shown."""
    name = _CAMEL.sub("_", name)
    return _SECRET.search(name) is not None and _NAMES_A_TOKEN.search(name) is None


def masked(name: str, value: Any) -> Any:
    """``value`` as it may be shown: what may bear a credential is replaced, at any depth."""
    if is_secret(name) and value is not None and not isinstance(value, (bool, int, float)):
        return "**********"
    if isinstance(value, Mapping):
        return {key: masked(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked("", item) for item in value]
    if isinstance(value, str) and ("://" in value or name == "api_base"):
        return public_address(value)
    return value


def _parts(url: str) -> SplitResult:
    return urlsplit(url if "://" in url else f"//{url}")


def public_address(url: str) -> str:
    """``url`` without user, password, query and fragment, any of which may be a credential."""
    try:
        parts = _parts(url)
    except ValueError:
        return "**********"  # not an address after all, and nobody knows what else
    shown = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return shown if "://" in url else shown.removeprefix("//")


def endpoint(url: str | None) -> str:
    """Where an address points, as part of an identity: host, port and path, without the scheme."""
    if not url:
        return ""
    parts = _parts(url)
    return parts.netloc.rpartition("@")[2].lower() + parts.path.rstrip("/")


def _hidden_in(url: str) -> str:
    """What an address bears of a credential: user, password and query. Each is registered for scrubbing."""
    parts = _parts(url)
    userinfo = parts.netloc.rpartition("@")[0]
    for text in {userinfo, *userinfo.split(":")}:
        register(unquote(text))
    for name, value in parse_qsl(parts.query):
        if is_secret(name) or name.lower() in _SECRET_QUERIES:
            register(value)
    return f"{userinfo}?{parts.query}" if userinfo or parts.query else ""


_SECRET_QUERIES = frozenset({"sig", "signature", "code", "sas"})


def credential(api_key: str | None, api_base: str | None, settings: Mapping[str, Any]) -> str:
    """The fingerprint of every credential-bearing setting; empty when there is none.

    A key on its own has the fingerprint of the key, so that a text scrubbed of it can be matched
    to its candidate. Every secret found is registered for scrubbing.
    """
    secrets = dict(_secrets(settings, ""))
    if api_base and (hidden := _hidden_in(api_base)):
        secrets["api_base"] = hidden
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
        if value is None or isinstance(value, (bool, int, float)):
            continue
        if is_secret(str(name)):
            text = value if isinstance(value, str) else _text(value)
            for part in (text, *text.split(" ")[1:], *_leaves(value)):  # "Bearer x" is known by x, too
                register(part)
            yield where, text
        elif isinstance(value, Mapping):
            yield from _secrets(value, f"{where}.")
        elif isinstance(value, (list, tuple)):
            for i, item in enumerate(value):
                if isinstance(item, (Mapping, list, tuple)):
                    yield from _secrets({str(i): item}, f"{where}.")
        elif isinstance(value, str) and "://" in value and "@" in value and (hidden := _hidden_in(value)):
            yield where, hidden  # a proxy with a password


def _leaves(value: Any) -> Iterator[str]:
    """The long texts inside a structured credential, such as a service account's private key."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, str) and len(value) >= _LONG_LEAF:
        yield value


_LONG_LEAF = 20


def _text(value: Any) -> str:
    reveal = getattr(value, "get_secret_value", None)
    if reveal is not None:
        return str(reveal())
    return json.dumps(value, sort_keys=True, default=str)
