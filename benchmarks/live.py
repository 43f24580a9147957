"""Measure the live output in a real JupyterLab and a real Chromium, beside other ways to show a stream: `make bench-live`.

What is measured lies in `benchmarks/pages`: pytest runs it with the browser, the server and the notebooks of the tests. The table
is written into LIVE.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
HEAD = ("work", "shown by", "text shown", "KB to the browser", "kernel CPU, s", "longest task, ms", "behind, s")


class Live:
    """The plugin by which what is measured notes what it saw."""

    #: By which pytest knows the plugin.
    __name__ = "live"

    def __init__(self, *, quick: bool) -> None:
        self.quick = quick
        self.rows: list[tuple[str, ...]] = []
        self.facts: list[tuple[str, str, str]] = []

    def note(self, work: str, way: str, *, shown: float, sent: int, cpu: float, longest: float, behind: float) -> None:
        """Note what was seen of one stream: the share of its text, bytes, seconds, milliseconds, seconds."""
        cells = f"{shown:.0%}", f"{sent / 1000:,.0f}", f"{cpu:.2f}", f"{longest:.0f}", f"{behind:.1f}"
        self.rows.append((work, way, *cells))

    def tell(self, what: str, value: str, target: str) -> None:
        """Note one figure, and what it should be."""
        self.facts.append((what, value, target))


def main(given: list[str] | None = None) -> int:
    """Measure, show the tables, and write them if everything was measured."""
    parser = argparse.ArgumentParser(prog="benchmarks.live", description=__doc__)
    parser.add_argument("--only", default="", help="an expression as for pytest -k")
    parser.add_argument("--quick", action="store_true", help="only try that all of it works: tiny counts, nothing written")
    options = parser.parse_args(given)
    live = Live(quick=options.quick)
    root = HERE.parent
    arguments = [
        HERE / "pages",
        "-q",
        "-p",
        "tests.conftest",
        "--timeout=900",
        "-n",
        "0",
        "-k",
        options.only,
        f"--rootdir={root}",
    ]
    failed = int(pytest.main([str(argument) for argument in arguments], plugins=[live]))
    console = Console()
    for head, rows in ((HEAD, live.rows), (("what", "measured", "target"), live.facts)):
        table = Table(*head)
        for row in rows:
            table.add_row(*row)
        console.print(table)
    if not failed and not options.only and not options.quick:
        (HERE / "LIVE.md").write_text(markdown(live), encoding="utf-8")
    return failed


def markdown(live: Live) -> str:
    """Return LIVE.md."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, Python {platform.python_version()}"
    releases = ", ".join(f"{name} {version(name)}" for name in ("jupyterlab", "ipykernel", "ipywidgets", "anywidget"))
    lines = [
        "# The live output, beside other ways to show a stream",
        "",
        f"Written by `make bench-live` on {datetime.now(UTC).date()}: {machine}, {releases}.",
        "",
        "Each stream is played in a cell of a real JupyterLab in Chromium. *Text shown* is how much of it is on the page at its",
        "end, *KB to the browser* what came over its websockets, *kernel CPU* what the kernel used for the cell, *longest task*",
        "how long the page answered nobody at most, *behind* how long after the cell's end the page showed the last chunk.",
        "",
        "| " + " | ".join(HEAD) + " |",
        "|---|---|---:|---:|---:|---:|---:|",
        *("| " + " | ".join(row) + " |" for row in live.rows),
        "",
        "| what | measured | target |",
        "|---|---:|---:|",
        *("| " + " | ".join(fact) + " |" for fact in live.facts),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
