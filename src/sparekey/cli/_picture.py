"""What a console printed, as an SVG that fetches nothing from elsewhere."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

import sparekey as sk

_THEME = TerminalTheme(
    background=(13, 17, 23),
    foreground=(230, 237, 243),
    normal=[
        (110, 118, 129),
        (255, 123, 114),
        (63, 185, 80),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (86, 212, 221),
        (201, 209, 217),
    ],
)

# As rich's own, but for the font: rich's is fetched from a server, which no README shows and nobody asked for.
_FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="sparekey demo">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px;
}}
.{unique_id}-title {{ font: 600 16px system-ui, -apple-system, "Segoe UI", sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


# One run of equal style. Renderers disagree about the spaces around it, so it is placed without them; and a
# clip for every line, which rich adds, does nothing for a text that fits.
_RUN = re.compile(
    r'<text class="(?P<style>[^"]+)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" textLength="[\d.]+"[^>]*>(?P<text>.*?)</text>'
)
_SPACE = "&#160;"
_EM = 20 * 0.6
"""How wide a character is drawn: rich's size, and what most monospaced fonts are of it."""


def save(console: Console, path: Path, title: str) -> None:
    """Write what ``console`` recorded to ``path``.

    Raises:
        ConfigError: the file cannot be written.
    """
    # With an id of its own choosing rich gives every picture another one, and a diff is all of the file.
    svg = console.export_svg(title=title, theme=_THEME, code_format=_FORMAT, font_aspect_ratio=0.6, unique_id="s")
    svg = _RUN.sub(_placed, sk.scrub(svg))
    try:
        path.write_text(svg, encoding="utf-8")
    except OSError as error:
        raise sk.ConfigError(f"{path}: cannot be written: {error.strerror}") from None


def _placed(run: re.Match[str]) -> str:
    text, left = run["text"], 0
    while text.startswith(_SPACE):
        text, left = text.removeprefix(_SPACE), left + 1
    while text.endswith(_SPACE):
        text = text.removesuffix(_SPACE)
    width = len(unescape(text)) * _EM
    x = float(run["x"]) + left * _EM
    return f'<text class="{run["style"]}" x="{x:g}" y="{run["y"]}" textLength="{width:g}">{text}</text>\n'
