"""The rows of a long sweep that are over: the older ones lie in a file, as far as that has room."""

from __future__ import annotations

import resource

import pytest

from wf_notebook.sweep.over import Over
from wf_notebook.sweep.row import Row


@pytest.fixture
def little_room():
    """No file of this process may have more than so many bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("little_room")
def test_where_the_disk_is_full_rows_stay_in_memory():
    rows = [Row(number, {"n": number}, "completed", content=f"{number}" * 100) for number in range(60)]
    over = Over(block=5, kept=1)
    for row in rows:
        over.append(row)
    assert ([*over], over[3], over[-1 + len(over)]) == (rows, rows[3], rows[59])
    assert {type(block) for block in over._blocks} == {list, tuple}  # some of each
