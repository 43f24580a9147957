"""Again: what a step gave when it was recorded, and what it gives now, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from ..agents.prompt import as_read
from ..frames.columns import Column
from ..frames.differing import WordDiff, as_text, beside
from ..frames.html import QUIET
from ..frames.table import Table
from ..readable import brief
from ..redact import redact

if TYPE_CHECKING:
    import pandas as pd

#: Texts up to so many characters are shown side by side, longer ones word by word.
_SHORT = 40
#: Lines of an answer that are shown in a terminal.
_LINES = 20


@dataclass(frozen=True, slots=True)
class Again:
    """A step that was done once more: what it gave then (`old`) and now (`new`); pairs are of then and now.

    `changed` says what was different: by its name, as it was and as it is. Tokens are counts, cost is in US dollars (None when
    no price is known), seconds are of the step by itself.
    """

    step: str
    kind: str
    changed: dict[str, tuple[Any, Any]]
    old: Any
    new: Any
    models: tuple[str | None, str | None]
    tokens: tuple[int, int]
    cost: tuple[float | None, float | None]
    seconds: tuple[float, float]

    @property
    def diff(self) -> WordDiff:
        """What differs between the two, word by word; empty where nothing does."""
        return WordDiff.between(self.old, self.new)

    def df(self) -> pd.DataFrame:
        """Return the two as a DataFrame of pandas: a row for then and one for now, with what was different in columns."""
        columns = [
            Column.of("which", ["old", "new"], "text"),
            Column.of("gave", [self.old, self.new]),
            Column.of("model", list(self.models), "text"),
            Column.of("tokens", list(self.tokens), "integer"),
            Column.of("cost", list(self.cost), "real"),
            Column.of("seconds", list(self.seconds), "real"),
            *(Column.of(name, list(pair)) for name, pair in self.changed.items() if name != "model"),
        ]
        return Table(columns).df()

    @property
    def summary(self) -> str:
        """What it shows, in a line: whether the answer is another one, and what was different."""
        outcome = "~ changed" if self.diff else "= the same"
        others = f" with other {', '.join(self.changed)}" if self.changed else ""
        return f"{self.kind} {self.step!r} once more{others}: {outcome}"

    def _heads(self) -> tuple[str, str]:
        heads = []
        for place, word in enumerate(("old", "new")):
            spent = used(self.models[place], self.tokens[place], self.cost[place], self.seconds[place])
            heads.append(f"{word} · {spent}")
        return heads[0], heads[1]

    def _changes(self) -> list[tuple[str, WordDiff | str]]:
        told: list[tuple[str, WordDiff | str]] = []
        for name, pair in self.changed.items():
            was, now = (as_read(each) if name == "instructions" and isinstance(each, str) else each for each in pair)
            long = isinstance(was, str) and isinstance(now, str) and max(len(was), len(now)) > _SHORT
            told.append((name, WordDiff.between(was, now) if long else f"{brief(_written(was))} → {brief(_written(now))}"))
        return told

    def __repr__(self) -> str:
        lines = [self.summary]
        lines += [f"  {name}: {what.text if isinstance(what, WordDiff) else redact(what)}" for name, what in self._changes()]
        for head, value in zip(self._heads(), (self.old, self.new), strict=True):
            lines += [head, *indented(as_text(value))]
        return "\n".join([*lines, *([f"diff: {self.diff.text}"] if self.diff else [])])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<div><span style="color: {QUIET}">{escape(name)}:</span> '
            f"{what._repr_html_() if isinstance(what, WordDiff) else escape(redact(what))}</div>"
            for name, what in self._changes()
        )
        old, new = self._heads()
        sides = beside((old, self.old), (new, self.new))
        return f'<div class="wf-again"><div><strong>{escape(self.summary)}</strong></div>{rows}{sides}</div>'


def _written(value: Any) -> str:
    return "not set" if value is None else value if isinstance(value, str) else repr(value)


def used(model: str | None, tokens: int, cost: float | None, seconds: float) -> str:
    """Return what a step used, in a line.

    >>> used("gpt-5.2", 1200, 0.0123, 2.5)
    'gpt-5.2, 1,200 tokens, $0.0123, 2.5 s'
    """
    told = [*([model] if model else []), *([f"{tokens:,} tokens"] if tokens else []), *([f"${cost:.4f}"] if cost else [])]
    return ", ".join([*told, f"{seconds:.1f} s" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"])  # noqa: PLR2004 - as people read it


def indented(text: str) -> list[str]:
    """Return the lines of a text, a few of them, as they stand below what they are."""
    lines = text.splitlines() or ["(nothing)"]
    more = [f"  … {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
    return [*(f"  {line}" for line in lines[:_LINES]), *more]
