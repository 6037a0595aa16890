"""How the program sparekey descends from read an image request's error: oversized, or anything else."""

from __future__ import annotations

import re

from sparekey._secrets import text_of
from sparekey._types import Reason, Verdict

_OVERSIZED = re.compile(r"image dimensions exceed max|image exceeds [^\n]{0,80}?mb", re.IGNORECASE)


def only_oversized_stops(error: BaseException) -> Verdict | None:
    """``format`` for an image too large in pixels or megabytes; nothing is known of any other error."""
    return Verdict(Reason.FORMAT) if _OVERSIZED.search(text_of(error)[:10_000]) else None
