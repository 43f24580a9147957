"""The table of what was measured, for the terminal and for RESULTS.md."""

from __future__ import annotations

import os
import platform
import re
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from rich.table import Table

from .table import PEERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .measure import Measure, Values

HEAD = ("work", "measured (median)", "reached", "target", "", "on")


def short(number: float) -> str:
    """Return a number with as many digits as it is worth.

    >>> short(0.6543), short(12.34), short(712345.6)
    ('0.65', '12.3', '712,000')
    """
    if number < 10:  # noqa: PLR2004 - two places, one, none
        return f"{number:.2f}"
    return f"{number:.1f}" if number < 1000 else f"{round(number, -3 if number >= 100_000 else -1):,.0f}"  # noqa: PLR2004 - as above


def row(measure: Measure, values: Values) -> tuple[str, ...]:
    """Return what a measure gave today, as the cells of a table."""
    sides = " · ".join(f"{name} {short(median(given))}" for name, given in values.items())
    goal = f"{'≥' if measure.more_is_better else '≤'} {measure.goal:,g} {measure.means}"
    reached = f"{short(measure.number(values))} {measure.means}"
    is_met = "✓ met" if measure.met(values) else "✗ not met"
    return measure.work, f"{sides} {measure.unit}", reached, goal, is_met, f"{datetime.now(UTC).date()}"


def printed(rows: list[tuple[str, ...]], *, title: str | None = None) -> Table:
    """Return the table for a terminal."""
    table = Table(*HEAD, title=title)
    for cells in rows:
        table.add_row(*cells)
    return table


def read(text: str) -> dict[str, tuple[str, ...]]:
    """Return the rows of a RESULTS.md by their work.

    >>> read(markdown([("a save", "ours 2 ms", "2 ms", "≤ 4 ms", "✓ met", "2026-01-02")], 5))
    {'a save': ('a save', 'ours 2 ms', '2 ms', '≤ 4 ms', '✓ met', '2026-01-02')}
    """
    rows = [tuple(cell.strip() for cell in line.split(" | ")) for line in re.findall(r"^\| (.*) \|$", text, re.MULTILINE)]
    return {cells[0]: cells for cells in rows if len(cells) == len(HEAD) and cells != HEAD}


def together(measures: Sequence[Measure], new: list[tuple[str, ...]], before: str) -> list[tuple[str, ...]]:
    """Return the rows of all measures: new ones, and those of the RESULTS.md before where a measure was not made now."""
    known = read(before) | {cells[0]: cells for cells in new}
    return [known[measure.work] for measure in measures if measure.work in known]


def markdown(rows: list[tuple[str, ...]], repetitions: int) -> str:
    """Return RESULTS.md."""
    today = datetime.now(UTC).date()
    others = ", ".join(packages[0].replace("==", " ") for packages in PEERS.values())
    machine = f"{os.cpu_count()} cores ({platform.machine()}, {_processor()}), {platform.system()}"
    method = (
        f"Each number is the median of {repetitions} repetitions, of 3 where one takes long. In each repetition all sides take "
        "their turn, every one in a process of its own, after a first run that does not count. A ratio is the median of the "
        "repetitions' ratios. What one thread does is CPU time; what waits, merges or loads is wall time. What each side does is "
        "in `measures/`; `on` is the day of a row, as `make bench ONLY=map` measures some of them anew."
    )
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench`, last on {today}: {machine}, Python {platform.python_version()}.",
        f"wf-notebook {version('wf-notebook')} beside {others}, each in an environment of its own.",
        "",
        method,
        "",
        "| " + " | ".join(HEAD) + " |",
        "|---" * len(HEAD) + "|",
        *("| " + " | ".join(cells) + " |" for cells in rows),
    ]
    return "\n".join(lines) + "\n"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if sys.platform == "linux" and info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
