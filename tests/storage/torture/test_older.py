"""The last DuckDB before 2 does all of it too, and the two open each other's files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wf_notebook.agents.pull import installer

ROOT = Path(__file__).resolve().parents[3]
OLDER = "1.5.5"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("older"), pytest.mark.timeout(400)]


@pytest.fixture(scope="session")
def older() -> dict[str, str]:
    """Return the environment variables by which Python finds the older DuckDB before ours; it is fetched once, into build/."""
    place = ROOT / "build" / f"duckdb-{OLDER}"
    there = place / f"duckdb-{OLDER}.dist-info"
    if not there.exists():
        half = place.with_name(f"{place.name}.{os.getpid()}")
        subprocess.run([*installer(), "--quiet", "--no-deps", "--target", half, f"duckdb=={OLDER}"], check=True)
        try:
            half.rename(place)
        except OSError:  # another process of these tests was faster
            shutil.rmtree(half)
            assert there.exists()
    others = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(place), *([others] if others else [])])}


def test_all_quick_tests_of_storages_pass_with_it(older, tmp_path):
    choice = ["tests/storage", "--ignore", "tests/storage/torture", "-m", "not slow", "-k", "duck"]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", f"--basetemp={tmp_path}/tests", *choice]
    done = subprocess.run(command, cwd=ROOT, env=older, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:]


SAVE_AND_SHOW = """
import duckdb, json, sys
import numpy as np
from wf_notebook import open_storage
with open_storage(sys.argv[1]) as storage:
    session = storage.session("demo")
    session.state.setdefault("by", []).append(duckdb.__version__)
    session.state.setdefault("large", {})[duckdb.__version__] = duckdb.__version__ * 30_000
    session.state["array"] = np.full((2, 20_000), len(session.state["by"]))
    session.save()
    with duckdb.connect(storage.path) as db:
        tags = db.sql("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchall()[0][0]
        now = db.sql("SELECT value FROM session_state WHERE key = 'by'").fetchall()[0][0]
        first = db.sql("SELECT value FROM state_history WHERE key = 'by' ORDER BY version").fetchall()[0][0]
    old = session.at(session.versions()[0].version)
    print(json.dumps({
        "format": tags["storage_version"][:4],
        "by": [json.loads(now), session.state["by"]],
        "first": [json.loads(first), old["by"], old["array"].tolist() == [[1] * 20_000] * 2],
    }))
    if sys.argv[2:] == ["leave the WAL"]:
        session.state["n"] = duckdb.__version__
        session.save()
        import os
        sys.stdout.flush()
        os._exit(0)
"""


@pytest.mark.parametrize("first", ["ours", "older"])
@pytest.mark.parametrize("ending", ["closed", "leave the WAL"])
def test_each_reads_the_files_of_the_other_and_what_was_in_them_before_and_goes_on(older, duck, first, ending):
    from duckdb import __version__ as ours

    kinds = ["ours", "older"] if first == "ours" else ["older", "ours"]
    saved = []
    for kind in [*kinds, *kinds]:
        saved.append(ours if kind == "ours" else OLDER)
        environment = older if kind == "older" else None
        command = [sys.executable, "-c", SAVE_AND_SHOW, duck.url, ending]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        first = [saved[:1], saved[:1], True]
        assert json.loads(done.stdout) == {"format": "v1.5", "by": [saved, saved], "first": first}
    state = duck.open().session("demo").state
    assert (state["by"], state["large"]) == (saved, {one: one * 30_000 for one in sorted(set(saved), key=saved.index)})
    assert state["array"].tolist() == [[4] * 20_000] * 2
    assert state.get("n") == (None if ending == "closed" else saved[-1])
