"""Try for long what the tests try for moments: `make torture`, or `make torture ONLY=kill` for tests of such names.

The tests lie in `tests/storage/torture`; what they saw, and that nothing was lost, is written into RELIABILITY.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
HEAD = ("what was tried", "how often", "kept", "lost", "p50, ms", "p99, ms", "longest, ms")


@dataclass(frozen=True)
class Row:
    """What one test saw; `seconds` are the waits for its saves."""

    what: str
    tried: str
    kept: int
    lost: int
    seconds: Sequence[float]

    @property
    def cells(self) -> tuple[str, ...]:
        """What the table shows.

        >>> Row("appends", "2 × 2", 4, 0, [0.001, 0.002, 0.003, 0.1]).cells
        ('appends', '2 × 2', '4', '0', '3.0', '100.0', '100.0')
        """
        waits = sorted(self.seconds)
        shares = (
            [f"{1000 * waits[int(share * (len(waits) - 1) + 0.5)]:.1f}" for share in (0.5, 0.99, 1)] if waits else ["", "", ""]
        )
        return (self.what, self.tried, f"{self.kept:,}", str(self.lost), *shares)


class Torture:
    """The plugin by which tests know that they may take long, and note what they saw."""

    is_long = True
    #: By which pytest knows the plugin.
    __name__ = "torture"

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def times(self, _short: int, long: int) -> int:
        """Return how often something is tried."""
        return long

    def note(self, what: str, *, tried: str, kept: int, lost: int = 0, seconds: Sequence[float] = ()) -> None:
        """Note what was seen."""
        self.rows.append(Row(what, tried, kept, lost, seconds))


def main(given: list[str] | None = None) -> int:
    """Run the tests for long, show the table, and write it if all of them ran and passed."""
    parser = argparse.ArgumentParser(prog="benchmarks.torture", description=__doc__)
    parser.add_argument("--only", default="", help="an expression as for pytest -k")
    options = parser.parse_args(given)
    torture = Torture()
    # A hang fails too; a longer trial takes its time.
    arguments = [HERE.parent / "tests" / "storage" / "torture", "-q", "-x", "--timeout=1800", "-k", options.only]
    failed = int(pytest.main([str(argument) for argument in arguments], plugins=[torture]))
    table = Table(*HEAD)
    for row in torture.rows:
        table.add_row(*row.cells)
    Console().print(table)
    if not failed and not options.only:
        (HERE / "RELIABILITY.md").write_text(markdown(torture.rows), encoding="utf-8")
    return failed


def markdown(rows: list[Row]) -> str:
    """Return RELIABILITY.md."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, Python {platform.python_version()}"
    releases = f"wf-notebook {version('wf-notebook')}, DuckDB {version('duckdb')}"
    method = (
        "What was tried lies in `tests/storage/torture`; `make test` tries the same for moments. A save is acknowledged when it "
        "returned; *kept* counts what was acknowledged and is there, *lost* what was acknowledged and is not. A wait is that of "
        "one save, with all kernels saving flat out."
    )
    lines = [
        "# Nothing is lost",
        "",
        f"Written by `make torture` on {datetime.now(UTC).date()}: {machine}, {releases}.",
        "",
        method,
        "",
        "| " + " | ".join(HEAD) + " |",
        "|---|---|---:|---:|---:|---:|---:|",
        *("| " + " | ".join(row.cells) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
