"""A count, for who started this process, of what it asks of models and what it need not ask: a line for each, in a file."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

#: Names the file; where it is not set, nothing is counted.
PLACE = "WF_TALLY"


def tally(**counts: Any) -> None:
    """Add a line to the file that `WF_TALLY` names: hits, requests, input_tokens, output_tokens, cost.

    >>> os.environ[PLACE] = "counts"
    >>> tally(hits=2)
    >>> tally(requests=1, output_tokens=30, cost=None)
    >>> del os.environ[PLACE]
    >>> counted(Path("counts").read_text())
    {'hits': 2, 'requests': 1, 'output_tokens': 30}
    """
    if place := os.environ.get(PLACE):
        line = json.dumps(counts) + "\n"
        with suppress(OSError), Path(place).open("a", encoding="utf-8") as file:
            file.write(line)  # short enough to be one write: processes may share the file


def counted(lines: str) -> dict[str, Any]:
    """Add up what was counted; of a line that is not whole nothing is known."""
    sums: dict[str, Any] = {}
    for line in lines.splitlines():
        with suppress(ValueError):
            for name, count in json.loads(line).items():
                if count is not None:
                    sums[name] = sums.get(name, 0) + count
    return sums
