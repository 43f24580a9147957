"""A workflow over many rows: each a run of its own, kept, and done once."""

from __future__ import annotations

import asyncio
import gc
import json
import linecache
import threading
import time
from datetime import date
from weakref import ref

import numpy as np
import pandas as pd
import polars as pl
import pytest

from wf_notebook import Agent, Workflow, open_storage, step, users
from wf_notebook.errors import BadRows, BadSetting, RunCancelled, SessionOwned
from wf_notebook.storage import SqliteWorkflowStorage
from wf_notebook.swept import swept_bundle
from wf_notebook.testing import scripted


class Double(Workflow):
    def run(self, n: int, by: int = 2):
        self.session_state["n"] = n
        yield f"{n * by}"


def test_each_row_is_a_run_in_a_session_of_its_own():
    storage = open_storage("memory:")
    sweep = Double(storage=storage).map([{"n": n} for n in range(20)])
    assert [row.content for row in sweep.result()] == [f"{2 * n}" for n in range(20)]
    assert len(storage.sessions()) == 20
    assert {storage.session(row.session_id).state["n"] for row in sweep.rows} == {*range(20)}
    assert [storage.run(row.run_id).content for row in sweep.rows] == [row.content for row in sweep.rows]


def test_a_dataframe_comes_back_with_its_index_and_what_run_does_not_take():
    frame = pd.DataFrame({"n": [3, 4], "label": ["c", "d"]}, index=["x", "y"])
    told = Double().map(frame, by=10).df()
    assert told[["n", "label", "content", "status"]].to_dict("index") == {
        "x": {"n": 3, "label": "c", "content": "30", "status": "completed"},
        "y": {"n": 4, "label": "d", "content": "40", "status": "completed"},
    }


@pytest.mark.parametrize("given", [pd.Series([3, 4], index=["x", "y"], name="some"), pd.Index([3, 4])])
def test_a_series_and_an_index_of_pandas_keep_their_index(given):
    told = Double().map(given).df()
    assert told["content"].tolist() == ["6", "8"]
    assert told.index.tolist() == (["x", "y"] if isinstance(given, pd.Series) else [3, 4])


def test_half_of_a_surrogate_pair_in_one_row_is_no_matter_of_the_others(tmp_path):
    class Echo(Workflow):
        def run(self, text: str):
            return text

    storage, texts = open_storage(f"duckdb:///{tmp_path}/s.duckdb"), ["a", "cut off \ud83e", "c"]
    for hits in (False, True):
        rows = Echo(storage=storage).map(texts).result()
        assert [(row.content, row.hit) for row in rows] == [(text, hits) for text in texts]


def test_whatever_keeps_rows_from_being_saved_is_raised(tmp_path):
    class Broken(SqliteWorkflowStorage):
        def transact(self, work, *, write):
            if write:
                raise RuntimeError("out of order")
            return super().transact(work, write=write)

    sweep = Double(storage=Broken(db_file=tmp_path / "s.db")).map([1])
    with pytest.raises(RuntimeError, match="out of order"):
        sweep.result()
    assert (sweep.status, sweep.rows) == ("failed", ())


@pytest.mark.parametrize(
    "columns",
    [
        {"n": [3, 4], "by": (10, 20), "label": "c"},
        {"n": range(3, 5), "by": pd.Series([10, 20], index=[7, 8]), "label": "c"},
        {"n": np.array([3, 4]), "by": [10, 20], "label": "c"},
        np.array([(3, 10, "c"), (4, 20, "c")], dtype=[("n", int), ("by", int), ("label", "U1")]),
    ],
)
def test_a_dict_of_columns_is_taken_as_pandas_takes_it(columns):
    told = Double().map(columns).df()
    assert told[["n", "by", "label", "content"]].to_dict("index") == {
        0: {"n": 3, "by": 10, "label": "c", "content": "30"},
        1: {"n": 4, "by": 20, "label": "c", "content": "80"},
    }


@pytest.mark.parametrize(("shape", "told"), [((2, 3), "2 × 3"), ((1, 1, 1), "1 × 1 × 1")])
def test_an_array_whose_columns_have_no_names_is_refused(shape, told):
    with pytest.raises(BadRows, match=f"an array of {told} has no names for its columns; give pandas.DataFrame"):
        Double().map(np.zeros(shape, int))
    assert [row.content for row in Double().map(np.array([1, 2])).result()] == ["2", "4"]


def test_a_failure_is_a_row_with_its_error_and_the_others_go_on():
    class Picky(Workflow):
        def run(self, n):
            if n == 2:
                raise ValueError("not two")
            return f"{n}"

    sweep = Picky(storage="memory:").map([1, 2, 3])
    assert [(row.content, row.status, row.error) for row in sweep.result()] == [
        ("1", "completed", None),
        (None, "failed", "ValueError: not two"),
        ("3", "completed", None),
    ]
    assert sweep.status == "completed"
    assert str(sweep.progress) == "2 of 3 rows, 1 failed"


@pytest.mark.parametrize("kind", ["memory:", "sqlite:///{}/s.db", "duckdb:///{}/s.duckdb"])
def test_a_row_that_was_done_comes_from_the_store(kind, tmp_path):
    storage = open_storage(kind.format(tmp_path))
    first = Double(storage=storage).map([1, 2]).result()
    again = Double(storage=storage).map([1, 2, 3]).result()
    assert [(row.content, row.hit) for row in again] == [("2", True), ("4", True), ("6", False)]
    assert [row.run_id for row in again[:2]] == [row.run_id for row in first]
    assert len(storage.runs()) == 3


def test_a_secret_is_not_in_the_name_of_a_session(monkeypatch):
    monkeypatch.setenv("SHOP_API_KEY", "sk-of-this-test-123")

    class Ask(Workflow):
        def run(self, key):
            return "asked"

    (row,) = Ask(storage="memory:").map(["sk-of-this-test-123"]).result()
    assert "sk-of" not in row.session_id


def test_a_row_is_done_again_when_the_code_that_it_runs_has_changed():
    storage = open_storage("memory:")
    done = {}
    for sign in "!?":
        namespace = {"Workflow": Workflow, "__name__": "__main__"}
        exec(f"class Loud(Workflow):\n    def run(self, n): return str(n) + {sign!r}", namespace)
        done[sign] = [(row.content, row.hit) for row in namespace["Loud"](storage=storage).map([1]).result()]
    assert done == {"!": [("1!", False)], "?": [("1?", False)]}


def test_steps_inside_a_row_are_hits_where_the_row_is_done_again():
    storage = open_storage("memory:")

    class Half(Workflow):
        fails = True

        @step
        def dear(self, n):
            return n

        def run(self, n):
            value = self.dear(n)
            if self.fails:
                raise RuntimeError("the second half fails")
            return f"{value}"

    assert [row.status for row in Half(storage=storage).map([1, 2]).result()] == ["failed", "failed"]
    Half.fails = False
    assert [row.content for row in Half(storage=storage).map([1, 2]).result()] == ["1", "2"]
    assert storage.sql("SELECT count(*) AS done FROM steps WHERE name = 'dear'")["done"] == [2]


def test_equal_rows_are_done_each():
    sweep = Double(storage="memory:").map([1, 1])
    assert [row.content for row in sweep.result()] == ["2", "2"]
    assert len({row.session_id for row in sweep.rows}) == 2


def test_all_rows_in_one_session_share_its_state():
    class Adding(Workflow):
        def run(self, n):
            self.session_state.setdefault("seen", []).append(n)
            return "ok"

    adding = Adding(session_id="all", storage="memory:")
    adding.map([1, 2, 3], session="one", limit=1).result()
    assert adding.session_state == {"seen": [1, 2, 3]}
    assert len(adding.storage.runs("all")) == 3


def test_a_row_of_one_session_that_is_done_is_done_whatever_became_of_the_state():
    class Adding(Workflow):
        def run(self, n):
            self.session_state.setdefault("seen", []).append(n)
            return f"{len(self.session_state['seen'])}"

    storage = open_storage("memory:")
    Adding(session_id="all", storage=storage).map([1, 2], session="one", limit=1).result()
    again = Adding(session_id="all", storage=storage).map([1, 2, 3], session="one", limit=1)
    assert [(row.content, row.hit) for row in again.result()] == [("1", True), ("2", True), ("3", False)]
    assert storage.session("all").state == {"seen": [1, 2, 3]}


def test_a_row_that_reads_its_state_as_it_likes_is_done_once_too():
    class Old(Workflow):
        def run(self, topic):
            posts = self.session_state
            if topic not in posts:
                posts[topic] = f"about {topic}"
            return posts[topic]

    storage = open_storage("memory:")
    for hits in (0, 2):
        sweep = Old(storage=storage).map(["a", "b"])
        assert [row.content for row in sweep.result()] == ["about a", "about b"]
        assert sweep.progress.hits == hits
    other = Old(storage=storage, session_state={"a": "known"}).map(["a", "b"])
    assert [(row.content, row.hit) for row in other.result()] == [("known", False), ("about b", False)]


def test_each_row_has_agents_of_its_own():
    class Blog(Workflow):
        writer = Agent(model=scripted(*["a post"] * 3))

        def run(self, topic):
            yield from self.writer.run(topic, stream=True)

    sweep = Blog(storage="memory:").map(["a", "b", "c"])
    assert [row.content for row in sweep.result()] == ["a post"] * 3
    assert sweep.progress.tokens == sum(row.input_tokens + row.output_tokens for row in sweep.rows) > 0


def test_an_async_run_is_mapped_too():
    class Later(Workflow):
        async def arun(self, n):
            return f"{n}"

    assert [row.content for row in Later().map([1, 2]).result()] == ["1", "2"]


def test_rows_are_read_as_they_come_and_known_while_it_goes_on():
    gate = threading.Event()

    class Waiting(Workflow):
        def run(self, n):
            if n:
                assert gate.wait(10)
            return f"{n}"

    sweep = Waiting().map(pd.DataFrame({"n": [0, 1]})).start()
    first = next(iter(sweep))
    assert (first.content, sweep.status) == ("0", "running")
    assert sweep.df()["content"].tolist()[0] == "0"
    assert sweep.df()["content"].isna().tolist() == [False, True]
    gate.set()
    assert sweep.wait()


def test_stop_keeps_what_is_done_and_the_next_sweep_does_the_rest():
    storage = open_storage("memory:")
    sweep = Double(storage=storage).map(range(2000), limit=1)
    for row in sweep:
        if row.number == 4:
            sweep.stop()
    assert (sweep.status, 4 < sweep.progress.done < 2000) == ("stopped", True)
    rest = Double(storage=storage).map(range(2000))
    assert [row.content for row in rest.result()] == [f"{2 * n}" for n in range(2000)]
    assert rest.progress.hits == sweep.progress.done
    assert len(storage.runs()) == 2000


def test_stop_lets_go_of_a_row_that_does_not_look_up():
    begun, gate = threading.Event(), threading.Event()

    class Waits(Workflow):
        def run(self, n: int):
            if n == 1:
                begun.set()
                gate.wait(60)
            return f"{n}"

    sweep = Waits(storage="memory:").map(range(3), limit=2).start()
    assert begun.wait(10)
    sweep.stop()
    assert sweep.wait(10)
    gate.set()
    statuses = {row.number: row.status for row in sweep.rows}
    assert (sweep.status, statuses[1], statuses[0]) == ("stopped", "stopped", "completed")
    assert sweep.workflow.storage.run(sweep.rows[1].run_id).status == "stopped"


def test_a_sweep_that_is_stopped_before_it_begins_does_nothing():
    sweep = Double(storage="memory:").map(range(20))
    sweep.stop()
    assert (sweep.result(), sweep.status) == ((), "stopped")


def test_a_row_that_never_returns_is_failed_and_its_place_taken():
    gate = threading.Event()

    class Stuck(Workflow):
        def run(self, n):
            if n == 0:
                gate.wait(30)
            return f"{n}"

    storage = open_storage("memory:")
    sweep = Stuck(storage=storage).map([0, 1, 2], limit=1, timeout=0.2)
    rows = sweep.result()
    gate.set()
    assert [row.status for row in rows] == ["failed", "completed", "completed"]
    said = "RowTimeout: row 0 took longer than 0.2 s"
    assert (rows[0].error, sweep.df()["error"][0], sweep.table()["error"][0]) == (said, said, said)
    assert f"✗ row 0: {said}" in swept_bundle(sweep)["text/plain"]
    assert storage.run(rows[0].run_id).status == "failed"


def test_a_spent_budget_ends_it_and_the_rest_is_done_later():
    class Blog(Workflow):
        writer = Agent(model=scripted(*["a post"] * 10))

        def run(self, topic):
            return self.writer.run(topic)

    storage = open_storage("memory:")
    sweep = Blog(storage=storage).map([f"{n}" for n in range(10)], limit=1, max_tokens=150)
    sweep.result()
    assert sweep.status == "stopped"
    assert "tokens spent" in sweep.reason
    assert 0 < sweep.progress.done < 10


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"m": 1}], "Double.run() needs 'n', and there is no such column; there are 'm'"),
        ([{"n": 1, "bye": 3}], "Double.run() takes no input 'bye'; did you mean 'by'? rename the column, or drop it"),
        (3, "rows of type 'int' cannot be read"),
        ("rows.xls", "'rows.xls' is no file of rows"),
        ("gone.csv", "there is no file 'gone.csv'"),
        ([1, {"n": 2}], "row 1 is a dict, and others are not"),
        ({"n": [1, 2], "by": [3]}, "the columns of a dict differ in length: 'n' has 2 values, 'by' has 1"),
        ({}, "a dict without columns has no rows; give a dataframe"),
        ({"n": 1, "by": 3}, "a dict of single values is one row; give [{…}] for that"),
        ([{"n": float("nan")}], "row 0: n is missing (nan), and run() takes int; leave such rows out"),
        (pd.DataFrame([[1, 2]], columns=["n", "n"]), "two columns are named 'n'; rename one, or drop it"),
        (pl.LazyFrame({"n": [1]}), "rows of type 'LazyFrame' cannot be read; give what its .collect() returns"),
        ([pd.Series([1, 2])], "row 0: n=0 1 1 2 dtype: int64 is no int"),
        ({"m": [1]}, "Double.run() needs 'n', and there is no such column; there are 'm'"),
        ({"n": [1, "two"]}, "row 1: n='two' is no int"),
    ],
)
def test_what_cannot_be_rows_is_refused_before_anything_runs(rows, said):
    with pytest.raises(BadRows) as refusal:
        Double().map(rows)
    assert said in str(refusal.value)


def test_settings_that_make_no_sense_are_refused():
    for options in ({"limit": 0}, {"timeout": -1}, {"session": "some"}, {"name": 3}):
        with pytest.raises(BadSetting):
            Double().map([1], **options)
    with pytest.raises(BadRows, match="did you mean 'limit'"):
        Double().map([1], limt=3)
    for other in ("max_workers", "n_jobs", "concurrency"):
        with pytest.raises(BadRows, match=f"map.. knows no {other}=.*; did you mean 'limit'"):
            Double().map([1], **{other: 3})


def test_a_sweep_is_awaited_in_async_code():
    async def main():
        return await Double().map([1, 2])

    assert [row.content for row in asyncio.run(main())] == ["2", "4"]


def test_a_sweep_inside_a_run_ends_with_it_and_spends_of_its_budget():
    begun = threading.Event()

    class Inner(Workflow):
        def run(self, n):
            begun.set()
            threading.Event().wait(0.01)
            return f"{n}"

    class Outer(Workflow):
        def run(self):
            self.sweep = Inner().map(range(10_000))
            self.sweep.result()
            return "never"

    outer = Outer()
    stopper = threading.Thread(target=lambda: begun.wait(10) and outer.stop())
    stopper.start()
    with pytest.raises(RunCancelled):
        outer.run()
    stopper.join()
    assert outer.last_run.status == "stopped"
    assert outer.sweep.status == "stopped"


def test_a_long_run_does_not_hold_the_sweeps_that_it_made():
    class Inner(Workflow):
        def run(self, n):
            return f"{n}"

    class Outer(Workflow):
        def run(self):
            sweeps = [Inner().map([1, 2]) for _ in range(3)]
            left = [ref(sweep) for sweep in sweeps if sweep.result()]
            del sweeps[:]
            until = time.monotonic() + 10
            while any(one() for one in left) and time.monotonic() < until:  # threads of theirs that have yet to end
                gc.collect()
            return f"{sum(one() is None for one in left)} of 3 are gone"

    assert Outer().run().content == "3 of 3 are gone"


def test_what_is_private_leaves_no_mark():
    storage = open_storage("memory:")
    for _ in range(2):
        assert [row.hit for row in Double(storage=storage, private=True).map([1]).result()] == [False]
    assert storage.read("SELECT count(*) FROM step_log") == [(0,)]


def test_rows_of_a_list_have_their_places_in_the_table_while_others_are_not_over():
    gate = threading.Event()

    class Waiting(Workflow):
        def run(self, n):
            if n < 2:
                assert gate.wait(10)
            return f"{n}"

    sweep = Waiting().map(range(4), limit=4).start()
    rows = iter(sweep)
    assert {next(rows).number, next(rows).number} == {2, 3}
    growing = sweep.df()
    gate.set()
    assert growing["n"].tolist() == [0, 1, 2, 3]
    assert growing["content"].isna().tolist() == [True, True, False, False]
    assert sweep.wait()
    assert sweep.df()["content"].tolist() == ["0", "1", "2", "3"]


def test_values_become_what_run_takes_or_are_refused_before_anything_runs():
    class Dated(Workflow):
        def run(self, day: date, n: int = 1, tags: list[str] | None = None):
            return f"{day:%j} {n} {tags}"

    storage = open_storage("memory:")
    rows = Dated(storage=storage).map([{"day": "2026-02-01", "n": 3.0, "tags": ("a",)}]).result()
    assert rows[0].content == "032 3 ['a']"
    frame = pd.DataFrame({"day": [date(2026, 1, 1), date(2026, 1, 2)], "n": [1, None]})
    with pytest.raises(BadRows, match=r"row 1: n is missing \(None\), and run\(\) takes int; leave such rows out"):
        Dated(storage=storage).map(frame)
    with pytest.raises(BadRows, match="row 0: day='rubbish' is no date"):
        Dated(storage=storage).map(["rubbish"])
    assert len(storage.runs()) == 1


def pages(last):
    yield from ({"n": n} for n in range(12))
    if last is None:
        raise LookupError("page 3 is gone")
    yield last


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (None, "row 12 could not be read (LookupError: page 3 is gone); those before it are done: "),
        ({"n": "three"}, "row 12: n='three' is no int"),
        ({"m": 3}, "row 12: Double.run() needs 'n', and there is no such column; there are 'm'"),
    ],
)
def test_rows_before_one_that_cannot_be_read_are_done_and_kept(last, said):
    storage = open_storage("memory:")
    sweep = Double(storage=storage).map(pages(last), limit=2)
    with pytest.raises(BadRows) as refusal:
        sweep.result()
    assert str(refusal.value).startswith(said)
    assert (type(refusal.value.__cause__) is LookupError) == (last is None)
    assert sweep.status == "failed"
    assert [row.content for row in sweep.rows] == [f"{2 * n}" for n in range(12)]
    assert [row.hit for row in Double(storage=storage).map(range(12)).result()] == [True] * 12


def test_where_the_users_generator_failed_is_said():
    with pytest.raises(BadRows) as refusal:
        Double().map(pages(None)).result()
    file, line = refusal.value.place
    assert linecache.getline(file, line).strip() == 'raise LookupError("page 3 is gone")'


def lines(path):
    """Return rows of which some lack what run() has a default for, as lines of JSON in a file."""
    path.write_text('{"n": 1, "by": 3}\n{"n": 2, "bye": "x"}\n{"n": 3, "by": null}\n', encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["list", "generator", ".jsonl", ".json"])
def test_where_a_row_lacks_a_key_the_default_of_run_holds_and_null_is_none(kind, tmp_path):
    class Told(Workflow):
        def run(self, n: int, by: int | None = 2, note=""):
            return f"{n} {by} {note}"

    rows = [json.loads(line) for line in lines(tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    (tmp_path / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    given = {"list": rows, "generator": iter(rows)}.get(kind) or tmp_path / f"rows{kind}"
    sweep = Told().map(given)
    assert [row.content for row in sweep.result()] == ["1 3 ", "2 2 ", "3 None "]
    assert [row.given for row in sweep.rows] == rows
    assert sweep.table()["bye"] == [None, "x", None]


def test_null_is_no_default_and_a_row_that_lacks_what_run_needs_is_named(tmp_path):
    with pytest.raises(BadRows, match=r"row 2: by is missing \(None\), and run\(\) takes int"):
        Double().map(lines(tmp_path / "rows.jsonl"))
    with pytest.raises(BadRows, match=r"^row 0: Double\.run\(\) needs 'n', and there is no such column"):
        Double().map([{"by": 3}, {"n": 1}])


def test_a_gap_of_a_table_is_none_and_no_default(tmp_path):
    class Told(Workflow):
        def run(self, n: int, by: int | None = 2):
            return f"{n} {by}"

    (tmp_path / "rows.csv").write_text("n,by\n1,3\n2,\n", encoding="utf-8")
    assert [row.content for row in Told().map(tmp_path / "rows.csv").result()] == ["1 3", "2 None"]


def test_a_row_of_a_list_that_lacks_an_input_is_named():
    with pytest.raises(BadRows, match=r"row 1: Double\.run\(\) needs 'n', and there is no such column"):
        Double().map([{"n": 1}, {"m": 2}])


def test_a_column_that_is_given_for_all_rows_too_is_refused():
    with pytest.raises(BadRows, match="'by' is a column, and given for all rows too"):
        Double().map([{"n": 1, "by": 2}], by=3)


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_rows_of_another_user_are_neither_seen_nor_in_the_way(kind, tmp_path, monkeypatch):
    url = f"{kind}:///{tmp_path}/team.db"

    class Mine(Workflow):
        def run(self, topic):
            return f"{topic} for {self.user_id}"

    told = {}
    for name in ("ann", "bob", "ann"):
        monkeypatch.setattr(users, "_in_whose_name", set())
        monkeypatch.setenv("WF_USER", name)
        told.setdefault(name, []).append(
            [(row.content, row.hit) for row in Mine(storage=url, session_id="sec").map(["a"]).result()]
        )
    assert told == {"ann": [[("a for ann", False)], [("a for ann", True)]], "bob": [[("a for bob", False)]]}
    monkeypatch.setenv("WF_USER", "ann")
    Mine(storage=url, session_id="all").map(["a"], session="one").result()
    monkeypatch.setattr(users, "_in_whose_name", set())
    monkeypatch.setenv("WF_USER", "bob")
    with pytest.raises(SessionOwned):
        Mine(storage=url, session_id="all").map(["a"], session="one").result()
