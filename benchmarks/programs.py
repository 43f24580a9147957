"""The rows of the command line and of notebooks that are run as programs."""

from __future__ import annotations

from .measure import Measure, Side, of

ROWS = (
    Measure("wf help", "`wf --help`", "ms", (Side("wf", "programs", ("help",), count=9),), of("wf"), goal=150, means="ms"),
    Measure(
        "wf run",
        "a workflow of 20 cached steps out of a notebook of 200 cells, the whole process",
        "ms",
        (
            Side("wf run", "programs", ("run",), count=5),
            Side("the notebook by nbclient", "programs", ("nbclient",), count=3),
        ),
        of("wf run"),
        goal=700,
        means="ms",
    ),
    Measure(
        "wf load",
        "loading it there, beyond its own imports",
        "ms",
        (Side("load_notebook", "programs", ("load",), count=5),),
        of("load_notebook"),
        goal=100,
        means="ms",
    ),
)
