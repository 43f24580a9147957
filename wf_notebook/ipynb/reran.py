"""What came of running a notebook again: cell by cell, and in all."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

#: How many characters of a cell a line of progress begins with.
WORDS = 40


@dataclass(frozen=True)
class Counts:
    """What was not asked of models, as it came from the store, and what was: cost in US dollars, None where no price is known."""

    hits: int = 0
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None

    def told(self) -> list[str]:
        """Return it in words.

        >>> Counts(hits=1, requests=2, input_tokens=900, output_tokens=100, cost=0.25).told()
        ['1 step from the store', 'the model was asked 2 times', '1,000 tokens', '$0.2500']
        """
        tokens = self.input_tokens + self.output_tokens
        return [
            *([f"{self.hits:,} {_plural(self.hits, 'step')} from the store"] if self.hits else []),
            *([f"the model was asked {self.requests:,} {_plural(self.requests, 'time')}"] if self.requests else []),
            *([f"{tokens:,} tokens"] if tokens else []),
            *([f"${self.cost:.4f}"] if self.cost else []),
        ]


@dataclass(frozen=True)
class CellRun(Counts):
    """One cell that was run: the `number`th of `of`; str() is its line of progress. `index` counts all cells, from 0."""

    number: int = field(default=0, kw_only=True)
    of: int = field(default=0, kw_only=True)
    index: int = field(default=0, kw_only=True)
    source: str = field(default="", kw_only=True)
    seconds: float = field(default=0.0, kw_only=True)
    changed: bool = field(default=False, kw_only=True)
    error: str | None = field(default=None, kw_only=True)

    @property
    def words(self) -> str:
        """How the cell begins: its first line that is no comment.

        >>> CellRun(source="%%workflow blog topic='cheese'").words
        "%%workflow blog topic='cheese'"
        """
        lines = [line.strip() for line in self.source.splitlines() if line.strip()]
        line = next((line for line in lines if not line.startswith("#")), next(iter(lines), ""))
        return line if len(line) <= WORDS else line[: WORDS - 1].rstrip() + "…"

    def __str__(self) -> str:
        sign = "✗" if self.error else "●" if self.requests else "✓"
        facts = [
            f"{self.seconds:.1f} s",
            *self.told(),
            *(["changed"] if self.changed else []),
            *([self.error] if self.error else []),
        ]
        return f"{sign} {self.number:>{len(str(self.of))}}/{self.of}  {self.words:{WORDS}}  {' · '.join(facts)}".rstrip()


@dataclass(frozen=True)
class Difference:
    """A cell that gives something else than what is saved: `told` says in a few lines how."""

    number: int
    words: str
    told: str

    def __str__(self) -> str:
        return f"cell {self.number}, {self.words}\n" + "\n".join(f"    {line}" for line in self.told.splitlines())


@dataclass(frozen=True)
class Rerun(Counts):
    """A notebook that was run again; str() is its summary.

    `written` says whether the file was replaced, `differences` where its outputs are not what is saved in it (with check=True).
    """

    path: str = field(default="", kw_only=True)
    cells: tuple[CellRun, ...] = field(default=(), kw_only=True)
    seconds: float = field(default=0.0, kw_only=True)
    check: bool = field(default=False, kw_only=True)
    fresh: bool = field(default=False, kw_only=True)
    written: bool = field(default=False, kw_only=True)
    differences: tuple[Difference, ...] = field(default=(), kw_only=True)

    @property
    def changed(self) -> tuple[CellRun, ...]:
        """The cells whose outputs are not what they were."""
        return tuple(cell for cell in self.cells if cell.changed)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)

    def __str__(self) -> str:
        run, changed = len(self.cells), len(self.changed)
        what = "differ" if self.check and changed != 1 else "differs" if self.check else "changed"
        facts = [
            f"{run} {_plural(run, 'cell')} run in {self.seconds:.1f} s",
            f"{changed or 'none'} {what}" + (", written" if self.written else ""),
            *self.told(),
            *([] if self.requests else ["no model was asked"]),
        ]
        return " · ".join(facts)


def _plural(number: int, noun: str) -> str:
    return noun if number == 1 else f"{noun}s"
