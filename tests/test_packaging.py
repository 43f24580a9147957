"""The package as others get it: what is in wheel and sdist, and the wheel at work in an environment that has nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.metadata import Metadata

import wf_notebook

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("heavy")]

PACKAGE = Path(wf_notebook.__file__).parent
REPOSITORY = PACKAGE.parent

#: uv and pip find their settings and their cache in the developer's home, which tests do not see otherwise.
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
    "print(repr(greeting.inspect()))",
    "%wf form greeting",
    "%wf runs",
):
    shell.run_cell(cell).raise_error()
'''

#: All modules are imported; then what needs an extra says which.
WITHOUT_EXTRAS = """
import concurrent.futures, importlib, pathlib, pkgutil, wf_notebook
from wf_notebook.errors import WorkflowError

for module in pkgutil.walk_packages(wf_notebook.__path__, "wf_notebook."):
    if not module.name.endswith(".__main__"):
        importlib.import_module(module.name)
pathlib.Path("model.gguf").write_bytes(b"GGUF")
class Row(wf_notebook.Workflow):
    def run(self, n): return f"{n}"
for need in (
    lambda: wf_notebook.Agent().run("Hello"),
    lambda: wf_notebook.Agent("openai:gpt-5.2").run("Hello"),
    lambda: wf_notebook.Agent("local:model.gguf").run("Hello"),
    lambda: wf_notebook.open_storage("memory:").sessions().df(),
    lambda: wf_notebook.open_storage("memory:").sessions().pl(),
    lambda: wf_notebook.open_storage("postgresql://db/team"),
    lambda: Row().map([1], executor=concurrent.futures.ProcessPoolExecutor(1)),
):
    try:
        need()
    except WorkflowError as error:
        print(error)
"""


def run(*command: object, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Return what a command says; one that fails fails the test, with all that it said."""
    alone = {name: value for name, value in (env or os.environ).items() if name != "PYTHONPATH"}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=alone, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, REPOSITORY, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def bare(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of programs of an environment that has the wheel with what it needs, and none of its extras."""
    folder = tmp_path_factory.mktemp("bare")
    (wheel,) = built.glob("*.whl")
    uv = (sys.executable, "-m", "uv")
    run(*uv, "venv", "--python", sys.executable, folder / "made", cwd=folder, env=ENVIRONMENT)
    run(*uv, "pip", "install", "--python", folder / "made" / "bin" / "python", wheel, cwd=folder, env=ENVIRONMENT)
    return folder / "made" / "bin"


def files(*parts: str) -> set[str]:
    """Return the files that are there below some parts of the repository, but for what programs leave."""
    left = {"__pycache__", ".workflows", ".ipynb_checkpoints", ".pytest_cache", ".ruff_cache", ".mypy_cache"}
    found = [path for part in parts for path in (REPOSITORY / part).rglob("*") if path.is_file()]
    return {path.relative_to(REPOSITORY).as_posix() for path in found if not left & {*path.parts}}


def test_the_wheel_holds_the_package_and_nothing_else(built: Path):
    (wheel,) = built.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == files("wf_notebook")
    assert {Path(name).suffix for name in names} == {".py", ".js", ".css", ".typed"}


def test_the_wheel_is_pure_python_and_says_what_it_is_and_needs(built: Path):
    (path,) = built.glob("*.whl")
    assert path.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(path) as wheel:
        inside = {Path(name).name: name for name in wheel.namelist() if ".dist-info/" in name}
        assert {*inside} == {"METADATA", "WHEEL", "entry_points.txt", "LICENSE", "RECORD"}
        assert "Root-Is-Purelib: true" in wheel.read(inside["WHEEL"]).decode()
        assert "wf = wf_notebook.cli:main" in wheel.read(inside["entry_points.txt"]).decode()
        said = Metadata.from_email(wheel.read(inside["METADATA"]), validate=True)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert (said.name, str(said.version), said.summary) == ("wf-notebook", wf_notebook.__version__, project["description"])
    assert (said.license_expression, str(said.requires_python)) == (project["license"], project["requires-python"])
    assert (said.description_content_type, said.description) == ("text/markdown", (REPOSITORY / "README.md").read_text("utf-8"))
    assert {*said.provides_extra} == {*project["optional-dependencies"]}
    required = {requirement.name for requirement in said.requires_dist if requirement.marker is None}
    assert required == {name.partition(">")[0] for name in project["dependencies"]}


def test_the_sdist_holds_what_builds_and_tests_the_package_and_no_junk(built: Path):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {Path(*Path(member.name).parts[1:]) for member in archive.getmembers()}
    assert {path.name for path in names if len(path.parts) == 1} == {
        *("pyproject.toml", "PKG-INFO", "LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "conftest.py"),
        ".gitignore",
    }
    assert {path.as_posix() for path in names if len(path.parts) > 1} == {
        *files("wf_notebook", "tests", "tools", "benchmarks", "docs", "binder", "notebooks/data"),
        *(name for name in files("notebooks") if name.endswith(".ipynb")),
    }


def test_the_wheel_works_in_an_environment_that_has_nothing_else(bare: Path, tmp_path: Path):
    said = run(bare / "python", "-W", "error", "-c", SESSION, cwd=tmp_path)
    assert "Hello, Ada!" in said
    assert "greeted: list · 1 item" in said
    assert run(bare / "wf", "--help", cwd=tmp_path).startswith("Usage: wf")
    assert (tmp_path / ".workflows" / "workflows.duckdb").exists()


def test_without_the_extras_all_of_it_can_be_imported_and_what_needs_one_names_it(bare: Path, tmp_path: Path):
    lines = run(bare / "python", "-W", "error", "-c", WITHOUT_EXTRAS, cwd=tmp_path).splitlines()
    for line, remedy in zip(
        lines,
        ("[local]", "[openai]", "[local]", "install pandas", "install polars", "install 'psycopg[binary]'", "[dask]"),
        strict=True,
    ):
        assert remedy in line


def test_pip_takes_the_wheel(built: Path, tmp_path: Path):
    (wheel,) = built.glob("*.whl")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
    run(*pip, "--no-deps", "--no-compile", "--target", tmp_path / "here", wheel, cwd=tmp_path, env=ENVIRONMENT)
    assert (tmp_path / "here" / "wf_notebook" / "py.typed").exists()
