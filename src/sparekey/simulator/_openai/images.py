"""OpenAI's images: pictures of one colour, as base64 and at an address of the simulator's own."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._openai.faults import check_model, of_type, one_of, required, unknown, wrong
from sparekey.simulator._openai.models import check_kind, kind_of
from sparekey.simulator._pictures import PICTURES, colour_of, drawn
from sparekey.simulator._text import count_words
from sparekey.simulator._wire import Call, Event, Fault, Json, Part, named_event

# fmt: off
PARAMETERS = frozenset({
    "background", "complexity", "frame_count", "frame_duration_ms", "model", "moderation", "n", "output_compression",
    "output_format", "partial_images", "prompt", "quality", "response_format", "safety_identifier", "size", "stream",
    "style", "svg", "user",
})
# fmt: on
"""All there are, as OpenAI's SDK types them."""
_DALL_E = frozenset({"model", "n", "prompt", "quality", "response_format", "size", "style", "user"})
_SIZES = {
    "dall-e-2": ("256x256", "512x512", "1024x1024"),
    "dall-e-3": ("1024x1024", "1792x1024", "1024x1792"),
    "gpt-image": ("1024x1024", "1536x1024", "1024x1536", "auto"),
}
MOST = 10
"""Pictures of one request."""
LONGEST = {"dall-e-2": 1000, "dall-e-3": 4000}
"""Characters of a prompt, by model."""
MOST_CHARACTERS = 32_000
"""Of any other model's prompt."""


def _asked(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**body, "model": body.get("model", "dall-e-2")}


def _family(model: str) -> str:
    return model if model in _SIZES else "gpt-image"


def check_images(body: Mapping[str, Any]) -> Fault | None:
    """The first thing that is wrong with a request."""
    return next(_problems(_asked(body)), None)


def _problems(body: Mapping[str, Any]) -> Iterator[Fault]:
    yield from check_model(body)
    model = body["model"]
    ours = kind_of(model) == "image"
    known = _DALL_E if model.startswith("dall-e-") else PARAMETERS - {"response_format", "style"}
    yield from (unknown(name) for name in body if ours and name not in known)
    if body.get("prompt") is None:
        yield required("prompt")
    if not isinstance(body["prompt"], str):
        yield of_type("prompt", "a string", body["prompt"])
    most = LONGEST.get(model, MOST_CHARACTERS)
    if not 1 <= len(body["prompt"]) <= most:
        yield wrong("prompt", f"expected a string with 1 to {most} characters.", "invalid_value")
    yield from _check_options(body, model, ours)
    yield from check_kind(model, "image")


def _check_options(body: Mapping[str, Any], model: str, ours: bool) -> Iterator[Fault]:
    most = 1 if model == "dall-e-3" else MOST
    if (count := body.get("n")) is not None and (type(count) is not int or not 1 <= count <= most):
        yield wrong("n", f"expected an integer from 1 to {most}.", "invalid_value")
    size = body.get("size")
    if size is not None and (not isinstance(size, str) or (ours and size not in _SIZES[_family(model)])):
        yield one_of("size", size, _SIZES[_family(model)])
    if body.get("response_format") not in (None, "url", "b64_json"):
        yield one_of("response_format", body["response_format"], ("url", "b64_json"))
    if not isinstance(body.get("stream"), bool | None):
        yield of_type("stream", "a boolean", body["stream"])
    parts = body.get("partial_images")
    if parts is not None and (type(parts) is not int or not 0 <= parts <= 3):
        yield wrong("partial_images", "expected an integer from 0 to 3.", "invalid_value")


def _measured(body: Mapping[str, Any]) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,4})x(\d{1,4})", body.get("size") or "")
    return (int(found[1]), int(found[2])) if found else (1024, 1024)


def _pictures(call: Call) -> Iterator[tuple[str, int, int]]:
    width, height = _measured(call.body)
    model = _asked(call.body)["model"]
    for at in range(call.body.get("n") or 1):
        yield colour_of(model, call.body["prompt"], at), width, height


def images(call: Call) -> Json:
    """As many pictures as were asked for."""
    body = _asked(call.body)
    dall_e = body["model"].startswith("dall-e-")
    linked = (body.get("response_format") or ("url" if dall_e else "b64_json")) == "url"
    data = [{"url": _address(call, *each)} if linked else {"b64_json": _encoded(*each)} for each in _pictures(call)]
    if body["model"] == "dall-e-3":
        data = [{**each, "revised_prompt": body["prompt"]} for each in data]
    return {"created": int(call.now), "data": data, **({} if dall_e else _about(call))}


def _address(call: Call, colour: str, width: int, height: int) -> str:
    path = PICTURES.replace(":int", "").format(colour=colour, width=width, height=height)
    return f"{call.origin}{path}"


def _encoded(colour: str, width: int, height: int) -> str:
    return base64.b64encode(drawn(colour, width, height)).decode()


def _about(call: Call) -> Json:
    width, height = _measured(call.body)
    asked, answered = count_words(call.body["prompt"]), call.body.get("n") or 1
    return {
        "background": "opaque",
        "output_format": "png",
        "quality": "low",
        "size": f"{width}x{height}",
        "usage": {
            "input_tokens": asked,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": asked},
            "output_tokens": answered,
            "total_tokens": asked + answered,
        },
    }


def stream_images(call: Call) -> Iterator[Event]:
    """A picture as it comes to be: the same one, as often as partial ones were asked for."""
    about = _about(call)
    usage = about.pop("usage")
    for each in _pictures(call):
        shown = {"b64_json": _encoded(*each), "created_at": int(call.now), **about}
        for at in range(call.body.get("partial_images") or 0):
            partial = {"type": "image_generation.partial_image", "partial_image_index": at}
            yield Event(Part.TOKEN, named_event({**partial, **shown}))
        yield Event(Part.TOKEN, named_event({"type": "image_generation.completed", **shown, "usage": usage}))
