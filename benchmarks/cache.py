"""Cached reruns: what it costs to know that nothing changed."""

from __future__ import annotations

from .measure import Measure, Side, of

ROWS = (
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
)
