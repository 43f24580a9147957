"""binder/ makes an environment in which the notebooks run: here it is made as repo2docker makes it, but for docker."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).parent.parent
BINDER = REPOSITORY / "binder"

#: uv finds its cache in the developer's home, which tests do not see otherwise.
ENVIRONMENT = dict(os.environ)


def run(*command: object, cwd: Path = REPOSITORY, env: Mapping[str, str] | None = None) -> str:
    """Return what a command says; one that fails fails the test, with all that it said."""
    alone = {name: value for name, value in (env or os.environ).items() if name != "PYTHONPATH"}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=alone, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def test_it_asks_for_a_python_and_system_packages_that_will_do():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    (version,) = re.fullmatch(r"python-(3\.\d+)\n", (BINDER / "runtime.txt").read_text("utf-8")).groups()
    assert f"Programming Language :: Python :: {version}" in project["classifiers"]
    needs = runpy.run_path(str(REPOSITORY / "tools" / "system.py"))["NEEDS"]
    assert (BINDER / "apt.txt").read_text("utf-8").split() == [need.package for need in needs if need.marker == "model"]
    assert os.access(BINDER / "postBuild", os.X_OK)
    assert {path.name for path in BINDER.iterdir()} == {"apt.txt", "postBuild", "requirements.txt", "runtime.txt"}


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.timeout(300)
def test_the_quickstart_runs_in_a_clean_environment_made_from_these_files_alone(pulled, tmp_path):
    made = tmp_path / "made"
    run(sys.executable, "-m", "uv", "venv", "--python", sys.executable, made, env=ENVIRONMENT)
    install = (sys.executable, "-m", "uv", "pip", "install", "--python", made / "bin" / "python")
    run(*install, "--requirement", BINDER / "requirements.txt", env=ENVIRONMENT)
    # The model is fetched once for all tests; that it is fetched whole, tests/agents/test_pull.py says.
    environment = {**os.environ, "PATH": f"{made / 'bin'}{os.pathsep}{os.environ['PATH']}", "WF_MODELS": str(pulled)}
    assert "smollm2 is here" in run(BINDER / "postBuild", env=environment)

    folder = tmp_path / "notebooks"
    (folder / ".workflows").mkdir(parents=True)
    shutil.copy(REPOSITORY / "notebooks" / "01_quickstart.ipynb", folder / "quickstart.ipynb")
    run("jupyter", "execute", "--inplace", "quickstart.ipynb", cwd=folder, env=environment)
    outputs = json.dumps([cell.get("outputs") for cell in nbformat.read(folder / "quickstart.ipynb", as_version=4).cells])
    assert "local:smollm2" in outputs
    assert outputs.count("\\u2713 completed") >= 3
    assert '"output_type": "error"' not in outputs
