"""The settings for linters and formatters in docs/editors.md do what it says, on the notebooks of this repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.xdist_group("site")]

REPOSITORY = Path(__file__).parent.parent
PAGE = (REPOSITORY / "docs" / "editors.md").read_text("utf-8")
(SETTINGS,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)

#: uv finds its cache in the developer's home, which tests do not see otherwise.
ENVIRONMENT = dict(os.environ)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the programs, in an environment of their own."""
    made = tmp_path_factory.mktemp("tools") / "made"
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, made], env=ENVIRONMENT, check=True)
    install = [*uv, "pip", "install", "--python", made / "bin" / "python", "jupytext", "nbqa", "ruff"]
    subprocess.run(install, env=ENVIRONMENT, check=True)
    return made / "bin"


class Project:
    """A folder with the settings, the notebooks, and one notebook of its own."""

    def __init__(self, tools: Path, folder: Path) -> None:
        self.folder, self.path = folder, f"{tools}{os.pathsep}{os.environ['PATH']}"
        for notebook in REPOSITORY.glob("notebooks/*.ipynb"):
            shutil.copy(notebook, folder)

    def settings(self, text: str) -> None:
        (self.folder / "pyproject.toml").write_text(text)

    def run(self, *command: str) -> tuple[int, str]:
        environment = {**os.environ, "PATH": self.path}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def write(self, *cells: str) -> None:
        nbformat.write(
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), self.folder / "own.ipynb"
        )

    def cells(self, name: str) -> list[str]:
        return [cell.source for cell in nbformat.read(self.folder / name, as_version=4).cells]


@pytest.fixture
def project(tools: Path, tmp_path: Path) -> Any:
    """Return a project with the settings of the page."""
    project = Project(tools, tmp_path)
    project.settings(SETTINGS)
    return project


CELL = '%%workflow poet topic="cheese"\nimport os\ndef run(self, topic):\n    yield  "a poem"'


def test_ruff_finds_nothing_in_the_notebooks_and_leaves_workflow_cells_as_they_are(project):
    code, said = project.run("ruff", "check", "--fix", ".")
    assert (code, said) == (0, "All checks passed!\n")
    project.write("from wf_notebook import Workflow\nx  =  1", CELL, "poet.last_run")
    assert project.run("ruff", "check", "--fix", ".")[0] == 0
    assert project.run("ruff", "format", ".")[0] == 0
    assert project.cells("own.ipynb") == ["from wf_notebook import Workflow\n\nx = 1", CELL, "poet.last_run"]


def test_nbqa_looks_into_workflow_cells(project):
    assert project.run("nbqa", "ruff check", "01_quickstart.ipynb") == (0, "All checks passed!\n")
    project.write(CELL, "poet.last_run")
    code, said = project.run("nbqa", "ruff check", "own.ipynb")
    assert code == 1
    assert re.findall(r"\b[A-Z]+\d{3}\b", said) == ["F401"]  # import os
    assert project.run("nbqa", "ruff format", "own.ipynb")[0] == 0
    assert project.cells("own.ipynb")[0] == (
        '%%workflow poet topic="cheese"\nimport os\n\n\ndef run(self, topic):\n    yield "a poem"'
    )


def test_without_the_settings_both_would_complain(project):
    project.settings("[tool.ruff]\n")
    assert {*re.findall(r"\bF\d{3}\b", project.run("ruff", "check", ".")[1])} == {"F401", "F811", "F821"}
    assert {*re.findall(r"\bF\d{3}\b", project.run("nbqa", "ruff check", "01_quickstart.ipynb")[1])} == {"F401", "F821"}


def test_jupytext_gives_back_the_cells_that_it_was_given(project):
    project.write("%load_ext wf_notebook", CELL, "%workflow poet topic='bread'", "%%wf sql\nSELECT 1", "poet.last_run")
    before = project.cells("own.ipynb")
    code, said = project.run("jupytext", "--sync", "own.ipynb")
    assert code == 0, said
    script = project.folder / "own.py"
    assert '# %%workflow poet topic="cheese"\nimport os\n' in script.read_text()
    script.write_text(script.read_text().replace("a poem", "an ode"))
    assert project.run("jupytext", "--sync", "own.py")[0] == 0
    assert project.cells("own.ipynb") == [cell.replace("a poem", "an ode") for cell in before]
