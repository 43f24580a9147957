"""Notebooks with workflows run under papermill and nbmake, as they do by hand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

pytestmark = pytest.mark.slow

SOURCES = (
    "topic = 'wine'",
    "%load_ext wf_notebook\nfrom wf_notebook import Agent, Workflow\nfrom wf_notebook.testing import scripted",
    """%%workflow blog topic=topic.upper()
class Blog(Workflow):
    writer = Agent(scripted("An answer."), name="writer")

    def run(self, topic):
        yield f"On {topic}: "
        yield self.writer.run(f"Write about {topic}.", stream=True)
""",
)


#: The commands of the page, in their order.
PAGE = (Path(__file__).parent.parent.parent / "docs" / "rerun.md").read_text(encoding="utf-8")
FILL, AGAIN, TEST = re.findall(r"^(?:\w+=\S+ )+(?:papermill|pytest) .*$", PAGE, re.MULTILINE)


def run(command, folder):
    """Run a command as a terminal does that has this environment; return its exit code and what it said."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONWARNINGS": ""}
    done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def answers(path):
    """Return what the last cell of a notebook shows, and what lies in its metadata."""
    (output,) = nbformat.read(path, as_version=4).cells[-1].outputs
    return output.data, output.metadata["wf_notebook"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a notebook, and what papermill made of it with another parameter, in a session of its own."""
    folder = tmp_path_factory.mktemp("runners")
    (folder / ".workflows").mkdir()
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in SOURCES])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made.cells[0].metadata.tags = ["parameters"]
    nbformat.write(made, folder / "walk.ipynb")
    code, said = run(FILL, folder)
    assert code == 0, said
    return folder


def test_papermill_gives_inputs_and_the_environment_the_session_and_the_mode(folder):
    first, about = answers(folder / "cheese.ipynb")
    assert "On CHEESE: An answer." in first["text/plain"]
    assert (about["session_id"], about["hits"]) == ("nightly", 0)

    code, said = run(AGAIN, folder)
    assert code == 0, said
    again, about = answers(folder / "again.ipynb")
    assert again == first
    assert about["hits"] == about["steps"] == 1


def test_nbmake_tests_notebooks_and_no_model_is_asked(folder):
    code, said = run(f"{TEST} walk.ipynb", folder)
    assert code == 1, said
    assert "1 failed, 1 passed" in said
    assert "FAILED walk.ipynb::walk.ipynb - at line 7 of the cell" in said
    changed = "`message` 'Write about CHEESE.' → 'Write about WINE.'"
    assert f"CacheMiss: agent 'writer' is not remembered: {changed}; run it once without WF_CACHE=only!" in said


def test_the_workflow_for_ci_can_be_read_and_checks_the_notebook():
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    steps = yaml.safe_load(block)["jobs"]["check"]["steps"]
    assert steps[-1] == {"run": "wf rerun walk.ipynb --check"}
    assert {*steps[2]["run"].split()[2:]} == {'"wf-notebook[lab]"', "-r", "requirements.txt"}
