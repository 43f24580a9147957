"""An input that has the name of an option of map() is not lost."""

from __future__ import annotations

import pandas as pd
import pytest

from wf_notebook import Workflow
from wf_notebook.errors import BadRows
from wf_notebook.sweep import mapped_by_line


class Told(Workflow):
    def run(self, limit: int, name: str = "n", timeout: int = 3):
        return f"{limit} {name} {timeout}"


LOST = r"^{}= is an option of map\(\), and Told\.run\(\) takes an input of that name; give that as a column$"


@pytest.mark.parametrize(
    ("options", "lost"), [({"name": "zz"}, "name"), ({"timeout": 1}, "timeout"), ({"name": "zz", "timeout": 1}, "timeout")]
)
@pytest.mark.parametrize("rows", [[{"limit": 3}], pd.DataFrame({"limit": [3]}), {"limit": [3]}, [3]])
def test_an_option_that_run_takes_as_an_input_is_refused_where_no_row_has_it(rows, options, lost):
    with pytest.raises(BadRows, match=LOST.format(lost)):
        Told().map(rows, **options)


def test_rows_that_come_one_by_one_are_refused_at_the_first():
    sweep = Told().map(({"limit": n} for n in (3, 4)), name="zz")
    with pytest.raises(BadRows, match=LOST.format("name")):
        sweep.result()
    assert [row.content for row in Told().map(({"limit": 3, "name": "a"} for _ in "ab"), name="zz").result()] == ["3 a 3"] * 2


def test_an_option_is_one_where_a_row_has_the_input():
    sweep = Told(storage="memory:").map([{"limit": 3, "name": "a", "timeout": 9}], name="zz", timeout=30, limit=2)
    assert [(row.content, row.session_id[:3]) for row in sweep.result()] == [("3 a 9", "zz/")]


def test_on_a_line_options_have_names_of_their_own():
    sweep = mapped_by_line(Told(), [{"limit": 3}], {"name": "zz", "timeout": 1}, timeout=30, limit=2, cache=None)
    assert ([row.content for row in sweep.result()], sweep.name) == (["3 zz 1"], "Told")


def test_what_run_does_not_take_is_an_option_on_a_line_too():
    assert mapped_by_line(Told(), [3], {"session": "one"}, limit=None, cache=None).shares_a_session
    with pytest.raises(BadRows, match=r"^cache= and --cache are one and the same; write one of them$"):
        mapped_by_line(Told(), [3], {"cache": "off"}, cache="refresh")
