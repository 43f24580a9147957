"""How a run or a branch stands: a sign and a word, and why in one line."""

from __future__ import annotations

import re

from ..redact import redact

#: A status is a sign and a word; the colour only repeats it.
STATUS = {
    "running": ("●", "var(--jp-info-color1, #1976d2)"),
    "completed": ("✓", "var(--jp-success-color1, #2e7d32)"),
    "failed": ("✗", "var(--jp-error-color1, #c62828)"),
    "stopped": ("■", "var(--jp-warn-color1, #b26a00)"),
    "lost": ("?", "var(--jp-warn-color1, #b26a00)"),
}
#: What steers a terminal, and what turns the text after it around: seen as what it is, it does neither.
_STEERING = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
#: A value of the state and an error are shown in so many characters.
BRIEF = 300


def standing(status: str, error: str | None = None) -> str:
    """Return how something stands, and why in one line: the class of an error without its module.

    >>> standing("failed", "mine.BadTopic: no ducks")
    '✗ failed: BadTopic: no ducks'
    """
    why = re.sub(r"^(?:\w+\.)+(?=\w+(?::|$))", "", error or "")
    return f"{STATUS[status][0]} {status}" + (f": {brief(why)}" if why else "")


def brief(text: str) -> str:
    r"""Return a text in one line, without secrets and what steers a terminal, cut where it is long.

    >>> brief("\x1b[31mred\x1b[0m\nand \u202ekcab")
    'red and \\u202ekcab'
    """
    text = _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], _STEERING.sub("", redact(text)))
    line = re.sub(r"\s+", " ", text).strip()
    return line if len(line) <= BRIEF else f"{line[:BRIEF]}…"
