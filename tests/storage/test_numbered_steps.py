"""The rows of steps are numbered in the order in which they were done, whoever did them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wf_notebook import Workflow, open_storage, step

ELSEWHERE = """
import sys
from wf_notebook import Workflow, step
@step
def doubled(n):
    return 2 * n
class Elsewhere(Workflow):
    def run(self, n):
        yield str(doubled(n))
Elsewhere(session_id="demo", storage=sys.argv[1], cache="use").run(n=1000).result()
"""


@step
def squared(n: int) -> int:
    return n * n


class Numbers(Workflow):
    def run(self, numbers):
        for n in numbers:
            yield str(squared(n))


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_no_two_rows_of_steps_have_one_number_though_another_process_writes_some_and_some_are_erased(kind, tmp_path):
    url = f"{kind}:///{tmp_path}/runs.db"
    numbers = Numbers(session_id="demo", storage=url, cache="use")
    numbers.run(numbers=[1, 2]).result()
    subprocess.run([sys.executable, "-c", ELSEWHERE, url], check=True)
    numbers.run(numbers=[3]).result()
    numbers.session.forget(step="squared")
    numbers.run(numbers=[4, 5]).result()
    rows = open_storage(url).read("SELECT seq, op FROM step_log WHERE session_id = 'demo' ORDER BY seq")
    assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
    assert [op for _, op in rows].count("done") == 6
