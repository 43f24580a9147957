"""One row of a sweep: what it was given, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from ..run import Status


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a sweep: what it was given, and what came of it.

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

    def __reduce__(self) -> tuple[type[Row], tuple[Any, ...]]:  # a dataclass with slots would ask for its fields each time
        return Row, _values(self)


_values = attrgetter(*Row.__slots__)
