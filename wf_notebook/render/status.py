"""How a run or a branch stands, a sign and a word, and why in one line."""

from __future__ import annotations

import re

from ..readable import brief


def _readable(colour: str) -> str:
    """Return a colour of the page, nearer to that of its text: Jupyter's own are too bright for words on white."""
    return f"color-mix(in srgb, {colour} 70%, var(--jp-ui-font-color0, currentcolor))"


#: A status is a sign and a word; the colour only repeats it.
STATUS = {
    "running": ("●", _readable("var(--jp-info-color1, #1976d2)")),
    "completed": ("✓", _readable("var(--jp-success-color1, #2e7d32)")),
    "failed": ("✗", _readable("var(--jp-error-color1, #c62828)")),
    "stopped": ("■", _readable("var(--jp-warn-color1, #b26a00)")),
    "lost": ("?", _readable("var(--jp-warn-color1, #b26a00)")),
}
#: The sign of what is done but for some of it.
WARNS = "⚠"


def standing(status: str, error: str | None = None) -> str:
    """Return how something stands, and why in one line: the class of an error without its module.

    >>> standing("failed", "mine.BadTopic: no ducks"), standing("completed", "1 of 3 rows failed")
    ('✗ failed: BadTopic: no ducks', '⚠ completed: 1 of 3 rows failed')
    """
    why = re.sub(r"^(?:\w+\.)+(?=\w+(?::|$))", "", error or "")
    sign = WARNS if status == "completed" and why else STATUS[status][0]
    return f"{sign} {status}" + (f": {brief(why)}" if why else "")
