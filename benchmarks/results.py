"""The table of what was measured, for the terminal and for RESULTS.md."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from rich.table import Table

from .table import PEERS

if TYPE_CHECKING:
    from .measure import Measure, Values

HEAD = ("work", "measured (median)", "reached", "target", "")


def short(number: float) -> str:
    """Return a number with as many digits as it is worth.

    >>> short(0.6543), short(12.34), short(712345.6)
    ('0.65', '12.3', '712,000')
    """
    if number < 10:  # noqa: PLR2004 - two places, one, none
        return f"{number:.2f}"
    return f"{number:.1f}" if number < 1000 else f"{round(number, -3 if number >= 100_000 else -1):,.0f}"  # noqa: PLR2004


def row(measure: Measure, values: Values) -> tuple[str, str, str, str, str]:
    """Return what a measure gave, as the cells of a table."""
    sides = " · ".join(f"{name} {short(median(given))}" for name, given in values.items())
    goal = f"{'≥' if measure.more_is_better else '≤'} {measure.goal:,g} {measure.means}"
    reached = f"{short(measure.number(values))} {measure.means}"
    return measure.work, f"{sides} {measure.unit}", reached, goal, "✓ met" if measure.met(values) else "✗ not met"


def printed(rows: list[tuple[str, ...]], *, title: str | None = None) -> Table:
    """Return the table for a terminal."""
    table = Table(*HEAD, title=title)
    for cells in rows:
        table.add_row(*cells)
    return table


def markdown(rows: list[tuple[str, ...]], repetitions: int) -> str:
    """Return RESULTS.md."""
    today = datetime.now(UTC).date()
    others = ", ".join(packages[0].replace("==", " ") for packages in PEERS.values())
    machine = f"{os.cpu_count()} cores ({platform.machine()}, {_processor()}), {platform.system()}"
    method = (
        f"Each number is the median of {repetitions} repetitions, of 3 where one takes long. In each repetition all sides take "
        "their turn, every one in a process of its own, after a first run that does not count. A ratio is the median of the "
        "repetitions' ratios. What one thread does is CPU time; what waits, merges or loads is wall time. What each side does is "
        "in `measures/`."
    )
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {today}: {machine}, Python {platform.python_version()}.",
        f"wf-notebook {version('wf-notebook')} beside {others}, each in an environment of its own.",
        "",
        method,
        "",
        "| " + " | ".join(HEAD) + " |",
        "|---|---|---|---|---|",
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
