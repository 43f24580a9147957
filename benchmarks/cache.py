"""Cached reruns: what it costs to run again what was done, to remember it, and to know that nothing changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .measure import Measure, Side, of
from .store import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from .measure import Values

#: Those that must be slower.
SLOWER = ("langgraph", "hamilton", "dbos", "prefect")


def _rerun(side: str, size: int, count: int) -> Side:
    return Side(NAMES.get(side, side), "rerun", (side, str(size)), count, quick=2, peer=None if side in NAMES else side)


def _miss(side: str) -> Side:
    return Side(NAMES.get(side, side), "misses", (side, "alone"), count=20, quick=2, peer=None if side in NAMES else side)


def _new_process(side: str) -> Side:
    return Side(NAMES.get(side, side), "new_process", (side,), count=5, quick=1, peer=None if side in NAMES else side)


def slowest(*names: str) -> Callable[[Values], float]:
    """Return what gives the median of the slower one of some sides."""
    return lambda values: max(of(name)(values) for name in names)


ROWS = (
    *(
        Measure(
            key=f"rerun-20-{side}",
            work=f"rerun of 20 cached steps with 10 KB results in a living process, the whole run, on {NAMES[side]}",
            unit="ms",
            sides=(_rerun(side, 10_000, 20),),
            number=of(NAMES[side]),
            goal=goal,
            means="ms",
        )
        for side, goal in (("sqlite", 5), ("duckdb", 12))
    ),
    Measure(
        key="rerun-20-beside",
        work="the same, beside those that keep runs (joblib, diskcache and marimo, for reference, keep values)",
        unit="ms",
        sides=tuple(_rerun(side, 10_000, 20) for side in (*NAMES, *SLOWER, "joblib", "diskcache", "marimo")),
        number=lambda values: max(of(name)(values) for name in NAMES.values()) / min(of(name)(values) for name in SLOWER),
        goal=1,
        means="× the quickest of langgraph, hamilton, dbos and prefect, our slower one",
        repetitions=3,
    ),
    Measure(
        key="rerun-1000",
        work="rerun of 1000 cached steps with results of 100 bytes in a living process, the whole run",
        unit="ms",
        sides=tuple(_rerun(side, 100, 1000) for side in (*NAMES, "joblib", "diskcache", "marimo", "langgraph")),
        number=slowest(*NAMES.values()),
        goal=100,
        means="ms, the slower of ours",
        repetitions=3,
    ),
    Measure(
        key="key-functions",
        work="key of a step that reaches 50 user functions",
        unit="µs",
        sides=(Side("ours", "keys", ("functions",), count=1000, quick=10),),
        number=of("ours"),
        goal=50,
        means="µs",
    ),
    Measure(
        key="key-container",
        work="key of a step that reads 1 MB of dicts in a global",
        unit="µs",
        sides=(Side("ours", "keys", ("container",), count=200, quick=10),),
        number=of("ours"),
        goal=1000,
        means="µs",
    ),
    Measure(
        key="miss",
        work="remembering a step, beside the call itself",
        unit="ms",
        sides=tuple(_miss(side) for side in (*NAMES, "joblib", "diskcache", "marimo", "langgraph", "dbos")),
        number=slowest(*NAMES.values()),
        goal=5,
        means="ms, the slower of ours",
        repetitions=3,
    ),
    Measure(
        key="miss-beside",
        work="remembering a step of 20 ms while seven branches beside it remember theirs, added to the branch",
        unit="ms",
        sides=tuple(Side(name, "misses", (side, "side by side"), count=10, quick=1) for side, name in NAMES.items()),
        number=slowest(*NAMES.values()),
        goal=5,
        means="ms, the slower of ours",
        repetitions=3,
    ),
    Measure(
        key="new-process",
        work="a run of 20 steps and 2 answers of an agent in a new process, all cached, beyond Python's start"
        " (without pydantic-ai; peers: the steps alone)",
        unit="s",
        sides=tuple(_new_process(side) for side in (*NAMES, "joblib", "diskcache", "marimo", "langgraph")),
        number=slowest(*NAMES.values()),
        goal=0.5,
        means="s, the slower of ours",
        repetitions=3,
    ),
    Measure(
        key="notebook",
        work="a notebook of 10 workflows by nbclient, all cached, on DuckDB, beside an empty notebook",
        unit="s",
        sides=(Side("ours", "notebook", count=10, quick=1),),
        number=of("ours"),
        goal=3,
        means="s",
        repetitions=3,
    ),
)
