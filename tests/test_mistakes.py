"""What is given by mistake is answered in one line that says what to give, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from wf_notebook import Workflow, open_storage, register_codec, register_merge, trust
from wf_notebook.errors import BadSetting, BadStorage, UnknownRun, UnknownSession, UnknownVersion, WorkflowError
from wf_notebook.storage import DuckDbWorkflowStorage, SqliteWorkflowStorage


class Blog(Workflow):
    def run(self, topic: str = "cats"):
        self.session_state["topic"] = topic
        return topic


class Other:
    pass


@pytest.fixture(params=["memory:", "sqlite:///runs.db", "duckdb:///runs.duckdb"])
def blog(request):
    """Return a workflow whose session has two versions."""
    blog = Blog(session_id="demo", session_name="a name", storage=request.param)
    blog.run("cats")
    blog.run("dogs")
    return blog


def said(attempt) -> str:
    """Return what an error of ours says as IPython shows it, in one line."""
    with pytest.raises(WorkflowError) as error:
        attempt()
    (line,) = error.value._render_traceback_()
    assert "\n" not in line
    return line


CALLS = {
    "compact": (
        lambda blog: blog.session.compact(keep="a"),
        "BadSetting: keep is of type 'str'; give how many versions are to stay",
    ),
    "no fork": (lambda blog: blog.session.fork(""), "BadSetting: a fork needs an id; write fork('trial')"),
    "fork": (lambda blog: blog.session.fork(5), "BadSetting: session_id is of type 'int'; give a str"),
    "diff": (
        lambda blog: blog.session.diff(other="demo"),
        "BadSetting: other is of type 'str'; give a session: storage.session(",
    ),
    "state": (lambda blog: setattr(blog.session, "state", [1]), "BadSetting: session_state is of type 'list'; give a dict"),
    "none": (lambda blog: setattr(blog, "session_state", None), "BadSetting: session_state is of type 'NoneType'; give a dict"),
    "id": (lambda blog: setattr(blog, "session_id", 5), "BadSetting: session_id is of type 'int'; give a str"),
    "session": (lambda blog: blog.session.rename(5), "BadSetting: session_name is of type 'int'; give a str"),
    "rename": (lambda blog: blog.rename_session(5), "BadSetting: session_name is of type 'int'; give a str"),
    "name": (lambda blog: blog.rename(5), "BadSetting: name is of type 'int'; give a str"),
    "run": (lambda blog: blog.storage.run(5), "UnknownRun: no run 5 in "),
    "events": (lambda blog: blog.storage.events([1]), "UnknownRun: no run [1] in "),
    "runs": (lambda blog: blog.storage.runs(5), "BadSetting: session_id is of type 'int'; give a str"),
    "rows": (lambda blog: blog.storage.state(5), "BadSetting: session_id is of type 'int'; give a str"),
    "seconds": (lambda blog: blog.storage.sql("SELECT 1", seconds="a"), "BadSetting: seconds is of type 'str'; give a number"),
    "limit": (lambda blog: blog.storage.sql("SELECT 1", rows="a"), "BadSetting: rows is of type 'str'; give a number"),
    "delete": (lambda blog: blog.delete_session("dmeo"), "; did you mean 'demo'?"),
    "purge": (lambda blog: blog.storage.purge("dmeo"), "; did you mean 'demo'?"),
    "nothing": (lambda blog: blog.storage.delete_session("x"), "; storage.sessions() lists those that are there"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_with_the_wrong_thing_is_answered_in_one_line_and_changes_nothing(blog, name):
    attempt, says = CALLS[name]
    assert says in said(lambda: attempt(blog))
    blog.write_to_storage()
    session = blog.storage.session("demo")
    assert (session.state, session.at(1), len(session.versions())) == ({"topic": "dogs"}, {"topic": "cats"}, 2)
    assert blog.storage.sessions()["session_name"] == ["a name"]


MADE = {
    "storage": (lambda: Blog(storage=5), "BadStorage: storage is of type 'int'; give a storage or its address: duckdb:///"),
    "class": (lambda: Blog(storage=SqliteWorkflowStorage), "BadStorage: storage is the class 'SqliteWorkflowStorage'; give a"),
    "path": (
        lambda: Blog(storage=Path("a.duckdb")),
        "BadStorage: unknown kind of storage in 'a.duckdb'; write duckdb:///a.duckdb",
    ),
    "address": (
        lambda: open_storage(None),
        "BadStorage: the address of a storage is a str, not of type 'NoneType'; write duckdb",
    ),
    "file": (lambda: DuckDbWorkflowStorage(db_file=5), "BadStorage: 5 is no name of a file; write db_file='runs.duckdb'"),
    "nul": (lambda: open_storage("sqlite:///a\0"), "BadStorage: 'a\\x00' is no name of a file; write db_file="),
    "user's": (lambda: open_storage("duckdb:///~nobody-x/a"), "BadStorage: '~nobody-x/a' leads to no file (Could not determine"),
    "device": (
        lambda: open_storage("sqlite:////dev/null").sessions(),
        "BadStorage: '/dev/null' is a device or a pipe, and no file",
    ),
    "kernel's": (
        lambda: Blog(session_id="demo", storage="sqlite:////proc/x.db").write_to_storage(),
        " cannot be made (",
    ),
    "table": (lambda: SqliteWorkflowStorage(table_name=5), "BadSetting: table_name is of type 'int'; give a str"),
    "first": (lambda: SqliteWorkflowStorage("a.db"), "BadStorage: table_name='a.db' is the name of a file; write db_file='a.db'"),
    "what": (lambda: DuckDbWorkflowStorage(file="a"), "BadSetting: DuckDbWorkflowStorage takes no file=; give db_file="),
    "state": (lambda: Blog(session_state=[1]), "BadSetting: session_state is of type 'list'; give a dict"),
    "id": (lambda: Blog(session_id=5), "BadSetting: session_id is of type 'int'; give a str"),
    "user": (lambda: Blog(user_id=5), "BadSetting: user_id is of type 'int'; give a str"),
    "name": (lambda: Blog(name=5), "BadSetting: name is of type 'int'; give a str"),
    "workflow": (lambda: Blog(workflow_id=5), "BadSetting: workflow_id is of type 'int'; give a str"),
    "tokens": (lambda: Blog(max_tokens="a"), "BadSetting: max_tokens is of type 'str'; give a number of tokens"),
    "cost": (lambda: Blog(max_cost=True), "BadSetting: max_cost is of type 'bool'; give a number of US dollars"),
    "no cost": (
        lambda: Blog(max_cost=-1),
        "BadSetting: max_cost=-1 is nothing that can be spent; give a number of US dollars from",
    ),
    "no tokens": (lambda: Blog(max_tokens=-5), "BadSetting: max_tokens=-5 is nothing that can be spent; give a number of tokens"),
    "rows for nan": (
        lambda: Blog().map([1], max_cost=float("nan")),
        "BadSetting: max_cost=nan is nothing that can be spent; give",
    ),
    "rows for a text": (
        lambda: Blog().map([1], max_cost="2"),
        "BadSetting: max_cost is of type 'str'; give a number of US dollars",
    ),
    "rows below 0": (lambda: Blog().map([1], max_tokens=-5), "BadSetting: max_tokens=-5 is nothing that can be spent; give a"),
    "rows named": (
        lambda: Blog().map(["a"], name=3),
        "BadSetting: name is of type 'int'; give a text, which the sessions of the rows are named after",
    ),
    "rows of a class": (
        lambda: Blog.map(["a"]),
        "BadArguments: map() is a method of a workflow, and Blog is its class; make one first: blog = Blog()",
    ),
    "compare of a class": (lambda: Blog.compare(last=3), "BadArguments: compare() is a method of a workflow, and Blog is its"),
    "compare": (lambda: Blog().compare(lst=3), "BadSetting: compare() knows no lst=; did you mean 'last'?"),
    "compare otherwise": (
        lambda: Blog().compare(fresh=True),
        "BadSetting: compare() knows no fresh=; it takes inputs, last, model, score, limit",
    ),
    "codec": (lambda: register_codec(Other, encode=5, decode=Other), "BadSetting: encode is of type 'int'; give a function"),
    "trust": (lambda: trust(5), "BadSetting: module is of type 'int'; give its name: trust('mypackage.models')"),
    "rule": (lambda: register_merge("n", 5), "BadSetting: rule is of type 'int'; give its name, or a function"),
    "place": (lambda: register_merge(5, "sum"), "BadSetting: path is of type 'int'; give a str: register_merge('stats.views'"),
    "compact": (Blog().session.compact, "is kept in memory only, without versions; give it a storage"),
    "fork": (lambda: Blog().session.fork("trial"), "is kept in memory only, without versions; give it a storage"),
}


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_with_the_wrong_thing_is_answered_in_one_line(name):
    attempt, says = MADE[name]
    assert says in said(attempt)


def test_the_errors_are_those_that_python_has_for_such_mistakes_too():
    assert issubclass(BadSetting, TypeError)
    assert issubclass(BadStorage, ValueError)
    assert all(issubclass(cls, LookupError) for cls in (UnknownRun, UnknownSession, UnknownVersion))


def test_to_delete_what_is_not_there_makes_no_file(tmp_path):
    storage = open_storage(f"duckdb:///{tmp_path}/new/runs.duckdb")
    assert "UnknownSession: no session 'demo' in duckdb:///" in said(lambda: storage.delete_session("demo"))
    assert not (tmp_path / "new").exists()


def test_a_session_that_was_never_saved_is_deleted_and_purged_without_a_word():
    blog = Blog(session_id="new", storage="memory:")
    blog.session_state["n"] = 1
    blog.session.purge()
    blog.delete_session()
    assert blog.session_state == {}


def test_the_state_of_a_session_is_assigned_as_that_of_a_workflow(blog):
    live = blog.session.state
    blog.session.state = {"new": 1}
    blog.session.state |= {"more": 2}
    assert blog.session_state is live
    assert live == {"new": 1, "more": 2}
