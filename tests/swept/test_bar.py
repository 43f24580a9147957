"""How far a sweep is, in a terminal and in a log."""

from __future__ import annotations

import io
from threading import Event
from types import SimpleNamespace

import pytest
from rich.console import Console

from wf_notebook import Workflow
from wf_notebook.sweep import Progress
from wf_notebook.swept.bar import Bar, Lines
from wf_notebook.swept.said import facts


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


def drawn(progress, width, **options):
    screen = io.StringIO()
    Console(file=screen, width=width, **options).print(Bar(SimpleNamespace(progress=progress)))
    return screen.getvalue()


FULL = Progress(
    total=12_000, done=5_200, hits=200, failed=31, stopped=2, running=16, tokens=1_234_567, cost=12.34, seconds=372.2, left=4000.0
)


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 200])
def test_it_has_room_in_one_line_of_any_width(width):
    (line,) = drawn(FULL, width).splitlines()
    assert len(line) < width
    assert "5,200 of 12,000" in line
    assert line[: min(30, width // 6)].strip("━─") == ""
    assert width < 80 or ("31 failed" in line and "1 h 7 min left" in line)
    assert width < 200 or [each for each in facts(FULL).values() if each not in line] == []


def test_what_failed_has_a_colour_and_so_has_its_part_of_the_bar():
    shown = drawn(Progress(total=3, done=1, failed=1), 151, force_terminal=True, color_system="standard")
    assert "\x1b[32m━━━━━━━━━━\x1b[0m\x1b[31m━━━━━━━━━━\x1b[0m\x1b[2m──────────\x1b[0m" in shown
    assert "\x1b[31m1 failed\x1b[0m" in shown


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
