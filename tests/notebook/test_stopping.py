from __future__ import annotations

import threading
from threading import Event

import pytest

from wf_notebook.errors import RunCancelled, RunStopped
from wf_notebook.notebook.stopping import Stop


@pytest.fixture
def asked():
    return Event()


def cell(cancel, work, **options):
    """Do some work as a cell does that runs a workflow; return what Stop makes of it, None if that is nothing."""
    try:
        with Stop(cancel, **options) as stop:
            work(stop)
    except RunStopped as stopped:
        return stopped
    return None


def press_elsewhere(stop):
    """Press from another thread, as messages of a browser are read in one."""
    thread = threading.Thread(target=stop.press)
    thread.start()
    thread.join()


def test_a_run_that_ends_by_itself_is_not_interrupted(asked):
    def work(stop):
        press_elsewhere(stop)
        assert asked.wait(10)

    assert str(cell(asked.set, work)) == "the run was stopped"


def test_what_blocks_is_interrupted(asked):
    def work(stop):
        press_elsewhere(stop)
        try:
            Event().wait(60)
        except KeyboardInterrupt:
            interrupted.set()
            raise

    interrupted = Event()
    assert cell(asked.set, work)
    assert (asked.is_set(), interrupted.is_set()) == (True, True)


def test_a_run_that_is_being_saved_is_let_to(asked):
    def work(stop):
        press_elsewhere(stop)
        assert not Event().wait(0.3)  # an interrupt would have ended this
        saved.set()

    saved = Event()
    assert cell(asked.set, work, running=lambda: False)
    assert saved.is_set()


def test_who_swallows_an_interrupt_gets_another_one_when_stop_is_pressed_again(asked):
    def work(stop):
        for _ in range(2):
            try:
                press_elsewhere(stop)
                Event().wait(60)
            except KeyboardInterrupt:
                swallowed.append(1)

    swallowed = []
    assert cell(asked.set, work)
    assert swallowed == [1, 1]


def test_a_stop_after_the_end_does_nothing(asked):
    with Stop(asked.set) as stop:
        pass
    stop.press()
    assert asked.wait(10)
    assert not Event().wait(0.3)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RunCancelled])
def test_an_interrupt_ends_the_cell_in_the_same_way(asked, error):
    def work(_):
        raise error

    assert cell(asked.set, work).__suppress_context__


def test_a_failure_stays_what_it_is(asked):
    def work(stop):
        stop.press()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cell(asked.set, work)


def test_in_another_thread_nothing_is_interrupted(asked):
    def work(stop):
        stop.press()
        assert asked.wait(10)

    seen = []
    thread = threading.Thread(target=lambda: seen.append(cell(asked.set, work)))
    thread.start()
    thread.join()
    assert [str(one) for one in seen] == ["the run was stopped"]
