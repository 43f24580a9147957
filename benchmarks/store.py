"""The store: what it costs to keep a state, to find it again, and to ask for what is there."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from .measure import Measure, Side, of, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from .measure import Values

NAMES = {"duckdb": "DuckDB", "sqlite": "SQLite"}
#: Those who keep every state that was.
HISTORIANS = ("langgraph", "burr", "dbos")


def among(one: str, others: tuple[str, ...]) -> Callable[[Values], float]:
    """Return what gives `one` in units of the quickest of the others."""
    return lambda values: median(mine / min(theirs) for mine, *theirs in zip(*(values[n] for n in (one, *others)), strict=True))


def _run(side: str, size: int, instance: str, count: int) -> Side:
    peer = "agno" if side == "agno" else None
    return Side(NAMES.get(side, side), "stored_run", (side, str(size), instance), count=count, quick=2, peer=peer)


def _save(side: str, shape: str, count: int) -> Side:
    return Side(NAMES.get(side, side), "saving", (side, shape), count, quick=1, peer=None if side in NAMES else side)


def _saves(shape: str, what: str, goal: float, counts: tuple[int, int]) -> tuple[Measure, Measure]:
    """Return two rows of one work: how long it takes, and beside whom."""
    many, few = counts
    key, work = f"save-{what.replace(' ', '').lower()}", f"save one changed small key, state {what} in 20 keys"
    sides = tuple(_save(side, shape, many) for side in NAMES)
    others = tuple(_save(side, shape, few) for side in (*HISTORIANS, "agno"))
    return (
        Measure(key, work, "ms", sides, number=of("DuckDB"), goal=goal, means="ms on DuckDB"),
        Measure(
            f"{key}-beside",
            f"{work}, beside those who keep history (agno, for reference, does not)",
            "ms",
            (sides[0], *others),
            number=among("DuckDB", HISTORIANS),
            goal=1,
            means="× the quickest of them",
            repetitions=3,
        ),
    )


def _kernels(beside: str, part: str, work: str, goal: float) -> Measure:
    side = Side("DuckDB", "kernels", (beside,), count=150, quick=10, part=part)
    return Measure(
        f"kernels-{part}", f"two kernels saving every 100 ms: {work}", "ms", (side,), of("DuckDB"), goal, "ms", repetitions=3
    )


def _query(query: str, work: str, goal: float) -> Measure:
    sides = tuple(Side(name, "queries", (side,), count=1000, quick=10, part=query) for side, name in NAMES.items())
    return Measure(
        key=f"query-{query}",
        work=f"1000 sessions, 100k runs, 1M events: {work}",
        unit="ms",
        sides=sides,
        number=of("DuckDB"),
        goal=goal,
        means="ms on DuckDB",
        repetitions=3,
    )


def _load(side: str, part: str, name: str) -> Side:
    return Side(name, "loading", (side,), count=1000, quick=2, part=part)


ROWS = (
    *(
        Measure(
            key=f"stored-run-{side}",
            work=f"one run with storage, state 1 KB, fresh instance, on {NAMES[side]}",
            unit="ms",
            sides=(_run(side, 1000, "fresh", 200), _run("agno", 1000, "fresh", 200)),
            number=ratio(NAMES[side], "agno"),
            goal=goal,
            means="× agno on SQLite",
        )
        for side, goal in (("sqlite", 0.6), ("duckdb", 1.5))
    ),
    *(
        Measure(
            key=f"stored-append-{instance}-{side}",
            work=f"a run that appends one item to a 10 MB state, {instance} instance, on {NAMES[side]}",
            unit="ms",
            sides=(_run(side, 10_000_000, instance, 10), _run("agno", 10_000_000, instance, 3)),
            number=ratio(NAMES[side], "agno"),
            goal=goal,
            means="× agno on SQLite",
            repetitions=3,
        )
        for instance, goal in (("same", 0.15), ("fresh", 0.4))
        for side in NAMES
    ),
    *(
        Measure(
            key=f"growth-{side}",
            work=f"run 500 of a session against run 10, on {NAMES[side]}",
            unit="×",
            sides=(_run(side, 1000, "growth", 500),),
            number=of(NAMES[side]),
            goal=1.2,
            means="× run 10",
            repetitions=3,
        )
        for side in NAMES
    ),
    *_saves("100000", "100 KB", 4, (200, 50)),
    *_saves("10000000", "10 MB", 25, (30, 5)),
    *(
        Measure(
            key=f"append-{side}",
            work=f"one item appended to a list of 45 000 dicts, 10 MB, in one key, on {NAMES[side]}",
            unit="ms",
            sides=(_save(side, "list", 20),),
            number=of(NAMES[side]),
            goal=60,
            means="ms",
        )
        for side in NAMES
    ),
    Measure(
        key="size",
        work="file and WAL after 1000 saves of one small key in a 100 KB state, closed",
        unit="MB",
        sides=tuple(Side(name, "sizes", (side,), count=1000, quick=3) for side, name in NAMES.items()),
        number=of("DuckDB"),
        goal=2,
        means="MB on DuckDB",
    ),
    *(
        Measure(
            key=f"load-{side}",
            work=f"load the newest state, 10 MB in 20 keys after 1000 saves, on {NAMES[side]}",
            unit="ms",
            sides=(_load(side, "newest", NAMES[side]),),
            number=of(NAMES[side]),
            goal=150,
            means="ms",
            repetitions=3,
        )
        for side in NAMES
    ),
    *(
        Measure(
            key=f"version-{side}",
            work=f"read version 500 of those 1000, on {NAMES[side]}",
            unit="ms",
            sides=(_load(side, "middle", "version 500"), _load(side, "newest", "the newest")),
            number=ratio("version 500", "the newest"),
            goal=1.5,
            means="× the newest",
            repetitions=3,
        )
        for side in NAMES
    ),
    _kernels("alone", "p50", "a save, p50", 10),
    _kernels("alone", "p99", "a save, p99", 50),
    _kernels("beside a reader", "reader", "until an outside reader is in, p90", 100),
    _query("sessions", "list the sessions", 20),
    _query("events", "the events of one session", 30),
    _query("runs", "group the runs", 20),
)
