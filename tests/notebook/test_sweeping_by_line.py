"""`%workflow NAME --map DATA` and `%%workflow NAME --map DATA`: what is mapped over, how, and what it gives."""

from __future__ import annotations

import pytest

from wf_notebook.errors import BadArguments, BadRows

CELL = """\
%%workflow twice {}
from wf_notebook import Workflow
class Twice(Workflow):
    def run(self, n: int, sign: str = ""):
        if n == 3:
            raise ValueError("not three")
        return f"{{2 * n}}{{sign}}"
"""


@pytest.fixture
def twice(cells):
    """Return a way to run cells, in a shell that has a workflow and data."""
    cells.good(CELL.format("--no-run"))
    cells.good("import pandas as pd\ndf = pd.DataFrame({'n': [1, 2, 5], 'label': list('abc')})\nrows = [1, 3]")
    return cells


def test_a_line_maps_a_workflow_over_a_dataframe_and_gives_the_sweep(twice):
    sweep = twice.good("%workflow twice --map df sign='!'")
    assert [row.content for row in sweep.rows] == ["2!", "4!", "10!"]
    assert {row.session_id.partition("/")[0] for row in sweep.rows} == {"twice"}
    assert "Twice · sweep twice · ✓ completed · 3 of 3 rows" in twice.text
    assert twice.good("_.df()[['label', 'content']].values.tolist()") == [["a", "2!"], ["b", "4!"], ["c", "10!"]]


def test_a_cell_maps_what_it_defines(cells):
    cells.good("rows = [1, 2]")
    sweep = cells.good(CELL.format("--map rows"))
    assert [row.content for row in sweep.rows] == ["2", "4"]


@pytest.mark.parametrize(
    ("data", "contents"),
    [
        ('"df[df.n > 3]"', ["10"]),
        ("df[df.n>3]", ["10"]),
        ("df[df.n > 3]", ["10"]),
        ("df[df['label'] == 'c']", ["10"]),
        ("df.query('n > 3')", ["10"]),
        ("[4]", ["8"]),
        ("['4', '5']", ["8", "10"]),
        ("[{'n': 4}, {'n': 5}]", ["8", "10"]),
        ("\"[{'n': 4}, {'n': 5}]\"", ["8", "10"]),
        ("rows.csv", ["14"]),
        ("'my rows.csv'", ["14"]),
        ("{folder}/rows.csv", ["14"]),
        ("=rows", ["2", None]),
    ],
)
def test_data_is_an_expression_or_the_path_of_a_file(twice, working_directory, data, contents):
    for name in ("rows.csv", "my rows.csv"):
        (working_directory / name).write_text("n\n7\n")
    twice.good(f"folder = {str(working_directory)!r}")
    sweep = twice.good(f"%workflow twice --map {data}".replace(" =", "="))
    assert [row.content for row in sweep.rows] == contents


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("--map dg", BadArguments, "--map dg has no value: name 'dg' is not defined; write a variable, or the path of a file"),
        ("--map gone.csv", BadRows, "there is no file 'gone.csv'"),
        ("--map gone/rows.csv", BadRows, "there is no file 'gone/rows.csv'"),
        ("--map 'two words'", BadRows, "'two words' is no file of rows"),
        ("--map df --limit many", BadArguments, "--limit 'many' is no whole number; write --limit 8"),
        ("--map df --timeout soon", BadArguments, "--timeout 'soon' is no number; write --timeout 1.5"),
        ("--limit 8", BadArguments, "--limit is for the rows of --map; write --map DATA with it"),
        ("--map df --reset", BadArguments, "--reset is for one session"),
        ("--map df size=3", BadRows, "map() knows no size="),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_runs(twice, line, kind, said):
    error = twice.bad(f"%workflow twice {line}")
    assert type(error) is kind
    assert said in str(error)


def test_what_is_not_run_is_told_with_its_rows(twice):
    twice.good("%workflow twice --map df[df.n > 3] --no-run")
    assert twice.text == "twice is defined\nrun it: %workflow twice --map df[df.n > 3]"
    twice.good(CELL.format("--map 'rows or df' --no-run"))
    assert twice.text == 'twice is defined\nrun it: %workflow twice --map "rows or df"'


def test_options_say_how_rows_are_done(twice):
    sweep = twice.good("%workflow twice --map rows --limit 1 --timeout 5 -s trial -o kept")
    assert [row.session_id.partition("/")[0] for row in sweep.rows] == ["trial", "trial"]
    assert twice.shell.user_ns["kept"] is sweep
    assert twice.good("%workflow twice --map rows -q").progress.hits == 1
    assert twice.displayed == []
    assert twice.good("%workflow twice --map rows --fresh").progress.hits == 0
    assert twice.good("%workflow twice --map rows --cache off").progress.hits == 0


def test_in_the_background_the_cell_does_not_wait(twice):
    twice.good("from threading import Event\ngate = Event()\n" + CELL.format("").partition("\n")[2].replace(
        "if n == 3", "gate.wait(30)\n        if n == 3").replace("{{", "{").replace("}}", "}"))  # fmt: skip
    sweep = twice.good("%workflow twice --map rows --background")
    assert sweep.status == "running"
    assert twice.text.startswith("Twice · sweep twice · ● running · 0 of 2 rows")
    twice.shell.user_ns["gate"].set()
    assert [row.status for row in sweep.result()] == ["completed", "failed"]


def test_data_is_completed_by_what_can_be_mapped(twice):
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter():
        found = [each.text for each in twice.shell.Completer.completions("%workflow twice --map ", 22)]
    assert found == ["df", "rows"]


def test_the_list_of_sessions_has_a_line_for_all_rows_unless_they_are_asked_for(twice):
    twice.good("%workflow twice -s trial --map rows -q")
    assert twice.good("%wf sessions")["session_id"] == ["trial/"]
    assert twice.good("%wf sessions")["rows"] == ["2: 1 completed, 1 failed"]
    assert len(twice.good("%wf sessions trial/")) == len(twice.good("%wf sessions --all")) == 2
