"""Images, speech, transcriptions, completions and ranking, as OpenAI's own client sees them."""

from __future__ import annotations

import base64
import io
import json
import struct
import wave
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from sparekey.simulator import Simulator

Client = Callable[..., openai.OpenAI]
SOUND = ("talk.wav", bytes(48_000), "audio/wav")


@pytest.fixture
def client() -> Iterator[Client]:
    """Makes clients, and closes them when the test is over."""
    with ExitStack() as open_clients:

        def make(sim: Simulator, key: str = "sk-a") -> openai.OpenAI:
            made = openai.OpenAI(base_url=sim.base_url, api_key=key, max_retries=0, timeout=5)
            return open_clients.enter_context(made)

        yield make


def measured(png: bytes) -> tuple[int, int]:
    """The size of a PNG, once its parts and its pixels are found to be whole."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    parts, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + data),)
        parts[kind], at = data, at + 12 + length
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    assert len(zlib.decompress(parts[b"IDAT"])) == height * (1 + (width + 7) // 8)
    assert list(parts)[-1] == b"IEND"
    return width, height


def test_an_image_is_a_picture_of_the_size_that_was_asked_for(client: Client) -> None:
    """As base64; the same for the same prompt, another for another."""
    with Simulator({"sk-a": "healthy"}) as sim:
        draw = client(sim).images.generate
        cat, again, dog = (draw(model="gpt-image-1", prompt=each, size="1536x1024") for each in ("cat", "cat", "dog"))

    pictures = [base64.b64decode(each.data[0].b64_json or "") for each in (cat, again, dog) if each.data]
    assert [measured(each) for each in pictures] == [(1536, 1024)] * 3
    assert pictures[0] == pictures[1] != pictures[2]
    assert len(pictures[0]) < 2000
    assert cat.usage is not None
    assert cat.usage.total_tokens == 2


def test_an_image_may_be_an_address(client: Client) -> None:
    """Which serves the picture to whoever has it, and tells no key."""
    with Simulator({"sk-a": "healthy"}) as sim:
        drawn = client(sim).images.generate(model="dall-e-2", prompt="cat", n=2, size="256x256")
        addresses = [str(each.url) for each in drawn.data or ()]
        pictures = [httpx.get(each) for each in addresses]

        assert len(set(addresses)) == 2
        assert all("sk-a" not in each for each in addresses)
        assert [measured(each.content) for each in pictures] == [(256, 256)] * 2
        assert pictures[0].headers["content-type"] == "image/png"
        assert len(sim.requests) == 1


def test_an_image_may_come_bit_by_bit(client: Client) -> None:
    """Partial pictures first, then the one that stays."""
    with Simulator({"sk-a": "healthy"}) as sim:
        events = list(client(sim).images.generate(model="gpt-image-1", prompt="x", stream=True, partial_images=2))

    kinds = [event.type for event in events]
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]


def test_speech_is_a_wav_that_can_be_played(client: Client) -> None:
    """One tone for each word; another voice sounds different; without a header as PCM."""
    with Simulator({"sk-a": "healthy"}) as sim:
        speak = client(sim).audio.speech.create
        said, other, raw = (
            speak(model="tts-1", input="one two three", voice=voice, **more).content
            for voice, more in (("alloy", {}), ("nova", {}), ("alloy", {"response_format": "pcm"}))
        )

    with wave.open(io.BytesIO(said)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 24_000)
        assert 0.1 < sound.getnframes() / sound.getframerate() <= 0.15
        assert sound.readframes(sound.getnframes()) == raw
    assert said != other


def test_speech_may_be_events(client: Client) -> None:
    """Pieces of the same bytes, then what they cost."""
    with Simulator({"sk-a": "healthy"}) as sim:
        body = {"model": "gpt-4o-mini-tts", "input": "one two", "voice": "alloy"}
        whole = client(sim).audio.speech.create(**body).content  # type: ignore[arg-type]
        with client(sim).audio.speech.with_streaming_response.create(**body, stream_format="sse") as answer:  # type: ignore[arg-type]
            lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line]

    *pieces, done = map(json.loads, lines)
    assert b"".join(base64.b64decode(each["audio"]) for each in pieces) == whole
    assert done["type"] == "speech.audio.done"


def test_a_transcription_says_what_was_sent(client: Client) -> None:
    """Who heard it, the file's name and its size; also as text and with times."""
    heard = "Hello from key-1 (whisper-1): you sent 'talk.wav', 48000 bytes"
    with Simulator({"sk-a": "healthy"}) as sim:
        write = client(sim).audio.transcriptions.create
        plain = write(model="whisper-1", file=SOUND)
        text, srt, vtt = (
            write(model="whisper-1", file=SOUND, response_format=kind)
            for kind in ("text", "srt", "vtt")  # type: ignore[call-overload]
        )
        told = write(
            model="whisper-1",
            file=SOUND,
            response_format="verbose_json",
            timestamp_granularities=["segment", "word"],
            temperature=0.5,
        )
        (record, *_) = sim.requests

    assert plain.text == heard
    assert text == f"{heard}\n"
    assert "00:00:00,000 --> 00:00:01,000" in srt
    assert vtt.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000")
    assert (told.duration, told.segments[0].text) == (1.0, heard)
    assert (record.path, record.model, record.body["file"]["filename"]) == (
        "/v1/audio/transcriptions",
        "whisper-1",
        "talk.wav",
    )


def test_a_transcription_may_be_a_stream_but_whispers(client: Client) -> None:
    """Whisper takes no notice of the wish."""
    with Simulator({"sk-a": "healthy"}, reply="one two") as sim:
        write = client(sim).audio.transcriptions.create
        events = list(write(model="gpt-4o-transcribe", file=SOUND, stream=True))
        assert [event.type for event in events] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
        assert sim.requests[0].stream is True

        write(model="whisper-1", file=SOUND, stream=True)
        assert sim.requests[1].stream is False


def test_a_speaker_is_told(client: Client) -> None:
    """By the model that tells them."""
    with Simulator({"sk-a": "healthy"}) as sim:
        write = client(sim).audio.transcriptions.create
        told = write(model="gpt-4o-transcribe-diarize", file=SOUND, response_format="diarized_json")

    assert told.segments[0].speaker == "A"


def test_a_completion_goes_on_with_each_prompt(client: Client) -> None:
    """As many choices of each as were asked for, whole and as a stream; cut after sixteen tokens."""
    body: Any = {"model": "gpt-3.5-turbo-instruct", "prompt": ["a", "b"], "n": 2}
    with Simulator({"sk-a": "healthy"}) as sim:
        whole = client(sim).completions.create(**body)
        chunks = list(client(sim).completions.create(**body, stream=True, stream_options={"include_usage": True}))
        echoed = client(sim).completions.create(model="m", prompt="word " * 30, echo=True)

    texts = [choice.text for choice in whole.choices]
    assert texts[0] == texts[1] == "Hello from key-1 (gpt-3.5-turbo-instruct): you said 'a'"
    assert len(texts) == 4
    assert "'b'" in texts[2]
    for at, text in enumerate(texts):
        pieces = [each for chunk in chunks for each in chunk.choices if each.index == at]
        assert "".join(each.text for each in pieces) == text
        assert pieces[-1].finish_reason == "stop"
    assert chunks[-1].usage == whole.usage
    assert echoed.choices[0].text.startswith("word word")
    assert echoed.choices[0].finish_reason == "length"


def test_what_shares_words_with_the_query_ranks_first() -> None:
    """As servers of this dialect do that are not OpenAI's."""
    documents = ["a red fox", "blue whales sing", "nothing"]
    with Simulator({"sk-a": "healthy"}) as sim:
        body = {"model": "m", "query": "do whales sing", "documents": documents, "top_n": 2}
        answer = httpx.post(f"{sim.base_url}/rerank", json=body, headers={"authorization": "Bearer sk-a"}).json()

    assert next(each["index"] for each in answer["results"]) == 1
    assert len(answer["results"]) == 2
    assert answer["results"][0]["document"] == {"text": "blue whales sing"}


CALLS: dict[str, Callable[[openai.OpenAI], Any]] = {
    "images": lambda client: client.images.generate(model="gpt-image-1", prompt="x"),
    "speech": lambda client: client.audio.speech.create(model="tts-1", input="x", voice="alloy"),
    "transcription": lambda client: client.audio.transcriptions.create(model="whisper-1", file=SOUND),
    "completion": lambda client: client.completions.create(model="gpt-3.5-turbo-instruct", prompt="x"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "rate_limited", "retry_after": 20}, openai.RateLimitError),
        ("revoked", openai.AuthenticationError),
        ("no_credit", openai.APIStatusError),
        ("server_error", openai.InternalServerError),
        ("reset", openai.APIConnectionError),
    ],
)
def test_keys_fail_there_as_elsewhere(
    client: Client, call: Callable[[openai.OpenAI], Any], fault: Any, error: type[Exception]
) -> None:
    """With the same errors, and in the journal."""
    with Simulator({"sk-a": fault}) as sim:
        with pytest.raises(error):
            call(client(sim))
        assert sim.counts == {"sk-a": 1}


IMAGES, SPEECH, TEXTS = "/v1/images/generations", "/v1/audio/speech", "/v1/completions"
DRAW = {"model": "gpt-image-1", "prompt": "x"}
SAY = {"model": "tts-1", "input": "x", "voice": "alloy"}
GO_ON = {"model": "gpt-3.5-turbo-instruct", "prompt": "x"}
WRONG: list[tuple[str, dict[str, Any], dict[str, Any], str | None, int]] = [
    (IMAGES, DRAW, {"prompt": None}, "prompt", 400),
    (IMAGES, DRAW, {"prompt": 5}, "prompt", 400),
    (IMAGES, DRAW, {"prompt": ""}, "prompt", 400),
    (IMAGES, DRAW, {"prompt": "x" * 1001, "model": "dall-e-2"}, "prompt", 400),
    (IMAGES, DRAW, {"n": 11}, "n", 400),
    (IMAGES, DRAW, {"n": 2, "model": "dall-e-3"}, "n", 400),
    (IMAGES, DRAW, {"size": "8x8"}, "size", 400),
    (IMAGES, DRAW, {"response_format": "url"}, "response_format", 400),
    (IMAGES, DRAW, {"response_format": "jpeg", "model": "dall-e-3"}, "response_format", 400),
    (IMAGES, DRAW, {"style": "vivid"}, "style", 400),
    (IMAGES, DRAW, {"background": "opaque", "model": "dall-e-3"}, "background", 400),
    (IMAGES, DRAW, {"messages": []}, "messages", 400),
    (IMAGES, DRAW, {"max_retries": 0}, "max_retries", 400),
    (IMAGES, DRAW, {"stream": "yes"}, "stream", 400),
    (IMAGES, DRAW, {"partial_images": 4}, "partial_images", 400),
    (IMAGES, DRAW, {"model": "gpt-4o"}, "model", 400),
    (SPEECH, SAY, {"input": None}, "input", 400),
    (SPEECH, SAY, {"input": "x" * 4097}, "input", 400),
    (SPEECH, SAY, {"voice": None}, "voice", 400),
    (SPEECH, SAY, {"voice": 5}, "voice", 400),
    (SPEECH, SAY, {"response_format": "midi"}, "response_format", 400),
    (SPEECH, SAY, {"stream_format": "x"}, "stream_format", 400),
    (SPEECH, SAY, {"speed": 5}, "speed", 400),
    (SPEECH, SAY, {"max_retries": 0}, "max_retries", 400),
    (SPEECH, SAY, {"model": "whisper-1"}, "model", 400),
    (TEXTS, GO_ON, {"prompt": 5}, "prompt", 400),
    (TEXTS, GO_ON, {"prompt": []}, "prompt", 400),
    (TEXTS, GO_ON, {"prompt": ["x", 1]}, "prompt", 400),
    (TEXTS, GO_ON, {"n": 0}, "n", 400),
    (TEXTS, GO_ON, {"n": 129}, "n", 400),
    (TEXTS, GO_ON, {"n": 3, "best_of": 2}, "best_of", 400),
    (TEXTS, GO_ON, {"stream": "yes"}, "stream", 400),
    (TEXTS, GO_ON, {"temperature": 3}, "temperature", 400),
    (TEXTS, GO_ON, {"messages": []}, None, 400),
    (TEXTS, GO_ON, {"model": "gpt-4o"}, "model", 404),
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}, {"model": "tts-1"}, "model", 404),
    ("/v1/embeddings", {"input": "x"}, {"model": "gpt-image-1"}, None, 403),
    ("/v1/rerank", {"model": "m", "query": "x", "documents": ["x"]}, {"documents": []}, "documents", 400),
    ("/v1/rerank", {"model": "m", "query": "x", "documents": ["x"]}, {"documents": [5]}, "documents", 400),
    ("/v1/rerank", {"model": "m", "query": "x", "documents": ["x"]}, {"query": None}, "query", 400),
    ("/v1/rerank", {"model": "m", "query": "x", "documents": ["x"]}, {"top_n": 0}, "top_n", 400),
]


@pytest.mark.parametrize(("path", "sound", "change", "param", "status"), WRONG)
def test_what_is_wrong_there_is_refused(
    path: str, sound: dict[str, Any], change: dict[str, Any], param: str | None, status: int
) -> None:
    """By the name of what is wrong."""
    app = TestClient(Simulator({"sk-a": "healthy"})._app)
    answer = app.post(path, json={**sound, **change}, headers={"authorization": "Bearer sk-a"})

    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)


FORMS: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"language": "en", "prompt": "x", "temperature": "0.5", "include[]": "logprobs"}, None),
    ({"temperature": "2"}, "temperature"),
    ({"temperature": "warm"}, "temperature"),
    ({"response_format": "diarized_json"}, "response_format"),
    ({"model": "gpt-4o-transcribe", "response_format": "srt"}, "response_format"),
    ({"model": "tts-1"}, "model"),
    ({"stream": "maybe"}, "stream"),
    ({"max_retries": "0"}, "max_retries"),
    ({"file": ("talk.wav", b"", "audio/wav")}, "file"),
    ({"file": "talk.wav"}, "file"),
]


@pytest.mark.parametrize(("change", "param"), FORMS)
def test_a_form_is_checked_as_well(change: dict[str, Any], param: str | None) -> None:
    """Though it holds nothing but texts."""
    form = {"model": "whisper-1", "file": SOUND, **change}
    files = {"file": form.pop("file")} if isinstance(form["file"], tuple) else {"keywords": SOUND}
    app = TestClient(Simulator({"sk-a": "healthy"})._app)
    answer = app.post("/v1/audio/transcriptions", data=form, files=files, headers={"authorization": "Bearer sk-a"})

    assert answer.json().get("error", {}).get("param") == param


@settings(max_examples=100, deadline=None)
@given(
    form=st.dictionaries(
        st.sampled_from(["model", "response_format", "stream", "temperature", "include[]", "file"]),
        st.sampled_from(["m", "whisper-1", "gpt-4o-transcribe", "true", "false", "nan", "0", "json", "srt", ""])
        | st.text(max_size=5),
    )
)
def test_every_form_is_answered_or_refused(form: dict[str, str]) -> None:
    """No form makes the simulator fail."""
    app = TestClient(Simulator({"sk-a": "healthy"})._app)
    files = {} if "file" in form else {"file": SOUND}
    answer = app.post("/v1/audio/transcriptions", data=form, files=files, headers={"authorization": "Bearer sk-a"})

    assert answer.status_code in (200, 400)
