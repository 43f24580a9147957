"""How far a sweep is, in a terminal and in a log."""

from __future__ import annotations

import io
from threading import Event

import pytest
from rich.console import Console

from wf_notebook import Workflow
from wf_notebook.swept.bar import Bar, Lines


@pytest.fixture
def sweep():
    """Return a sweep of which half of the rows are over, and the others wait."""
    gate = Event()

    class Waits(Workflow):
        def run(self, n: int):
            if n > 1:
                assert gate.wait(30)
            return f"{n}"

    sweep = Waits().map([0, 1, 2, 3]).start()
    seen = iter(sweep)
    next(seen), next(seen)
    yield sweep
    gate.set()
    assert sweep.wait(30)


def test_on_a_terminal_it_is_a_bar_that_goes_away(sweep):
    screen = io.StringIO()
    bar = Bar(sweep, Console(file=screen, force_terminal=True, width=100))
    bar.start()
    bar.stop()
    shown = screen.getvalue()
    assert "2 of 4 rows · 2 go on · " in shown
    assert "━" in shown
    assert shown.endswith("\x1b[2K")


def test_in_a_log_it_is_a_line_now_and_then(sweep):
    said, told = [], Event()

    def say(line):
        said.append(line)
        told.set()

    lines = Lines(sweep, say, every=0.01)
    lines.start()
    assert told.wait(10)
    lines.stop()
    count = len(said)
    assert said[0].startswith("2 of 4 rows · 2 go on · ")
    assert len(said) == count
