"""Files in Anthropic's dialect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sparekey.simulator._anthropic.faults import missing
from sparekey.simulator._wire import Call, Fault, Json


def check_upload(form: Mapping[str, Any]) -> Fault | None:
    """What is wrong with a form."""
    return None if isinstance(form.get("file"), Mapping) else missing("file")


def upload(call: Call) -> Json:
    """Keep a file for the key that sent it."""
    file = call.body["file"]
    kept = {
        "id": f"file_{call.id}",
        "type": "file",
        "filename": file["filename"],
        "mime_type": file["mime_type"],
        "size_bytes": file["bytes"],
        "created_at": f"{datetime.fromtimestamp(call.now, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "downloadable": False,
    }
    call.store.put("file", call.key, kept["id"], kept)
    return kept


def missing_file(call: Call) -> Fault | None:
    """A path that names a file the key has not."""
    return next(_not_found(call, iter([call.body["file_id"]])), None)


def missing_files(call: Call) -> Fault | None:
    """A file in the messages that the key did not upload."""
    contents = (message["content"] for message in call.body["messages"])
    return next(_not_found(call, (id_ for content in contents for id_ in _named(content))), None)


def _named(content: Any) -> Iterator[str]:
    """The files that blocks name, those inside tool results and documents too."""
    for block in content if isinstance(content, list) else ():
        if block["type"] in ("image", "document"):
            source = block["source"]
            if source["type"] == "file":
                yield source["file_id"]
            elif source["type"] == "content":
                yield from _named(source["content"])
        elif block["type"] == "container_upload" and isinstance(block.get("file_id"), str):
            yield block["file_id"]
        elif block["type"] == "tool_result":
            yield from _named(block.get("content"))


def _not_found(call: Call, named: Iterator[str]) -> Iterator[Fault]:
    return (
        Fault(404, "not_found_error", f"File not found: {id_}")
        for id_ in named
        if call.store.get("file", call.key, id_) is None
    )


def retrieve(call: Call) -> Json:
    """What is known of a file."""
    kept: Json = call.store.get("file", call.key, call.body["file_id"])
    return kept


def delete(call: Call) -> Json:
    """Keep a file no longer."""
    call.store.drop("file", call.key, call.body["file_id"])
    return {"id": call.body["file_id"], "type": "file_deleted"}
