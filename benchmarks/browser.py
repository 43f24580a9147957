"""What is measured in a real JupyterLab and a real Chromium: `benchmarks/pages`, run by pytest with what the tests have."""

from __future__ import annotations

import argparse
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).parent


class Noted:
    """The plugin by which what is measured notes what it saw."""

    #: By which pytest knows the plugin.
    __name__ = "noted"

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


def measured(page: str, head: Sequence[str], write: Callable[[Noted], None], given: Sequence[str] | None, about: str) -> int:
    """Measure what is in a file of `pages`, show the tables, and write them if everything was measured."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--only", default="", help="an expression as for pytest -k")
    parser.add_argument("--quick", action="store_true", help="only try that all of it works: tiny counts, nothing written")
    options = parser.parse_args(given)
    noted = Noted(quick=options.quick)
    how = ["-q", "-p", "tests.conftest", "--timeout=900", "-n", "0", "-k", options.only, f"--rootdir={HERE.parent}"]
    failed = int(pytest.main([str(HERE / "pages" / page), *how], plugins=[noted]))
    console = Console()
    for names, rows in ((head, noted.rows), (FACTS, noted.facts)):
        table = Table(*names)
        for row in rows:
            table.add_row(*row)
        if rows:
            console.print(table)
    if not failed and not options.only and not options.quick:
        write(noted)
    return failed


#: What stands above the figures that have a target.
FACTS = ("what", "measured", "target")


def by_whom(command: str) -> str:
    """Return by which command, when and where something was measured."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, Python {platform.python_version()}"
    releases = ", ".join(f"{name} {version(name)}" for name in ("jupyterlab", "ipykernel", "ipywidgets", "anywidget"))
    return f"Written by `{command}` on {datetime.now(UTC).date()}: {machine}, {releases}."


def facts_table(noted: Noted) -> list[str]:
    """Return the lines of the table of figures that have a target."""
    return ["| " + " | ".join(FACTS) + " |", "|---|---:|---:|", *("| " + " | ".join(fact) + " |" for fact in noted.facts)]
