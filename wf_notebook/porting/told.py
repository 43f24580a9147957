"""What porting a source did: the new text, each line that changed, and what was left, with a reason and a remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

from .text import LINE

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Change:
    """One import that changed: the number of its first line, what it was and what it is; in a notebook also the cell."""

    line: int
    before: str
    after: str
    cell: int | None = None


@dataclass(frozen=True)
class Left:
    """One name of Agno's that stays as it was, why, and what to do about it."""

    line: int
    name: str
    reason: str
    remedy: str
    cell: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}" if self.cell is None else f"cell {self.cell}, line {self.line}"
        return f"{where}: {self.name} {self.reason}; {self.remedy}"


@dataclass(frozen=True)
class Source:
    """A piece of Python as it was and as it is now; in a notebook a cell, by its number from 1."""

    before: str
    after: str
    cell: int | None = None


@dataclass(frozen=True)
class Ported:
    """What porting did.

    `name` is that of the file, `source` its text as it was and `text` as it is now, `changed` the imports that changed, `left`
    what stays as it was, `pieces` the Python in it: all of it, or of a notebook the cells. Lines are those of the old text.
    """

    name: str
    source: str
    text: str
    changed: tuple[Change, ...] = ()
    left: tuple[Left, ...] = ()
    pieces: tuple[Source, ...] = ()

    @property
    def diff(self) -> str:
        """What changed as a unified diff, empty if nothing did; of a notebook a diff of each cell that changed."""
        return "".join(line for piece in self.pieces for line in _diff(self.name, piece))

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can have of it: name, changed, left."""
        return {
            "name": self.name,
            "changed": [asdict(change) for change in self.changed],
            "left": [asdict(left) for left in self.left],
        }


def _diff(name: str, piece: Source) -> Iterator[str]:
    """Yield the lines of the diff of one piece of Python; a last line that has no end gets one, and a word about it."""
    name = name if piece.cell is None else f"{name}, cell {piece.cell}"
    for line in unified_diff(LINE.findall(piece.before), LINE.findall(piece.after), f"a/{name}", f"b/{name}"):
        yield line if line[-1] in "\r\n" else f"{line}\n\\ No newline at end of file\n"
