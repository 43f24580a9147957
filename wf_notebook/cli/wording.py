"""The words of a notebook in those of a shell: what says `%wf restore 3` says `wf restore 3` here."""

from __future__ import annotations

import re
from typing import NamedTuple


class _Turn(NamedTuple):
    """How one thing that is said in a notebook is said here."""

    notebook: re.Pattern[str]
    shell: str


#: What a command line cannot do: these verbs keep their `%`, as they are for a notebook.
ONLY_THERE = ("plan", "again", "form", "save", "resolve")

#: In this order, each for all of a text.
_TURNS = (
    _Turn(re.compile(r"then run %wf save \(or write_to_storage\(\)\)"), "then try again"),
    _Turn(re.compile(r"(?<!%)%wf sql (SELECT [^;'\"]+)$"), r'wf sql "\1"'),
    _Turn(re.compile(rf"(?<!%)%wf(?! (?:{'|'.join(ONLY_THERE)})\b)(?=\s)"), "wf"),
    _Turn(re.compile(r"(?<!%)%workflow (?=\w)"), "wf run NOTEBOOK "),
    _Turn(re.compile(r"compare\(\[\{…\}\]\)"), "--over FILE"),
    _Turn(re.compile(r"%pip install"), "pip install"),
    _Turn(re.compile(r"\bstorage\.sessions\(\)"), "wf sessions"),
    _Turn(re.compile(r" \(or restore_session\([^)]*\)\)"), ""),
)


def in_a_shell(text: str) -> str:
    """Return what is said in a notebook as a shell's user types it; what can be done in a notebook only stays as it is.

    >>> in_a_shell("session 'demo' is hidden; %wf restore --deleted demo brings it back")
    "session 'demo' is hidden; wf restore --deleted demo brings it back"
    >>> in_a_shell("%workflow blog -s new goes on in it")
    'wf run NOTEBOOK blog -s new goes on in it'
    """
    said = text
    for turn in _TURNS:
        said = turn.notebook.sub(turn.shell, said)
    return said if said == text else said.replace("{{", "{").replace("}}", "}")  # a line of %wf fills in what is in braces
