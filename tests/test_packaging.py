"""The package as others get it: what is in wheel and sdist, and the wheel at work in an environment that has nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import wf_notebook

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("heavy")]

PACKAGE = Path(wf_notebook.__file__).parent
REPOSITORY = PACKAGE.parent

#: pip finds its settings and its cache in the developer's home, which tests do not see otherwise.
ENVIRONMENT = dict(os.environ)

#: What a user types: the extension is loaded, a workflow without a model runs and is kept.
SESSION = '''
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
for cell in (
    "%load_ext wf_notebook",
    "from wf_notebook import RunResponse, Workflow",
    """%%workflow greeting name="Ada"
class Greeting(Workflow):
    def run(self, name):
        self.session_state["greeted"] = [*self.session_state.get("greeted", []), name]
        yield RunResponse(f"Hello, {name}!")
""",
    "assert greeting.session_state == {'greeted': ['Ada']}",
):
    shell.run_cell(cell).raise_error()
'''


def run(*command: object, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Return what a command says; one that fails fails the test, with all that it said."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, REPOSITORY, cwd=folder)
    return folder


def test_the_wheel_holds_the_package_and_nothing_else(built: Path):
    (wheel,) = built.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert names == {path.relative_to(REPOSITORY).as_posix() for path in files}
    assert {Path(name).suffix for name in names} == {".py", ".js", ".css", ".typed"}


def test_the_sdist_holds_what_builds_and_tests_the_package_and_no_junk(built: Path):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {Path(*Path(member.name).parts[1:]) for member in archive.getmembers()}
    assert {path.name for path in names if len(path.parts) == 1} == {
        *("pyproject.toml", "PKG-INFO", "LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "conftest.py"),
        ".gitignore",
    }
    assert {path.parts[0] for path in names if len(path.parts) > 1} == {
        *("wf_notebook", "tests", "tools", "benchmarks", "docs", "notebooks"),
    }
    assert not [path for path in names if {"__pycache__", ".workflows", ".ipynb_checkpoints"} & {*path.parts}]


def test_the_wheel_works_in_an_environment_that_has_nothing_else(built: Path, tmp_path: Path):
    venv.create(tmp_path / "empty", with_pip=True)
    python = tmp_path / "empty" / "bin" / "python"
    (wheel,) = built.glob("*.whl")
    pip = (python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--quiet")
    run(*pip, wheel, cwd=tmp_path, env=ENVIRONMENT)
    assert "Hello, Ada!" in run(python, "-W", "error", "-c", SESSION, cwd=tmp_path)
    assert run(tmp_path / "empty" / "bin" / "wf", "--help", cwd=tmp_path).startswith("Usage: wf")
    assert (tmp_path / ".workflows" / "workflows.duckdb").exists()
