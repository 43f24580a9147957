"""How a run or a branch stands, a sign and a word, and why in one line."""

from __future__ import annotations

import re

from ..readable import brief

#: A status is a sign and a word; the colour only repeats it.
STATUS = {
    "running": ("●", "var(--jp-info-color1, #1976d2)"),
    "completed": ("✓", "var(--jp-success-color1, #2e7d32)"),
    "failed": ("✗", "var(--jp-error-color1, #c62828)"),
    "stopped": ("■", "var(--jp-warn-color1, #b26a00)"),
    "lost": ("?", "var(--jp-warn-color1, #b26a00)"),
}


def standing(status: str, error: str | None = None) -> str:
    """Return how something stands, and why in one line: the class of an error without its module.

    >>> standing("failed", "mine.BadTopic: no ducks")
    '✗ failed: BadTopic: no ducks'
    """
    why = re.sub(r"^(?:\w+\.)+(?=\w+(?::|$))", "", error or "")
    return f"{STATUS[status][0]} {status}" + (f": {brief(why)}" if why else "")
