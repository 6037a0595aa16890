"""Files in OpenAI's dialect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sparekey.simulator._openai.faults import INVALID, one_of, required
from sparekey.simulator._wire import Call, Fault, Json

_PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")


def check_upload(form: Mapping[str, Any]) -> Fault | None:
    """The first thing that is wrong with a form."""
    return next(_problems(form), None)


def _problems(form: Mapping[str, Any]) -> Iterator[Fault]:
    if not isinstance(form.get("file"), Mapping):
        yield required("file")
    if "purpose" not in form:
        yield required("purpose")
    if form["purpose"] not in _PURPOSES:
        yield one_of("purpose", form["purpose"], _PURPOSES)


def upload(call: Call) -> Json:
    """Keep a file for the key that sent it."""
    file = call.body["file"]
    kept = {
        "id": f"file-{call.id}",
        "object": "file",
        "bytes": file["bytes"],
        "created_at": int(call.now),
        "expires_at": None,
        "filename": file["filename"],
        "purpose": call.body["purpose"],
        "status": "processed",
        "status_details": None,
    }
    call.store.put("file", call.key, kept["id"], kept)
    return kept


def missing_file(call: Call) -> Fault | None:
    """A path that names a file the key has not."""
    return next(not_found(call, [("id", call.body["file_id"])]), None)


def not_found(call: Call, named: Iterable[tuple[str, str]]) -> Iterator[Fault]:
    """A fault for every file that the key did not upload; each is named at some place."""
    return (
        Fault(404, INVALID, f"No such File object: {id_}", None, place)
        for place, id_ in named
        if call.store.get("file", call.key, id_) is None
    )


def retrieve(call: Call) -> Json:
    """What is known of a file."""
    kept: Json = call.store.get("file", call.key, call.body["file_id"])
    return kept


def delete(call: Call) -> Json:
    """Keep a file no longer."""
    call.store.drop("file", call.key, call.body["file_id"])
    return {"id": call.body["file_id"], "object": "file", "deleted": True}
