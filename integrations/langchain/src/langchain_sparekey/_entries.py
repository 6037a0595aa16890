"""From what a user hands to :class:`ChatSparekey` or :class:`SparekeyEmbeddings` to an expanded model list."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import SecretStr

import sparekey as sk
from langchain_sparekey._providers import is_langchain_provider

Key: TypeAlias = str | SecretStr | None
Entry: TypeAlias = sk.ModelConfig | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of models a class asks, and how it speaks of them."""

    owner: str
    """The class, as it begins its errors."""
    noun: str
    example: str
    modes: frozenset[str]
    """What LiteLLM calls the ``mode`` of such models."""


CHAT = Kind("ChatSparekey", "a chat model", "openai/gpt-4o", frozenset({"chat", "completion", "responses"}))
EMBEDDING = Kind("SparekeyEmbeddings", "an embedding model", "openai/text-embedding-3-small", frozenset({"embedding"}))

_OTHER_MODES = frozenset(
    {"audio_speech", "audio_transcription", "batch", "decisions", "evaluation", "extraction", "guardrail"}
    | {"image_edit", "image_generation", "image_variation", "moderation", "moderations", "ocr", "realtime", "rerank"}
    | {"search", "vector_store", "video_generation"}
)
"""What LiteLLM 1.110 calls models of neither kind."""


def one_model(
    model: str, api_key: Key, api_keys: Iterable[Key] | None, api_base: str | None, kind: Kind = CHAT
) -> list[sk.ModelConfig]:
    """The entries of one model and its keys.

    Raises:
        ConfigError: keys were given, and all of them are blank, or they are not a list.
    """
    where = f"{kind.owner}({model!r})"
    given: list[Any] = [api_key, *(api_keys if isinstance(api_keys, (list, tuple)) else ())]
    if any(map(callable, given)):
        raise sk.ConfigError(f"{where}: a key must be a text; for one that a function fetches give a factory")
    if isinstance(api_keys, (str, SecretStr, Mapping)):
        # A text is a sequence too, of one-letter keys.
        raise sk.ConfigError(f"{where}: api_keys: must be a list of keys")
    keys = sk.merge_api_keys(api_key, api_keys)
    if not keys and (api_key is not None or api_keys is not None):
        which = "api_key" if api_keys is None else "api_keys"
        raise sk.ConfigError(f"{where}: {which}: has no key in it, only blanks")
    row = {"model_name": model, "model": model, "api_keys": keys, "api_base": api_base}
    try:
        return sk.expand_model_list([row])
    except sk.ConfigError as error:
        text = str(error).removeprefix("model_list[0]").removeprefix(f" ({model})")
    raise sk.ConfigError(f"{where}{text}")


def asked_for(
    model: str | None, model_list: Sequence[Entry] | None, one: Mapping[str, Any], kind: Kind
) -> tuple[str, list[sk.ModelConfig]]:
    """The name that is asked for, and the entries it stands in.

    Args:
        model: the name in ``model_list``, or without one the model itself.
        model_list: entries, or None.
        one: ``api_key``, ``api_keys``, ``api_base`` and ``base_url`` of the model, when there is no list.
        kind: who asks.

    Raises:
        ConfigError: neither is given, or what is given cannot work.
    """
    if model_list is not None:
        refuse(one, "said by the entries of model_list, not beside it", kind)
        entries = listed_models(model_list)
        return only_name(entries, kind) if model is None else model, entries
    if not model:
        raise sk.ConfigError(f"{kind.owner}: model: say which, as in model={kind.example!r}")
    return model, one_model(model, one["api_key"], one["api_keys"], one["api_base"] or one["base_url"], kind)


def listed_models(model_list: Iterable[Entry]) -> list[sk.ModelConfig]:
    """The entries of a model list, one for each key.

    Raises:
        ConfigError: the list is empty, or an entry malformed or without a key that is not blank.
    """
    given = [] if isinstance(model_list, (str, Mapping)) else list(model_list)
    if not given:
        raise sk.ConfigError("model_list: must be a list of entries with at least one in it")
    for i, row in enumerate(given):
        if isinstance(row, Mapping) and any(level.get("api_keys", ...) in ([], ()) for level in _levels(row)):
            raise sk.ConfigError(f"model_list[{i}] ({row.get('model_name')}): api_keys: is an empty list")
    return sk.expand_model_list(given)


def _levels(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    nested = row.get("litellm_params")
    return [row, nested] if isinstance(nested, Mapping) else [row]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What was said beside a list for all its entries; those of a list that comes later are completed by it, too."""

    settings: Mapping[str, Any]
    timeout: float | None
    kind: Kind

    def complete(self, model_list: Iterable[Entry]) -> list[sk.ModelConfig]:
        """The entries of a list, one for each key, with what they do not say themselves.

        Raises:
            ConfigError: the list or what was said beside it cannot work.
        """
        return completed(listed_models(model_list), self.settings, self.timeout, self.kind)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unsealed, (sk.seal(dict(self.settings)), self.timeout, self.kind)  # a header may bear a key


def _unsealed(settings: Any, timeout: float | None, kind: Kind) -> Defaults:
    return Defaults(sk.unseal(settings), timeout, kind)


def completed(
    entries: Iterable[sk.ModelConfig], settings: Mapping[str, Any], timeout: float | None, kind: Kind = CHAT
) -> list[sk.ModelConfig]:
    """``entries`` with what was said for all of them; what an entry says itself goes first.

    Raises:
        ConfigError: a setting is an entry's own, or cannot work.
    """
    if timeout is not None and not is_seconds(timeout, above_zero=True):
        raise sk.ConfigError(f"timeout must be a positive number of seconds, not {timeout!r}")
    refuse({name: settings[name] for name in _ENTRYS_OWN & settings.keys()}, "said by the entries of model_list", kind)
    checked = _checked(settings, kind) if settings else {}
    return [_completed(entry, checked, timeout) for entry in entries]


_ENTRYS_OWN = frozenset(sk.ModelConfig.model_fields) - {"account", "rpm"}


def _checked(settings: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """Settings as an entry would have them: its fields checked, references followed."""
    try:
        (entry,) = sk.expand_model_list([{**settings, "model_name": "_", "model": "_"}])
    except sk.ConfigError as error:
        text = str(error).removeprefix("model_list[0]").removeprefix(" (_)")
    else:
        fields = {name: getattr(entry, name) for name in ("account", "rpm") if name in settings}
        return {**entry.settings, **fields}
    raise sk.ConfigError(f"{kind.owner}{text}")


def _completed(entry: sk.ModelConfig, settings: Mapping[str, Any], timeout: float | None) -> sk.ModelConfig:
    changes: dict[str, Any] = {name: value for name, value in settings.items() if name not in entry.settings}
    if timeout is not None and entry.timeout is None:
        changes["timeout"] = timeout
    provider, _, model = entry.model.partition(":")
    if model and is_langchain_provider(provider):
        changes["model"] = f"{provider}/{model}"  # "openai:gpt-4o" is how LangChain writes it
    if (address := entry.settings.get("base_url")) is not None:
        # LangChain's word for it. Where it points is part of who a candidate is, so it has to be in its place.
        entry = without(entry, "base_url", api_base=entry.api_base or address)
    return entry.model_copy(update=changes) if changes else entry


def without(entry: sk.ModelConfig, setting: str, **changes: Any) -> sk.ModelConfig:
    """``entry`` without one of its further settings."""
    given = {name: getattr(entry, name) for name in sk.ModelConfig.model_fields}
    rest = {name: value for name, value in entry.settings.items() if name != setting}
    return sk.ModelConfig.model_validate({**given, **rest, **changes})


def said_of_model(entry: sk.ModelConfig, setting: str) -> Any:
    """What an entry, or LiteLLM's ``model_info`` in it, says of its model; None when neither does."""
    info = entry.settings.get("model_info")
    said = info.get(setting) if isinstance(info, Mapping) else None
    return entry.settings.get(setting, said)


def check_mode(entry: sk.ModelConfig, kind: Kind) -> None:
    """See that an entry does not say that its model is of another kind.

    Raises:
        ConfigError: it does.
    """
    mode = _mode(entry)
    if mode is not None and mode not in kind.modes:
        raise sk.ConfigError(f"{entry.model_name}: mode: says {mode!r}, and {kind.owner} needs {kind.noun}")


def _mode(entry: sk.ModelConfig) -> str | None:
    """What an entry says that its model is for; None when it does not say.

    Raises:
        ConfigError: nobody knows what it says. It may be misspelt, and another model would be taken for this one.
    """
    said = said_of_model(entry, "mode")
    if said is None:
        return None
    mode = said.strip().lower() if isinstance(said, str) else ""
    if mode not in CHAT.modes | EMBEDDING.modes | _OTHER_MODES:
        raise sk.ConfigError(f"{entry.model_name}: mode: {said!r} is none; an embedding model's is 'embedding'")
    return mode


def is_seconds(value: object, *, above_zero: bool = False) -> bool:
    """Whether ``value`` is a number of seconds that a request could be given."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return (value > 0 or (value == 0 and not above_zero)) and value < math.inf


def refuse(settings: Mapping[str, Any], why: str, kind: Kind = CHAT) -> None:
    """Say of settings that were given that this is not their place.

    Raises:
        ConfigError: one was given.
    """
    if given := [name for name, value in settings.items() if value is not None]:
        raise sk.ConfigError(f"{kind.owner}: {', '.join(given)}: {why}")


def only_name(entries: Sequence[sk.ModelConfig], kind: Kind = CHAT) -> str:
    """The one name there is in a list for models of ``kind``.

    Entries that say their ``mode`` go before those that do not.

    Raises:
        ConfigError: there are several, or none; or an entry's mode is none.
    """
    modes: dict[str, str | None] = {}
    for entry in entries:
        if not entry.virtual:
            modes[entry.model_name] = modes.get(entry.model_name) or _mode(entry)
    said = [name for name, mode in modes.items() if mode in kind.modes]
    names = said or [name for name, mode in modes.items() if mode is None]
    if len(names) != 1:
        there = ", ".join(map(repr, names)) if names else f"no entries for {kind.noun}"
        raise sk.ConfigError(f"{kind.owner}: model: say which; there are {there}")
    return names[0]


def memory(tracker: sk.CooldownTracker | None, policy: sk.Policy | None, state: Any) -> sk.CooldownTracker:
    """The memory to use: the one given, or the process's own for ``policy`` and ``state``.

    Raises:
        ConfigError: both a tracker and a state are given, or the state is none.
    """
    if tracker is None:
        return sk.shared_tracker(policy, state if state is not None else "memory://")
    if state is not None:
        raise sk.ConfigError("state: a tracker has one already; give either of the two")
    return tracker


def check_deadline(deadline: float | None) -> None:
    """See that ``deadline`` is a number of seconds.

    Raises:
        ConfigError: it is something else.
    """
    if deadline is not None and not is_seconds(deadline):
        raise sk.ConfigError(f"deadline must be a number of seconds from now, 0 or more, not {deadline!r}")


def written_policy(path: str | os.PathLike[str]) -> sk.Policy | None:
    """The policy that a config file's ``sparekey_settings`` ask for; None when it has none.

    Raises:
        ConfigError: they do not make one.
    """
    policy = sk.load_policy(os.fspath(path))
    return policy if policy != sk.Policy() else None
