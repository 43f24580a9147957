"""%wf again and %wf compare: the same in a cell, and `wf compare` in a terminal."""

from __future__ import annotations

import json

import nbformat
import pytest
from click.testing import CliRunner

from wf_notebook.cli import main
from wf_notebook.errors import BadArguments

CELL = """%%workflow blog topic="cheese"
from wf_notebook import Agent, step
from wf_notebook.testing import scripted
writer = Agent(scripted("old cheese", "plain cheese", "other cheese"), instructions="Be poetic.")
def run(self, topic):
    yield self.writer.run(topic)
"""


@pytest.fixture
def blog(shell):
    shell.run_cell("%load_ext wf_notebook").raise_error()
    shell.run_cell(CELL).raise_error()
    return lambda line: shell.run_cell(line).result


def test_a_call_of_the_last_run_is_made_once_more(blog):
    again = blog('%wf again writer instructions="Be plain."')
    assert (again.old, again.new, list(again.changed)) == ("old cheese", "plain cheese", ["instructions"])
    assert blog("%wf again writer nth=1 kind='request' temperature=0").new == "other cheese"


def test_a_workflow_is_compared_with_its_recorded_runs(blog):
    assert blog("%wf compare blog --last 50").summary == "1 compared, 0 changed; 1 of 1 steps from the store"
    blog("blog.writer.instructions = 'Be plain.'")
    blog("inputs = [{'topic': 'cheese'}]")
    compared = blog("%wf compare blog --over inputs --score len")
    assert [(row.outcome, row.scores["score"]) for row in compared] == [("~ changed", (10, 12))]
    blog("other = scripted('cheese of another')")
    assert blog("%wf compare blog --model other")[0].texts[1] == "cheese of another"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("again", "write the name of a step"),
        ("again writer -s other", "no workflow of this notebook ran in session 'other'"),
        ("compare", "write the name of a workflow: %wf compare blog --last 50"),
        ("compare blog --last many", "write %wf compare NAME --last 50"),
        ("compare blog --score zzz", "--score zzz is no variable or expression here"),
    ],
)
@pytest.mark.usefixtures("blog")
def test_what_cannot_be_done_is_said_with_a_remedy(shell, line, said):
    error = shell.run_cell(f"%wf {line}").error_in_exec
    assert isinstance(error, BadArguments)
    assert said in str(error)


def test_a_terminal_compares_a_workflow_of_a_notebook(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    cell = '%%workflow digest\ndef run(self, text: str):\n    yield " ".join(text.split()[:{}])'
    for words, line in ((2, 'run report.ipynb digest text="one two three"'), (3, "compare report.ipynb digest --json")):
        cells = [nbformat.v4.new_code_cell(each) for each in ("%load_ext wf_notebook", cell.format(words))]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), "report.ipynb")
        done = CliRunner().invoke(main, line)
        assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)
    assert (row["text"], row["old"], row["new"], row["changed"]) == ("one two three", "one two", "one two three", True)
    assert "[-two-]" not in CliRunner().invoke(main, "compare report.ipynb digest").stdout
