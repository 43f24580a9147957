"""The steps that a session remembers, as rows come and go."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wf_notebook import open_storage
from wf_notebook.done import Done
from wf_notebook.steps import Steps


@pytest.fixture
def storage(tmp_path):
    return open_storage(f"sqlite:///{tmp_path}/runs.db")


def a_step(step_id, key="k"):
    return Done(step_id, "write", "step", key, "#1", datetime(2026, 1, 1, tzinfo=UTC))


def test_what_is_read_before_its_saver_hears_of_it_is_not_taken_for_erased(storage):
    steps, session = Steps("a", storage), storage.session("a")
    mine = a_step("1")
    steps.keep(mine, '{"value": 1}', "[]")
    session.save(steps.records(mine))
    steps.catch_up()
    steps.saved(mine)
    other = a_step("2", "other")
    session.save(_rows(other))
    steps.catch_up()
    assert [done.step_id for done in steps.all()] == ["1", "2"]


def test_what_was_saved_and_is_not_in_the_store_any_more_is_known_no_more(storage):
    steps, session = Steps("a", storage), storage.session("a")
    mine = a_step("1")
    steps.keep(mine, '{"value": 1}', "[]")
    session.save(steps.records(mine))
    steps.saved(mine)
    storage.purge("a")
    steps.catch_up()
    assert steps.all() == []


def test_results_come_with_the_list_as_far_as_there_is_room_and_else_one_by_one(storage, monkeypatch):
    monkeypatch.setattr("wf_notebook.steps.AT_ONCE", 30)
    session = storage.session("a")
    for number in range(3):
        session.save(_rows(a_step(str(number), f"k{number}"), f'{{"value": "{number * 10}"}}'))
    steps = Steps("a", storage)
    steps.catch_up()
    assert [steps.result(done)["value"] for done in steps.all()] == ["0", "10", "20"]


def _rows(done, result='{"value": 2}'):
    writer = Steps("a")
    writer.keep(done, result, "[]")
    return writer.records(done)


def test_steps_beside_others_know_theirs_and_the_take_that_was_chosen_and_change_nothing_of_them(storage):
    session = storage.session("a")
    for number, name in enumerate(("first", "second"), start=1):
        session.save(_rows(a_step(name), f'{{"value": {number}}}'))
    session.steps.catch_up()
    session.steps.say("chosen", [a_step("first")])
    beside = Steps.beside(session.steps)
    assert (beside.find("k", "#1").step_id, beside.result(beside.find("k", "#1"))) == ("first", {"value": 1})
    beside.keep(a_step("third", "other"), '{"value": 3}', "[]")
    assert [len(steps.all()) for steps in (beside, session.steps)] == [3, 2]
