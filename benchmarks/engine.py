"""The engine: what a run, a stream and a branch cost."""

from __future__ import annotations

from .measure import Measure, Side, of, ratio


def _stream(name: str, package: str, size: int, peer: str | None = None) -> Side:
    return Side(name, "stream", (package, str(size)), count=100_000, quick=100, peer=peer)


def _run(name: str, package: str, instance: str, peer: str | None = None) -> Side:
    return Side(name, "run", (package, instance), count=2000, quick=20, peer=peer)


def _calls(name: str, peer: str | None = None) -> Side:
    return Side(name, "calls", (name,), count=1000, quick=10, peer=peer)


ROWS = (
    Measure(
        key="stream-1",
        work="100k streamed responses of 1 character, no storage",
        unit="responses/s",
        sides=(_stream("ours", "wf_notebook", 1), _stream("agno", "agno.workflow", 1, "agno")),
        number=ratio("ours", "agno"),
        goal=0.6,
        means="× agno",
        more_is_better=True,
    ),
    *(
        Measure(
            key=f"stream-{size}",
            work=f"100k streamed responses of {size} characters, no storage",
            unit="responses/s",
            sides=(_stream("ours", "wf_notebook", size), _stream("of 1 character", "wf_notebook", 1)),
            number=ratio("ours", "of 1 character"),
            goal=goal,
            means="× our rate at 1 character",
            more_is_better=True,
        )
        for size, goal in ((20, 0.9), (200, 0.8))
    ),
    *(
        Measure(
            key=f"run-{instance}",
            work=f"one run of 3 responses, no storage, {instance} instance",
            unit="µs",
            sides=(_run("ours", "wf_notebook", instance), _run("agno", "agno.workflow", instance, "agno")),
            number=ratio("ours", "agno"),
            goal=2.5,
            means="× agno",
        )
        for instance in ("same", "fresh")
    ),
    Measure(
        key="calls",
        work="`parallel` over 1000 trivial calls, 8 at once",
        unit="µs per call",
        sides=(_calls("ours"), _calls("threads"), _calls("langgraph", "langgraph")),
        number=of("ours"),
        goal=15,
        means="µs per call",
    ),
    Measure(
        key="merge",
        work="merging 8 streams × 10k responses",
        unit="responses/s",
        sides=(Side("ours", "merge", count=10_000, quick=10),),
        number=of("ours"),
        goal=300_000,
        means="responses/s",
        more_is_better=True,
    ),
    Measure(
        key="branches",
        work="8 branches on a model that waits 100 ms",
        unit="s",
        sides=(
            Side("in turn", "branches", ("in turn",), count=100, quick=10),
            Side("ours", "branches", ("parallel",), count=100, quick=10),
            Side("pydantic-ai's own agents, gathered", "branches", ("bare",), count=100, quick=10),
        ),
        number=ratio("in turn", "ours"),
        goal=7.5,
        means="× one after the other",
        more_is_better=True,
    ),
    Measure(
        key="import",
        work="`import wf_notebook`, beyond an empty Python",
        unit="ms",
        sides=(Side("ours", "importing", count=15, quick=1),),
        number=of("ours"),
        goal=40,
        means="ms",
    ),
    Measure(
        key="extension",
        work="`%load_ext wf_notebook` in a running kernel",
        unit="ms",
        sides=(Side("ours", "extension"),),
        number=of("ours"),
        goal=150,
        means="ms",
    ),
)
