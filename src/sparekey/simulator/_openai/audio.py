"""OpenAI's audio: speech as short tones, and transcriptions that say what was sent."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from sparekey.simulator._openai.faults import check_model, of_type, one_of, refused, required, unknown, wrong
from sparekey.simulator._openai.models import check_kind, kind_of
from sparekey.simulator._pictures import RATE, as_wav, spoken
from sparekey.simulator._reading import read_form
from sparekey.simulator._text import count_words, tokens
from sparekey.simulator._wire import Call, Event, Fault, Json, Media, Part, encoded

SPEECH = frozenset({"input", "instructions", "model", "response_format", "speed", "stream_format", "voice"})
"""All parameters there are, as OpenAI's SDK types them."""
# fmt: off
TRANSCRIPTION = frozenset({
    "chunking_strategy", "file", "include", "keywords", "known_speaker_names", "known_speaker_references", "language",
    "languages", "model", "prompt", "response_format", "stream", "temperature", "timestamp_granularities",
})
# fmt: on
"""All fields there are, as OpenAI's SDK types them."""
_SOUNDS = ("mp3", "opus", "aac", "flac", "wav", "pcm")
_TEXTS = {
    "whisper": ("json", "text", "srt", "verbose_json", "vtt"),
    "gpt": ("json", "text", "diarized_json"),
}
LONGEST = 4096
"""Characters that are spoken at once."""
LARGEST = 25 * 1024 * 1024
"""Bytes of a file."""


# -- speech -----------------------------------------------------------------------------------


def check_speech(body: Mapping[str, Any]) -> Fault | None:
    """The first thing that is wrong with a request."""
    return next(_speech_problems(body), None)


def _speech_problems(body: Mapping[str, Any]) -> Iterator[Fault]:
    yield from check_model(body)
    yield from _strangers(body, SPEECH, "speech")
    for param in ("input", "voice"):
        if body.get(param) is None:
            yield required(param)
    if not isinstance(body["input"], str) or not 1 <= len(body["input"]) <= LONGEST:
        yield wrong("input", f"expected a string with 1 to {LONGEST} characters.", "invalid_value")
    if not isinstance(body["voice"], str | dict) or not body["voice"]:
        yield of_type("voice", "a string or an object", body["voice"])
    if body.get("response_format") not in (None, *_SOUNDS):
        yield one_of("response_format", body["response_format"], _SOUNDS)
    if body.get("stream_format") not in (None, "sse", "audio"):
        yield one_of("stream_format", body["stream_format"], ("sse", "audio"))
    speed = body.get("speed")
    if speed is not None and (type(speed) not in (int, float) or not 0.25 <= speed <= 4):
        yield wrong("speed", "expected a number from 0.25 to 4.", "decimal_out_of_range")
    yield from check_kind(body["model"], "speech")


def _strangers(body: Mapping[str, Any], known: frozenset[str], kind: str) -> Iterator[Fault]:
    return (unknown(name) for name in body if kind_of(body["model"]) == kind and name not in known)


def _samples(call: Call) -> bytes:
    return spoken(str(call.body["voice"]), call.body["input"])


def speech(call: Call) -> Media:
    """The text as tones."""
    if call.body.get("response_format") == "pcm":
        return Media("audio/pcm", _samples(call))
    return Media("audio/wav", as_wav(_samples(call)))


def stream_speech(call: Call) -> Iterator[Event]:
    """The same bytes in pieces."""
    content, size = speech(call).content, 4096
    for at in range(0, len(content), size):
        piece = base64.b64encode(content[at : at + size]).decode()
        yield Event(Part.TOKEN, _sse({"type": "speech.audio.delta", "audio": piece}))
    asked, answered = count_words(call.body["input"]), len(content) // size + 1
    usage = {"input_tokens": asked, "output_tokens": answered, "total_tokens": asked + answered}
    yield Event(Part.CLOSING, _sse({"type": "speech.audio.done", "usage": usage}))


# -- transcriptions ---------------------------------------------------------------------------


def read_audio(raw: bytes, headers: Mapping[str, str]) -> object:
    """A form, with what is no text in it as what it is."""
    form = read_form(raw, headers)
    if not isinstance(form, dict):
        return form
    typed = {name.removesuffix("[]"): value for name, value in form.items()}
    if typed.get("stream") in ("true", "false"):
        typed["stream"] = typed["stream"] == "true"
    return typed


def check_transcription(form: Mapping[str, Any]) -> Fault | None:
    """The first thing that is wrong with a form."""
    return next(_transcription_problems(form), None)


def _transcription_problems(form: Mapping[str, Any]) -> Iterator[Fault]:
    yield from check_model(form)
    yield from _strangers(form, TRANSCRIPTION, "transcription")
    file = form.get("file")
    if not isinstance(file, Mapping):
        yield required("file")
    assert isinstance(file, Mapping)
    if file["bytes"] > LARGEST:
        yield Fault(413, "server_error", f"{LARGEST}: Maximum content size limit ({LARGEST}) exceeded")
    if not file["bytes"]:
        told = "Audio file is too short. Minimum audio length is 0.1 seconds."
        yield refused("file", told, "audio_too_short")
    known = _formats(form["model"])
    if form.get("response_format") not in (None, *known):
        yield one_of("response_format", form["response_format"], known)
    yield from _check_temperature(form.get("temperature"))
    if not isinstance(form.get("stream"), bool | None):
        yield of_type("stream", "a boolean", form["stream"])
    yield from check_kind(form["model"], "transcription")


def _formats(model: str) -> tuple[str, ...]:
    if kind_of(model) is None:
        return tuple(dict.fromkeys(each for several in _TEXTS.values() for each in several))
    return _TEXTS["whisper" if model.startswith("whisper") else "gpt"]


def _check_temperature(said: object) -> Iterator[Fault]:
    try:
        within = said is None or (isinstance(said, str) and 0 <= float(said) <= 1)
    except ValueError:
        within = False
    if not within:
        yield wrong("temperature", "expected a number from 0 to 1.", "decimal_out_of_range")


def _text(call: Call) -> str:
    file = call.body["file"]
    told = f"Hello from {call.name} ({call.model}): you sent {file['filename']!r}, {file['bytes']} bytes"
    return told if call.reply is None else call.reply


def _seconds(call: Call) -> float:
    seconds: float = round(call.body["file"]["bytes"] / (2 * RATE), 2)
    return seconds


def _time(seconds: float, point: str) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60):02}:{int(minutes % 60):02}:{rest:06.3f}".replace(".", point)


def transcription(call: Call) -> Json | Media:
    """What was heard, as JSON, as text, or with times."""
    text, seconds = _text(call), _seconds(call)
    plain = {
        "text": text + "\n",
        "srt": f"1\n{_time(0, ',')} --> {_time(seconds, ',')}\n{text}\n\n",
        "vtt": f"WEBVTT\n\n{_time(0, '.')} --> {_time(seconds, '.')}\n{text}\n\n",
    }
    wanted = call.body.get("response_format") or "json"
    if wanted in plain:
        return Media("text/plain; charset=utf-8", plain[wanted].encode())
    usage = {"type": "duration", "seconds": round(seconds)}
    if wanted == "json":
        return {"text": text, "usage": usage}
    segment = {"start": 0.0, "end": seconds, "text": text}
    if wanted == "diarized_json":
        said = {"id": "seg_0", "type": "transcript.text.segment", "speaker": "A", **segment}
        return {"task": "transcribe", "duration": seconds, "text": text, "segments": [said], "usage": usage}
    numbers = {"avg_logprob": 0.0, "compression_ratio": 1.0, "no_speech_prob": 0.0, "temperature": 0.0}
    segments = [{"id": 0, "seek": 0, "tokens": [], **segment, **numbers}]
    about = {"task": "transcribe", "language": "english", "duration": seconds}
    return {**about, "text": text, "segments": segments, "usage": usage}


def streams_transcription(form: Mapping[str, Any]) -> bool:
    """Whisper takes no notice of being asked for a stream."""
    return form.get("stream") is True and not str(form.get("model")).startswith("whisper")


def stream_transcription(call: Call) -> Iterator[Event]:
    """What was heard, word by word."""
    text = _text(call)
    for word in tokens(text):
        yield Event(Part.TOKEN, _sse({"type": "transcript.text.delta", "delta": word}))
    asked, answered = round(_seconds(call)), count_words(text)
    usage = {"type": "tokens", "input_tokens": asked, "output_tokens": answered, "total_tokens": asked + answered}
    yield Event(Part.CLOSING, _sse({"type": "transcript.text.done", "text": text, "usage": usage}))


def _sse(payload: Json) -> bytes:
    return b"data: " + encoded(payload) + b"\n\n"
