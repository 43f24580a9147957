"""docs/cli.md and the examples in --help: each line is run, one after the other."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import nbformat
import pytest

from wf_notebook.agents.files import SMOLLM2
from wf_notebook.cli import main
from wf_notebook.cli.failing import FAILED, INTERRUPTED, USAGE

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
DIGEST = '''%%workflow digest
def run(self, text: str):
    """Shorten a text."""
    yield " ".join(text.split()[:3])'''
#: A line that says with 1 that something is not there: here there is no model, and perhaps no run that goes on.
MAY_FAIL = ("wf doctor", "wf attach", "wf stop")


@pytest.fixture
def folder(monkeypatch, tmp_path_factory):
    """Return nothing; the working directory has what the examples name."""
    models = tmp_path_factory.mktemp("models")
    monkeypatch.setenv("WF_MODELS", str(models))
    with (models / SMOLLM2.path.name).open("wb") as file:
        file.truncate(SMOLLM2.size)
    monkeypatch.setenv("WF_USER", "ann")
    monkeypatch.setenv("WF_MODEL", "openai:gpt-5.2")
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a run takes its place
    for name, text in {
        "notes.txt": "a text of four",
        "texts.csv": "text\none two three four\nfive six\n",
        "query.sql": "SELECT session_id FROM sessions -- all of them",
        "agents.py": "from agno.agent import Agent\n",
    }.items():
        Path(name).write_text(text, encoding="utf-8")
    cells = [nbformat.v4.new_code_cell(each) for each in ("%load_ext wf_notebook", DIGEST)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), "report.ipynb")


def run(wf, line):
    """Do a line of a shell that has no more in it than && and a text that goes in."""
    for each in line.split(" && "):
        before, _, piped = each.rpartition(" | ")
        words, _, file = piped.partition(" < ")
        given = shlex.split(before)[1] if before else Path(file).read_text(encoding="utf-8") if file else None
        done = wf(words.removeprefix("wf "), input=given)
        assert done.exit_code == 0 or line.startswith(MAY_FAIL), (line, done.output)
        assert "Traceback" not in done.output


def commands(command=main, *names):
    for name, each in getattr(command, "commands", {}).items():
        yield (*names, name), each
        yield from commands(each, *names, name)


def lines():
    """Yield the lines of the page, and then the examples in --help that are not on it."""
    page = [line for block in BLOCKS for line in block.splitlines()]
    yield from page
    yield from (each for command in (main, *(one for _, one in commands())) for each in command.examples if each not in page)


@pytest.mark.slow
@pytest.mark.usefixtures("store", "folder")
def test_the_lines_of_the_page_and_the_examples_in_help_run_one_after_the_other(wf):
    for line in lines():
        run(wf, line)


def test_each_command_has_an_example_on_the_page():
    shown = "\n".join(BLOCKS)
    assert [names for names, _ in commands() if f"wf {' '.join(names)}" not in shown] == []


def test_the_exit_codes_of_the_page_are_those_of_the_command():
    assert re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE) == ["0", str(FAILED), str(USAGE), str(INTERRUPTED)]
