"""The benchmarks work; how fast anything is, they say and no test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.table import MEASURES

ROOT = Path(__file__).resolve().parent.parent


def bench(*options, module="benchmarks"):
    command = [sys.executable, "-m", module, *options]
    environment = os.environ | {"COLUMNS": "480"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_what_is_measured_anew_takes_the_place_of_its_row_and_the_other_rows_stay_in_the_order_of_the_measures():
    first, second, third = MEASURES[:3]
    cells = {measure.work: (measure.work, "ours 1 ms", "1 ms", "≤ 2 ms", "✓ met", "2026-01-02") for measure in MEASURES}
    anew = (second.work, "ours 3 ms", "3 ms", "≤ 2 ms", "✗ not met", "2026-02-03")
    before = results.markdown([cells[third.work], cells[second.work], ("gone", *anew[1:])], 5)
    assert results.together(MEASURES, [anew], before) == [anew, cells[third.work]]
    assert results.together(MEASURES, [cells[first.work]], "") == [cells[first.work]]


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_every_measure_can_be_taken_and_nothing_is_written_when_it_is_only_tried():
    table = ROOT / "benchmarks" / "RESULTS.md"
    before = table.read_bytes() if table.exists() else None
    done = bench("--quick")
    assert done.returncode == 0, done.stderr
    for line in (
        "100k streamed responses of 1 character",
        "100k streamed responses of 200 characters",
        "one run of 3 responses, no storage, same instance",
        "one run of 3 responses, no storage, fresh instance",
        "`parallel` over 1000 trivial calls",
        "merging 8 streams × 10k responses",
        "8 branches on a model that waits 100 ms",
        "`import wf_notebook`",
        "`%load_ext wf_notebook` in a running kernel",
        "one run with storage, state 1 KB, fresh instance, on SQLite",
        "a run that appends one item to a 10 MB state, same instance, on DuckDB",
        "run 500 of a session against run 10, on SQLite",
        "save one changed small key, state 10 MB in 20 keys, beside those who keep history",
        "one item appended to a list of 45 000 dicts, 10 MB, in one key, on DuckDB",
        "file and WAL after 1000 saves of one small key in a 100 KB state, closed",
        "load the newest state, 10 MB in 20 keys after 1000 saves, on DuckDB",
        "read version 500 of those 1000, on SQLite",
        "two kernels saving every 100 ms: until an outside reader is in, p90",
        "1000 sessions, 100k runs, 1M events: the events of one session",
        "rerun of 20 cached steps with 10 KB results in a living process, the whole run, on SQLite",
        "the same, beside those that keep runs",
        "rerun of 1000 cached steps",
        "`map` over 1000 rows that wait 10 ms each, Dask, 2 workers beside one",
        "key of a step that reaches 50 user functions",
        "remembering a step, beside the call itself",
        "remembering a step of 20 ms while seven branches beside it remember theirs",
        "a run of 20 steps and 2 answers of an agent in a new process, all cached",
        "a notebook of 10 workflows by nbclient, all cached",
        "`wf --help`",
        "a workflow of 20 cached steps out of a notebook of 200 cells, the whole process",
        "loading it there, beyond its own imports",
        "processes that save small changes into sessions of their own, on one Postgres server on loopback",
        "`map` over 10,000 trivial rows, 8 in flight, in memory",
        "the same, all on the disk at the end",
        "memory of the process that sweeps 100,000 trivial rows into DuckDB",
        "room in the store for a row that asks a model once",
        "our own work in such a row",
    ):
        assert line in done.stdout
    assert "these numbers say nothing" in done.stdout
    assert (table.read_bytes() if table.exists() else None) == before


def test_a_measure_that_does_not_exist_is_refused_with_those_that_do():
    done = bench("--only", "unheard-of")
    assert done.returncode == 2
    assert "no measure begins with 'unheard-of'; there are stream-1, stream-20," in done.stderr


def test_a_ratio_is_the_median_of_the_ratios_of_each_moment(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks.measure import ratio

    assert ratio("ours", "peer")({"ours": [1.0, 20.0, 4.0], "peer": [2.0, 10.0, 4.0]}) == 1.0


def test_a_script_that_says_several_things_is_run_once_for_all_rows_in_each_repetition(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks import __main__ as bench_main
    from benchmarks.measure import Measure, Side, of

    said = iter([{"p50": 1.0, "p99": 2.0}, {"p50": 3.0, "p99": 4.0}])
    monkeypatch.setattr(bench_main, "run", lambda _side, **_: next(said))
    runs = bench_main.Runs(quick=False)
    rows = [Measure(part, part, "ms", (Side("ours", "kernels", part=part),), of("ours"), 1, "ms") for part in ("p50", "p99")]
    assert [runs.measured(row, 2) for row in rows] == [{"ours": [1.0, 3.0]}, {"ours": [2.0, 4.0]}]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_comes_back_after_each_edit_is_right_and_nothing_is_written_when_only_we_are_asked():
    table = ROOT / "benchmarks" / "CACHE.md"
    before = table.read_bytes()
    done = bench("--quick", module="benchmarks.stale")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split("│")[1:3] for line in done.stdout.splitlines() if line.startswith("│")]
    assert {name.strip(): sign.strip() for name, sign in rows[:-1] if sign.strip() != "✓"} == {}
    assert len(rows) > 35
    assert table.read_bytes() == before


def test_a_probe_that_does_not_exist_is_refused():
    done = bench("--only", "unheard-of", module="benchmarks.stale")
    assert done.returncode == 2
    assert "no probe has 'unheard-of' in its name" in done.stderr
