"""More than one machine, or as if: what a second worker of Dask gives."""

from __future__ import annotations

from .measure import Measure, Side, of, ratio


def _rows(name: str, part: str) -> Side:
    return Side(name, "dask_rows", count=1000, quick=2, part=part)


ROWS = (
    *(
        Measure(
            key=f"dask-{work}",
            work=f"`map` over 1000 rows {does} 10 ms each, Dask, 2 workers beside one",
            unit="rows/s",
            sides=(_rows("ours", f"{work} 2"), _rows("one worker", f"{work} 1")),
            number=ratio("ours", "one worker"),
            goal=1.8,
            means="× one worker",
            more_is_better=True,
            repetitions=3,
        )
        for work, does in (("waits", "that wait"), ("busy", "that compute"))
    ),
    Measure(
        key="dask-driver",
        work="what a row that a worker does costs the process of the sweep",
        unit="ms",
        sides=(_rows("ours", "driver"),),
        number=of("ours"),
        goal=2,
        means="ms a row",
        repetitions=3,
    ),
)
