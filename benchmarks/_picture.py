"""Pictures of what the programs here measure: plain SVG, in the colours of the terminal in ``docs/demo.svg``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from pathlib import Path

_WIDTH, _LEFT, _TRACK, _ROW = 860, 250, 380, 22
_TEXT = 'font-family="system-ui, -apple-system, Segoe UI, sans-serif" font-size="13"'
_PAPER, _INK, _PALE, _RAIL, _GOOD, _BAD = "#0d1117", "#e6edf3", "#8f959b", "#30363d", "#3fb950", "#e3b341"

Row = tuple[str, float, str]
"""What it is, our share of the peer's, and the figures in words."""

Spread = tuple[str, float, float, float, str]
"""What it is, a ratio's lower quartile, median and upper quartile, and the figures in words."""


def draw_shares(path: Path, title: str, foot: str, aim: float, groups: Mapping[str, list[Row]]) -> None:
    """A rail for each row, as long as what the peer adds, filled as far as we do; a line where the aim is."""

    def rail(y: int, row: Row) -> list[str]:
        what, share, figures = row
        filled = _TRACK * min(max(share, 0.0), 1.0)
        return [*_named(y, what, figures), _bar(y, _TRACK, _RAIL), _bar(y, filled, _GOOD if share <= aim else _BAD)]

    _draw(
        path,
        title,
        foot,
        aim,
        [(heading, [partial(rail, row=row) for row in rows]) for heading, rows in groups.items()],
    )


def draw_ratios(
    path: Path, title: str, foot: str, aim: float, groups: Mapping[str, list[Spread]], ends: tuple[float, float]
) -> None:
    """A rail for each row between two ratios, with a bar between the quartiles and a mark at the median."""
    low, high = ends

    def place(ratio: float) -> float:
        return (min(max(ratio, low), high) - low) / (high - low)

    def rail(y: int, row: Spread) -> list[str]:
        what, quarter, half, most, figures = row
        colour = _GOOD if half <= aim else _BAD
        x, end = (_LEFT + _TRACK * place(ratio) for ratio in (quarter, most))
        middle = _LEFT + _TRACK * place(half)
        return [
            *_named(y, what, figures),
            _bar(y, _TRACK, _RAIL),
            _bar(y, end - x, colour, x, opacity=0.5),
            _bar(y, 4, colour, middle - 2),
        ]

    _draw(
        path,
        title,
        foot,
        place(aim),
        [(heading, [partial(rail, row=row) for row in rows]) for heading, rows in groups.items()],
    )


def _draw(
    path: Path, title: str, foot: str, aim: float, groups: list[tuple[str, list[Callable[[int], list[str]]]]]
) -> None:
    """The picture: headings, rows, and a dashed line at the aim, as a share of the rail."""
    parts, y = [_text(24, 34, title, _INK, 'font-weight="600"')], 56
    top = y
    for heading, rows in groups:
        y += 10
        parts.append(_text(24, y + 12, heading, _PALE))
        y += _ROW
        for row in rows:
            parts += row(y)
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


def _named(y: int, what: str, figures: str) -> list[str]:
    return [
        _text(_LEFT - 12, y + 12, what, _INK, 'text-anchor="end"'),
        _text(_LEFT + _TRACK + 12, y + 12, figures, _INK),
    ]


def _text(x: float, y: float, text: str, colour: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" {more}>{escape(text)}</text>'


def _bar(y: float, width: float, colour: str, x: float = _LEFT, opacity: float = 1) -> str:
    seen = "" if opacity == 1 else f' opacity="{opacity}"'
    return f'<rect x="{x:.10g}" y="{y + 1}" width="{width:.1f}" height="14" rx="3" fill="{colour}"{seen}/>'
