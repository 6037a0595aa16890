"""What only its issuer knows: stored answers, uploaded files, encrypted reasoning.

A provider keeps those under the key (or the organisation) that made them, so another key is told that
they do not exist. A request that refers to one goes to its issuer and to nobody else: whoever answered
left its name in the message, and ids that stand alone are remembered in this process.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage

import sparekey as sk
from langchain_sparekey._chunks import NOTE

_KEPT = 10_000
"""Ids remembered, the latest ones; at some 100 bytes each."""

# Settings and parts of messages and tools that name something kept at the provider.
_NAMES = frozenset({"previous_response_id", "conversation", "container", "container_id", "file_id", "file_ids"})
_NAMES |= {"vector_store_ids"}

_NOT_OURS = frozenset(
    {"args", "arguments", "extras", "function", "input", "input_schema", "metadata", "output", "parameters"}
)
"""Parts that are the user's tools' business: an argument called file_id is no file at the provider."""

_NOT_FOUND = frozenset({400, 403, 404})
"""Statuses with which a provider says that it does not know an id; the error's text then repeats it."""

_SEALED = "encrypted content"
"""What OpenAI calls reasoning that another organisation's key cannot read."""

_MISSING = re.compile(r"not found|not exist|no such|unknown|cannot be found|could not be found", re.IGNORECASE)
"""How providers say that there is nothing of such a name; a 400 may be about what is wrong with it instead."""


class References(NamedTuple):
    """What a request refers to, and who issued it."""

    names: frozenset[str]
    """As the provider's errors would name them."""
    issuer: str | None
    """The id of a candidate; None when nobody knows."""


class Issuers:
    """Who issued which id; thread-safe."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._known: dict[str, str] = {}
        self._kept = kept
        self._lock = threading.Lock()

    def learn(self, names: Iterable[str], candidate: sk.Candidate) -> None:
        """``candidate`` knows ``names``."""
        with self._lock:
            self._known.update(dict.fromkeys(names, candidate.id))
            for oldest in list(islice(self._known, max(0, len(self._known) - self._kept))):
                del self._known[oldest]

    def learn_from(self, message: BaseMessage, candidate: sk.Candidate) -> None:
        """``candidate`` gave this answer, which may be referred to later."""
        if answer := _answer_id(message):
            self.learn([answer], candidate)

    def forget(self) -> None:
        """Everything."""
        with self._lock:
            self._known.clear()

    def of(self, names: Iterable[str]) -> str | None:
        """The candidate that issued one of ``names``."""
        return next((issuer for name in names if (issuer := self._known.get(name)) is not None), None)


ISSUERS = Issuers()
"""The process's: ids are the providers' own, and unlike."""


def references(
    messages: Sequence[BaseMessage], given: Mapping[str, Any]
) -> tuple[References | None, References | None]:
    """What a request refers to, and what it would besides if its model always went on from the latest stored answer.

    Both are None for nearly all requests, which this must not hold up.
    """
    names: set[str] = set()
    issuer: str | None = None
    latest: AIMessage | None = None
    for message in messages:
        own = set(_blocks(message.content)) if type(message.content) is list else None
        if isinstance(message, AIMessage):
            if _answer_id(message):
                latest = message
            further = message.additional_kwargs
            if "audio" in further or "reasoning" in further:  # a spoken answer by its id; LangChain's older form
                own = {*(own or ()), *_texts(further.get("audio")), *_blocks(_typed(further.get("reasoning")))}
            issuer = _noted(message) if own else issuer
        if own:
            names |= own
    if given:
        for name in _NAMES & given.keys():
            names.update(_texts(given[name]))
        for tool in given.get("tools") or ():
            if isinstance(tool, dict) and tool.get("type") != "function":
                names.update(_blocks([tool]))
    on = None if latest is None else _to([_answer_id(latest) or ""], _noted(latest))
    if not names:
        return None, on
    before = given.get("previous_response_id")
    if before is not None:
        said = (message for message in messages if _answer_id(message) == before)
        issuer = next((who for message in said if (who := _noted(message))), issuer)
    return _to(names, issuer), on


def _to(names: Iterable[str], issuer: str | None) -> References:
    names = frozenset(names)
    return References(names, issuer or ISSUERS.of(names))


def is_unknown_there(error: BaseException, verdict: sk.Verdict, names: frozenset[str]) -> bool:
    """Whether ``error`` says only that the key does not know what the request refers to."""
    if verdict.status not in _NOT_FOUND:
        return False
    text = str(error)
    if _SEALED in text.lower():
        return True
    missing = verdict.status == 404 or _MISSING.search(text)
    return bool(missing) and any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)


def _typed(reasoning: Any) -> Any:
    return {"type": "reasoning", **reasoning} if isinstance(reasoning, dict) else None


def _answer_id(message: BaseMessage) -> str | None:
    answer = message.response_metadata.get("id") or message.id
    return answer if isinstance(answer, str) and answer.startswith("resp_") else None


def _noted(message: BaseMessage) -> str | None:
    note = message.response_metadata.get(NOTE)
    return note.get("candidate") if isinstance(note, dict) else None


def _blocks(blocks: Any) -> Iterator[str]:
    """Every name of something kept at the provider, at any depth of a message's content."""
    if isinstance(blocks, dict):
        if blocks.get("type") == "reasoning":
            own = blocks.get("id")
            if blocks.get("encrypted_content") or (isinstance(own, str) and own.startswith("rs_")):
                yield own if isinstance(own, str) else _SEALED
        if blocks.get("source_type") == "id":  # LangChain's older way to write a file's id
            yield from _texts(blocks.get("id"))
        for name, value in blocks.items():
            if name in _NAMES:
                yield from _texts(value)
            if isinstance(value, (dict, list)) and name not in _NOT_OURS:
                yield from _blocks(value)
    elif isinstance(blocks, list):
        for block in blocks:
            yield from _blocks(block)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        yield from _texts(value.get("id"))
