"""`wf rerun`: a notebook run again, in a kernel of its own."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.slow


def write(*cells):
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), "report.ipynb")


def test_it_tells_of_each_cell_writes_what_changed_and_checks(wf):
    write("n = 1", "n + 1")
    assert json.loads(Path("report.ipynb").read_text(encoding="utf-8"))["cells"][1]["outputs"] == []
    done = wf("rerun report.ipynb")
    first, second, summary = done.stdout.splitlines()
    assert done.exit_code == 0
    assert first.startswith("✓ 1/2  n = 1")
    assert second.startswith("✓ 2/2  n + 1")
    assert summary.startswith("2 cells run in ")
    assert "1 changed, written" in summary
    checked = wf("rerun report.ipynb --check --json")
    assert (checked.exit_code, json.loads(checked.stdout)["written"]) == (0, False)


def test_a_check_that_fails_says_where_and_a_cell_that_fails_shows_why(wf):
    write("1 + 1", "1 / 0")
    done = wf("rerun report.ipynb")
    assert done.exit_code == 1
    assert "ZeroDivisionError" in done.stderr
    assert "\x1b" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: cell 2 of 2, 1 / 0: ")
    write("1 + 1")
    done = wf("rerun report.ipynb --check --json")
    *_, error = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert (done.exit_code, error["kind"]) == (1, "OutputsDiffer")
    assert json.loads(done.stdout)["differences"]


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("none.ipynb", 1, "there is no notebook 'none.ipynb'; did you mean 'one.ipynb'?"),
        ("one.ipynb --fresh --check", 2, "--fresh asks for every step again, and --check asks no model; write one of them"),
    ],
)
def test_what_cannot_be_run_is_said_in_a_line(wf, line, code, said):
    write("1")
    Path("report.ipynb").rename("one.ipynb")
    done = wf(f"rerun {line}")
    assert (done.exit_code, done.stdout, done.stderr) == (code, "", f"Error: {said}\n")
