"""A row of a sweep is read in a line, and several of them as a table."""

from __future__ import annotations

import pytest
from IPython.lib.pretty import pretty

from wf_notebook import Workflow


class Blog(Workflow):
    def run(self, topic: str, n: int = 1):
        if not topic:
            raise ValueError("no topic")
        return f"On {topic}"


@pytest.fixture
def sweep():
    """Return a sweep of which one row failed."""
    sweep = Blog(storage="memory:").map([{"topic": "cheese", "n": 2}, {"topic": ""}, {"topic": "wine " * 100}], limit=1)
    sweep.wait()
    return sweep


def test_a_row_is_a_line(sweep):
    cheese, failed, wine = sweep.result()
    assert repr(cheese) == "<Row 0 ✓ completed: topic='cheese', n=2 → On cheese>"
    assert repr(failed) == "<Row 1 ✗ failed: topic='' → ValueError: no topic>"
    assert len(repr(wine)) < 160
    assert "\n" not in repr(wine)
    assert pretty(list(sweep)[:1]) == f"[{cheese!r}]"


def test_a_row_tells_no_secret(monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "hush-hush-hush")
    (row,) = Blog().map(["hush-hush-hush"]).result()
    assert "hush" not in repr(row)
    assert "<redacted SOME_API_KEY>" in repr(row)


def test_rows_are_shown_as_a_table_and_are_a_tuple(sweep):
    rows = sweep.result()
    assert isinstance(rows, tuple)
    assert [line.split() for line in pretty(rows).splitlines()[:2]] == [
        ["row", "topic", "n", "content", "status", "error"],
        ["0", "cheese", "2", "On", "cheese", "✓", "completed"],
    ]
    assert len(pretty(rows).splitlines()) == 5
    assert "<table" in rows._repr_html_()
    assert "ValueError: no topic" in rows._repr_html_()
    assert "content" not in repr(sweep.failures)


def test_no_rows_say_so():
    rows = Blog().map([]).result()
    assert (repr(rows), rows._repr_html_()) == ("no rows", None)


def test_a_sweep_becomes_a_frame_of_polars_and_a_table_of_arrow_too(sweep):
    assert sweep.pl()["content"].to_list()[:2] == ["On cheese", None]
    assert sweep.arrow().column("content").to_pylist()[:2] == ["On cheese", None]
