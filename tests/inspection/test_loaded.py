"""The states at hand are those of the store, whatever became of it meanwhile."""

from __future__ import annotations

import shutil

import pytest

from wf_notebook import Workflow, inspector, open_storage
from wf_notebook.errors import UnknownRun, UnknownVersion


def saved(storage, *values, name="demo"):
    session = storage.session(name)
    for value in values:
        session.state["n"] = value
        session.save()
    return session


@pytest.fixture(
    params=["memory:", "sqlite:///runs.db", "duckdb:///runs.duckdb", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def storage(request, place):
    with open_storage(place(request.param)) as storage:
        yield storage


def at(looked, version):
    looked.version = version
    return looked.selection


def test_a_version_of_a_session_that_was_erased_is_not_that_of_a_new_one_of_its_id(storage):
    saved(storage, "old", "old too", "oldest")
    looked = inspector(storage, session="demo")
    looked.select("n")
    assert [at(looked, version) for version in (1, 2, 3)] == ["old", "old too", "oldest"]
    assert looked.compare(1, 2)[0].after == "old too"
    storage.session("demo").purge()
    saved(storage, "new", "new too")
    assert [at(looked, version) for version in (2, 1, None)] == ["new too", "new", "new too"]
    assert looked.comparison(("demo", 2), ("demo", 1)).differences[0].after == "new too"


def test_a_version_that_was_hidden_is_not_at_hand_any_more(storage):
    saved(storage, "hidden", "hidden too")
    looked = inspector(storage, session="demo")
    looked.select("n")
    assert [at(looked, version) for version in (1, 2)] == ["hidden", "hidden too"]
    storage.delete_session("demo")
    saved(storage, "seen")
    assert at(looked, None) == "seen"
    assert looked.loaded("demo", 2).kept == {}, "before the first there was nothing"
    with pytest.raises(UnknownVersion):
        looked.version = 1


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_another_file_in_the_place_of_one_is_seen_though_it_has_the_same_versions(kind):
    for name in ("one", "two"):
        with open_storage(f"{kind}:///{name}.db") as storage:
            saved(storage, f"of {name}")
    with open_storage(f"{kind}:///one.db") as storage:
        looked = inspector(storage, session="demo")
        looked.select("n")
        assert looked.selection == "of one"
    shutil.copy("two.db", "copy.db")
    shutil.move("copy.db", "one.db")
    assert looked.selection == "of two"


def test_a_run_that_was_erased_is_not_shown_any_more(storage):
    class Blog(Workflow):
        def run(self):
            yield "hello"

    blog = Blog(session_id="demo", storage=storage)
    blog.run().result()
    looked = inspector(storage, session="demo")
    looked.go(run=blog.last_run.run_id)
    assert looked.run.content == "hello"
    storage.session("demo").purge()
    with pytest.raises(UnknownRun):
        _ = looked.run
