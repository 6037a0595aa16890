"""Pictures of what the programs here measure: plain SVG, in the colours of the terminal in ``docs/demo.svg``."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

_WIDTH, _LEFT, _TRACK, _ROW = 860, 250, 380, 22
_TEXT = 'font-family="system-ui, -apple-system, Segoe UI, sans-serif" font-size="13"'
_PAPER, _INK, _PALE, _RAIL, _GOOD, _BAD = "#0d1117", "#e6edf3", "#8f959b", "#30363d", "#3fb950", "#e3b341"

Row = tuple[str, float, str]
"""What it is, our share of the peer's, and the figures in words."""


def draw_shares(path: Path, title: str, foot: str, aim: float, groups: Mapping[str, list[Row]]) -> None:
    """A rail for each row, as long as what the peer adds, filled as far as we do; a line where the aim is."""
    parts, y = [_text(24, 34, title, _INK, 'font-weight="600"')], 56
    top = y
    for heading, rows in groups.items():
        y += 10
        parts.append(_text(24, y + 12, heading, _PALE))
        y += _ROW
        for what, share, figures in rows:
            filled = _TRACK * min(max(share, 0.0), 1.0)
            parts += [
                _text(_LEFT - 12, y + 12, what, _INK, 'text-anchor="end"'),
                _bar(y, _TRACK, _RAIL),
                _bar(y, filled, _GOOD if share <= aim else _BAD),
                _text(_LEFT + _TRACK + 12, y + 12, figures, _INK),
            ]
            y += _ROW
    x = _LEFT + _TRACK * aim
    parts.append(f'<path d="M{x:.1f} {top}V{y}" stroke="{_INK}" stroke-dasharray="3 4"/>')
    parts.append(_text(24, y + 26, foot, _PALE))
    height = y + 46
    body = "\n".join(parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg viewBox="0 0 {_WIDTH} {height}" xmlns="http://www.w3.org/2000/svg" role="img" '
        f'aria-label="{escape(title)}">\n<rect width="{_WIDTH}" height="{height}" rx="8" fill="{_PAPER}"/>\n'
        f"<g {_TEXT}>\n{body}\n</g>\n</svg>\n",
        encoding="utf-8",
    )


def _text(x: float, y: float, text: str, colour: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" {more}>{escape(text)}</text>'


def _bar(y: float, width: float, colour: str) -> str:
    return f'<rect x="{_LEFT}" y="{y + 1}" width="{width:.1f}" height="14" rx="3" fill="{colour}"/>'
