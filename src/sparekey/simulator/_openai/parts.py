"""Content parts in OpenAI's dialect: text, images, audio, files."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._openai.faults import of_type, one_of, only, refused, required
from sparekey.simulator._wire import Fault

KINDS = {"image_url": "image", "input_audio": "audio", "file": "file"}
"""What an answer calls the parts of a prompt that are no text."""

_PARTS = ("text", "image_url", "input_audio", "refusal", "file")


def check_content(content: object, where: str, role: str) -> Iterator[Fault]:
    """What is wrong with a message's content."""
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        yield of_type(where, "one of a string or array of objects", content)
        return
    for at, part in enumerate(content):
        yield from _check_part(part, f"{where}[{at}]", role)


def _check_part(part: Any, where: str, role: str) -> Iterator[Fault]:
    if not isinstance(part, Mapping):
        yield of_type(where, "an object", part)
        return
    if "type" not in part:
        yield required(f"{where}.type")
    kind: Any = part["type"]
    if kind not in _PARTS:
        yield one_of(f"{where}.type", kind, _PARTS)
    if kind in KINDS and role != "user":
        message = where.partition(".")[0]
        thing = {"image_url": "Image URLs", "input_audio": "Audio inputs", "file": "Files"}[kind]
        yield refused(
            message,
            f"Invalid '{message}'. {thing} are only allowed for messages with role 'user', "
            f"but this message with role '{role}' contains one.",
            "invalid_value",
        )
    yield from only(("type", kind, "prompt_cache_breakpoint"), part, where)
    if kind not in part:
        yield required(f"{where}.{kind}")
    if kind in ("text", "refusal"):
        if not isinstance(part[kind], str):
            yield of_type(f"{where}.{kind}", "a string", part[kind])
    elif not isinstance(part[kind], Mapping):
        yield of_type(f"{where}.{kind}", "an object", part[kind])
    else:
        yield from _SHAPES[kind](part[kind], f"{where}.{kind}")


def _check_image(image: Mapping[str, Any], where: str) -> Iterator[Fault]:
    yield from only(("url", "detail"), image, where)
    if "url" not in image:
        yield required(f"{where}.url")
    yield from check_image_url(image["url"], f"{where}.url")
    yield from check_detail(image.get("detail"), f"{where}.detail")


def check_image_url(url: object, where: str) -> Iterator[Fault]:
    """What is wrong with the address of an image, be it a link or the image itself."""
    if not isinstance(url, str):
        yield of_type(where, "a string", url)
        return
    if url.startswith("data:"):
        if not url.startswith("data:image/"):
            yield refused(where, "Invalid MIME type. Only image types are supported.", "invalid_image_format")
        if not _is_base64(url):
            yield refused(where, "Invalid base64 image_url.", "invalid_base64")
    elif not re.match(r"https?://[^\s/]", url):
        yield refused(
            where, f"Invalid '{where}'. Expected a valid URL, but got a value with an invalid format.", "invalid_value"
        )


def check_detail(detail: object, where: str) -> Iterator[Fault]:
    """How closely an image is to be looked at."""
    if detail not in (None, "auto", "low", "high", "original"):
        yield one_of(where, detail, ("low", "high", "auto", "original"))


def _check_audio(audio: Mapping[str, Any], where: str) -> Iterator[Fault]:
    yield from only(("data", "format"), audio, where)
    for field in ("data", "format"):
        if field not in audio:
            yield required(f"{where}.{field}")
    if audio["format"] not in ("wav", "mp3"):
        yield one_of(f"{where}.format", audio["format"], ("wav", "mp3"))
    if not isinstance(audio["data"], str):
        yield of_type(f"{where}.data", "a string", audio["data"])
    elif not _is_base64(audio["data"]):
        yield refused(f"{where}.data", f"Invalid '{where}.data': expected base64.", "invalid_base64")


def _check_file(file: Mapping[str, Any], where: str) -> Iterator[Fault]:
    yield from only(("file_id", "file_data", "filename"), file, where)
    if "file_id" in file:
        if not isinstance(file["file_id"], str):
            yield of_type(f"{where}.file_id", "a string", file["file_id"])
    elif "file_data" not in file or "filename" not in file:
        yield required(f"{where}.file_id")
    else:
        yield from check_file_data(file["file_data"], f"{where}.file_data")


def check_file_data(data: object, where: str) -> Iterator[Fault]:
    """What is wrong with a file that is sent along."""
    if not isinstance(data, str) or not data.startswith("data:") or not _is_base64(data):
        yield refused(
            where,
            f"Invalid file data: '{where}'. Expected a base64-encoded data URL with an application/pdf MIME type "
            "(e.g. 'data:application/pdf;base64,aGVsbG8=').",
            "invalid_value",
        )


def _is_base64(text: str) -> bool:
    """Of a data URL, what stands after the comma."""
    if text.startswith("data:"):
        head, _, text = text.partition(",")
        if not head.endswith(";base64"):
            return False
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


_SHAPES = {"image_url": _check_image, "input_audio": _check_audio, "file": _check_file}
