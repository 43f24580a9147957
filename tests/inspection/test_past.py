"""The past of a session in an inspector: its versions, what differs between two of them, and the way back."""

from __future__ import annotations

import json
import random

import pandas as pd
import pytest

from wf_notebook import Workflow
from wf_notebook.inspection import Inspector, answer
from wf_notebook.inspection.comparing import MOST
from wf_notebook.storage import open_storage


@pytest.fixture
def storage(tmp_path):
    return open_storage(f"duckdb:///{tmp_path / 'runs.duckdb'}")


def saved(storage, *states, session_id="demo"):
    """Return a session with a version for each state."""
    session = storage.session(session_id)
    for state in states:
        session.replace(state)
        session.save()
    return session


def asked(inspector, op, **fields):
    """Return the answer to a page, which is JSON, and not long."""
    told = answer(inspector, {"id": 1, "op": op, **fields})
    assert len(json.dumps(told)) < 100_000
    assert told["ok"], told
    return told["result"]


def refused(inspector, op, **fields):
    told = answer(inspector, {"id": 1, "op": op, **fields})
    assert not told["ok"]
    return told["kind"], told["error"]


# -- versions ------------------------------------------------------------------------------------------------------------------


class Blog(Workflow):
    def run(self, topic):
        self.session_state["topic"] = topic
        yield "done"


def test_a_page_of_versions_says_when_each_was_saved_by_which_run_and_what_it_changed(storage):
    blog = Blog(session_id="demo", storage=storage)
    blog.run(topic="cheese").result()
    blog.session_state["posts"] = ["a"]
    blog.write_to_storage()
    found = asked(Inspector(storage, session="demo"), "versions", session="demo")
    assert {name: found[name] for name in ("first", "newest", "total", "start")} == {
        "first": 1,
        "newest": 2,
        "total": 2,
        "start": 0,
    }
    newest, first = found["rows"]
    assert (newest["version"], newest["summary"], newest["run"]) == (2, "set posts", None)
    assert {name: first[name] for name in ("version", "summary", "run", "workflow", "status", "sign")} == {
        "version": 1,
        "summary": "set topic",
        "run": blog.last_run.run_id,
        "workflow": "Blog",
        "status": "completed",
        "sign": "✓",
    }
    assert first["saved_at"] < newest["saved_at"]


@pytest.mark.parametrize(
    "address",
    ["memory:", "sqlite:///{}/runs.db", "duckdb:///{}/runs.duckdb", pytest.param("postgres", marks=pytest.mark.postgres)],
)
def test_a_thousand_versions_are_paged_and_the_page_around_one_is_found(tmp_path, address, place):
    storage = open_storage(place(address).format(tmp_path))
    saved(storage, *({"n": number, **{str(key): number for key in range(20)}} for number in range(120)))
    inspector = Inspector(storage, session="demo")
    page = asked(inspector, "versions", session="demo", start=50, count=50)
    assert (page["total"], page["start"], [row["version"] for row in page["rows"]]) == (120, 50, list(range(70, 20, -1)))
    around = asked(inspector, "versions", session="demo", around=7, count=50)
    assert 7 in [row["version"] for row in around["rows"]]
    assert around["rows"][0]["summary"] == "set 0, 1, 10, 11 and 17 more"


def test_versions_that_were_folded_or_deleted_are_no_part_of_the_range(storage):
    session = saved(storage, {"n": 1}, {"n": 2}, {"n": 3})
    session.compact(keep=2)
    found = asked(Inspector(storage, session="demo"), "versions", session="demo")
    assert (found["first"], found["newest"], [row["version"] for row in found["rows"]]) == (2, 3, [3, 2])
    session.delete()
    saved(storage, {"n": 9})
    again = asked(Inspector(storage, session="demo"), "versions", session="demo")
    assert (again["first"], again["newest"], again["total"]) == (4, 4, 1)


def test_a_state_that_is_slid_to_is_what_it_was_in_whichever_order_it_is_asked_for(storage):
    chance = random.Random(7)
    session = storage.session("demo")
    states = []
    for number in range(60):
        state, what = session.state, chance.randrange(5)
        if what == 0:
            state.setdefault("posts", []).append({"n": number})
        elif what == 1:
            state.setdefault("stats", {})[str(chance.randrange(4))] = number
        elif what == 2:
            state.pop(chance.choice(list(state) or [""]), None)
        elif what == 3:
            state.get("stats", {}).pop(chance.choice("0123"), None)
        else:
            state[chance.choice("abc")] = number
        before = session.version
        session.save()
        if session.version > before:
            states.append(json.dumps(state))
    alone = [list(session.kept_at(version).kept) for version in range(1, len(states) + 1)]
    inspector = Inspector(storage, session="demo")
    for version in chance.choices(range(1, len(states) + 1), k=100):
        loaded = inspector.loaded("demo", version)
        assert {key: loaded.tree(key) for key in loaded.kept} == json.loads(states[version - 1])
        assert list(loaded.kept) == alone[version - 1]


def test_what_did_not_change_between_two_versions_is_read_once(storage):
    saved(storage, {"document": "word " * 100_000, "n": 1}, {"document": "word " * 100_000, "n": 2})
    inspector = Inspector(storage, session="demo")
    one, two = inspector.loaded("demo", 1), inspector.loaded("demo", 2)
    assert one.kept["document"] is two.kept["document"]
    assert one.kept["n"] != two.kept["n"]


def test_a_branch_and_its_session_are_told_apart(storage):
    one, two = storage.session("demo"), storage.session("demo")
    one.state["n"], two.state["n"] = 1, 2
    one.save()
    with pytest.raises(Exception, match="changed elsewhere") as caught:
        two.save()
    inspector = Inspector(storage, session="demo")
    assert [inspector.loaded(name, 1).tree("n") for name in ("demo", caught.value.branch)] == [1, 2]


# -- compared ------------------------------------------------------------------------------------------------------------------


def test_a_version_is_compared_with_the_one_before_it(storage):
    saved(storage, {"posts": [{"title": "a"}], "gone": 1}, {"posts": [{"title": "b"}], "$new": {"k": 1}})
    found = asked(Inspector(storage, session="demo"), "diff", one=["demo", None])
    assert (found["before"], found["after"], found["total"]) == ("demo:1", "demo:2", 3)
    assert found["counts"] == {"changed": 1, "removed": 1, "added": 1}
    by_kind = {row["kind"]: row for row in found["rows"]}
    assert by_kind["changed"]["path"] == ["posts", 0, "title"]
    assert by_kind["changed"]["keys"] == ["posts", "[0]", "title"]
    assert by_kind["changed"]["shown"] == "session_state[\"posts\"][0]['title']"
    assert by_kind["changed"]["pieces"] == [["removed", "a"], ["added", "b"]]
    assert (by_kind["removed"]["before"], by_kind["removed"]["after"]) == ("1", None)
    assert (by_kind["added"]["path"], by_kind["added"]["after"]) == (["$$new"], "{'k': 1}")


def test_the_first_version_is_compared_with_nothing(storage):
    saved(storage, {"n": 1})
    found = asked(Inspector(storage, session="demo"), "diff", one=["demo", 1])
    assert (found["before"], [(row["kind"], row["after"]) for row in found["rows"]]) == ("demo:0", [("added", "1")])


def test_two_sessions_are_compared(storage):
    saved(storage, {"n": 1, "same": 1})
    saved(storage, {"n": 2, "same": 1}, session_id="trial")
    inspector = Inspector(storage, session="demo")
    found = asked(inspector, "diff", one=["demo", None], other=["trial", None])
    assert (found["before"], found["after"], [row["path"] for row in found["rows"]]) == ("trial:1", "demo:1", [["n"]])
    assert str(inspector.compare(("trial", 1), ("demo", 1))) == 'trial:1 → demo:1\n~ session_state["n"] = 2 → 1'
    assert (inspector.place.session, inspector.place.other, inspector.place.view) == ("demo", ("trial", 1), "history")
    assert inspector.comparison().counts() == {"changed": 1}


def test_a_hundred_thousand_differences_stay_bounded_and_are_paged(storage):
    saved(storage, {"items": list(range(100_000))}, {"items": [-number - 1 for number in range(100_000)]})
    inspector = Inspector(storage, session="demo")
    found = asked(inspector, "diff", one=["demo", 2], start=200, count=100_000)
    assert (found["total"], found["more_than"], found["start"], len(found["rows"])) == (MOST, MOST, 200, 200)
    assert found["rows"][0]["path"] == ["items", 200]
    assert len(inspector.diff) == 100_000


def test_large_values_are_told_by_their_beginnings(storage, frame):
    deep = []
    for _ in range(150):
        deep = [deep]
    saved(storage, {"text": "x" * 1_000_000, "k" * 10_000: 1, "deep": deep, "frame": frame, "list": list(range(10_000))})
    rows = {row["keys"][0][:5]: row for row in asked(Inspector(storage, session="demo"), "diff", one=["demo", 1])["rows"]}
    assert rows["frame"]["after"] == "<dataframe of 3 rows>"
    assert len(rows["kkkkk"]["shown"]) == 300
    assert all(len(row["after"]) <= 100 for row in rows.values())


def test_a_page_of_very_long_keys_has_fewer_rows(storage):
    saved(storage, {f"{number:05}{'k' * 10_000}": number for number in range(50)})
    found = asked(Inspector(storage, session="demo"), "diff", one=["demo", 1])
    assert (found["total"], 0 < len(found["rows"]) < 20) == (50, True)


@pytest.fixture
def frame():
    return pd.DataFrame({"a": [1, 2, 3]})


def test_of_long_texts_the_words_around_a_difference_are_told_and_all_when_asked_for(storage):
    words = ["word"] * 30_000
    saved(storage, {"text": " ".join(words)}, {"text": " ".join([*words[:25_000], "duck", *words[25_000:]])})
    inspector = Inspector(storage, session="demo")
    (row,) = asked(inspector, "diff", one=["demo", 2])["rows"]
    assert [kind for kind, _ in row["pieces"]].count("added") == 1
    assert "duck" in "".join(text for kind, text in row["pieces"] if kind == "added")
    assert row["is_cut"]
    whole = asked(inspector, "texts", one=["demo", 2], path=row["path"])
    assert "duck" in "".join(text for kind, text in whole["pieces"] if kind == "added")
    assert whole["left"] > 0


def test_what_is_hostile_or_a_secret_is_data_to_a_page(storage, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "sk-of-the-inspector")
    saved(storage, {"<img src=x onerror=fired(1)>": "<script>fired(1)</script>"})
    monkeypatch.delenv("MY_API_KEY")
    saved(storage, {"key": "sk-of-the-inspector"})
    monkeypatch.setenv("MY_API_KEY", "sk-of-the-inspector")
    inspector = Inspector(storage, session="demo")
    first = asked(inspector, "diff", one=["demo", 1])["rows"][0]
    assert (first["keys"], first["after"]) == (["<img src=x onerror=fired(1)>"], "'<script>fired(1)</script>'")
    assert "sk-of-the" not in json.dumps(asked(inspector, "diff", one=["demo", 2]))


def test_a_side_that_is_not_there_is_an_answer_too(storage):
    saved(storage, {"n": 1})
    inspector = Inspector(storage, session="demo")
    assert refused(inspector, "diff", one=["demo", 7])[0] == "UnknownVersion"
    assert refused(inspector, "diff", one=["demo", 1], other=["dmeo", 1])[0] == "UnknownSession"
    assert refused(inspector, "diff", one="demo") == ("BadArguments", "a side is a session and a version, not 'demo'")


# -- gone back -----------------------------------------------------------------------------------------------------------------


def test_a_version_is_restored_as_a_new_one_and_it_is_said_how_that_is_undone(storage):
    session = saved(storage, {"n": 1, "old": [1]}, {"n": 2})
    inspector = Inspector(storage, session="demo")
    inspector.go(version=1)
    told = asked(inspector, "restore", session="demo", version=1)
    assert told == {
        "version": 3,
        "said": "demo is as it was at version 1, which is now version 3; restore version 2 to undo it",
    }
    assert (session.at(3), inspector.place.version) == ({"n": 1, "old": [1]}, None)
    assert session.versions()[-1].run_id is None
    assert asked(inspector, "restore", session="demo", version=1)["said"] == "demo is as it was at version 1 already"
    assert inspector.restore(2) == 4
    assert storage.session("demo").state == {"n": 2}
    assert refused(inspector, "restore", session="demo", version=9)[0] == "UnknownVersion"


def test_a_restored_state_has_its_frames_and_values_of_classes_that_are_not_here(storage, frame):
    session = saved(storage, {"frame": frame, "odd": {1, 2}}, {"n": 1})
    Inspector(storage, session="demo").restore(1)
    assert session.at(3)["frame"].equals(frame)


def test_a_fork_begins_with_what_is_looked_at_under_an_id_that_was_free(storage):
    saved(storage, {"n": 1}, {"n": 2})
    saved(storage, {}, {"n": 0}, session_id="demo-2")
    inspector = Inspector(storage, session="demo")
    assert asked(inspector, "suggest_id", session="demo") == {"id": "demo-3"}
    told = asked(inspector, "fork", session="demo", version=1, new_id="trial")
    assert told == {"session": "trial", "said": "trial begins as version 1 of demo was; delete it to undo that"}
    assert (storage.session("trial").state, inspector.place.session, inspector.version) == ({"n": 1}, "trial", 1)
    assert refused(inspector, "fork", session="demo", new_id="trial")[0] == "SessionExists"
    assert refused(inspector, "fork", session="demo", new_id=" ")[0] == "BadSetting"
    inspector.go(session="demo", version=None)
    assert inspector.fork("newest").state == {"n": 2}
