"""A session as text, for a terminal: its state as a tree that is drawn, its last versions and runs; so many lines at most."""

from __future__ import annotations

from itertools import islice
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from ..frames.cells import cut
from ..keys import key_of
from .shape import beginning, named, shape
from .still import Still

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..codec import Tree
    from .still import Listed

#: Lines of the tree; items of each list or dict; how deep; versions and runs.
LINES, ITEMS, DEEPEST, LAST = 44, 12, 8, 3
#: A value in which there are so few others is unfolded while there is room at all.
FEW = 3
#: Lines that are worth unfolding a value for.
LEAST = 2


def drawn(seen: Still | Listed) -> str:
    """Return a session as text, or the sessions that there are."""
    room = get_terminal_size((100, 24)).columns
    lines = _session(seen) if isinstance(seen, Still) else _sessions(seen)
    return "\n".join([" · ".join(seen.head), *(cut(line, room) for line in lines)])


def _session(seen: Still) -> Iterator[str]:
    loaded = seen.loaded
    yield from _tree(
        [(named(key_of(key)), loaded.tree(key)) for key in islice(loaded.kept, LINES)], len(loaded.kept), "", LINES, 0
    )
    if not loaded.kept:
        yield "└─ the state is empty"
    runs = seen.runs[:LAST]
    yield from _listed("runs", [[each.run_id[:8], each.standing, each.inputs, each.started_at, each.seconds] for each in runs])
    made = [(str(each.version), f"{each.saved_at:%Y-%m-%d %H:%M:%S}", beginning(each.summary, 200)) for each in seen.versions]
    yield from _listed("versions", made[:LAST])


def _tree(children: Iterable[tuple[str, Tree]], count: int, margin: str, room: int, depth: int) -> Iterator[str]:
    """Yield values below each other, of so many lines at most: each has one, and what is left is for what lies in them."""
    fits = min(count, ITEMS if depth else room, room if count <= room else room - 1)
    some = [(label, tree, shape(tree)) for label, tree in islice(children, max(fits, 0))]
    left, folded = room - len(some) - (count > len(some)), sum(1 for _, _, what in some if what.within and not what.line)
    for number, (label, _, what) in enumerate(some):
        last = number == count - 1
        share = 0
        if what.within and not what.line:
            share = max(left // folded, min(left, what.within, FEW)) if depth < DEEPEST else 0
            folded -= 1
        is_folded = what.within and not what.line and share < min(what.within, LEAST)
        shown = " …" if is_folded else _line(what.line, what.text)
        yield f"{margin}{'└─' if last else '├─'} {label}: {what.about}{shown}"
        if share and not is_folded:
            inner = list(_tree(what.inside(), what.within, margin + ("   " if last else "│  "), share, depth + 1))
            left -= len(inner)
            yield from inner
    if count > len(some):
        yield f"{margin}└─ … {count - len(some):,} more"


def _line(line: str, text: str) -> str:
    shown = line or (f"{' '.join(beginning(text, 60).split())!r}…" if text else "")
    return f"  {shown}" if shown else ""


def _listed(title: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        yield f"{title}, the newest first:"
        yield from _aligned(rows)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True)).rstrip()


def _sessions(seen: Listed) -> Iterator[str]:
    if seen.rows:
        yield from _aligned([seen.names, *seen.rows])
    if seen.total > len(seen.rows):
        yield f"  … {seen.total - len(seen.rows):,} more"
