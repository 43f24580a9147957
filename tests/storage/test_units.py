"""All rows of a sweep as a unit: `blog/` is copied, shared, hidden, brought back and erased in few transactions."""

from __future__ import annotations

import pytest

from wf_notebook import Workflow, users
from wf_notebook.accounts import is_account
from wf_notebook.errors import BadArguments, BadSetting, SessionExists, SessionOwned, UnknownSession
from wf_notebook.storage import open_storage

KINDS = ("sqlite", "duckdb", pytest.param("postgres", marks=pytest.mark.postgres))


class Blog(Workflow):
    def run(self, topic: str):
        self.session_state["topic"] = topic
        return f"On {topic}."


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    if request.param == "postgres":
        return open_storage(request.getfixturevalue("postgres").schema())
    return open_storage(f"{request.param}:///{tmp_path}/team.db")


@pytest.fixture
def lite(tmp_path):
    return open_storage(f"sqlite:///{tmp_path}/team.db")


@pytest.fixture
def works(monkeypatch):
    """Return what lets a user work here."""

    def work(name):
        monkeypatch.setattr(users, "_in_whose_name", set())  # as in a process of their own
        monkeypatch.setenv("WF_USER", name)

    return work


def swept(storage, *names: str, rows: int = 3) -> None:
    """Make a sweep of so many rows of each name."""
    for name in names:
        Blog(session_id=name, storage=storage).map([f"topic {number}" for number in range(rows)]).result()


def rows_of(storage, unit: str) -> list[str]:
    """Return the rows of a sweep, without what it has of itself."""
    return [each for each in storage.rows_of(unit) if not is_account(each, unit[:-1])]


def ids(storage) -> set[str]:
    return {name.partition("/")[0] + "/" if "/" in name else name for name in storage.sessions()["session_id"]}


def test_all_rows_of_a_sweep_are_copied_as_one_line_and_later_what_is_new(store):
    swept(store, "blog", "b_og", "b%")
    there = open_storage("memory:")
    (line,) = store.copy("b_og/", to=there)
    assert (line["session_id"], line["done"], line["rows"], line["runs"]) == ("b_og/", "copied", 3, 4)  # it is a run, too
    assert there.runs("b_og/")["workflow"] == ["Blog.map"]
    assert ids(there) == {"b_og/"}
    store.copy("b%/", to=there)
    assert ids(there) == {"b_og/", "b%/"}
    swept(store, "b_og", rows=5)
    (line,) = store.copy("b_og/", to=there)
    assert (line["done"], line["rows"]) == ("3 was there, 2 copied, 1 went on", 5)
    (line,) = store.copy("b_og/", to=there, new_id="trial/")
    assert (line["new_id"], len(rows_of(there, "trial/"))) == ("trial/", 5)
    assert [row.hit for row in Blog(session_id="b_og", storage=there).map(["topic 0", "topic 4"]).result()] == [True, True]
    Blog(session_id="blog", storage=store).run("cheese")
    folded = {line["session_id"]: line["rows"] for line in store.copy(to=open_storage("memory:"))}
    assert folded == {"blog/": 3, "b_og/": 5, "b%/": 3, "blog": None}


def test_a_row_that_cannot_be_copied_loses_no_other(lite):
    swept(lite, "blog")
    there = open_storage("memory:")
    bad, *others = rows_of(lite, "blog/")
    session = there.session(bad)
    session.state["mine"] = 1
    session.save()
    with pytest.raises(SessionExists, match=r"another session 'blog/topic.*--as NEW_ID") as refused:
        lite.copy("blog/", to=there)
    assert refused.value.__notes__ == ["copied but for that: 3 of 'blog/'"]
    assert there.session(bad).state == {"mine": 1}
    assert {there.session(each).state["topic"] for each in others} == {"topic 0", "topic 1", "topic 2"} - {
        lite.session(bad).state["topic"]
    }


def test_a_session_of_the_very_name_is_one_of_the_unit_and_counts_as_no_row(lite):
    swept(lite, "blog")
    record = lite.session("blog/")
    record.state["of"] = "the sweep"
    record.save()
    there = open_storage("memory:")
    assert lite.copy("blog/", to=there)[0]["rows"] == 3
    assert there.session("blog/").state == {"of": "the sweep"}
    there.delete_session("blog/")
    assert ids(there) == set()
    lone = there.session("lone/")
    lone.state["n"] = 1
    lone.save()
    lone.delete()
    assert ids(there) == set()


def test_all_rows_are_shared_and_taken_back_and_those_of_others_are_left_alone(store, works):
    works("bob")
    swept(store, "bobs")
    swept(store, "blog", rows=1)
    works("ann")
    swept(store, "blog")
    sweep = store.session("blog/")
    sweep.share("bob")
    assert sweep.shared == ["bob"]
    said = store.read("SELECT count(*) FROM session_log")
    sweep.share("bob")
    assert store.read("SELECT count(*) FROM session_log") == said  # it is so already
    works("bob")
    assert len(rows_of(store, "blog/")) == 4
    assert store.say_of_rows("blog/", "shared:eve") == (1, 1, 3, 0)
    works("ann")
    sweep.unshare("bob")
    assert sweep.shared == []
    works("bob")
    assert len(rows_of(store, "blog/")) == 1
    store.session("bobs/").share("ann")
    works("ann")
    with pytest.raises(SessionOwned, match="the rows of 'bobs/' belong to another user than 'ann'"):
        store.delete_session("bobs/")


def test_rows_of_nobody_are_not_shared(lite):
    swept(lite, "blog")
    with pytest.raises(BadSetting, match="the rows of 'blog/' belong to nobody"):
        lite.session("blog/").share("ann")


def test_all_rows_are_hidden_brought_back_and_erased_and_nothing_beside_them(store):
    swept(store, "blog", "b_og")
    Blog(session_id="blog", storage=store).run("cheese")
    store.delete_session("b_og/")
    assert ids(store) == {"blog", "blog/"}
    store.restore_session("b_og/")
    assert [row.hit for row in Blog(session_id="b_og", storage=store).map(["topic 0", "topic 3"]).result()] == [True, False]
    assert {store.session(each).state["topic"] for each in rows_of(store, "b_og/")} == {f"topic {number}" for number in range(4)}
    store.delete_session(rows_of(store, "b_og/")[0])
    assert store.purge("b_og/").sessions == 5
    assert ids(store) == {"blog", "blog/"}
    with pytest.raises(UnknownSession, match="no row of the sweep 'b_og/' was deleted"):
        store.restore_session("b_og/")


def test_what_is_no_sweep_is_said(lite):
    swept(lite, "blog")
    for unit in ("blg/", "b_og/", "blo%/"):
        with pytest.raises(UnknownSession, match=r"no sweep '.*/' in .*; did you mean 'blog/'"):
            lite.copy(unit, to="memory:")
    with pytest.raises(UnknownSession, match="'blog/' means the 3 rows of a sweep, and this is asked of one session"):
        lite.state("blog/")
    with pytest.raises(BadArguments, match="'blog/' cannot be 'trial' there: a sweep's name ends with /"):
        lite.copy("blog/", to="memory:", new_id="trial")
