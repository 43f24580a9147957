"""Sweeps: what a row of `map` costs beside those who run many things at once, and whether memory stays as it is."""

from __future__ import annotations

from .measure import Measure, Side, of, ratio

NAMES = {"memory": "in memory", "duckdb": "DuckDB", "sqlite": "SQLite", "llama_index": "llama-index"}


def _rows(side: str, count: int, peer: str | None = None) -> Side:
    return Side(NAMES.get(side, side), "rows", (side,), count=count, quick=20, peer=peer)


def _growth(name: str, part: str) -> Side:
    return Side(name, "many_rows", count=100_000, quick=200, part=part)


def _call(part: str, count: int) -> tuple[Side, ...]:
    return tuple(Side(NAMES[side], "room", (side,), count=count, quick=2, part=part) for side in ("duckdb", "sqlite"))


ROWS = (
    Measure(
        key="map-memory",
        work="`map` over 10,000 trivial rows, 8 in flight, in memory, each a run in a session of its own",
        unit="ms a row",
        sides=(_rows("memory", 10_000), _rows("threads", 10_000), _rows("llama_index", 5000, "llama-index")),
        number=of("in memory"),
        goal=0.1,
        means="ms a row",
        repetitions=3,
    ),
    Measure(
        key="map-duckdb",
        work="the same, all on the disk at the end (prefect: of 300 rows, and without waiting for its records)",
        unit="ms a row",
        sides=(_rows("duckdb", 10_000), _rows("sqlite", 10_000), _rows("dbos", 3000, "dbos"), _rows("prefect", 300, "prefect")),
        number=of("DuckDB"),
        goal=1,
        means="ms a row on DuckDB",
        repetitions=3,
    ),
    Measure(
        key="map-growth",
        work="memory of the process that sweeps 100,000 trivial rows into DuckDB, beside that after a fifth of them",
        unit="MB",
        sides=(_growth("at the end", "end"), _growth("after a fifth", "fifth")),
        number=ratio("at the end", "after a fifth"),
        goal=1.1,
        means="× after a fifth",
        repetitions=1,
    ),
    Measure(
        key="map-room",
        work="room in the store for a row that asks a model once, 2,000 characters in and 600 out",
        unit="KB",
        sides=_call("size", 1000),
        number=of("DuckDB"),
        goal=30,
        means="KB on DuckDB",
        repetitions=1,
    ),
    Measure(
        key="map-call",
        work="our own work in such a row, on a model that answers at once, time of the processor",
        unit="ms",
        sides=_call("ms", 1000),
        number=of("DuckDB"),
        goal=20,
        means="ms on DuckDB",
        repetitions=1,
    ),
)
