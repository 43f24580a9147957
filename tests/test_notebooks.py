"""The notebooks run, for real: once with the model, then again from the store that the first run filled."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb
import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from wf_notebook import open_storage

pytestmark = [pytest.mark.model, pytest.mark.timeout(300)]

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


class Executed:
    """A notebook that ran in a folder of its own; with `parameters`, as papermill gives them."""

    def __init__(self, name: str, folder: Path, **parameters: int) -> None:
        self.folder = folder
        (folder / ".workflows").mkdir(exist_ok=True)
        self.notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
        if parameters:
            self.notebook = parameterize_notebook(load_notebook_node(str(NOTEBOOKS / f"{name}.ipynb")), parameters)
        NotebookClient(self.notebook, timeout=280, resources={"metadata": {"path": str(folder)}}).execute()

    def query(self, sql: str) -> list[tuple]:
        with duckdb.connect(self.folder / ".workflows" / "workflows.duckdb", read_only=True) as db:
            return db.execute(sql).fetchall()

    @property
    def outputs(self) -> str:
        return json.dumps([cell.get("outputs", []) for cell in self.notebook.cells], ensure_ascii=False)


@pytest.mark.usefixtures("local_model")
def test_the_blog_post_generator_searches_reads_and_writes_once(tmp_path):
    first = Executed("02_blog_post_generator", tmp_path)
    runs = first.query("SELECT status, inputs, input_tokens, output_tokens FROM runs ORDER BY started_at")
    assert [status for status, *_ in runs] == ["completed"] * 3
    (_, _, asked, written), (_, _, *again), (_, rewrite, asked_anew, written_anew) = runs
    assert again == [0, 0], "the kept post is given back without a call"
    assert json.loads(rewrite)["use_cached_post"] is False
    assert 0 < asked_anew < asked, "search results and articles are kept: only the writer is asked"
    assert 0 < written_anew < written
    keys = {key for (key,) in first.query("SELECT key FROM session_state WHERE session_id = 'blog'")}
    assert keys == {"blog_posts", "search_results", "scraped_articles"}

    second = Executed("02_blog_post_generator", tmp_path)
    runs = second.query("SELECT input_tokens FROM runs ORDER BY started_at")[3:]
    assert [tokens > 0 for (tokens,) in runs] == [False, False, True]


@pytest.mark.usefixtures("local_model")
def test_the_news_report_has_an_agent_for_each_package_and_refuses_what_is_not_there(tmp_path):
    news = Executed("04_news_report", tmp_path)
    assert "not installed here: no-such-package" in news.outputs
    runs = news.query("SELECT status, models FROM runs ORDER BY started_at")
    assert [(status, json.loads(models)) for status, models in runs] == [
        ("failed", []),
        ("completed", ["local:smollm2"]),
        ("completed", ["local:smollm2"]),
    ]
    lanes = {lane for (lane,) in news.query("SELECT DISTINCT lane FROM events WHERE lane IS NOT NULL AND content IS NOT NULL")}
    assert lanes == {"jupyterlab", "pandas", "httpx"}
    (report,) = news.query("SELECT value FROM session_state WHERE session_id = 'news' AND key = 'report'")
    kept = json.loads(report[0])
    assert set(kept["paragraphs"]) == {"rich", "click"}
    assert any(package in kept["headline"].lower() for package in kept["paragraphs"])
    assert "error" not in {output.output_type for cell in news.notebook.cells for output in cell.get("outputs", [])}

    asked = (
        "SELECT count(*) FROM event_log WHERE event = 'StepCompleted' AND data->>'kind' = 'request' AND data->>'hit' = 'false'"
    )
    before = news.query(asked)
    again = Executed("04_news_report", tmp_path)
    assert again.query(asked) == before, "all that the first run asked comes from its store"
    assert again.query("SELECT status, count(*) FROM runs GROUP BY ALL ORDER BY ALL") == [("completed", 4), ("failed", 2)]


@pytest.mark.usefixtures("local_model")
def test_cached_reruns_ask_the_model_only_for_what_changed(tmp_path):
    def asked(executed):
        """Return how many requests each run sent, in their order."""
        return [
            requests
            for (requests,) in executed.query(
                "SELECT count(*) FILTER (e.event = 'StepCompleted' AND e.data->>'kind' = 'request' AND e.data->>'hit' = 'false')"
                " FROM runs r LEFT JOIN event_log e ON e.run_id = r.run_id GROUP BY r.run_id, r.started_at ORDER BY r.started_at"
            )
        ]

    first = Executed("03_cached_reruns", tmp_path)
    # Run, again, an edited title, an edited helper; killed, and again (the last notes may be gone); fresh, the first take, only.
    assert [*asked(first)[:4], *asked(first)[6:]] == [2, 0, 1, 2, 2, 0, 0]
    assert first.query("SELECT count(*) FROM steps WHERE session_id = 'nightly' AND kind = 'request'") == [(3,)]
    statuses = first.query("SELECT status FROM runs ORDER BY started_at")
    assert [status for (status,) in statuses] == ["completed"] * 4 + ["lost"] + ["completed"] * 4
    assert "✓ store" in first.outputs
    assert "global" not in first.outputs

    second = Executed("03_cached_reruns", tmp_path)
    again = [requests for requests in asked(second)[9:] if requests]
    assert again == [2], "all but --fresh comes from the store that the first run filled"


def test_sessions_and_state_needs_no_model_changes_only_its_own_session_and_runs_again(tmp_path):
    store = open_storage(f"duckdb:///{tmp_path / '.workflows' / 'workflows.duckdb'}")
    (tmp_path / ".workflows").mkdir()
    other = store.session("blog")
    other.state["blog_posts"] = {"jupyter": "A post."}
    other.save()

    for _ in range(2):
        walk = Executed("05_sessions_and_state", tmp_path)
        assert "error" not in {output.output_type for cell in walk.notebook.cells for output in cell.get("outputs", [])}
        assert walk.query("SELECT session_id, key FROM session_state ORDER BY ALL") == [
            ("blog", "blog_posts"),
            ("shelf", "books"),
            ("shelf", "longest"),
        ]
        (books,) = walk.query("SELECT value FROM session_state WHERE key = 'books'")
        assert [book["name"] for book in json.loads(books[0])] == ["rich", "click", "httpx", "pandas"]
        assert "{+ It is on the top shelf.+}" in walk.outputs
        assert walk.outputs.count("wf-inspector-") == 1
        assert other.versions()[-1].version == 1


def test_what_is_saved_of_the_walk_through_the_sessions_is_readable_and_says_nothing_of_where_it_ran():
    saved = nbformat.read(NOTEBOOKS / "05_sessions_and_state.ipynb", as_version=4)
    assert len(saved.cells) <= 15
    outputs = json.dumps([cell.outputs for cell in saved.cells if cell.cell_type == "code"], ensure_ascii=False)
    assert "wf-still" in outputs
    assert "widget" not in json.dumps(saved)
    assert not re.search(r"/(?:tmp|home|root|work|Users)/", outputs)


@pytest.mark.usefixtures("local_model")
def test_your_own_agents_are_asked_once_and_what_is_not_installed_is_said(tmp_path):
    done = "SELECT count(*) FROM event_log WHERE event = 'StepCompleted' AND data->>'kind' = 'request' AND data->>'hit' = ?"
    first = Executed("06_your_own_agents", tmp_path)
    assert "error" not in {output.output_type for cell in first.notebook.cells for output in cell.get("outputs", [])}
    runs = first.query("SELECT workflow, status FROM runs WHERE workflow NOT IN ('Graph', 'Chain', 'Agno') ORDER BY started_at")
    assert runs == [(name, "completed") for name in ("Guide", "Guide", "Shelf", "Both")]
    assert "nothing-of-the-kind** is not here" in first.outputs
    assert "DUCKS ARE BIRDS" in first.outputs
    for package in ("langgraph", "langchain-core", "agno"):
        said = re.search(rf"{package}[a-z ]* is not installed here", first.outputs)
        assert (said is None) == (find_spec(package.replace("-", "_")) is not None), package
    asked = first.query(done.replace("?", "'false'"))
    assert asked[0][0] >= 2

    second = Executed("06_your_own_agents", tmp_path)
    assert second.query(done.replace("?", "'false'")) == asked, "all comes from the store that the first run filled"
    assert second.query(done.replace("?", "'true'"))[0][0] >= 3


def test_what_is_saved_of_the_walk_through_your_own_agents_is_readable_and_says_nothing_of_where_it_ran():
    saved = nbformat.read(NOTEBOOKS / "06_your_own_agents.ipynb", as_version=4)
    assert len(saved.cells) <= 15
    outputs = json.dumps([cell.outputs for cell in saved.cells if cell.cell_type == "code"], ensure_ascii=False)
    assert outputs.count("wf-record") == 6
    assert len(re.findall(r"\d of \d from the store, which saved", outputs)) == 4, (
        "the agent (twice: HTML), the graph and the chain"
    )
    assert "widget" not in json.dumps(saved)
    assert not re.search(r"/(?:tmp|home|root|work|Users)/", outputs)


@pytest.mark.usefixtures("local_model")
def test_a_notebook_is_a_program_and_what_was_asked_in_it_is_not_asked_again_outside(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))  # where wf is
    name = "07_from_notebook_to_program"
    shutil.copy(NOTEBOOKS / f"{name}.ipynb", tmp_path)
    for _ in range(2):
        walk = Executed(name, tmp_path)
        assert "error" not in {output.output_type for cell in walk.notebook.cells for output in cell.get("outputs", [])}
        asked = (
            "SELECT count(*) FROM event_log"
            " WHERE event = 'StepCompleted' AND data->>'kind' = 'request' AND data->>'hit' = 'false'"
        )
        assert walk.query(asked) == [(2,)], "one package here, one from the shell; all else is from the store"
        assert walk.query("SELECT DISTINCT session_id, status FROM runs") == [("brief", "completed")]
        assert "none differ" in walk.outputs
        assert "3 imports of build/haiku.py changed" in walk.outputs
        assert "from wf_notebook import Agent\n" in (tmp_path / "build" / "haiku.py").read_text(encoding="utf-8")


def test_what_is_saved_of_the_walk_from_notebook_to_program_says_nothing_of_where_it_ran():
    saved = nbformat.read(NOTEBOOKS / "07_from_notebook_to_program.ipynb", as_version=4)
    assert len(saved.cells) <= 15
    outputs = json.dumps([cell.outputs for cell in saved.cells if cell.cell_type == "code"], ensure_ascii=False)
    assert "none differ" in outputs
    assert "widget" not in json.dumps(saved)
    assert not re.search(r"/(?:tmp|home|root|work|Users)/", outputs)


@pytest.mark.usefixtures("local_model")
def test_a_sweep_asks_two_prompts_about_each_package_compares_them_and_asks_nothing_again(tmp_path):
    shutil.copytree(NOTEBOOKS / "data", tmp_path / "data")
    sweep = Executed("08_sweep", tmp_path, rows=3)
    assert "error" not in {output.output_type for cell in sweep.notebook.cells for output in cell.get("outputs", [])}
    # One to try it, and each of three packages by both prompts; the same sweep again asks nothing.
    asked = "SELECT count(*) FROM event_log WHERE event = 'StepCompleted' AND data->>'kind' = 'request' AND data->>'hit' = ?"
    assert sweep.query(asked.replace("?", "'false'")) == [(7,)]
    runs = "SELECT status, count(*), count(DISTINCT session_id) FROM runs WHERE session_id {} '%/' GROUP BY ALL"
    assert sweep.query(runs.format("NOT LIKE")) == [("completed", 7, 7)]
    assert sweep.query(runs.format("LIKE")) == [("completed", 2, 1)]  # the two sweeps themselves
    assert "6 of 6 rows, 6 from the store" in sweep.outputs
    assert "image/png" in sweep.outputs


def test_what_is_saved_of_the_sweep_is_of_all_200_packages_and_says_nothing_of_where_it_ran():
    packages = pd.read_csv(NOTEBOOKS / "data" / "packages.csv")
    assert packages["package"].is_unique
    assert (len(packages), packages["description"].str.len().max() <= 400) == (200, True)
    saved = nbformat.read(NOTEBOOKS / "08_sweep.ipynb", as_version=4)
    assert len(saved.cells) <= 15
    outputs = json.dumps([cell.outputs for cell in saved.cells if cell.cell_type == "code"], ensure_ascii=False)
    assert "400 of 400 rows, 400 from the store" in outputs
    assert "image/png" in outputs
    assert "widget" not in json.dumps(saved)
    assert not re.search(r"/(?:tmp|home|root|work|Users)/", outputs)
