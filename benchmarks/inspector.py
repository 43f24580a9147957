"""Measure the inspector in a real JupyterLab and a real Chromium: `make bench-inspector`.

The table is written into INSPECTOR.md.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .browser import HERE, by_whom, facts_table, measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .browser import Noted


def main(given: Sequence[str] | None = None) -> int:
    """Measure, show the table, and write it if everything was measured."""
    return measured("test_inspector.py", (), write, given, __doc__ or "")


def write(noted: Noted) -> None:
    """Write INSPECTOR.md."""
    lines = [
        "# The inspector",
        "",
        by_whom("make bench-inspector"),
        "",
        "In a real JupyterLab in Chromium: from what a user does to what the page shows, and how long the page answered nobody",
        "at most meanwhile. The large store has 1000 sessions, 100 runs of each, and 10 events of each run.",
        "",
        *facts_table(noted),
    ]
    (HERE / "INSPECTOR.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
