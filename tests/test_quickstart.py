"""The quickstart as a newcomer meets it: `make demo` in a terminal, and the notebook in a real JupyterLab; with a real model."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb
import nbformat
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.model, pytest.mark.timeout(300)]

REPOSITORY = Path(__file__).parent.parent
NOTEBOOK = REPOSITORY / "notebooks" / "01_quickstart.ipynb"


def in_a_terminal(*command: str | Path) -> str:
    """Return all that a program writes to a terminal of 120 columns; one that fails fails the test."""
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "50"}
    with subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=environment) as program:
        os.close(its)
        said = b""
        try:
            while part := os.read(ours, 65536):
                said += part
        except OSError:  # how a Linux terminal says that its program has ended
            pass
    os.close(ours)
    text = said.decode()
    assert program.returncode == 0, text
    return text


class Demo(NamedTuple):
    """Two runs of the demo in one folder: what they wrote to the terminal, and how many runs the store had in between."""

    folder: Path
    first: str
    second: str
    runs: int

    def query(self, sql: str) -> list[tuple]:
        with duckdb.connect(self.folder / ".workflows" / "workflows.duckdb", read_only=True) as store:
            return store.execute(sql).fetchall()


@pytest.fixture(scope="module")
def demo(pulled: Path, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Return the demo, run twice."""
    folder = tmp_path_factory.mktemp("demo")
    command = (sys.executable, REPOSITORY / "tools" / "demo.py", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WF_MODELS", str(pulled))
        first = Demo(folder, in_a_terminal(*command), "", 0)
        (runs,) = first.query("SELECT count(*) FROM runs")
        return first._replace(second=in_a_terminal(*command), runs=runs[0])


def test_the_demo_asks_the_model_once_and_answers_out_of_the_kept_session_from_then_on(demo: Demo):
    runs = demo.query("SELECT status, coalesce(output_tokens, 0) FROM runs ORDER BY started_at")
    assert {status for status, _ in runs} == {"completed"}
    assert sum(tokens for _, tokens in runs[: demo.runs]) > 0
    assert [tokens for _, tokens in runs[demo.runs :]] == [0] * demo.runs
    assert " tokens by local:smollm2" in demo.first
    assert demo.second.count("out of the kept session: no model was called") == demo.runs
    assert " tokens by " not in demo.second.rpartition("what this run did")[2]


def test_the_demo_shows_the_answer_while_it_is_made(demo: Demo):
    before_the_record = demo.first.partition("✓ completed")[0]
    frames = {frame.partition("\x1b")[0] for frame in before_the_record.split("\x1b[36m")[1:]}
    assert len(frames) > 10


def test_the_demo_says_what_it_leaves_and_where(demo: Demo):
    for name in ("01_quickstart.ipynb", "01_quickstart.html", ".workflows/workflows.duckdb"):
        assert (demo.folder / name).exists()
        assert str(demo.folder / name) in demo.second
    for session, key in demo.query("SELECT session_id, key FROM session_state"):
        assert f"│ {session} " in demo.second
        assert f"│ {key} " in demo.second
    assert "make lab" in demo.second


def test_the_executed_notebook_reads_without_a_kernel(demo: Demo):
    notebook = nbformat.read(demo.folder / "01_quickstart.ipynb", as_version=4)
    nbformat.validate(notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output.output_type == "error"] == []
    assert "application/vnd.jupyter.widget-view+json" not in json.dumps(outputs)
    records = [output for output in outputs if "wf_notebook" in output.get("metadata", {})]
    assert records
    assert all({"text/html", "text/plain"} <= {*record.data} for record in records)
    assert "✓ completed" in (demo.folder / "01_quickstart.html").read_text()


@pytest.mark.browser
@pytest.mark.picture
@pytest.mark.usefixtures("pulled")
def test_the_quickstart_runs_in_a_real_jupyterlab(jupyter_lab, page: Page, picture):
    folder = jupyter_lab.root / "quickstart"
    (folder / ".workflows").mkdir(parents=True)
    shutil.copy(NOTEBOOK, folder)
    jupyter_lab.open(page, "quickstart/01_quickstart.ipynb")
    jupyter_lab.run_all(page, timeout=240)
    outputs = page.locator(".jp-OutputArea-output")
    outputs.filter(has_text="✓ completed").first.wait_for()
    page.set_viewport_size({"width": 1000, "height": 960})
    page.keyboard.press("Control+b")  # without the side bar
    outputs.filter(has_text="✓ completed").first.evaluate("output => output.scrollIntoView({block: 'end'})")
    picture("quickstart")
    assert (folder / ".workflows" / "workflows.duckdb").exists()
