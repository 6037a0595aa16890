"""The items a response is asked with: how they are checked, what they refer to, and what they ask for."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from sparekey.simulator._openai.faults import INVALID, of_type, one_of, only, refused, required, wrong
from sparekey.simulator._openai.files import not_found
from sparekey.simulator._openai.parts import check_detail, check_file_data, check_image_url
from sparekey.simulator._text import plain_text
from sparekey.simulator._wire import Call, Fault

_ROLES = ("user", "assistant", "system", "developer")
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "message": ("role", "content", "id", "status", "phase"),
    "function_call": ("call_id", "name", "arguments", "id", "status", "namespace", "async"),
    "function_call_output": ("call_id", "output", "id", "status"),
    "reasoning": ("id", "summary", "content", "encrypted_content"),
    "item_reference": ("id",),
}
_OTHERS = (
    "additional_tools",
    "apply_patch_call",
    "apply_patch_call_output",
    "code_interpreter_call",
    "compaction",
    "computer_call",
    "computer_call_output",
    "configuration_update",
    "custom_tool_call",
    "custom_tool_call_output",
    "file_search_call",
    "image_generation_call",
    "local_shell_call",
    "local_shell_call_output",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "mcp_list_tools",
    "shell_call",
    "shell_call_output",
    "tool_search_call",
    "tool_search_output",
    "web_search_call",
)
"""Items of OpenAI's own tools and the like: taken as they are."""
_PARTS: Mapping[str, tuple[str, ...]] = {
    "input_text": ("text",),
    "input_image": ("image_url", "file_id", "detail"),
    "input_file": ("file_id", "file_data", "filename", "file_url", "detail"),
    "output_text": ("text", "annotations", "logprobs"),
    "refusal": ("refusal",),
}
_SAID = ("input_text", "input_image", "input_file")
_ANSWERED = ("output_text", "refusal")
_UNKEPT = (
    " Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item "
    "from your input."
)
KINDS = {"input_image": "image", "input_file": "file"}

Items: TypeAlias = list[Mapping[str, Any]]


def check_input(given: object) -> Iterator[Fault]:
    """What is wrong with the input of a response, by itself."""
    if given is None:
        yield required("input")
    if isinstance(given, str):
        return
    if not isinstance(given, list):
        yield of_type("input", "one of a string or array of objects", given)
        return
    for at, item in enumerate(given):
        where = f"input[{at}]"
        if not isinstance(item, Mapping):
            yield of_type(where, "an object", item)
        kind = kind_of(item)
        if kind in _OTHERS:
            continue
        if kind not in tuple(_FIELDS):
            yield one_of(f"{where}.type", kind, (*_FIELDS, *_OTHERS))
        yield from only(("type", *_FIELDS[kind]), item, where)
        yield from _check_item(kind, item, where)


def _check_item(kind: str, item: Mapping[str, Any], where: str) -> Iterator[Fault]:
    texts = {
        "function_call": ("call_id", "name", "arguments"),
        "function_call_output": ("call_id",),
        "item_reference": ("id",),
    }.get(kind, ())
    for field in texts:
        if field not in item:
            yield required(f"{where}.{field}")
        if not isinstance(item[field], str):
            yield of_type(f"{where}.{field}", "a string", item[field])
    if not isinstance(item.get("id"), str | None):
        yield of_type(f"{where}.id", "a string", item["id"])
    if kind == "message":
        if item.get("role") not in _ROLES:
            yield one_of(f"{where}.role", item.get("role"), _ROLES)
        if "content" not in item:
            yield required(f"{where}.content")
        known = _ANSWERED if item["role"] == "assistant" else _SAID
        yield from _check_parts(item["content"], f"{where}.content", known)
    elif kind == "function_call_output":
        if "output" not in item:
            yield required(f"{where}.output")
        yield from _check_parts(item["output"], f"{where}.output", _SAID)
    elif kind == "reasoning":
        if not isinstance(item.get("id"), str) and not item.get("encrypted_content"):
            yield required(f"{where}.id")
        if not isinstance(item.get("summary"), list):
            yield required(f"{where}.summary")
        if not isinstance(item.get("encrypted_content"), str | None):
            yield of_type(f"{where}.encrypted_content", "a string", item["encrypted_content"])


def _check_parts(content: object, where: str, known: tuple[str, ...]) -> Iterator[Fault]:
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        yield of_type(where, "one of a string or array of objects", content)
        return
    for at, part in enumerate(content):
        place = f"{where}[{at}]"
        if not isinstance(part, Mapping):
            yield of_type(place, "an object", part)
        kind: Any = part.get("type")
        if kind not in known:
            yield one_of(f"{place}.type" if kind is None else place, kind, known)
        yield from only(("type", "prompt_cache_breakpoint", *_PARTS[kind]), part, place)
        yield from _check_part(kind, part, place)


def _check_part(kind: str, part: Mapping[str, Any], where: str) -> Iterator[Fault]:
    if kind in ("input_text", "output_text", "refusal"):
        field = _PARTS[kind][0]
        if field not in part:
            yield required(f"{where}.{field}")
        if not isinstance(part[field], str):
            yield of_type(f"{where}.{field}", "a string", part[field])
        return
    given = [field for field in ("file_id", "image_url", "file_data", "file_url") if part.get(field) is not None]
    if len(given) != 1:
        yield wrong(where, f"expected exactly one of {', '.join(_PARTS[kind])}.", "invalid_value")
    if not isinstance(part[given[0]], str):
        yield of_type(f"{where}.{given[0]}", "a string", part[given[0]])
    if given == ["image_url"]:
        yield from check_image_url(part["image_url"], f"{where}.image_url")
    if given == ["file_data"]:
        yield from check_file_data(part["file_data"], f"{where}.file_data")
        if not isinstance(part.get("filename"), str):
            yield required(f"{where}.filename")
    yield from check_detail(part.get("detail"), f"{where}.detail")


def kind_of(item: Mapping[str, Any]) -> Any:
    """The type of an item; a message need not say it."""
    return item.get("type", "message" if "role" in item else None)


def own_items(given: Any) -> Items:
    """The items of a checked input."""
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def conversation(call: Call) -> Items:
    """The items before this request and its own, those referred to in place of their references.

    To be read once and held: what the store has now, it may have dropped a moment later.
    """
    before = call.store.get("response", call.key, str(call.body.get("previous_response_id"))) or []
    own = (
        call.store.get("item", call.key, item["id"]) if item.get("type") == "item_reference" else item
        for item in own_items(call.body["input"])
    )
    return [*before, *own]


def missing_context(call: Call) -> Fault | None:
    """What a request refers to that its key did not make, or that does not fit together."""
    return next(_missing(call), None)


def _missing(call: Call) -> Iterator[Fault]:
    before = call.body.get("previous_response_id")
    if before is not None and call.store.get("response", call.key, before) is None:
        param = "previous_response_id"
        yield refused(param, f"Previous response with id '{before}' not found.", "previous_response_not_found")
    items = own_items(call.body["input"])
    for item in items:
        kind = item.get("type")
        sealed = item.get("encrypted_content") if kind == "reasoning" else None
        if sealed:
            yield from _check_seal(call.key, sealed, item.get("id"))
        elif kind in ("reasoning", "item_reference") and call.store.get("item", call.key, item["id"]) is None:
            hint = _UNKEPT if call.body.get("store") is False else ""
            yield Fault(404, INVALID, f"Item with id '{item['id']}' not found.{hint}", None, "input")
    yield from not_found(call, _named_files(items))
    yield from _check_calls(conversation(call))


def _check_calls(items: Items) -> Iterator[Fault]:
    """Every output has its call before it, and every call its output."""
    open_: list[str] = []
    for item in items:
        if item.get("type") == "function_call":
            open_.append(item["call_id"])
        elif item.get("type") == "function_call_output":
            if item["call_id"] not in open_:
                yield refused("input", f"No tool call found for function call output with call_id {item['call_id']}.")
            open_.remove(item["call_id"])
    if open_:
        yield refused("input", f"No tool output found for function call {open_[0]}.")


def _named_files(items: Items) -> Iterator[tuple[str, str]]:
    for at, item in enumerate(items):
        for field in ("content", "output"):
            parts = item.get(field) if kind_of(item) in _FIELDS else None
            for place, part in enumerate(parts if isinstance(parts, list) else ()):
                if part.get("file_id") is not None:
                    yield f"input[{at}].{field}[{place}].file_id", part["file_id"]


def seal(key: str, id_: str) -> str:
    """Encrypted content: opaque, and good with the key that made it only."""
    return base64.urlsafe_b64encode(b"\x80sparekey" + _digest(key, id_) + id_.encode()).decode()


def _digest(key: str, id_: str) -> bytes:
    return hashlib.blake2b(f"{key}\0{id_}".encode(), digest_size=32).digest()


def _check_seal(key: str, sealed: str, id_: str | None) -> Iterator[Fault]:
    who = f"content for item {id_}" if id_ else f"content {sealed[:4]}...{sealed[-4:]}"

    def unverified(why: str) -> Fault:
        text = f"The encrypted {who} could not be verified. Reason: Encrypted content {why}"
        return Fault(400, INVALID, text, "invalid_encrypted_content")

    try:
        content = base64.urlsafe_b64decode(sealed.encode())
        sealed_id = content[41:].decode()
    except ValueError:
        content, sealed_id = b"", ""
    if not content.startswith(b"\x80sparekey"):
        yield unverified("could not be decrypted or parsed.")
    if content[9:41] != _digest(key, sealed_id):
        yield unverified("organization_id did not match the target organization.")


def read_items(items: Items) -> dict[str, Any]:
    """What the user said last and what tools answered since, as :class:`Asked` wants it."""
    users = [at for at, item in enumerate(items) if kind_of(item) == "message" and item["role"] == "user"]
    last = users[-1] if users else -1
    content = items[last]["content"] if users else ""
    names: dict[str, str] = {}
    results = []
    for item in items[last + 1 :]:
        if item.get("type") == "function_call":
            names[item["call_id"]] = item["name"]
        elif item.get("type") == "function_call_output":
            results.append((names.get(item["call_id"], "tool"), plain_text(item["output"])))
    parts = content if isinstance(content, list) else []
    return {
        "text": plain_text(content),
        "parts": tuple(KINDS[part["type"]] for part in parts if part["type"] in KINDS),
        "results": tuple(results),
    }
