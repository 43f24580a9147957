"""The row of the store of a team."""

from __future__ import annotations

from .measure import Measure, Side, of

ROWS = (
    Measure(
        "postgres",
        "processes that save small changes into sessions of their own, on one Postgres server on loopback",
        "saves/s",
        tuple(Side(f"{many} process{'es' if many > 1 else ''}", "postgres", (str(many),), count=300, quick=2) for many in (8, 1)),
        of("8 processes"),
        goal=500,
        means="saves/s",
        more_is_better=True,
        repetitions=3,
    ),
)
