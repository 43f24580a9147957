"""`wf run NOTEBOOK NAME --map FILE`: a run for each row of a file, without a kernel."""

from __future__ import annotations

import csv
import json
import sys
import time
from pathlib import Path

import duckdb
import nbformat
import pytest

from wf_notebook import open_storage

CELLS = (
    """%%workflow digest --map "[{'text': 'never read'}]" --limit 2
def run(self, text: str, words: int = 2):
    print("printed")
    if text == "bad":
        raise ValueError("a bad text")
    yield " ".join(text.split()[:words])""",
    """%%workflow stopped
def run(self, n: int):
    if n == 2:
        import os, signal
        os.kill(os.getpid(), signal.SIGINT)
    return str(n)""",
    """%%workflow held
def run(self, n: int):
    import os, signal, threading
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait(60)
    return str(n)""",
)


@pytest.fixture(autouse=True)
def notebook(working_directory, monkeypatch):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbformat.write(made, "report.ipynb")
    Path("texts.csv").write_text("text,label\none two three,a\nfour five six,b\n", encoding="utf-8")
    Path("bad.csv").write_text("text\ngood\nbad\n", encoding="utf-8")
    Path("numbers.csv").write_text("n\n" + "\n".join(map(str, range(5))) + "\n", encoding="utf-8")
    monkeypatch.setenv("WF_STORAGE", f"duckdb:///{working_directory / 'runs.duckdb'}")
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a run takes its place


def test_the_rows_go_to_stdout_as_a_table_and_the_rest_to_stderr(wf):
    done = wf("run report.ipynb digest --map texts.csv words=1")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].split()[:4] == ["text", "label", "content", "status"]
    assert "one two three  a      one      ✓ completed" in done.stdout
    assert "printed" not in done.stdout
    assert "Digest · sweep digest · ✓ completed · 2 of 2 rows · " in done.stderr
    assert "kept in the sessions digest/… of duckdb:///runs.duckdb" in done.stderr


@pytest.mark.parametrize(
    "given",
    [
        '{"text": "one two three"}\n{"text": "four five", "words": 1}\n',
        '\n[{"text": "one two three"}, {"text": "four five", "words": 1}]',
        "\ufefftext,words\none two three,2\nfour five,1\n",
        "text\twords\none two three\t2\nfour five\t1\n",
        "parquet",
    ],
    ids=["lines", "list", "csv", "tsv", "parquet"],
)
def test_rows_come_on_stdin(wf, given):
    if given == "parquet":
        duckdb.sql("COPY (FROM (VALUES ('one two three', 2), ('four five', 1)) t(text, words)) TO 'rows.parquet'")
        given = Path("rows.parquet").read_bytes()
    done = wf("run report.ipynb digest --map - --json", input=given)
    assert [row["content"] for row in json.loads(done.stdout)["rows"]] == ["one two", "four"]
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("line", "given", "code", "said"),
    [
        (
            "--map -",
            "",
            2,
            "Error: there are no rows in stdin: it is empty; give lines of JSON, or CSV with the names of columns above",
        ),
        ("--map - --out rows.csv", "[]", 0, "stdin has no rows: there is nothing to do"),
        ("--map -", '{"text": ', 2, "Error: stdin cannot be read at line 1, column 10: "),
        ("--map - text=-", "a", 2, "Error: stdin is read once, and --map - has it; give 'text=-' otherwise, such as text=@FILE"),
    ],
)
def test_what_is_wrong_with_stdin_is_said(wf, line, given, code, said):
    done = wf(f"run report.ipynb digest {line}", input=given)
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr.startswith(said)
    assert "wf-rows-" not in done.stderr


def test_rows_on_stdin_are_read_before_they_go_on_in_the_background(process):
    told = json.loads(process("wf run report.ipynb digest --map - --background --json < texts.csv").stdout)
    storage = open_storage()
    while (run := storage.run(told["run_id"])).status == "running":
        time.sleep(0.01)
    assert (run.status, run.inputs["rows"]) == ("completed", 2)


def test_the_same_command_again_takes_from_the_store_what_is_done(wf):
    line = "run report.ipynb digest --map texts.csv --json"
    hits = [
        json.loads(wf(each).stdout)["hits"] for each in (line, line, f"{line} -s digest/", f"{line} --fresh", f"{line} -s other")
    ]
    assert hits == [0, 2, 2, 0, 0]
    assert len(open_storage().sessions()) == 4


def test_a_row_that_fails_is_said_and_the_exit_code_is_1(wf):
    done = wf("run report.ipynb digest --map bad.csv --json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["status"], found["failed"]) == (1, "completed", 1)
    assert [row["error"] for row in found["rows"]] == [None, "ValueError: a bad text"]
    assert " · ⚠ done, 1 of 2 rows failed · " in done.stderr


def test_rows_go_into_a_file_of_the_kind_that_its_name_says(wf):
    for name in ("rows.csv", "rows.jsonl", "rows.parquet"):
        done = wf(f"run report.ipynb digest --map bad.csv --out {name}")
        assert (done.exit_code, done.stdout) == (1, "")
        assert "row 1 failed: ValueError: a bad text" in done.stderr
    wanted = [("good", "completed"), ("bad", "failed")]
    with Path("rows.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["text"], row["status"]) for row in csv.DictReader(file)] == wanted
    lines = map(json.loads, Path("rows.jsonl").read_text(encoding="utf-8").splitlines())
    assert [(row["text"], row["status"]) for row in lines] == wanted
    assert duckdb.sql("SELECT text, status FROM 'rows.parquet'").fetchall() == wanted


def test_failures_are_said_in_a_line_each_and_of_many_some(wf):
    Path("many.csv").write_text("text\n" + "bad\n" * 7, encoding="utf-8")
    said = wf("run report.ipynb digest --map many.csv --out rows.csv").stderr
    assert said.count(" failed: ValueError: a bad text\n") == 5
    assert "\n… and 2 more\nDigest · sweep digest · ✗ done, 7 of 7 rows failed · " in said


def test_the_record_of_a_sweep_says_which_rows_failed(wf):
    wf("run report.ipynb digest --map bad.csv")
    shown = wf("show digest/").stdout
    assert " · ⚠ completed: 1 of 2 rows failed · " in shown
    assert "✗ digest/bad-" in shown
    assert ": ValueError: a bad text" in shown
    wf("run report.ipynb digest --map texts.csv -s fine")
    assert " · ✓ completed · " in wf("show fine/").stdout


def test_the_command_that_goes_on_writes_into_the_same_file(wf):
    wf("run report.ipynb digest --map bad.csv --out 'my rows.csv' --limit 2")
    line = "wf run report.ipynb digest --map bad.csv --limit 2 -s digest --out 'my rows.csv'"
    assert json.loads(wf("status report.ipynb --json").stdout)[0]["goes_on"] == line


def test_the_caption_of_status_names_the_command_that_shows_more(wf):
    wf("run report.ipynb digest --map texts.csv")
    nbformat.write(nbformat.v4.new_notebook(), "other.ipynb")
    assert "1 more in the store: wf status --all" in wf("status other.ipynb").stdout
    assert "digest/" in wf("status --all").stdout


def test_no_secret_goes_into_a_file(wf, monkeypatch):
    monkeypatch.setenv("SHOP_API_KEY", "sk-of-this-test-123")
    Path("keys.csv").write_text("text\nsk-of-this-test-123\n", encoding="utf-8")
    for name in ("rows.csv", "rows.jsonl"):
        assert wf(f"run report.ipynb digest --map keys.csv --out {name}").exit_code == 0
        assert "sk-of" not in (text := Path(name).read_text(encoding="utf-8"))
        assert text.count("<redacted SHOP_API_KEY>") == 2


def test_an_interrupt_keeps_what_is_done_and_says_how_to_go_on(wf):
    line = "run report.ipynb stopped --map numbers.csv --limit 1"
    done = wf(line)
    assert done.exit_code == 130
    assert "of 5 rows are done and kept; the same command again goes on with the others" in done.stderr
    assert "Error: interrupted" in done.stderr
    assert {row["status"] for row in open_storage().runs()} <= {"completed", "stopped"}


@pytest.mark.parametrize("out", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_an_interrupt_writes_what_is_there_into_the_file(wf, out):
    done = wf(f"run report.ipynb stopped --map numbers.csv --limit 1 --out {out}")
    assert (done.exit_code, done.stdout) == (130, "")
    found = duckdb.sql(f"SELECT n, status FROM '{out}' ORDER BY n").fetchall()
    assert found[:2] == [(0, "completed"), (1, "completed")]
    assert {status for _, status in found} <= {"completed", "stopped"}
    assert f"\n{len(found)} rows that began by then are in {out}\n" in done.stderr


def test_an_interrupt_before_any_row_is_done_leaves_the_file_as_it_is(wf):
    Path("rows.csv").write_text("of before", encoding="utf-8")
    done = wf("run report.ipynb held --map numbers.csv --limit 1 --out rows.csv")
    assert done.exit_code == 130
    assert Path("rows.csv").read_text(encoding="utf-8") == "of before"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("digest --map gone.csv", 2, "there is no file 'gone.csv'"),
        ("digest --map numbers.csv", 2, "Digest.run() needs 'text', and there is no such column; there are 'n'"),
        ("digest --map texts.csv --out rows.xls", 2, "'rows.xls' is no file that rows can be written to"),
        ("digest --map texts.csv --out no/rows.csv", 2, "'no/rows.csv' cannot be written: there is no such folder"),
        ("digest --map texts.csv --out ./texts.csv", 2, "--out ./texts.csv is the file that is read, and would be written over"),
        ("digest --map texts.csv --limit 0", 2, "limit=0 is not how many rows may be done at once"),
        ("digest --map texts.csv --max-cost -1", 2, "max_cost=-1.0 is nothing that can be spent; give a number of US dollars"),
        ("digest --map texts.csv --limit few", 2, "--limit 'few' is no whole number; write --limit 8"),
        ("digest text=a --out rows.csv", 2, "--out is for the rows of --map; write --map FILE with it"),
        ("digest text=a --limit 3", 2, "--limit is for the rows of --map; write --map DATA with it"),
    ],
)
def test_what_is_written_wrongly_is_said_before_anything_runs(wf, line, code, said):
    done = wf(f"run report.ipynb {line}")
    assert (done.exit_code, done.stdout) == (code, "")
    assert said in done.stderr
    assert not Path("runs.duckdb").exists() or len(open_storage().runs()) == 0


def test_a_file_without_rows_is_said_to_have_none_and_that_is_no_failure(wf):
    Path("empty.csv").write_text("text\n", encoding="utf-8")
    done = wf("run report.ipynb digest --map empty.csv --out rows.csv")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "'empty.csv' has no rows: there is nothing to do\n")


def test_quiet_says_nothing(wf):
    done = wf("run report.ipynb digest --map bad.csv -q --out rows.csv")
    assert (done.exit_code, done.stdout) == (1, "")
    assert Path("rows.csv").exists()


def test_a_cell_with_map_runs_on_its_own_where_nothing_is_mapped(wf):
    assert wf("run report.ipynb digest text='a b c'").stdout == "printed\na b\n"


def test_the_status_of_a_notebook_has_its_sweeps_of_any_name_and_their_lines_whole(wf):
    wf("run report.ipynb digest --map bad.csv --limit 1 -s 'trials of a long name' words=1")
    wf("run report.ipynb digest --map bad.csv")
    Path("other.ipynb").write_text(Path("report.ipynb").read_text().replace("digest", "poem"))
    wf("run other.ipynb poem --map texts.csv -s another")
    told = wf("status report.ipynb").stdout.splitlines()
    assert told[-2:] == [
        "digest/: wf run report.ipynb digest --map bad.csv -s digest",
        "trials of a long name/: wf run report.ipynb digest --map bad.csv --limit 1 -s 'trials of a long name' words=1",
    ]
    assert "goes_on" not in told[0]
    assert [line.split("  ")[0] for line in told[1:3]] == ["digest/", "trials of a long name/"]
    assert wf("status").stdout.splitlines()[-2].endswith(": wf run NOTEBOOK digest --map bad.csv -s digest")
    rows = json.loads(wf("status report.ipynb --json").stdout)
    assert [row["goes_on"] for row in rows] == [line.partition(": ")[2] for line in told[-2:]]


def test_the_line_that_goes_on_names_a_file_beside_a_notebook_elsewhere_as_it_is_known_from_here(wf, tmp_path, monkeypatch):
    wf("run report.ipynb digest --map bad.csv")
    (tmp_path / "above").mkdir()
    monkeypatch.chdir(tmp_path / "above")
    told = wf("status ../report.ipynb").stdout.splitlines()[-1]
    assert told == "digest/: wf run ../report.ipynb digest --map ../bad.csv -s digest"
    assert "1 from the store" in wf(told.partition(": wf ")[2]).stderr
