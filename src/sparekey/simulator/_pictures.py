"""Pictures and sounds out of thin air: small, valid, and the same every time."""

from __future__ import annotations

import hashlib
import io
import struct
import wave
import zlib

PICTURES = "/pictures/{colour}-{width:int}x{height:int}.png"
"""Where a picture is found: its address says all there is to know of it."""
LARGEST = 4096
"""Pixels of a side."""
RATE = 24_000
"""Samples of a second, 16 bits each."""
MOST_TONES = 20


def colour_of(*about: object) -> str:
    """Six digits, for what a picture is to show."""
    return _digest(*about)[:3].hex()


def drawn(colour: str, width: int, height: int) -> bytes:
    """A PNG of one colour."""
    width, height = (max(1, min(side, LARGEST)) for side in (width, height))
    rows = (b"\0" + bytes((width + 7) // 8)) * height  # one bit a pixel, so that a large one is small as well
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)),
            (b"PLTE", hashlib.blake2b(colour.encode(), digest_size=3).digest() + b"\xff\xff\xff"),
            (b"IDAT", zlib.compress(rows)),
            (b"IEND", b""),
        )
    )


def spoken(voice: str, text: str) -> bytes:
    """A tone for each of the first words, as samples."""
    return b"".join(_tone(voice, word) for word in text.split()[:MOST_TONES])


def _tone(voice: str, word: str) -> bytes:
    """A twentieth of a second."""
    half = 30 + _digest(voice, word)[0] // 2
    wave_ = struct.pack("<h", 4000) * half + struct.pack("<h", -4000) * half
    return (wave_ * (RATE // 20 // half))[: RATE // 10]


def as_wav(samples: bytes) -> bytes:
    """Samples with what a WAV has before them."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(samples)
    return file.getvalue()


def _digest(*about: object) -> bytes:
    return hashlib.blake2b("\0".join(map(str, about)).encode(errors="replace")).digest()
