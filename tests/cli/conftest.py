"""A store with a session in it, and a command on a line as a shell has it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from wf_notebook import RunResponse, Workflow, step
from wf_notebook.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result


@step
def draft(topic):
    return topic.upper()


class Blog(Workflow):
    def run(self, topic):
        self.session_state.setdefault("posts", []).append({"title": draft(topic)})
        yield RunResponse(f"On {topic}.")


@pytest.fixture
def store(monkeypatch, working_directory) -> str:
    """Return the address of a store with two runs of session "demo", the second of which was asked to do its step again."""
    url = f"duckdb:///{working_directory / 'runs.duckdb'}"
    monkeypatch.setenv("WF_STORAGE", url)
    Blog(session_id="demo", storage=url, cache="use").run(topic="cheese").result()
    Blog(session_id="demo", storage=url, cache="refresh").run(topic="cheese").result()
    return url


@pytest.fixture
def wf() -> Callable[..., Result]:
    """Return what does a line as the command does it, in this process."""

    def do(line: str, **more) -> Result:
        return CliRunner().invoke(main, shlex.split(line), **more)

    return do


@pytest.fixture
def process() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return what runs a line of a real shell, in which `wf` is the command."""

    def run(line: str, **more) -> subprocess.CompletedProcess[str]:
        python = shlex.quote(sys.executable)
        script = f'wf() {{ {python} -m wf_notebook "$@"; }}\n{line}'
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60, **more)

    return run
