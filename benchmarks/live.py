"""Measure the live output in a real JupyterLab and a real Chromium, beside other ways to show a stream: `make bench-live`.

The table is written into LIVE.md.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .browser import HERE, by_whom, facts_table, measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .browser import Noted

HEAD = ("work", "shown by", "text shown", "KB to the browser", "kernel CPU, s", "longest task, ms", "behind, s")


def main(given: Sequence[str] | None = None) -> int:
    """Measure, show the tables, and write them if everything was measured."""
    return measured("test_streams.py", HEAD, write, given, __doc__ or "")


def write(noted: Noted) -> None:
    """Write LIVE.md."""
    lines = [
        "# The live output, beside other ways to show a stream",
        "",
        by_whom("make bench-live"),
        "",
        "Each stream is played in a cell of a real JupyterLab in Chromium. *Text shown* is how much of it is on the page at its",
        "end, *KB to the browser* what came over its websockets, *kernel CPU* what the kernel used for the cell, *longest task*",
        "how long the page answered nobody at most, *behind* how long after the cell's end the page showed the last chunk.",
        "",
        "| " + " | ".join(HEAD) + " |",
        "|---|---|---:|---:|---:|---:|---:|",
        *("| " + " | ".join(row) + " |" for row in noted.rows),
        "",
        *facts_table(noted),
    ]
    (HERE / "LIVE.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
