"""One row of a sweep: what it was given, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ..readable import brief, glimpse
from ..render.status import STATUS
from ..run import way_up

if TYPE_CHECKING:
    from datetime import datetime

    from ..run import Status

#: Characters of an input, of all of them, and of what came, where a row is a line.
_INPUT, _INPUTS, _CAME = 30, 60, 60


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a sweep: what it was given, and what came of it.

    >>> Row(3, {"topic": "cheese"}, "completed", "On cheese: it is old.")
    <Row 3 ✓ completed: topic='cheese' → On cheese: it is old.>

    `number` counts from 0 in the order of the inputs. A `hit` was done before, and is as it was made: duration in seconds, tokens
    as counts, cost in US dollars (None when no price is known). An `error` says why a row is failed or stopped.
    """

    number: int
    given: dict[str, Any]
    status: Status
    content: Any = None
    error: str | None = None
    hit: bool = False
    session_id: str | None = None
    run_id: str | None = None
    started_at: datetime | None = None
    duration: float | None = None
    models: tuple[str, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    #: What ended it, where that was an error.
    exception: BaseException | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        given = _cut(", ".join(f"{name}={_cut(glimpse(value), _INPUT)}" for name, value in self.given.items()), _INPUTS)
        came = self.error or (self.content if isinstance(self.content, str) else glimpse(self.content))
        told = f" → {_cut(brief(came), _CAME)}" if self.error or self.content is not None else ""
        return f"<Row {self.number} {STATUS[self.status][0]} {self.status}{': ' if given else ''}{given}{told}>"

    def __reduce__(self) -> tuple[type[Row], tuple[Any, ...]]:  # a dataclass with slots would ask for its fields each time
        return Row, _values(self)


_values = attrgetter(*Row.__slots__)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


class Results(tuple[Row, ...]):  # noqa: SLOT001 - a tuple has none
    """Rows of a sweep in the order of the inputs, shown as a table."""

    def table(self) -> Any:
        """Return them as a Table: what they were given, and what came of it."""
        return way_up("Results.table")(self)

    def __repr__(self) -> str:
        return repr(self.table()) if self else "no rows"

    def _repr_html_(self) -> str | None:
        html: str | None = self.table()._repr_html_() if self else None
        return html
