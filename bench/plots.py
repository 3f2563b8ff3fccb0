"""Bars as SVG, readable on light and dark pages."""

from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

WIDTH: Final = 820
# Names end left of the bars, the longest bar ends here, and what it says stands to the right of it.
LEFT: Final = 190
RIGHT: Final = 600
ROW: Final = 24
GAP: Final = 34
TOP: Final = 64
# Where a bar stands for several values, the least is the darkest.
SHADES: Final = (1.0, 0.55, 0.25)

STYLE: Final = """
    text { font: 14px system-ui, sans-serif; fill: #1f2933 }
    .small { font-size: 12px; fill: #52606d }
    .end { text-anchor: end }
    .name { font-weight: 600 }
    .paper { fill: #fbfcfd; stroke: #d5dbe1 }
    .ours { fill: #2f8f73 }
    .theirs { fill: #7b8794 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e4e9ee }
      .small { fill: #a5b1bd }
      .paper { fill: #12171d; stroke: #2c353f }
      .ours { fill: #43b08f }
    }
"""


class Bar(NamedTuple):
    """A bar for one value, or for several of which each is longer than the last."""

    name: str
    values: Sequence[float]
    is_ours: bool


class Group(NamedTuple):
    """Bars that are to be compared."""

    name: str
    bars: Sequence[Bar]


def picture(title: str, says: str, groups: Sequence[Group], shown: str) -> str:
    """An SVG of all groups on one scale; `says` stands below the title, `shown` is how values are written."""
    most = max((max(bar.values) for group in groups for bar in group.bars), default=0) or 1
    drawn: list[str] = []
    y = TOP
    for group in groups:
        drawn.append(_text("name", 24, y + 14, group.name))
        y += ROW
        for bar in group.bars:
            drawn += _drawn(bar, y, (RIGHT - LEFT) / most, shown)
            y += ROW
        y += GAP - ROW
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" aria-labelledby="t d">'
    paper = f'<rect class="paper" x="0.5" y="0.5" width="{WIDTH - 1}" height="{y - 1}" rx="8"/>'
    told = f'<title id="t">{escape(title)}</title>\n  <desc id="d">{escape(says)}</desc>'
    lines = [
        told,
        f"<style>{STYLE}  </style>",
        paper,
        _text("name", 24, 30, title),
        _text("small", 24, 48, says),
        *drawn,
    ]
    return "\n  ".join([head, *lines]) + "\n</svg>\n"


def _drawn(bar: Bar, y: int, scale: float, shown: str) -> list[str]:
    kind, high = "ours" if bar.is_ours else "theirs", ROW - 8
    rects = [
        f'<rect class="{kind}" opacity="{shade}" x="{LEFT}" y="{y + 3}" width="{value * scale:.1f}" height="{high}"/>'
        for value, shade in reversed(list(zip(bar.values, SHADES, strict=False)))
    ]
    values = " / ".join(shown.format(value) for value in bar.values)
    at = LEFT + max(bar.values) * scale + 8
    return [_text("small end", LEFT - 8, y + 15, bar.name), *rects, _text("small", at, y + 15, values)]


def _text(kind: str, x: float, y: int, text: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y}">{escape(text)}</text>'
