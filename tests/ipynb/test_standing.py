"""What can be continued: of each session that a notebook knows how its last run stands, and the line that goes on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import nbformat
import pytest

from wf_notebook import Agent, Workflow, open_storage, saver, step
from wf_notebook.addresses import portable
from wf_notebook.errors import BadArguments, BadNotebook
from wf_notebook.ipynb.places import noted
from wf_notebook.ipynb.standing import status
from wf_notebook.ipynb.whereabouts import notebook_file
from wf_notebook.testing import scripted


class Blog(Workflow):
    """Does three steps."""

    @step
    def one(self, topic):
        """Do the first."""
        return topic

    @step
    def two(self, topic):
        """Do the second."""
        return topic * 2

    @step
    def three(self, topic):
        """Fail with ducks."""
        if topic == "ducks":
            raise ValueError("no ducks")
        return topic

    def run(self, topic, then=None):
        self.session_state["last"] = topic
        yield self.one(topic) + self.two(topic)
        if then is not None:
            then()
        yield self.three(topic)


@pytest.fixture
def blog():
    """Return a workflow that failed at its third step."""
    blog = Blog(session_id="demo", storage="sqlite:///runs.db", cache="use")
    with pytest.raises(ValueError, match="no ducks"):
        blog.run("ducks").result()
    return blog


def facts(row, *names):
    return tuple(row[name] for name in names)


def test_a_failed_run_says_where_it_stopped_what_is_kept_and_how_to_go_on(blog):
    (row,) = status(storage=blog.storage)
    assert facts(row, "session_id", "workflow", "status", "stopped_at", "kept_steps", "state") == (
        ("demo", "Blog", "failed", "step three", 2, "saved")
    )
    assert row["goes_on"] == "%workflow blog -s demo topic='ducks'"
    blog.session.forget(step="one")
    assert status(storage=open_storage("sqlite:///runs.db"))["kept_steps"] == [1]


def test_a_stopped_run_is_gone_on_with_and_a_completed_one_is_not(blog):
    stream = blog.run("cats")
    next(iter(stream))
    stream.stop()
    list(stream)
    (row,) = status(storage=blog.storage)
    assert facts(row, "status", "stopped_at", "kept_steps") == ("stopped", "after step two", 2)
    assert row["goes_on"] == "%workflow blog -s demo topic='cats'"
    blog.run("cats").result()
    (row,) = status(storage=blog.storage)
    assert facts(row, "status", "stopped_at", "kept_steps", "goes_on") == ("completed", None, 3, None)


KILLED = """
import os
from wf_notebook import Workflow, open_storage, saver, step
class Blog(Workflow):
    @step
    def one(self, topic): return topic
    @step
    def two(self, topic):
        Blog.saved(self)
        os.kill(os.getpid(), 9)
    def saved(self):
        storage = open_storage("sqlite:///lost.db")
        while not storage.read("SELECT 1 FROM events WHERE data LIKE '%two%'"):
            pass
    def run(self, topic): yield self.one(topic); yield self.two(topic)
Blog(session_id="demo", storage="sqlite:///lost.db", cache="use").run("owls").result()
"""


def test_a_run_whose_process_was_killed_is_gone_on_with():
    Path("killed.py").write_text(KILLED)
    assert subprocess.run([sys.executable, "killed.py"], check=False).returncode == -9
    (row,) = status(storage=open_storage("sqlite:///lost.db"))
    assert facts(row, "status", "stopped_at", "kept_steps") == ("lost", "step two", 1)
    assert row["goes_on"] == "%workflow blog -s demo topic='owls'"


def test_a_run_in_the_background_is_told_with_the_way_to_end_it(blog):
    waits, goes_on = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: blog.run("cats", then=lambda: (waits.set(), goes_on.wait(20))).result())
    thread.start()
    assert waits.wait(20)
    (row,) = status(storage=blog.storage, workflows=[blog], namespace={"mine": blog})
    goes_on.set()
    thread.join()
    run_id = blog.last_run.run_id[:8]
    assert facts(row, "status", "process", "said") == ("running", "this process", "catscatscats")
    assert row["goes_on"] == f"%wf attach {run_id} shows it; %wf stop {run_id} ends it"


def test_a_notebook_without_sessions_tells_of_what_goes_on_in_the_default_storage(tmp_path, monkeypatch):
    monkeypatch.setenv("WF_STORAGE", f"sqlite:///{tmp_path}/team.db")
    stream = Blog(session_id="long", storage="default").run("cheese", then=lambda: None)
    next(stream)
    stream.workflow.write_to_storage()
    saver._flush(stream._open)
    notebook(tmp_path / "fresh.ipynb")
    fresh = status(tmp_path / "fresh.ipynb")
    assert [(row["session_id"], row["status"]) for row in fresh] == [("long", "running")]
    assert fresh.title == f"none of '{tmp_path}/fresh.ipynb', 1 of others that goes on"
    stream.result()
    fresh = status(tmp_path / "fresh.ipynb")
    assert len(fresh) == 0
    assert fresh.title == f"sessions of '{tmp_path}/fresh.ipynb'; 1 more in the store: %wf status --all"


class Many(Workflow):
    """Fails with ducks."""

    def run(self, topic):
        """Fail, or say it."""
        if topic == "ducks":
            raise ValueError("no ducks")
        return topic


def test_a_sweep_of_another_notebook_is_counted_once_it_is_over_and_seen_with_all(shell, tmp_path, monkeypatch):
    monkeypatch.setenv("WF_STORAGE", f"sqlite:///{tmp_path}/team.db")
    notebook(tmp_path / "fresh.ipynb")
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "fresh.ipynb"))
    Many(session_id="long", storage="default").map(["ducks", "cats"]).result()
    shell.run_line_magic("load_ext", "wf_notebook")
    assert shell.run_cell("%wf status").result.title.endswith("fresh.ipynb'; 1 more in the store: %wf status --all")
    (row,) = shell.run_cell("%wf status --all").result
    assert facts(row, "session_id", "status", "goes_on") == (
        "long/",
        "⚠ done, 1 of 2 rows failed",
        "many.map(…, name='long') again",
    )
    assert isinstance(shell.run_cell("%wf status fresh.ipynb --all").error_in_exec, BadArguments)


class Asking(Workflow):
    """Asks a model, and waits at a gate."""

    writer = Agent(scripted(*["An answer"] * 9))
    gate = threading.Event()

    def run(self, topic):
        """Ask, fail with ducks, wait with geese."""
        if topic == "ducks":
            raise ValueError("no ducks")
        if topic == "geese":
            self.gate.wait(20)
        yield from self.writer.run(topic, stream=True)


def test_how_far_a_sweep_is_is_said_from_its_front_and_whole():
    asking = Asking(session_id="long", storage="sqlite:///runs.db")
    asking.map(["cats"]).result()
    sweep = asking.map(["cats", "ducks", "owls", "geese", "mice"], limit=1).start()
    rows = iter(sweep)
    assert [next(rows).number for _ in range(3)] == [0, 1, 2]
    (row,) = (each for each in status(storage=asking.storage) if each["status"] == "running")
    asking.gate.set()
    sweep.result()
    assert row["said"].startswith("2 of 5 rows · 1 failed · 1 from the store · ")
    assert row["said"].endswith(" left")
    assert len(row["said"]) > 80


def test_what_is_unsaved_and_what_is_in_conflict_is_said(blog):
    blog.session_state["last"] = "mine"
    (row,) = status(storage=blog.storage, workflows=[blog])
    assert row["state"] == "unsaved: %wf save"
    other = open_storage("sqlite:///runs.db").session("demo")
    other.state["last"] = "theirs"
    other.save()
    blog.session.conflict()
    (row,) = status(storage=blog.storage, workflows=[blog])
    assert row["state"] == "in conflict: %wf diff shows both sides"


def test_a_branch_that_a_conflict_left_is_named_also_without_its_kernel(blog):
    one, two = (open_storage("sqlite:///runs.db").session("demo") for _ in range(2))
    one.state["last"], two.state["last"] = "theirs", "mine"
    one.save()
    with pytest.raises(Exception, match="changed"):
        two.save(run_id="r1")
    (row,) = status(storage=blog.storage)
    assert row["state"] == "a conflict left 'demo@r1'"


def test_a_session_kept_in_memory_alone_is_told():
    blog = Blog(session_id="loose")
    blog.run("cats").result()
    (row,) = status(storage=open_storage("sqlite:///runs.db"), workflows=[blog])
    assert facts(row, "session_id", "status", "state", "storage") == ("loose", "completed", "in memory only", None)


# -- the notebook --------------------------------------------------------------------------------------------------------------


def notebook(path, *metadata):
    outputs = [
        nbformat.v4.new_output("display_data", data={"text/plain": ""}, metadata={"wf_notebook": each}) for each in metadata
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)]), path)


def test_a_notebook_knows_its_sessions_by_its_outputs_from_wherever_it_is_read(blog, tmp_path, monkeypatch):
    blog.session.to_notebook("report.ipynb")
    monkeypatch.chdir(tmp_path.parent)
    path = Path(tmp_path.name) / "report.ipynb"
    assert noted(path) == [("demo", f"sqlite:///{tmp_path}/runs.db")]
    (row,) = status(path)
    assert facts(row, "session_id", "status", "kept_steps", "storage") == (
        "demo",
        "failed",
        2,
        f"sqlite:///{tmp_path.name}/runs.db",
    )


def test_a_session_that_is_not_there_any_more_is_told_and_no_file_is_made():
    notebook("old.ipynb", {"session_id": "gone", "storage": "sqlite:///nowhere/runs.db"}, {"session_id": 3}, "odd", None)
    (row,) = status("old.ipynb")
    assert facts(row, "session_id", "status", "state") == ("gone", None, "not there: never saved, deleted, or in another store")
    assert not Path("nowhere").exists()
    with pytest.raises(BadNotebook, match=r"there is no notebook 'odl\.ipynb'; did you mean 'old\.ipynb'"):
        status("odl.ipynb")


def test_a_kernel_knows_its_notebook_where_it_is_told(monkeypatch, tmp_path):
    assert notebook_file({}) is None
    notebook("mine.ipynb")
    assert notebook_file({"__vsc_ipynb_file__": str(tmp_path / "mine.ipynb")}) == tmp_path / "mine.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "mine.ipynb"))
    assert notebook_file({}) == tmp_path / "mine.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "gone.ipynb"))
    assert notebook_file({}) is None


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (
            "postgresql://ann:pa%40ss@db.example:5432/runs?sslmode=require&password=x",
            "postgresql://ann@db.example:5432/runs?sslmode=require",
        ),
        ("postgresql://:secret@db.example/runs", "postgresql://db.example/runs"),
        ("memory:", "memory:"),
        ("duckdb:////srv/data/runs.duckdb", "duckdb:////srv/data/runs.duckdb"),
        ("duckdb:////home/ann/runs.duckdb", "duckdb:///../runs.duckdb"),
    ],
)
def test_an_address_is_written_without_a_password_and_from_the_folder(url, address):
    assert portable(url, Path("/home/ann/notes")) == address


def test_the_record_of_a_run_says_of_which_session_and_store_it_is(shell, monkeypatch):
    from IPython.utils.capture import capture_output

    monkeypatch.setenv("WF_STORAGE", "sqlite:///runs.db")
    shell.run_line_magic("load_ext", "wf_notebook")
    with capture_output() as captured:
        shell.run_cell("%%workflow blog -s demo topic='cats'\ndef run(self, topic):\n    return topic").raise_error()
    told = captured.outputs[-1].metadata["wf_notebook"]
    assert (told["session_id"], told["storage"]) == ("demo", "sqlite:///runs.db")
    with capture_output() as captured:
        shell.run_cell("t = %wf status").raise_error()
    assert [facts(row, "session_id", "status") for row in shell.user_ns["t"]] == [("demo", "completed")]
    with capture_output():
        shell.run_cell("%wf export demo -o report.ipynb\nu = %wf status report.ipynb").raise_error()
    assert shell.user_ns["u"]["session_id"] == ["demo"]
    assert json.loads(Path("report.ipynb").read_text())["metadata"]["wf_notebook"]["session_id"] == "demo"
    assert str(Path.cwd()) not in Path("report.ipynb").read_text()
