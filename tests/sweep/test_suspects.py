"""Rows with which processes died: all others have their turn before them, and none is failed for a neighbour's sake."""

from __future__ import annotations

from random import Random

import pytest

from wf_notebook.errors import WorkersLost
from wf_notebook.sweep.handout import Handout
from wf_notebook.sweep.suspects import Suspects
from wf_notebook.sweep.tasks import Task


class Rows:
    """The tasks of so many rows."""

    def __init__(self, count):
        self._tasks = iter([Task(number, {}, {}, f"s/{number}") for number in range(count)])

    def next(self):
        return next(self._tasks, None)


@pytest.mark.parametrize("seed", range(20))
def test_only_rows_that_kill_fail_however_many_are_lost_beside_them(seed):
    chance, deadly, done, failed = Random(seed), {0, 7, 8}, [], []
    rows = Handout(Rows(30), None, total=30, tries=4, unread=failed.append)
    processes = [{} for _ in range(3)]
    while not rows.is_over:
        process = chance.choice(processes)
        if len(process) < 4 and chance.random() < 0.6 and (task := rows.next(process)) is not None:
            process[task.number] = task
        elif process:
            number = chance.choice([*process])
            if number not in deadly:
                done.append(number)
                rows.over(process.pop(number).number)
                continue
            for task in process.values():
                if rows.suspects.dies_with(task) is not None:
                    failed.append(task.number)
                    rows.over(task.number)
                else:
                    rows.put_back(task)
            process.clear()
    assert (sorted(failed), sorted(done)) == (sorted(deadly), [number for number in range(30) if number not in deadly])


def test_what_ends_a_sweep_names_the_rows_that_may_have_done_it():
    suspects, error = Suspects(tries=4), WorkersLost("the pool is broken")
    assert suspects.named(error) is error
    said = []
    for number in range(7):
        task = Task(number, {}, {}, "s")
        assert suspects.dies_with(task) is None
        suspects.add(task)
        said.append(str(suspects.named(error)).removeprefix("the pool is broken; "))
    assert said[0] == "row 0 was at work when a process died, and may be why"
    assert said[2] == "rows 0, 1 and 2 were at work when a process died, and may be why"
    assert said[6] == "rows 0, 1, 2, 3, 4 and 2 more were at work when a process died, and may be why"
