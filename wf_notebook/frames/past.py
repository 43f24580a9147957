"""What a session was, to look at: its versions as a table, and what differs between two of them as a tree."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ..diffs import SIGNS
from ..redact import redact
from ..tabular import became, described
from ..words import pieces, shortened
from .cells import cut, line
from .columns import Column
from .html import EDGE, QUIET, folded, framed, is_code
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from ..diffs import Diff, Difference
    from ..diffs import Kind as Sign
    from ..history import Version
    from ..render import Bar
    from .columns import Kind

#: Differences that are shown.
_MOST = 200
#: A difference is a sign and a word; the colour only repeats it.
_COLOURS: dict[Sign, str] = {
    "added": "var(--jp-success-color1, #2e7d32)",
    "removed": "var(--jp-error-color1, #c62828)",
    "changed": "var(--jp-info-color1, #1976d2)",
}
#: Tells how a value is shown that is no text, number or time.
_VALUE = Column("value", [], "object")


# -- versions ------------------------------------------------------------------------------------------------------------------


def versions_frame(versions: Sequence[Version]) -> pd.DataFrame:
    """Return a row for each version, in their order."""
    return versions_table(versions).df()


def versions_text(versions: Sequence[Version]) -> str:
    """Return the versions as text, the newest on top."""
    return repr(versions_table(versions[::-1], told=True))


def versions_html(versions: Sequence[Version]) -> str:
    """Return the versions as HTML, the newest on top."""
    return versions_table(versions[::-1], told=True)._repr_html_()


def versions_table(versions: Sequence[Version], *, told: bool = False) -> Table:
    """Return a row for each version, in their order; what changed by key, or told in a line."""
    return Table(
        [
            Column.of("version", [each.version for each in versions], "integer"),
            Column.of("saved_at", [each.saved_at for each in versions], "timestamp"),
            Column.of("changes", [each.summary if told else dict(each.changes) for each in versions]),
            Column.of("run_id", [each.run_id for each in versions], "text"),
        ],
        "versions",
    )


# -- the timeline of a run -----------------------------------------------------------------------------------------------------


def timeline_frame(bars: Sequence[Bar]) -> pd.DataFrame:
    """Return a row for each bar of a timeline, times in seconds."""
    kinds: dict[str, Kind] = {
        "what": "text", "name": "text", "lane": "text", "start": "real", "end": "real", "status": "text",
    }  # fmt: skip
    return Table([Column.of(name, [getattr(bar, name) for bar in bars], kind) for name, kind in kinds.items()]).df()


# -- differences ---------------------------------------------------------------------------------------------------------------


def diff_frame(diff: Diff) -> pd.DataFrame:
    """Return a row for each difference; of a frame or an array it says what it is, as no cell holds one: `.before` has it."""
    return diff_table(diff).df()


def diff_table(diff: Diff) -> Table:
    """Return the same as a Table."""
    sides = [[described(side) or side for side in (each.before, each.after)] for each in diff]
    return Table(
        [
            Column.of("path", [each.path for each in diff], "text"),
            Column.of("kind", [each.kind for each in diff], "text"),
            Column.of("before", [before for before, _ in sides]),
            Column.of("after", [after for _, after in sides]),
        ]
    )


def diff_html(diff: Diff) -> str:
    """Return the differences as a tree: a line for each value, below the names that lead to it."""
    head = f"{escape(cut(redact(diff.before)))} → {escape(cut(redact(diff.after)))}"
    rows = f'<tr><th colspan="3" style="{EDGE}; border-bottom-width: 2px; text-align: left">{head}</th></tr>'
    above: tuple[Any, ...] = ()
    for one in diff[:_MOST]:
        rows += "".join(_rows(one, above))
        above = one.keys[:-1]
    return framed(f"<tbody>{rows}</tbody>", _foot(diff))


def _foot(diff: Diff) -> list[str]:
    counts = {kind: sum(one.kind == kind for one in diff) for kind in SIGNS}
    told = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count) or "nothing differs"
    return [told + (f"; the first {_MOST} are shown, .df() has all" if len(diff) > _MOST else "")]


def _rows(one: Difference, above: tuple[Any, ...]) -> Iterator[str]:
    """Yield the names that lead to a value, as far as they do not stand above it, and its own row."""
    shared = 0
    while shared < min(len(above), len(one.keys) - 1) and above[shared] == one.keys[shared]:
        shared += 1
    for depth in range(shared, len(one.keys) - 1):
        yield f"<tr>{_name(one.keys, depth)}<td style='{EDGE}'></td><td style='{EDGE}'></td></tr>"
    style = f"{EDGE}; text-align: left; white-space: nowrap; color: {_COLOURS[one.kind]}"
    sign = f'<td style="{style}">{SIGNS[one.kind]} {one.kind}</td>'
    yield f"<tr>{_name(one.keys, len(one.keys) - 1)}{sign}<td style='{EDGE}; text-align: left'>{_values(one)}</td></tr>"


def _name(keys: tuple[Any, ...], depth: int) -> str:
    key = keys[depth]
    text = cut(redact(key if isinstance(key, str) else f"[{key!r}]"))
    indent = f"padding-left: {4 + 18 * depth}px"
    return f'<td style="{EDGE}; {indent}; text-align: left; white-space: nowrap">{escape(text)}</td>'


def _values(one: Difference) -> str:
    if one.is_of_texts:
        return _words(redact(one.before), redact(one.after))
    if told := became(one.before, one.after):
        return escape(redact(told))
    arrow = f' <span style="color: {QUIET}">→</span> '
    sides = {"added": [one.after], "removed": [one.before], "changed": [one.before, one.after]}[one.kind]
    shown = [_value(side) for side in sides]
    return f"<del>{shown[0]}</del>" if one.kind == "removed" and "<details>" not in shown[0] else arrow.join(shown)


def _value(value: Any) -> str:
    text = repr(value) if value is None or isinstance(value, str) else line(value, _VALUE)
    return folded(value, redact(text), code=is_code(value))


def _words(before: str, after: str) -> str:
    """Return how one text becomes another: what is gone is struck through, what is new is underlined."""
    marks = {
        "same": "{}",
        "removed": f'<del style="color: {_COLOURS["removed"]}">{{}}</del>',
        "added": f'<ins style="color: {_COLOURS["added"]}; margin-left: 0.15em">{{}}</ins>',
    }
    return "".join(marks[piece.kind].format(escape(cut(piece.text, 500))) for piece in shortened(pieces(before, after)))
