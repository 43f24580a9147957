"""Comparison: a row for each input, what it gave then and what it gives now; a table, a dataframe, means and a plot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from html import escape
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from ..frames.columns import Column
from ..frames.differing import MOST, WordDiff, beside
from ..frames.html import EDGE, QUIET, folded, framed
from ..frames.table import Table
from ..frames.text import table_text
from ..readable import brief, glimpse
from ..redact import redact
from .drawing import drawn
from .row import AS_BEFORE, FAILED, STOPPED, Compared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from ..frames.columns import Kind

#: Rows that are shown of a comparison.
ROWS = 50
#: Words against words that are compared one by one in all rows together, and at least in each.
_WORDS, _LEAST = 20_000_000, 100_000
#: Characters of inputs and of a difference that are shown at once.
_SHOWN = 200


class Mean(NamedTuple):
    """The means of a score, then and now, over the rows that have both; and how many these are."""

    old: float | None
    new: float | None
    rows: int

    @property
    def difference(self) -> float | None:
        """How much higher it is now."""
        return None if self.old is None or self.new is None else self.new - self.old

    def __str__(self) -> str:
        if self.difference is None:
            return "no score"
        sign = "-" if self.difference < 0 else "+"
        return f"{_pair((self.old, self.new), figure)} ({sign}{figure(abs(self.difference))})"


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """What inputs gave when they were recorded, and what they give now: a sequence of its rows."""

    rows: tuple[Compared, ...]
    workflow: str
    what: str
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Compared]:
        return iter(self.rows)

    @overload
    def __getitem__(self, which: int) -> Compared: ...
    @overload
    def __getitem__(self, which: slice) -> tuple[Compared, ...]: ...
    def __getitem__(self, which: int | slice) -> Compared | tuple[Compared, ...]:
        return self.rows[which]

    @property
    def changed(self) -> tuple[Compared, ...]:
        """The rows in which something else came."""
        return tuple(row for row in self.rows if row.changed)

    @property
    def means(self) -> dict[str, Mean]:
        """The means of the scores, by name."""
        made = {}
        for name in self.names:
            pairs = [row.scores[name] for row in self.rows if name in row.scores]
            both = [(old, new) for old, new in pairs if old is not None and new is not None]
            old, new = (fmean(pair[place] for pair in both) if both else None for place in (0, 1))
            made[name] = Mean(old, new, len(both))
        return made

    @property
    def summary(self) -> str:
        """What it shows, in a line: how many were compared and changed, what it cost and costs, and the means of the scores."""
        stopped = sum(row.outcome == STOPPED and row.new is None for row in self.rows)
        told = [f"{len(self.rows) - stopped} compared", f"{len(self.changed)} changed"]
        ended = [row.outcome.partition(" ")[2] for row in self.rows if row.outcome in {FAILED, AS_BEFORE}]
        told += [f"{ended.count(how)} {how}" for how in sorted({*ended})]
        told += [f"{count} without a recorded run" for count in [sum(row.old is None for row in self.rows)] if count]
        told += [f"stopped before {stopped} more"] if stopped else []
        more = [", ".join(told)]
        hits, steps = (sum(row.steps[place] for row in self.rows) for place in (0, 1))
        more += [f"{hits} of {steps} steps from the store"] if steps else []
        if costs := [row.pair("cost") for row in self.rows if row.cost_diff is not None]:
            was, now = (sum(cost[place] or 0.0 for cost in costs) for place in (0, 1))
            more.append(f"cost ${was:.4f} → ${now:.4f}, ${sum(row.paid or 0.0 for row in self.rows):.4f} paid now")
        elif self._used():
            was, now = (sum(row.tokens[place] or 0 for row in self.rows if None not in row.tokens) for place in (0, 1))
            more += [f"{was:,} → {now:,} tokens"] if was != now else []
        more += [f"{name} {mean}" for name, mean in self.means.items()]
        return "; ".join(more)

    def table(self) -> Table:
        """Return it as a Table: a row for each input, with all that is known of both runs."""
        columns: list[tuple[str, Kind, Callable[[Compared], Any]]] = [
            ("old", "text", lambda row: row.texts[0]),
            ("new", "text", lambda row: row.texts[1]),
            ("changed", "boolean", lambda row: row.changed),
            ("diff", "text", self._differs),
            ("old_status", "status", lambda row: row.pair("status")[0]),
            ("new_status", "status", lambda row: row.status),
            ("old_error", "text", lambda row: row.pair("error")[0]),
            ("new_error", "text", lambda row: row.why),
            ("hits", "integer", lambda row: row.steps[0]),
            ("steps", "integer", lambda row: row.steps[1]),
            ("old_tokens", "integer", lambda row: row.tokens[0]),
            ("new_tokens", "integer", lambda row: row.tokens[1]),
            ("old_cost", "real", lambda row: row.pair("cost")[0]),
            ("new_cost", "real", lambda row: row.pair("cost")[1]),
            ("cost_diff", "real", lambda row: row.cost_diff),
            ("paid", "real", lambda row: row.paid),
            ("old_seconds", "real", lambda row: row.pair("duration")[0]),
            ("new_seconds", "real", lambda row: row.pair("duration")[1]),
        ]
        ours = {name for name, _, _ in columns}
        for name in self.names:
            told = f"score_{name}" if {f"old_{name}", f"{name}_error"} & ours else name
            columns += [(f"{which}_{told}", "real", partial(_score, name, place)) for place, which in enumerate(("old", "new"))]
            columns.append((f"{told}_error", "text", partial(_unscored, name)))
        columns.append(("session_id", "text", lambda row: row.pair("session_id")[0]))
        columns.append(("run_id", "text", lambda row: row.pair("run_id")[0]))
        taken = {name for name, _, _ in columns}
        inputs = dict.fromkeys(name for row in self.rows for name in row.inputs)
        given = [
            Column.of(f"input_{name}" if name in taken else name, [row.inputs.get(name) for row in self.rows]) for name in inputs
        ]
        made = [Column.of(name, [value(row) for row in self.rows], kind) for name, kind, value in columns]
        return Table([*given, *made], f"{self.workflow} over {self.what}: {self.summary}")

    def df(self) -> pd.DataFrame:
        """Return it as a DataFrame of pandas: a row for each input, with all that is known of both runs."""
        return self.table().df()

    def plot(self) -> Any:
        """Return a figure of matplotlib: the scores of each input, then and now, and their means.

        Raises BadSetting where there are no scores, MissingPart where matplotlib is not here.
        """
        pairs = {name: [row.scores.get(name, (None, None)) for row in self.rows] for name in self.names}
        return drawn(pairs, self.means, [redact(_told_alone(row.inputs)) for row in self.rows])

    def _diff(self, row: Compared) -> WordDiff:
        """Return what differs in a row: of many rows less is compared word by word."""
        return row.diff_within(max(_LEAST, min(MOST, _WORDS // len(self.rows))))

    def _differs(self, row: Compared) -> str:
        return found.text if (found := self._diff(row)) else ""

    # -- shown -------------------------------------------------------------------------------------------------------------

    def _short(self) -> list[Column]:
        """Return the columns that a terminal has room for."""
        rows = self.rows[:ROWS]
        columns = [
            Column.of("inputs", [told_inputs(row.inputs) for row in rows], "text"),
            Column.of("outcome", [row.outcome for row in rows], "text"),
            Column.of("differs", [row.ends or self._differs(row) for row in rows], "text"),
            Column.of("from store", [_of(row) for row in rows], "text"),
        ]
        columns += [
            Column.of(name, [_pair(row.scores.get(name, (None, None)), figure) for row in rows], "text") for name in self.names
        ]
        if used := self._used():
            columns.append(Column.of(used, [_spent(row, used) for row in rows], "text"))
        return columns

    def _used(self) -> str:
        """Return what is told of what runs used: the cost, or tokens where no price is known; nothing where they used none."""
        if any(row.cost_diff is not None for row in self.rows):
            return "cost"
        return "tokens" if any(count for row in self.rows for count in row.tokens) else ""

    def _notes(self) -> list[str]:
        more = [f"the first {ROWS} of {len(self.rows)} are shown; .df() has all"] if len(self.rows) > ROWS else []
        failed = {why: None for row in self.rows for why in row.unscored.values()}
        return [self.summary, *more, *(f"not scored: {why}" for why in list(failed)[:3])]

    def __repr__(self) -> str:
        lines = table_text(self._short(), "", rows=ROWS).splitlines()
        return "\n".join([*lines[: 1 + min(len(self.rows), ROWS)], *self._notes()])

    def _repr_html_(self) -> str:
        used = self._used()
        heads = ["inputs", "outcome", "what differs", "from store", *self.names, *([used] if used else []), "seconds"]
        head = "".join(f'<th style="{EDGE}; border-bottom-width: 2px; text-align: left">{escape(name)}</th>' for name in heads)
        body = "".join(f"<tr>{''.join(self._cells(row, used))}</tr>" for row in self.rows[:ROWS])
        return framed(f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>", [redact(note) for note in self._notes()])

    def _cells(self, row: Compared, used: str) -> Iterator[str]:
        narrow, still = f"{EDGE}; white-space: nowrap; text-align: left", f"{EDGE}; text-align: left"
        told, around = told_inputs(row.inputs), "min-width: 8em; max-width: 20em; overflow-wrap: break-word"
        yield f'<td style="{still}; {around}">{folded(dict(row.inputs), told, code=False)}</td>'
        yield f'<td style="{narrow}">{escape(row.outcome)}</td>'
        yield f'<td style="{still}; min-width: 24em">{_differs(row, self._diff(row))}</td>'
        yield f'<td style="{narrow}">{_of(row)}</td>'
        for name in self.names:
            pair = _pair(row.scores.get(name, (None, None)), figure)
            yield f'<td style="{narrow}">{escape(pair) or escape(row.unscored.get(name, ""))}</td>'
        if used:
            yield f'<td style="{narrow}">{_spent(row, used)}</td>'
        yield f'<td style="{narrow}">{_pair(row.pair("duration"), tenths)}</td>'


def told_inputs(inputs: dict[str, Any]) -> str:
    """Return inputs in a line.

    >>> told_inputs({"topic": "cheese", "n": 3})
    'topic=cheese, n=3'
    """
    told = (f"{name}={value if isinstance(value, str) else glimpse(value)}" for name, value in inputs.items())
    return brief(", ".join(told))[:_SHOWN]


def _differs(row: Compared, found: WordDiff) -> str:
    """Return what differs as HTML: near the differences, and both answers as a whole to unfold."""
    ends = f"<div>{escape(redact(row.ends))}</div>" if row.ends else ""
    old, new = row.texts
    if not found:
        said = new if new is not None else old
        return ends + (f'<span style="color: {QUIET}">{folded(said, brief(said), code=False)}</span>' if said else "")
    sides = beside(("old", old), ("new", new), found)
    return f"{ends}{found.near_html()}<details><summary>side by side</summary>{sides}</details>"


def _score(name: str, place: int, row: Compared) -> float | None:
    return row.scores.get(name, (None, None))[place]


def _unscored(name: str, row: Compared) -> str | None:
    return row.unscored.get(name)


def _of(row: Compared) -> str:
    hits, steps = row.steps
    return f"{hits} of {steps}" if steps else ""


def _pair(pair: tuple[Any, Any], form: Callable[[float], str]) -> str:
    if pair == (None, None):
        return ""
    return " → ".join("–" if value is None else form(value) for value in pair)


def _spent(row: Compared, used: str) -> str:
    return _pair(row.pair("cost"), dollars) if used == "cost" else _pair(row.tokens, whole)


def _told_alone(inputs: dict[str, Any]) -> str:
    """Return inputs in a line; one by itself without its name."""
    return told_inputs(inputs).partition("=")[2] if len(inputs) == 1 else told_inputs(inputs)


def whole(value: float) -> str:
    """Return a whole number."""
    return f"{value:,.0f}"


def figure(value: float) -> str:
    """Return a number in three figures, or whole where it has more.

    >>> figure(0.12345), figure(1987.5)
    ('0.123', '1,988')
    """
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004 - what has four figures


def dollars(value: float) -> str:
    """Return US dollars."""
    return f"${value:.4f}"


def tenths(value: float) -> str:
    """Return seconds."""
    return f"{value:.1f}"
