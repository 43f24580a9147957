"""Bars along the time of a run: as SVG, as an HTML table that is readable without its styles, and as text."""

from __future__ import annotations

from html import escape
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Protocol

from .status import STATUS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: So many bars are shown.
BARS = 200
#: Colours that are readable on white and on black, as an image does not know which of them it stands on.
COLOURS = {"agent": "#4a8fd8", "tool": "#c08a2e", "branch": "#8d8d8d", "step": "#4fa06a"}
_FAILED, _TEXT, _LINE = "#d9534f", "#7d7d7d", "#80808055"
#: Cells of a bar in text; pixels of an image: its width, a row, a character.
_CELLS, _WIDTH, _ROW, _CHARACTER = 32, 820, 22, 6.6
#: A name is cut to so many characters.
_NAME = 32


class Drawn(Protocol):
    """As much of a bar as is drawn."""

    @property
    def what(self) -> str:
        """What it is."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def lane(self) -> str | None:
        """Where it is."""

    @property
    def start(self) -> float:
        """Where it begins."""

    @property
    def end(self) -> float:
        """Where it ends."""

    @property
    def status(self) -> str:
        """How it stands."""


def _length(bars: Sequence[Drawn]) -> float:
    return max((bar.end for bar in bars), default=0.0) or 1e-6


def _depth(bar: Drawn) -> int:
    """Return how far a name is indented: a tool below its agent, an agent below its branch."""
    return (bar.what == "tool") + (bool(bar.lane) and bar.what != "branch")


def _name(bar: Drawn) -> str:
    return bar.name if len(bar.name) <= _NAME else f"{bar.name[: _NAME - 1]}…"


def _times(bar: Drawn) -> str:
    return f"{bar.start:.2f}–{bar.end:.2f} s"


def _standing(bar: Drawn) -> str:
    return f"{STATUS[bar.status][0]} {bar.status}" if bar.status in STATUS else bar.status


def _more(bars: Sequence[Drawn]) -> str:
    return f"… {len(bars) - BARS:,} more; .df() has all" if len(bars) > BARS else ""


def timeline_text(bars: Sequence[Drawn]) -> str:
    """Return bars as aligned text."""
    length, shown = _length(bars), bars[:BARS]
    names = ["  " * _depth(bar) + _name(bar) for bar in shown]
    wide = [max(map(len, texts), default=0) for texts in ([bar.what for bar in shown], names, [_times(bar) for bar in shown])]
    lines = []
    for bar, name in zip(shown, names, strict=True):
        first, last = (round(at / length * _CELLS) for at in (bar.start, bar.end))
        first = min(first, _CELLS - 1)
        drawn = ("·" * first + "█" * max(1, last - first)).ljust(_CELLS)
        lines.append(f"{bar.what:<{wide[0]}}  {name:<{wide[1]}}  {drawn}  {_times(bar):>{wide[2]}}  {_standing(bar)}")
    return "\n".join(filter(None, [*lines, _more(bars)]))


def timeline_html(bars: Sequence[Drawn]) -> str:
    """Return bars as a table with inline styles: with them it is drawn, and without them the numbers are there."""
    length = _length(bars)
    rows = "".join(_html_row(bar, length) for bar in bars[:BARS])
    more = f'<tr><td colspan="4">{escape(_more(bars))}</td></tr>' if len(bars) > BARS else ""
    table = f'<table style="width: 100%; table-layout: auto; border-collapse: collapse">{rows}{more}</table>'
    return f'<div style="overflow-x: auto">{table}</div>'  # a narrow window has no room for all of a row


def _html_row(bar: Drawn, length: float) -> str:
    cell = "text-align: left; white-space: nowrap; padding: 1px 8px"
    left, width = bar.start / length * 100, max(0.3, (bar.end - bar.start) / length * 100)
    colour = _FAILED if bar.status == "failed" else COLOURS.get(bar.what, COLOURS["step"])
    drawn = f"margin-left: {min(left, 99.7):.2f}%; width: {width:.2f}%; height: 10px; background-color: {colour}"
    return (
        f'<tr><td style="{cell}">{escape(bar.what)}</td>'
        f'<td style="{cell}; padding-left: {8 + 12 * _depth(bar)}px">{escape(_name(bar))}</td>'
        f'<td style="width: 100%; padding: 1px 0px"><div style="{drawn}"></div></td>'
        f'<td style="{cell}; text-align: right">{_times(bar)}</td><td style="{cell}">{escape(_standing(bar))}</td></tr>'
    )


def timeline_svg(bars: Sequence[Drawn]) -> str:
    """Return bars as an image: a row for each, its name at the left, its time and how it stands at the right."""
    length, shown = _length(bars), bars[:BARS]
    names = [(_name(bar), 10 + 12 * _depth(bar)) for bar in shown]
    left = max((x + len(name) * _CHARACTER for name, x in names), default=0.0) + 12
    right = max((len(f"{_times(bar)} {_standing(bar)}") for bar in shown), default=0) * _CHARACTER + 18
    across = (_WIDTH - left - right) / length
    height = _ROW * (len(shown) + 1) + 8
    drawn: list[str] = []
    for tick in _ticks(length):
        x = left + tick * across
        drawn.append(f'<path d="M{x:.1f} {_ROW}V{height - 4}" stroke="{_LINE}"/>')
        drawn.append(f'<text x="{x:.1f}" y="15" text-anchor="middle">{tick:g} s</text>')
    for row, (bar, (name, x)) in enumerate(zip(shown, names, strict=True), start=1):
        top, start, width = row * _ROW, left + bar.start * across, max(2.0, (bar.end - bar.start) * across)
        colour = _FAILED if bar.status == "failed" else COLOURS.get(bar.what, COLOURS["step"])
        drawn.append(f'<text x="{x}" y="{top + 15}">{escape(name)}</text>')
        drawn.append(f'<rect x="{start:.1f}" y="{top + 4}" width="{width:.1f}" height="14" rx="2" fill="{colour}"/>')
        after = f"{_times(bar)} {_standing(bar)}"
        drawn.append(f'<text x="{_WIDTH - 8}" y="{top + 15}" text-anchor="end">{escape(after)}</text>')
    font = f'font-family="system-ui, sans-serif" font-size="12" fill="{_TEXT}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" role="img"'
        f" {font}><title>timeline of a run</title>{''.join(drawn)}</svg>"
    )


def _ticks(length: float) -> Iterator[float]:
    """Yield round numbers from 0 up to a length, about five.

    >>> list(_ticks(2.3))
    [0.0, 0.5, 1.0, 1.5, 2.0]
    """
    size = 10.0 ** floor(log10(length / 5))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor * 5 >= length)
    for n in range(ceil(length / step + 1e-9)):
        yield round(n * step, 9)
