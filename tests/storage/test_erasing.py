"""Folding old versions, and erasing: what was asked for is gone, from the file too, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from wf_notebook import Workflow
from wf_notebook.errors import BadSetting, SessionExists, StorageBusy, UnknownSession, UnknownVersion, UnsavableValue
from wf_notebook.transaction import About


class Blog(Workflow):
    def run(self, topic: str):
        self.session_state.setdefault("topics", []).append(topic)
        yield f"about {topic}"


def filled(database, session_id="demo", count=5):
    session = database.open().session(session_id)
    for number in range(count):
        session.state["n"] = number
        session.state.setdefault("items", []).append(f"{session_id} {number}")
        session.state["big"] = f"{session_id} {number} " * 20_000
        session.state["array"] = np.full(1000, number)
        session.save()
    return session


def content(database) -> bytes:
    database.close()
    return b"".join(path.read_bytes() for path in sorted(database.path.parent.glob("runs.*")) if path.is_file())


def test_a_compacted_session_has_its_newest_versions_and_the_state_is_the_same(database):
    session = filled(database)
    before = [repr(session.at(version)) for version in (4, 5)]
    assert session.compact(keep=2) == 3
    assert [version.version for version in session.versions()] == [4, 5]
    assert [repr(session.at(version)) for version in (4, 5)] == before
    with pytest.raises(UnknownVersion, match="has no version 3; there are 4 to 5"):
        session.at(3)
    again = database.open().session("demo")
    assert again.state["items"] == [f"demo {number}" for number in range(5)]
    again.state["n"] = "new"
    again.save()
    assert database.open().session("demo").state["n"] == "new"
    assert database.query("SELECT DISTINCT version FROM state_log ORDER BY version") == [(4,), (5,), (6,)]


def test_a_session_that_was_loaded_before_it_was_compacted_elsewhere_goes_on_and_loses_nothing(database):
    filled(database, count=3)
    early = database.open().session("demo")
    assert early.state["n"] == 2
    late = database.open().session("demo")
    for number in range(3, 6):
        late.state["items"].append(f"demo {number}")
        late.save()
    late.compact()
    early.state["items"].append("early")
    early.save()
    assert database.open().session("demo").state["items"] == [*(f"demo {number}" for number in range(6)), "early"]
    early.load()
    assert early.state["items"] == [*(f"demo {number}" for number in range(6)), "early"]


def test_compacting_what_is_compact_changes_nothing(database):
    session = filled(database, count=2)
    assert (session.compact(keep=2), session.compact(keep=5)) == (0, 0)
    with pytest.raises(BadSetting, match="keep=0"):
        session.compact(keep=0)


def test_purging_a_session_erases_it_with_its_runs_and_leaves_the_others(database):
    filled(database, "other")
    blog = Blog(session_id="demo", storage=database.open())
    blog.run("cheese").result()
    blog.run("bread").result()
    purged = database.open().purge("demo")
    assert (purged.sessions, purged.versions, purged.runs) == (1, 2, 2)
    for table in ("state_log", "session_log", "run_log"):
        assert database.query(f"SELECT count(*) FROM {table} WHERE session_id = 'demo'") == [(0,)]
    assert database.count("event_log") == 0
    assert database.open().session("other").state["n"] == 4


def test_what_was_purged_is_not_in_the_file_any_more(file_database):
    filled(file_database, "secret-session")
    filled(file_database, "other")
    assert b"secret-session" in content(file_database)
    file_database.open().purge("secret-session")
    assert b"secret-session" not in content(file_database)
    assert file_database.open().session("other").state["items"][-1] == "other 4"
    assert file_database.path.stat().st_mode & 0o777 == 0o600


def test_only_deleted_sessions_go_when_nothing_is_named(database):
    filled(database, "deleted")
    filled(database, "kept")
    storage = database.open()
    storage.delete_session("deleted")
    purged = storage.purge()
    assert (purged.sessions, purged.versions) == (1, 5)
    assert purged.blobs == 5  # the arrays are those of the other session, too
    assert storage.session("kept").at(1)["n"] == 0


def test_what_is_older_goes_and_the_state_stays(database):
    session = filled(database, count=3)
    Blog(session_id="demo", storage=database.open()).run("cheese").result()
    purged = database.open().purge(older_than=timedelta(hours=1))
    assert purged == purged.__class__()
    purged = database.open().purge(older_than=datetime.now(UTC) + timedelta(seconds=1))
    assert (purged.versions, purged.runs) == (3, 1)
    assert [version.version for version in session.versions()] == [4]
    assert database.open().session("demo").state["topics"] == ["cheese"]
    assert database.count("run_log") + database.count("event_log") == 0


def test_blobs_that_are_still_needed_stay(database):
    session = filled(database, count=2)
    session.fork("twin")
    database.open().purge("demo")
    twin = database.open().session("twin")
    assert twin.state["big"].startswith("demo 1")
    assert twin.state["array"].tolist() == [1] * 1000


def test_a_session_of_a_like_name_stays(database):
    for name in ("demo", "demo2", "demo@x", "demo%"):
        filled(database, name, count=1)
    database.open().purge("demo")
    assert sorted(database.open().get_all_session_ids()) == ["demo%", "demo2", "demo@x"]


def test_a_session_goes_on_after_it_was_purged(database):
    session = filled(database)
    session.purge()
    assert session.state == {}
    session.state["n"] = "new"
    session.save()
    assert (database.open().session("demo").state, session.version) == ({"n": "new"}, 1)


def test_a_file_that_is_open_in_this_kernel_is_purged_but_not_rewritten(duck):
    import duckdb

    filled(duck, "secret-session")
    duck.close()
    with duckdb.connect(duck.path), pytest.raises(StorageBusy, match="what was deleted stays in the file for now"):
        duck.open().purge("secret-session")
    assert duck.open().session("secret-session").state == {}
    duck.open().purge()
    assert b"secret-session" not in content(duck)


def test_tables_of_the_users_own_survive_a_purge(duck):
    filled(duck)
    duck.close()
    import duckdb

    with duckdb.connect(duck.path) as db:
        db.execute("CREATE TABLE mine AS SELECT 42 AS answer")
        db.execute("CREATE VIEW ours AS SELECT answer FROM mine")
    duck.open().purge("demo")
    assert duck.query("SELECT * FROM ours") == [(42,)]


# -- hidden, and brought back --------------------------------------------------------------------------------------------------


def test_a_deleted_session_whose_id_is_used_again_comes_back_beside_it(database):
    filled(database)
    storage = database.open()
    storage.delete_session("demo")
    newcomer = storage.session("demo")
    newcomer.state["n"] = "new"
    newcomer.save()
    with pytest.raises(UnknownSession, match=r"its id is used again; .* %wf restore --deleted demo NEW"):
        storage.restore_session("demo")
    with pytest.raises(SessionExists):
        storage.restore_session("demo", new_id="demo")
    storage.restore_session("demo", new_id="old")
    old = database.open().session("old")
    assert [old.at(number)["n"] for number in range(1, 6)] == [0, 1, 2, 3, 4]
    assert old.state["array"].tolist() == [4] * 1000
    old.state["n"] = "goes on"
    old.save()
    assert (old.version, database.open().session("demo").state) == (6, {"n": "new"})
    assert database.query("SELECT count(*) FROM state_history WHERE session_id = 'old' AND key = 'n'") == [(6,)]


def test_before_the_first_version_of_a_session_that_was_deleted_there_is_nothing_to_go_back_to(database):
    filled(database, count=2)
    storage = database.open()
    storage.delete_session("demo")
    session = storage.session("demo")
    session.state["n"] = "new"
    session.save()
    with pytest.raises(UnknownVersion, match="has no version 2"):
        session.restore(2)
    assert (session.state, [one.path for one in session.diff()]) == ({"n": "new"}, ['session_state["n"]'])
    with pytest.raises(UnknownVersion, match="'x' is no version"):
        session.at("x")


def test_what_was_unsaved_is_a_version_before_another_one_is_restored_or_forked(database):
    session = filled(database, count=2)
    session.state["unsaved"] = "precious"
    session.restore(1)
    assert (session.at(3)["unsaved"], "unsaved" in session.state, session.version) == ("precious", False, 4)
    session.state["more"] = 1
    assert session.fork("twin").state["more"] == 1
    session.state["last"] = 1
    session.delete()
    database.open().restore_session("demo")
    assert database.open().session("demo").state["last"] == 1


def test_a_value_that_cannot_be_kept_stops_a_restore(database):
    session = filled(database, count=2)
    odd = session.state["odd"] = object()
    with pytest.raises(UnsavableValue):
        session.restore(1)
    assert (session.state["odd"], session.state["n"]) == (odd, 1)


def test_a_time_that_is_none_is_said_in_one_line(database):
    filled(database, count=1)
    with pytest.raises(BadSetting, match=r"older_than='1 day' is no time; give a timedelta\(days=30\), a date or a datetime"):
        database.open().purge(older_than="1 day")
    assert database.open().purge(older_than=datetime(2020, 1, 1, tzinfo=UTC).date()).versions == 0


def test_a_purge_leaves_the_branches_of_a_session_whose_id_looks_alike(database):
    storage = database.open()
    for key in ("a_b", "axb", "axb@run-1"):
        storage.transact(lambda tx, key=key: tx.append_about(key, "created", About()), write=True)
    storage.purge("a_b")
    assert database.query("SELECT session_id FROM session_log ORDER BY session_id") == [("axb",), ("axb@run-1",)]
