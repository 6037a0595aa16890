"""From names to the ordered list of candidates to try."""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TypeAlias, cast

from sparekey._config import ModelConfig
from sparekey._credentials import credential, endpoint
from sparekey._keys import Entry, expand_model_list, followed
from sparekey._types import Candidate
from sparekey.errors import ConfigError

Lookup: TypeAlias = Callable[[str], str | ModelConfig | None]

# Other names of one provider, so that the same model under two spellings is one candidate.
_ALIASES = {
    "z.ai": "zai",
    "z-ai": "zai",
    "opencode-zen": "opencode",
    "qwen": "qwen-portal",
    "kimi-code": "kimi-coding",
    "gpt": "openai",
    "claude": "anthropic",
    "glm": "zhipu",
    "google": "gemini",
}


def resolve_candidates(
    primary: str,
    fallbacks: Iterable[str] = (),
    *,
    default_provider: str = "",
    lookup: Lookup | None = None,
) -> list[Candidate]:
    """Candidates for raw names, the primary first; empties dropped, of equals the first kept.

    Args:
        primary: ``provider/model``, a model of the default provider, or an alias.
        fallbacks: what to try after it.
        default_provider: for names without a slash.
        lookup: says what an alias stands for, or None when it is none. It may return a
            :class:`ModelConfig`, whose credential then is part of the candidate: two keys of one
            model stay two candidates.
    """
    found: dict[Candidate, None] = {}
    for raw in (primary, *fallbacks):
        name = raw.strip()
        resolved = lookup(name) if lookup is not None else None
        candidate = (
            candidate_of(resolved)
            if isinstance(resolved, ModelConfig)
            else _parse(resolved or name, name, default_provider)
        )
        if candidate is not None:
            found.setdefault(candidate)
    return list(found)


def candidates_for(model_name: str, models: Iterable[Entry]) -> list[Candidate]:
    """The chain of one name: its keys, then its fallbacks and theirs, breadth first; cycles end.

    Args:
        model_name: a ``model_name`` of the list, or a name made by expansion.
        models: an expanded list; one that is not is expanded first.

    Raises:
        ConfigError: the name, or a fallback's, is not in the list.
    """
    groups = _groups(_expanded(models))
    found: dict[Candidate, None] = {}
    queue = deque([(model_name, "")])
    seen = {model_name}
    while queue:
        name, wanted_by = queue.popleft()
        if name not in groups:
            raise ConfigError(_unknown(name, wanted_by, groups))
        for entry in groups[name]:
            own = f"{name}__key_"
            keys = [groups[n][0] for n in entry.fallbacks if n.startswith(own) and n in groups and groups[n][0].virtual]
            for single in (entry, *keys):
                found.setdefault(candidate_of(single))
        for entry in groups[name]:
            for fallback in entry.fallbacks:
                if fallback not in seen:
                    seen.add(fallback)
                    queue.append((fallback, name))
    return list(found)


def config_for(candidate: Candidate, models: Iterable[Entry]) -> ModelConfig:
    """The entry behind a candidate: its key, its address, all that is needed to make the call.

    Raises:
        ConfigError: no entry of the list is this candidate's.
    """
    for entry in _expanded(models):
        if entry.model_name == candidate.name and candidate_of(entry) == candidate:
            return followed(entry, entry.model_name)
    raise ConfigError(f"no entry of the model list is {candidate}")


def check_fallbacks(entries: Sequence[ModelConfig], expanded: Sequence[ModelConfig], where: str) -> None:
    """Raise :class:`ConfigError` when one of ``entries`` names a fallback that is not in them expanded."""
    groups = _groups(expanded)
    for i, entry in enumerate(entries):
        for j, name in enumerate(entry.fallbacks):
            if name not in groups:
                raise ConfigError(f"{where}[{i}] ({entry.model_name}): fallbacks[{j}]: {_unknown(name, '', groups)}")


def check_names(names: Iterable[str], entries: Sequence[ModelConfig], where: str) -> None:
    """Raise :class:`ConfigError` when one of ``names`` is no entry's."""
    groups = _groups(entries)
    for name in names:
        if name not in groups:
            raise ConfigError(f"{where}: {_unknown(name, '', groups)}")


def _expanded(models: Iterable[Entry]) -> list[ModelConfig]:
    entries = models if isinstance(models, list) else list(models)
    if all(isinstance(entry, ModelConfig) and not entry.api_keys for entry in entries):
        return cast("list[ModelConfig]", entries)
    return expand_model_list(entries)


def _groups(entries: Sequence[ModelConfig]) -> dict[str, list[ModelConfig]]:
    groups: dict[str, list[ModelConfig]] = {}
    for entry in entries:
        groups.setdefault(entry.model_name, []).append(entry)
    return groups


def _unknown(name: str, wanted_by: str, groups: dict[str, list[ModelConfig]]) -> str:
    known = [known for known, entries in groups.items() if not entries[0].virtual]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(map(repr, known)) or 'none'}"
    by = f", a fallback of {wanted_by!r}," if wanted_by else ""
    return f"no entry is called {name!r}{by}{hint}" if by else f"no entry is called {name!r}{hint}"


def candidate_of(entry: ModelConfig) -> Candidate:
    """Who a single-key entry is, its references followed."""
    entry = followed(entry, entry.model_name)
    provider, model = _split(entry.model, "")
    key = entry.api_key.get_secret_value().strip() if entry.api_key is not None else None
    return Candidate(
        provider,
        model,
        name=entry.model_name,
        endpoint=endpoint(entry.api_base),
        credential=credential(key, entry.api_base, entry.model_extra or {}),
        account=entry.account or "",
        timeout=entry.timeout,
        rpm=entry.rpm,
    )


def _parse(raw: str, name: str, default_provider: str) -> Candidate | None:
    provider, model = _split(raw.strip(), default_provider)
    return Candidate(provider, model, name=name) if model else None


@lru_cache(maxsize=4096)  # a thousand keys of one model ask the same question
def _split(raw: str, default_provider: str) -> tuple[str, str]:
    provider, slash, model = raw.partition("/")
    if not slash or not provider:
        provider, model = default_provider, raw
    provider = provider.strip().lower()
    return _ALIASES.get(provider, provider), model.strip()
