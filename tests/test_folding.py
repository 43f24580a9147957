"""The sessions of a sweep's rows: one line in the list of sessions, and each of them where it is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_notebook import Workflow, open_storage
from wf_notebook.errors import UnknownSession
from wf_notebook.frames import folded_ids, folded_sessions, sessions_beginning
from wf_notebook.keying import value_digest
from wf_notebook.sweep.tasks import Names
from wf_notebook.transaction import sweep_of

INPUTS = st.dictionaries(st.sampled_from(["topic", "n"]), st.one_of(st.text(), st.integers()))


class Digest(Workflow):
    def run(self, n: int):
        self.session_state["n"] = n
        if n == 3:
            raise ValueError("not three")
        return f"{n}"


@pytest.fixture(params=["memory:", "sqlite:///s.db", "duckdb:///s.duckdb"])
def storage(request):
    storage = open_storage(request.param)
    Digest(session_id="mine/first", storage=storage).run(n=1)
    Digest(session_id="trial", storage=storage).map(range(6)).result()
    Digest(session_id="demo", storage=storage).run(n=1)
    return storage


@given(st.text(min_size=1), INPUTS)
def test_the_name_of_a_sweep_is_read_off_the_ids_of_its_rows(name, inputs):
    names = Names(name)
    ids = [*(names.of(inputs, value_digest(inputs)) for _ in range(3)), names.at(7)]
    assert {sweep_of(each) for each in ids} == {name}


def test_a_sweep_is_one_line_that_says_how_its_rows_stand(storage):
    table = folded_sessions(storage)
    assert table["session_id"] == ["demo", "trial/", "mine/first"]
    assert table["rows"] == [None, "6: 5 completed, 1 failed", None]
    assert table[1]["runs"] == 6
    assert len(storage.sessions()) == 8


def test_a_row_that_was_done_again_counts_once_as_it_stands_now(storage):
    Digest(session_id="trial", storage=storage, cache="refresh").map([3, 4]).result()
    table = folded_sessions(storage)
    assert (table["session_id"][0], table["rows"][0], table["runs"][0]) == ("trial/", "6: 5 completed, 1 failed", 8)


def test_the_rows_of_a_sweep_are_listed_where_they_are_asked_for(storage):
    ids = sessions_beginning(storage, "trial/")["session_id"]
    assert (len(ids), {sweep_of(each) for each in ids}) == (6, {"trial"})
    assert sessions_beginning(storage, "mi")["session_id"] == ["mine/first"]
    with pytest.raises(UnknownSession, match="no session begins with 'trail/'"):
        sessions_beginning(storage, "trail/")


def test_where_there_is_no_sweep_nothing_is_said_of_rows():
    storage = open_storage("memory:")
    Digest(session_id="demo", storage=storage).run(n=1)
    assert folded_sessions(storage).columns == storage.sessions().columns


def test_a_name_is_offered_in_the_place_of_its_rows(storage):
    ids = storage.sessions()["session_id"]
    assert folded_ids(ids) == ["demo", "trial/", "mine/first"]
    assert len([each for each in folded_ids(ids, "trial/4") if each.startswith("trial/4-")]) == 1
