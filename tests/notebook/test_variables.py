"""What an inspector puts into the notebook, and a Stop that is heard although all hands are full."""

from __future__ import annotations

from queue import SimpleQueue

import pandas as pd
import pytest

from wf_notebook.errors import BadArguments
from wf_notebook.inspection import Inspector, answer
from wf_notebook.notebook.inspecting import NOTEBOOK_OPS, InspectorWidget
from wf_notebook.notebook.variables import put
from wf_notebook.storage import open_storage

ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"


@pytest.fixture
def looking():
    return Inspector(open_storage("memory:"))


def test_a_result_becomes_a_dataframe_of_the_notebook(shell, looking):
    result = looking.results.run("SELECT 1 AS n, 'a' AS title UNION ALL SELECT 2, NULL").number
    asked = {"id": 1, "op": "dataframe", "result": result, "name": "found"}
    told = answer(looking, asked, NOTEBOOK_OPS)["result"]
    assert told == {"name": "found", "type": "DataFrame", "replaced": None, "rows": 2}
    found = shell.user_ns["found"]
    assert isinstance(found, pd.DataFrame)
    assert found["n"].tolist() == [1, 2]


def test_a_name_that_is_taken_is_replaced_only_if_that_was_said(shell):
    shell.user_ns["df"] = [1]
    assert put("df", "new", replace=False) == {"name": "df", "taken": "list"}
    assert shell.user_ns["df"] == [1]
    assert put("df", "new", replace=True) == {"name": "df", "type": "str", "replaced": "list"}
    assert shell.user_ns["df"] == "new"


@pytest.mark.parametrize("name", ["", "no name", "1a", "class", "In", "get_ipython", "a.b", "x; import os", None, 3])
def test_what_is_no_name_of_a_variable_is_refused(shell, name):
    before = dict(shell.user_ns)
    with pytest.raises(BadArguments, match="cannot be the name of a variable"):
        put(name, 1, replace=True)
    assert shell.user_ns == before


def test_without_a_notebook_there_is_nothing_to_put_it_into():
    with pytest.raises(BadArguments, match="there is no notebook to put it into"):
        put("df", 1, replace=False)


class Told(InspectorWidget):
    """A widget whose answers are heard here."""

    def send(self, content, buffers=None):
        answers.put((content["id"], content.get("error")))


answers: SimpleQueue = SimpleQueue()


def test_a_stop_is_heard_although_every_thread_waits_for_a_query(looking):
    widget = Told(looking, "key")
    for number in range(8):
        widget._hear(widget, {"id": f"sql {number}", "op": "sql", "query": ENDLESS, "run": str(number)}, [])
    for number in range(8):
        widget._hear(widget, {"id": f"stop {number}", "op": "sql_stop", "run": str(number)}, [])
    heard = dict(answers.get(timeout=30) for _ in range(16))
    assert {error for name, error in heard.items() if name.startswith("sql")} == {
        "the query was stopped; run it again, or ask for less"
    }
    widget.close()
