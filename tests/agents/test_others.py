"""Agents of agno, runnables of LangChain and graphs of LangGraph are asked as our own are: with the real packages."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECKS = Path(__file__).with_name("others") / "checks.py"
#: What they need, and the little that is needed of ours: `wf_notebook` itself is found in its source.
PACKAGES = ("agno~=3.1", "openai>=2", "langchain-core~=1.8", "langgraph~=1.2", "platformdirs")
#: Each check is a function whose name is a sentence.
SENTENCES = [
    node.name
    for node in ast.parse(CHECKS.read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef) and not node.args.args and node.name.count("_") > 2
]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("others"), pytest.mark.timeout(400)]


def environment() -> dict[str, str]:
    """Return the variables with which our own source is found, and nobody is told of what is asked."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "AGNO_TELEMETRY": "false"}


@pytest.fixture(scope="module")
def python() -> Path:
    """Return the Python of an environment that has the packages of others; it is made once, in build/."""
    place = ROOT / "build" / "others"
    stamp, wanted = place / "installed", "\n".join([sys.version, *PACKAGES])
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", "--clear", "--python", sys.executable, place], check=True)
        subprocess.run([*uv, "pip", "install", "--python", place / "bin" / "python", *PACKAGES], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return place / "bin" / "python"


@pytest.fixture(scope="module")
def found(python, tmp_path_factory) -> dict[str, str | None]:
    """Return what each check found wrong, None for nothing: all of them are made in one process."""
    folder = tmp_path_factory.mktemp("others")
    page = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
    shown = re.findall(r"^<!-- needs the packages -->\n```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (folder / "shown.py").write_text("\n".join(shown), encoding="utf-8")

    def run(*chosen: str) -> dict[str, str | None]:
        command = [python, CHECKS, json.dumps(chosen)]
        done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads((folder / "found.json").read_text(encoding="utf-8"))

    return {**run(*SENTENCES), "again": run(AGAIN)[AGAIN]}


#: What is checked once more, in another process that finds the store of the first.
AGAIN = "a_process_finds_what_one_before_it_did"


@pytest.mark.parametrize("sentence", [*SENTENCES, "again"])
def test_with_the_real_packages(found, sentence):
    assert found[sentence] is None, found[sentence]
