"""A sweep that a script waits for: seen in a terminal, and nowhere else."""

from __future__ import annotations

import io
import re
from threading import Event

import pytest

from wf_notebook import Workflow
from wf_notebook.swept import swept_bundle
from wf_notebook.swept.watched import printed


class Screen(io.StringIO):
    """A terminal; what `awaited` says is waited for there."""

    def __init__(self, *, is_terminal=True):
        super().__init__()
        self.awaited, self.shown, self._is_terminal = "2 of 4 rows", Event(), is_terminal

    def isatty(self):
        return self._is_terminal

    def write(self, text):
        count = super().write(text)
        if self.awaited in self.getvalue():
            self.shown.set()
        return count


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("WF_QUIET", raising=False)


def mapped(gate):
    class Waits(Workflow):
        def run(self, n: int):
            if n > 1:
                assert gate.wait(30)
            if n == 3:
                raise ValueError("no three")
            return f"{n}"

    return Waits().map([0, 1, 2, 3])


@pytest.mark.parametrize("wait", [lambda sweep: sweep.result(), lambda sweep: sweep.df(), lambda sweep: sweep.start().result()])
def test_in_a_terminal_a_script_sees_how_far_it_is_and_in_the_end_what_came_of_it(wait, monkeypatch):
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    wait(mapped(screen.shown))
    assert "━" in screen.getvalue()
    assert "Waits · sweep Waits · ⚠ done, 1 of 4 rows failed · " in screen.getvalue().splitlines()[-1]


@pytest.mark.parametrize("said", ["WF_QUIET", "TERM", None])
def test_nothing_is_shown_where_nobody_sees_it_or_nobody_wants_to(said, monkeypatch):
    screen, gate = Screen(is_terminal=said is not None), Event()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("wf_notebook.sweep.sweep.SOON", 0.0)
    if said is not None:
        monkeypatch.setenv(said, "dumb")
    sweep = mapped(gate).start()
    rows = iter(sweep)
    next(rows), next(rows)
    gate.set()
    sweep.result()
    assert screen.getvalue() == ""


def test_a_sweep_inside_of_a_run_shows_nothing_of_its_own(monkeypatch):
    screen, gate = Screen(), Event()
    gate.set()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("wf_notebook.sweep.sweep.SOON", 0.0)

    class Outer(Workflow):
        def run(self):
            return f"{len(mapped(gate).result())}"

    assert Outer().run().content == "4"
    assert screen.getvalue() == ""


def test_in_a_terminal_the_record_has_colours_and_in_a_file_it_has_none(monkeypatch):
    gate = Event()
    gate.set()
    sweep = mapped(gate)
    sweep.result()
    record = swept_bundle(sweep)["text/plain"]
    for is_terminal in (False, True):
        screen = Screen(is_terminal=is_terminal)
        monkeypatch.setattr("sys.stdout", screen)
        printed(sweep, record)
        assert re.sub(r"\x1b\[\d*m", "", screen.getvalue()) == f"{record}\n"
        assert ("\x1b[31m✗ row 3: ValueError: no three\x1b[0m\n" in screen.getvalue()) == is_terminal
        assert screen.getvalue().startswith("\x1b[33mWaits · sweep Waits · ⚠ done, 1 of 4 rows failed") == is_terminal
