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
    compared = blog("%wf compare blog --over inputs --score len --limit 1")
    assert [(row.outcome, row.scores["score"]) for row in compared] == [("~ changed", (10, 12))]
    blog("other = scripted('cheese of another')")
    assert blog("%wf compare blog --model other")[0].texts[1] == "cheese of another"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("again", "write the name of a step"),
        ("again writer -s other", "no workflow of this notebook ran in session 'other'"),
        ("compare", "write the name of a workflow: %wf compare blog --last 50"),
        ("compare blog --last many", "'many' is no whole number; write %wf compare NAME --last 50"),
        ("compare blog --limit few", "'few' is no whole number; write %wf compare NAME --limit 8"),
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


SCORING = """
def words(text):
    return len(text.split())

nothing = 3
"""


@pytest.fixture
def report(monkeypatch, tmp_path):
    """Return what runs a line of `wf` beside a notebook whose workflow ran twice, and is another one now."""
    monkeypatch.chdir(tmp_path)
    cell = "%%workflow digest\ndef run(self, text: str, most: int = {0}):\n    yield ' '.join(text.split()[: most])"

    def written(most: int) -> None:
        sources = ("%load_ext wf_notebook", SCORING, cell.format(most))
        cells = [nbformat.v4.new_code_cell(each) for each in sources]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), "report.ipynb")

    wf = lambda line: CliRunner().invoke(main, line)
    written(2)
    for text in ("one two three", "four five six"):
        assert wf(f"run report.ipynb digest text='{text}'").exit_code == 0
    written(3)
    return wf


def test_a_terminal_scores_by_functions_of_the_notebook_over_the_rows_of_a_file(report, tmp_path):
    (row, _) = json.loads(report("compare report.ipynb digest --score words --score len --json").stdout)
    assert (row["old_words"], row["new_words"], row["new_len"]) == (2, 3, 13)
    (tmp_path / "rows.csv").write_text("text,most,answer\none two three,1,one\nseven,1,seven\n")
    rows = json.loads(report("compare report.ipynb digest --over rows.csv --score words --limit 1 --json").stdout)
    assert [(row["text"], row["answer"], row["new"], row["new_score"]) for row in rows] == [
        ("one two three", "one", "one", 1),
        ("seven", "seven", "seven", 1),
    ]


WRONG = {
    "--score wrds": (2, "report.ipynb has no function 'wrds' to score by; define a function in a cell: def wrds(text): …"),
    "--score nothing": (2, "'nothing' of report.ipynb is of type 'int', and nothing to score by; define a function in a cell"),
    "--score words(1)": (2, "--score 'words(1)' is no name; define a function in a cell of report.ipynb"),
    "--over rows.csv": (2, "--over: there is no file 'rows.csv'; give the path of a .csv"),
    "--over rows.csv --last 3": (2, "--over gives the inputs, and --last takes those of recorded runs; write one of them"),
    "--limit 0": (2, "invalid value for '--limit'"),
    "--last many": (2, "invalid value for '--last'"),
    "--model nope": (1, "has no agent"),
}


def test_the_only_workflow_of_a_notebook_need_not_be_named(report):
    assert report("compare report.ipynb").stdout == report("compare report.ipynb digest").stdout
    cells = [nbformat.v4.new_code_cell(f"%%workflow {name}\ndef run(self): ...") for name in ("one", "two")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), "two.ipynb")
    said = "which workflow of 'two.ipynb' is not said, and it has 'one', 'two'; name one: wf compare two.ipynb one"
    assert report("compare two.ipynb").stderr == f"Error: {said}\n"
    assert report("compare two.ipynb one").stderr.endswith("run it first, or give the inputs: --over FILE\n")


def test_what_a_terminal_cannot_compare_is_said_by_its_exit_code_too(report, tmp_path):
    for line, (code, said) in WRONG.items():
        done = report(f"compare report.ipynb digest {line}")
        assert (done.exit_code, done.stdout, said in done.stderr) == (code, "", True), done.stderr
    text = (tmp_path / "report.ipynb").read_text()
    (tmp_path / "report.ipynb").write_text(text.replace("text.split()[", "text.splitt()["))
    done = report("compare report.ipynb digest")
    assert (done.exit_code, "2 failed" in done.stdout) == (1, True)
    assert report("run report.ipynb digest text='one two three'").exit_code == 1
    done = report("compare report.ipynb digest --last 1")
    assert (done.exit_code, "1 compared, 0 changed, 1 failed as before" in done.stdout) == (0, True)
