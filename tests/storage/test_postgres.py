"""Postgres: a server that is shared, comes and goes, and is told a password."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from pathlib import Path

import psycopg
import pytest

from wf_notebook import Workflow, open_storage
from wf_notebook.errors import BadQuery, BadSetting, BadStorage, StorageBusy, StorageFailed, StorageReadOnly
from wf_notebook.storage import (
    PostgresWorkflowStorage,
    asking,
    postgres_address,
    postgres_connection,
    postgres_errors,
    postgres_pool,
    waiting,
)
from wf_notebook.storage.postgres_claims import Claims
from wf_notebook.storage.postgres_pool import Pool
from wf_notebook.storage.waiting import at_most

pytestmark = pytest.mark.postgres

SAVES = """
import sys
from wf_notebook import open_storage
session = open_storage(sys.argv[1]).session(sys.argv[2])
session.load()
print("ready"); input()
for number in range(int(sys.argv[3])):
    session.state.setdefault("all", []).append(f"{sys.argv[4]} {number}")
    session.save()
    print(number, flush=True)
"""


def saved(storage, session_id="demo", **state):
    session = storage.session(session_id)
    session.state.update(state)
    session.save()
    return session


class Says(Workflow):
    def run(self, text: str):
        return text


# -- its address ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://ann:s3cret-word@db/team", "postgresql://ann@db/team"),
        ("postgres://ann:s3cret-word@db:5433/team", "postgresql://ann@db:5433/team"),
        ("postgresql+psycopg2://ann:s3cret-word@db/team?sslmode=require", "postgresql://ann@db/team?sslmode=require"),
        ("postgresql://db/team?user=ann&password=s3cret-word&schema=flows", "postgresql://ann@db/team?schema=flows"),
        ("postgresql://ann:s3cret%2Dword@[::1]:5432/te%20am", "postgresql://ann@[::1]:5432/te%20am"),
        ("postgresql://one:1,two:2/team", "postgresql://one:1,two:2/team"),
        ("postgresql:///team?host=/var/run/postgresql", "postgresql:///team?host=/var/run/postgresql"),
        ("postgresql://", "postgresql:///"),
    ],
)
def test_an_address_is_told_without_its_password_and_leads_to_the_same_place(url, told):
    storage = open_storage(url)
    assert storage.url == told
    assert "s3cret" not in repr(storage) + repr(vars(storage)) + repr(storage._address)
    again = open_storage(storage.url)
    assert (again.url, again._pool) == (told, storage._pool)
    if "s3cret" in url:
        assert dict(again._address.secret) == {"password": "s3cret-word"}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:s3cret/word@db/team",
        "postgresql://ann:12/s3cret@db/team",
        "postgresql://ann:12?s3cret@db/team",
        "postgresql://ann:s3cret#word@db/team",
        "postgresql://ann:s3cret@db:port/team",
        "postgresql:ann:s3cret@db",
        "postgre://ann:s3cret@db/team?password=s3cret",
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_a_word_of_its_password(url):
    with pytest.raises(BadStorage) as caught:
        open_storage(url)
    assert "s3cret" not in str(caught.value)


def test_a_password_is_in_no_record_and_no_error(postgres, pg, caplog, monkeypatch):
    url = pg.url.replace("tester@", "tester:s3cret-of-the-team@")

    class Says(Workflow):
        def run(self):
            self.session_state["url"] = url
            yield f"I use {url}"

    says = Says(session_id="demo", storage=url)
    says.run().result()
    assert json.dumps(says.session_state["url"]).count("s3cret") == 1  # the user's own dict is left as it is
    for table in ("state_log", "run_log", "event_log", "session_log", "step_log"):
        assert "s3cret" not in repr(pg.query(f"SELECT * FROM {table}"))
    assert "s3cret" not in repr(says.last_run._repr_mimebundle_()) + repr(says.storage.sessions())
    monkeypatch.setattr(waiting, "PATIENCE", 0.1)
    with pytest.raises((StorageBusy, BadStorage)) as caught:
        open_storage(url.replace(str(postgres.port), "1")).session("demo").load()
    assert "s3cret" not in "".join([str(caught.value), repr(caught.value.__cause__), caplog.text])


def test_a_wrong_password_is_refused_also_where_the_right_one_is_connected(pg):
    saved(pg.open(), n=1)
    pg.query("DROP ROLE IF EXISTS locked")
    pg.query("CREATE ROLE locked LOGIN SUPERUSER PASSWORD 'the-right-one'")
    right, wrong = (open_storage(pg.url.replace("tester@", f"locked:the-{word}-one@")) for word in ("right", "wrong"))
    assert right.get_all_session_ids() == ["demo"]
    with pytest.raises(BadStorage, match="the password of 'locked' is not the one that the server at"):
        wrong.get_all_session_ids()
    right.close()
    assert right.get_all_session_ids() == open_storage(right.url).get_all_session_ids() == ["demo"]
    assert "the-right" not in repr([right, vars(right), Pool._all])
    right.close()
    pg.query("ALTER ROLE locked PASSWORD 'the-wrong-one'")  # which is the right one now
    assert wrong.get_all_session_ids() == open_storage(right.url).get_all_session_ids() == ["demo"]
    wrong.close()
    pg.query("DROP ROLE locked")


def test_without_psycopg_it_is_said_what_to_install(python):
    code = """
import sys
sys.modules["psycopg"] = None
from wf_notebook.errors import MissingPart
from wf_notebook import open_storage
try:
    open_storage("postgresql://db/team")
except MissingPart as error:
    print(error)
"""
    assert python(code) == "a storage in Postgres needs psycopg, which is not here; run %pip install 'psycopg[binary]'"


def test_what_it_is_made_of_is_checked():
    for made, error, said in (
        (lambda: PostgresWorkflowStorage("blog"), BadStorage, "needs an address; give db_url='postgresql://"),
        (lambda: PostgresWorkflowStorage("blog", "sqlite:///a.db"), BadStorage, "is no Postgres address"),
        (lambda: PostgresWorkflowStorage("blog", "postgresql://db", schema="pg_mine"), BadStorage, "no name of a schema"),
        (lambda: PostgresWorkflowStorage("blog", "postgresql://db", db_engine=1), BadSetting, "takes no db_engine="),
        (lambda: PostgresWorkflowStorage("runs", "postgresql://db"), BadStorage, "the name of a table or view"),
    ):
        with pytest.raises(error, match=said):
            made()
    old = PostgresWorkflowStorage(
        table_name="blog", db_url="postgresql://db/team", schema="ai", mode="workflow", schema_version=1
    )
    assert old.url == "postgresql://db/team?schema=ai"


def test_a_project_names_its_database(monkeypatch):
    Path("pyproject.toml").write_text(
        '[tool.wf_notebook]\nstorage = "postgresql:///team?host=/run/postgresql"\n', encoding="utf-8"
    )
    assert open_storage("default").url == "postgresql:///team?host=/run/postgresql"
    monkeypatch.setenv("WF_STORAGE", "postgresql://ann:s3cret-word@db/team")
    assert open_storage("default").url == "postgresql://ann@db/team"


def test_a_cell_saves_where_it_is_told_to(pg, shell, capsys):
    url = pg.url.replace("tester@", "tester:s3cret-of-a-cell@")
    cell = "%%workflow blog --storage '" + url + "'\ndef run(self):\n    self.session_state['n'] = 1\n    yield 'done'"
    shell.run_cell("%load_ext wf_notebook").raise_error()
    shell.run_cell(cell).raise_error()
    assert pg.query("SELECT key, value FROM session_state") == [("n", "1")]
    shell.run_cell("%wf sessions\n%wf inspect blog").raise_error()
    said = capsys.readouterr()
    assert "s3cret" not in said.out + said.err
    assert "blog" in said.out


def test_the_options_of_the_address_name_the_schema(pg):
    saved(pg.open(), n=1)
    schema = pg.url.rpartition("=")[2]
    assert pg.query("SELECT count(*) FROM pg_tables WHERE schemaname = ? AND tablename = 'state_log'", schema) == [(1,)]


def test_who_only_looks_makes_no_schema(postgres, pg):
    storage = open_storage(postgres.schema())
    assert (storage.session("demo").state, storage.get_all_session_ids(), len(storage.sessions())) == ({}, [], 0)
    with pytest.raises(BadQuery, match="is empty yet; the first save makes it"):
        storage.sql("SELECT * FROM sessions")
    assert pg.query("SELECT count(*) FROM pg_namespace WHERE nspname = ?", storage.schema) == [(0,)]


def test_what_is_wrong_with_an_address_is_said_at_once_with_its_remedy(pg):
    at = re.search(r"@(.*):(\d+)/", pg.url)
    said = {
        pg.url.replace("/postgres?", "/no where?"): (
            f"there is no database 'no where' at {at[1]}:{at[2]}; make it: createdb -h {at[1]} -p {at[2]} -U tester 'no where'"
        ),
        pg.url.replace("tester@", "nobody@"): (
            f"there is no role 'nobody' at {at[1]}:{at[2]}; name the right user: postgresql://USER@HOST/DATABASE, "
            "or let the role be made: createuser nobody"
        ),
        "postgresql://ann@nowhere.invalid/team": (
            "there is no host 'nowhere.invalid'; check its name in the address, and that you are in its network"
        ),
        f"{pg.url}&sslmode=require": f"the server at {at[1]}:{at[2]} speaks without TLS only; leave sslmode out of the address",
        "postgresql://ann@127.0.0.1:99999/team": (
            'postgresql://ann@127.0.0.1:99999/team cannot be used: invalid port number: "99999"; '
            "write postgresql://user@host:5432/database"
        ),
    }
    for url, told in said.items():
        with pytest.raises(BadStorage) as error:
            open_storage(url).session("demo").load()
        assert str(error.value) == told


def test_what_may_pass_is_waited_for_and_then_said_with_its_remedy(pg, monkeypatch, caplog):
    monkeypatch.setattr(waiting, "PATIENCE", 1.3)
    with caplog.at_level(logging.WARNING), pytest.raises(StorageBusy, match=r"since 1 s: nobody listens at 127.0.0.1:1, .*start"):
        open_storage("postgresql://ann@127.0.0.1:1/team").session("demo").load()
    assert "which cannot be reached: nobody listens at 127.0.0.1:1" in caplog.text
    pg.query("DROP ROLE IF EXISTS few")
    pg.query("CREATE ROLE few LOGIN CONNECTION LIMIT 0")
    monkeypatch.setattr(waiting, "PATIENCE", 0.1)
    with pytest.raises(StorageBusy, match=r'"few" has as many connections as it may have at .*pg_stat_activity'):
        open_storage(pg.url.replace("tester@", "few@")).session("demo").load()


@pytest.mark.parametrize(
    ("said", "passes", "told"),
    [  # as servers say it, of releases 14 to 17, and the library
        (
            'FATAL:  password authentication failed for user "eve"',
            False,
            r"password of 'eve' is not .* that the server at db:5432",
        ),
        ("fe_sendauth: no password supplied", False, r"wants a password of 'ann', and none was given; set PGPASSWORD"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "ann"', False, r"does not let in 'ann' .* pg_hba.conf"),
        ("FATAL:  the database system is starting up", True, r"the server at db:5432 starts up.*wait a moment"),
        ("FATAL:  sorry, too many clients already", True, r"as many connections as it takes.*max_connections"),
        ("failed to resolve host 'db': [Errno -3] Temporary failure in name resolution", True, r"the name 'db' leads nowhere"),
        ("connection timeout expired", True, r"since 10 s: connection timeout expired.*see that the server runs"),
    ],
)
def test_what_servers_say_is_told_as_a_fact_and_a_remedy(said, passes, told):
    error = psycopg.OperationalError(f'connection failed: connection to server at "10.0.0.9", port 5432 failed: {said}')
    address = postgres_address.read("postgresql://ann@db/team")
    assert postgres_errors.is_lost(error, connected=False) is passes
    ours = postgres_errors.unreachable(error, address, 10, write=True) if passes else postgres_errors.translated(error, address)
    assert re.search(told, str(ours))
    assert "FATAL" not in str(ours)


def test_a_host_that_was_there_before_is_waited_for():
    error = psycopg.OperationalError("failed to resolve host 'db': [Errno -2] Name or service not known")
    assert not postgres_errors.is_lost(error, connected=False)
    assert postgres_errors.is_lost(error, connected=False, met=True)


def test_a_member_of_the_team_who_may_not_write_is_told_what_to_ask_for(pg):
    saved(pg.open(), n=1)
    schema = pg.open().schema
    pg.query("DROP ROLE IF EXISTS guest")
    pg.query("CREATE ROLE guest LOGIN")
    pg.query(f"GRANT USAGE ON SCHEMA {schema} TO guest")
    pg.query(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO guest")
    with open_storage(pg.url.replace("tester@", "guest@")) as guests:
        session = guests.session("demo")
        assert session.state == {"n": 1}
        session.state["n"] = 2
        with pytest.raises(StorageReadOnly, match=rf"GRANT USAGE ON SCHEMA {schema} and SELECT, INSERT, DELETE"):
            session.save()
        pg.query(f"GRANT INSERT ON ALL TABLES IN SCHEMA {schema} TO guest")
        session.save()
    assert pg.open().session("demo").state == {"n": 2}
    pg.query("DROP OWNED BY guest")
    pg.query("DROP ROLE guest")


@pytest.fixture
def newcomer(pg):
    """Return the storage as a role has it that was granted nothing."""
    pg.query("DROP ROLE IF EXISTS newcomer")
    pg.query("CREATE ROLE newcomer LOGIN")
    with open_storage(pg.url.replace("tester@", "newcomer@")) as storage:
        yield storage
    pg.query("DROP OWNED BY newcomer")
    pg.query("DROP ROLE newcomer")


def test_a_role_that_was_granted_nothing_is_told_what_to_ask_for(pg, newcomer):
    saved(pg.open(), n=1)
    schema = pg.open().schema
    told = f"your role may not use schema {schema!r}; let the owner GRANT USAGE ON SCHEMA {schema} and SELECT ON ALL TABLES"
    for look in (newcomer.sessions, lambda: newcomer.sql("SELECT * FROM runs"), Says(storage=newcomer).map(["one"]).result):
        with pytest.raises(StorageReadOnly, match=re.escape(told)):
            look()
    pg.query(f"GRANT USAGE ON SCHEMA {schema} TO newcomer")
    with pytest.raises(StorageReadOnly, match=f"GRANT USAGE ON SCHEMA {schema} and SELECT ON ALL TABLES"):
        newcomer.sessions()


def test_who_may_not_make_what_is_not_there_is_told_so(pg, newcomer):
    schema = pg.open().schema
    pg.query(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    assert len(newcomer.sessions()) == 0
    with pytest.raises(StorageReadOnly, match=rf"no schema '{schema}', .* save first, or GRANT CREATE ON DATABASE postgres to"):
        saved(newcomer, n=1)
    pg.query(f"CREATE SCHEMA {schema}")
    pg.query(f"GRANT USAGE ON SCHEMA {schema} TO newcomer")
    with pytest.raises(StorageReadOnly, match=rf"schema '{schema}' is empty, .* save first, or GRANT CREATE ON SCHEMA {schema}"):
        saved(newcomer, n=1)
    pg.query(f"GRANT CREATE ON SCHEMA {schema} TO newcomer")
    saved(newcomer, n=1)


def test_what_psycopg_says_of_lost_connections_does_not_go_to_stderr(python):
    code = "import logging, sys; sys.stderr = sys.stdout; from wf_notebook.storage import postgres_driver; "
    assert python(f"{code}logging.getLogger('psycopg').warning('error ignored terminating')") == ""


# -- values --------------------------------------------------------------------------------------------------------------------


def test_values_that_postgres_has_no_place_for_come_back_and_are_asked_for(pg):
    hard = {"a\0b": "c\0d", "\ufdd0": ["\ufdd0\ufdd1", "\ufdd0\0"], "deep": {"\0": {"\\u0000": "\\"}, "x": "\ufdd0"}}
    session = saved(pg.open(), **hard)
    session.state["deep"]["y\0"] = "\0\\u0000"
    session.save()
    hard["deep"]["y\0"] = "\0\\u0000"
    assert pg.open().session("demo").state == hard
    assert {row["key"]: row["value"] for row in pg.open().sql("SELECT key, value FROM session_state")} == hard
    assert pg.open().sql("SELECT session_state FROM workflow_sessions")[0]["session_state"] == hard


# -- a server that comes and goes ----------------------------------------------------------------------------------------------


def test_a_session_goes_on_when_all_connections_were_ended(pg):
    session = saved(pg.open(), n=1)
    for number in range(2, 5):
        others = "application_name LIKE 'wf_notebook%' AND pid <> pg_backend_pid()"
        pg.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        session.state["n"] = number
        session.save()
    assert (pg.open().session("demo").state, session.version) == ({"n": 4}, 4)


def test_a_query_is_asked_again_when_all_connections_were_ended(pg):
    storage = pg.open()
    saved(storage, n=1)
    others = "application_name LIKE 'wf_notebook%' AND pid <> pg_backend_pid()"
    pg.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    assert storage.sql("SELECT key FROM session_state")["key"] == ["n"]


class Deaf(psycopg.Connection):
    """A connection that is lost when COMMIT was sent: `heard` says whether the server has heard it."""

    heard = True
    count = 0

    @classmethod
    def loses(cls, sql):
        return sql == "COMMIT" and cls.count > 0

    def execute(self, query, *arguments, **options):
        if not self.loses(query):
            return super().execute(query, *arguments, **options)
        type(self).count -= 1
        if self.heard:
            super().execute(query, *arguments, **options)
            self._pipeline.sync()
        self.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")


@pytest.mark.parametrize("heard", [True, False])
def test_a_save_whose_acknowledgement_was_lost_is_not_done_twice(pg, monkeypatch, heard):
    monkeypatch.setattr(postgres_connection.psycopg, "connect", Deaf.connect)
    monkeypatch.setattr(Deaf, "heard", heard)
    session = saved(pg.open(), log=["a"], n=1)
    session.state["log"].append("b")
    session.state["n"] += 1
    monkeypatch.setattr(Deaf, "count", 2)
    session.save()
    assert Deaf.count == 0
    assert (pg.open().session("demo").state, session.version) == ({"log": ["a", "b"], "n": 2}, 2)
    assert pg.query("SELECT version, key FROM state_log ORDER BY version, key") == [(1, "log"), (1, "n"), (2, "log"), (2, "n")]


def test_a_save_of_which_nobody_heard_at_all_is_looked_for_by_the_next_one(pg, monkeypatch):
    monkeypatch.setattr(postgres_connection.psycopg, "connect", Deaf.connect)
    session = saved(pg.open(), log=["a"])
    session.state["log"].append("b")
    monkeypatch.setattr(waiting, "PATIENCE", 0.2)
    monkeypatch.setattr(Deaf, "count", 1000)
    with pytest.raises(StorageFailed, match=r"stays in memory.*is looked for and not done twice"):
        session.save()
    monkeypatch.setattr(Deaf, "count", 0)
    session.state["log"].append("c")
    session.save()
    assert (pg.open().session("demo").state, session.version) == ({"log": ["a", "b", "c"]}, 3)


def test_while_the_server_is_away_a_save_waits_says_so_and_keeps_the_state(postgres, pg, monkeypatch, caplog):
    session = saved(pg.open(), n=1)
    monkeypatch.setattr(waiting, "PATIENCE", 1.5)
    postgres.stop()
    try:
        session.state["n"] = 2
        with (
            caplog.at_level(logging.WARNING),
            pytest.raises(StorageBusy, match=r"cannot be reached since [12] s: nobody listens at .*stays in memory"),
        ):
            session.save()
        assert "which cannot be reached" in caplog.text
        since = time.monotonic()
        with pytest.raises(StorageBusy, match=r"cannot be reached since [2-9] s"):
            saved(pg.open(), "other", n=1)  # for which it was waited already
        assert time.monotonic() - since < waiting.PATIENCE
        with at_most(0.1), pytest.raises(StorageBusy, match="so that nothing could be read"):
            pg.open().session("demo").load()
    finally:
        postgres.start()
    session.save()
    assert pg.open().session("demo").state == {"n": 2}


@pytest.mark.slow
def test_the_server_fails_and_is_started_again_in_the_middle_of_saving_and_nothing_is_lost_or_doubled(postgres, pg, process):
    saved(pg.open(), all=[])
    count = 60
    processes = [process(SAVES, pg.url, "demo" if number < 2 else "other", count, f"k{number}") for number in range(3)]
    for one in processes:
        assert one.stdout.readline() == "ready\n"
    for one in processes:
        one.stdin.write("\n")
        one.stdin.flush()
    for round_ in range(2):
        for one in processes:
            for _ in range(10):
                assert one.stdout.readline() != "", one.stderr.read()
        postgres.stop(at_once=round_ == 0)
        postgres.start()
    for one in processes:
        _, said = one.communicate(timeout=60)
        assert one.returncode == 0, said
    both, alone = (pg.open().session(name) for name in ("demo", "other"))
    assert sorted(both.state["all"]) == sorted(f"k{who} {number}" for who in (0, 1) for number in range(count))
    assert alone.state["all"] == [f"k2 {number}" for number in range(count)]
    assert (both.version, alone.version) == (2 * count + 1, count)
    assert pg.query("SELECT count(DISTINCT version) FROM state_log WHERE session_id = 'demo'") == [(2 * count + 1,)]


# -- many at once --------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_several_who_open_a_new_schema_at_once_all_succeed(pg, process):
    pg.query(f"DROP SCHEMA IF EXISTS {pg.open().schema} CASCADE")
    processes = [process(SAVES, pg.url, f"s{number}", 3, "x") for number in range(4)]
    for one in processes:
        assert one.stdout.readline() == "ready\n"
    for one in processes:
        one.stdin.write("\n")
        one.stdin.flush()
    for one in processes:
        _, said = one.communicate(timeout=60)
        assert (one.returncode, said) == (0, "")
    assert pg.query("SELECT count(*), max(migration) FROM schema_log") == [(2, 3)]
    assert sorted(pg.open().get_all_session_ids()) == [f"s{number}" for number in range(4)]


def test_sessions_do_not_wait_for_each_other_and_one_that_is_held_is_waited_for(pg, monkeypatch):
    storage = pg.open()
    for name in ("held", "free"):
        saved(storage, name, n=1)
    began, go_on = threading.Event(), threading.Event()

    def hold(tx):
        tx.head("held", 0)
        began.set()
        assert go_on.wait(30)

    holder = threading.Thread(target=lambda: storage.transact(hold, write=True))
    holder.start()
    assert began.wait(10)
    saved(storage, "free", n=2)
    monkeypatch.setattr(waiting, "PATIENCE", 0.5)
    session = storage.session("held")
    session.state["n"] = 2
    with pytest.raises(StorageBusy, match=r"is held by another kernel, which saves there, since \d s; .*stays in memory"):
        session.save()
    go_on.set()
    holder.join()
    session.save()
    assert (storage.session("held").state, storage.session("free").state) == ({"n": 2}, {"n": 2})


def test_a_purge_waits_for_those_who_save_and_takes_no_blob_that_they_need(pg):
    storage = pg.open()
    text = "long " * 30_000
    session = saved(storage, "old", text=text)
    began, go_on = threading.Event(), threading.Event()

    def save_the_same(tx):
        tx.head("new", 0)
        began.set()
        assert go_on.wait(30)

    session.delete()
    holder = threading.Thread(target=lambda: storage.transact(save_the_same, write=True))
    holder.start()
    assert began.wait(10)
    purging = threading.Thread(target=storage.purge)
    purging.start()
    purging.join(0.3)
    assert purging.is_alive()
    go_on.set()
    for one in (holder, purging):
        one.join(30)
    assert pg.query("SELECT count(*) FROM blob") == [(0,)]
    saved(storage, "new", text=text)
    assert pg.open().session("new").state == {"text": text}


def test_a_reader_sees_one_moment_while_another_saves(pg):
    storage = pg.open()
    session = saved(storage, n=1)

    def read(tx):
        before = tx.head("demo", 0).version
        session.state["n"] += 1
        thread = threading.Thread(target=session.save)
        thread.start()
        thread.join(30)
        return before, tx.head("demo", 0).version, len(tx.changes("demo"))

    assert storage.transact(read, write=False) == (1, 1, 1)
    assert storage.session("demo").state == {"n": 2}


def test_connections_are_few_and_named_and_a_child_makes_its_own(pg, python):
    mine = f"wf_notebook % {os.getpid()}"
    ((before,),) = pg.query("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE ?", mine)
    storage = pg.open()
    threads = [threading.Thread(target=saved, args=(storage, f"s{number}"), kwargs={"n": number}) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(storage.get_all_session_ids()) == 30
    ((count,),) = pg.query("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE ?", mine)
    assert 1 < count - before <= 10
    code = """
import os, sys
from wf_notebook import open_storage
session = open_storage(sys.argv[1]).session("forked")
session.state["parent"] = 1
session.save()
if pid := os.fork():
    os.waitpid(pid, 0)
    session.state["after"] = 1
else:
    session.state["child"] = 1
session.save()
print("saved", flush=True)
"""
    assert python(code, pg.url).split() == ["saved", "saved"]
    assert pg.open().session("forked").state == {"parent": 1, "child": 1, "after": 1}


def test_connections_that_nobody_uses_any_more_are_closed_though_nothing_is_asked(pg, monkeypatch):
    monkeypatch.setattr(postgres_pool, "IDLE", 0.2)
    storage, together = pg.open(), threading.Barrier(4)
    storage.close()  # what other tests had

    def read():
        with storage._pool.lent(10):
            together.wait(20)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    until = time.monotonic() + 20
    while (left := len(storage._pool._free)) > 1 and time.monotonic() < until:
        threading.Event().wait(0.02)
    assert left == 1


def test_tables_that_were_taken_away_are_made_again_with_the_full_state(pg):
    session = saved(pg.open(), topic="cheese", n=1)
    pg.query(f"DROP SCHEMA {pg.open().schema} CASCADE")
    session.state["n"] = 2
    session.save()
    assert (session.version, pg.open().session("demo").state) == (1, {"topic": "cheese", "n": 2})


# -- queries of the user's -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("COPY (SELECT 1) TO PROGRAM 'true'", "COPY does more than read"),
        ("COPY state_log TO STDOUT", "COPY does more than read"),
        ("DELETE FROM state_log", "DELETE does more than read"),
        ("WITH gone AS (DELETE FROM state_log RETURNING 1) SELECT * FROM gone", "DECLARE CURSOR must not contain data-modifying"),
        ("SELECT 1; DELETE FROM state_log", "there are several statements"),
        ("SELECT 1; SELECT 2", "there are several statements"),
        ("SET transaction_read_only = off", "SET does more than read"),
        ("SELECT set_config('transaction_read_only', 'off', true)", r"set_config\(\) is out of reach"),
        ("SELECT pg_catalog . pg_read_file /* x */ ('/etc/passwd')", r"pg_read_file\(\) is out of reach"),
        ("SELECT \"pg_read_file\"('/etc/passwd')", r"pg_read_file\(\) is out of reach"),
        ("SELECT U&\"\\0070g_read_file\"('/etc/passwd')", "a name is written as U&"),
        ("SELECT * FROM pg_ls_dir('.')", r"pg_ls_dir\(\) is out of reach"),
        ("SELECT lo_export(1, '/tmp/x')", r"lo_export\(\) is out of reach"),
        (r"SELECT E'\'', pg_sleep(60), ''", r"pg_sleep\(\) is out of reach"),
        ("SELECT 1 AS €$$, pg_sleep(60) AS b$$", r"pg_sleep\(\) is out of reach"),
        ("SELECT 1 -- \r, pg_sleep(60)", r"pg_sleep\(\) is out of reach"),
        ("SELECT E'a'\n'\\'', pg_sleep(60), ''", "a text goes on in another one"),
        ("SELECT /*/*/ ' */ */ pg_sleep(60), 'x'", "a comment begins in another one"),
        ("SELECT /* /* */ ' */ pg_sleep(60), 'x'", "a comment begins in another one"),
        ("SELECT pg_sleep(60)", r"pg_sleep\(\) is out of reach"),
        ("SELECT pg_advisory_lock(1)", r"pg_advisory_lock\(\) is out of reach"),
        ("SELECT pg_terminate_backend(1)", r"pg_terminate_backend\(\) is out of reach"),
        ("SELECT query_to_xml('SELECT 1', true, true, '')", r"query_to_xml\(\) is out of reach"),
        ("EXPLAIN ANALYZE DELETE FROM state_log", "cannot execute DELETE in a read-only transaction"),
        ("SELECT * INTO copied FROM state_log", "INTO"),
        ("SELECT * FROM nowhere", "does not exist; ask sessions, session_state"),
        ("SELECT '", "unterminated quoted string"),
        ("-- nothing", "there is no statement"),
        ("SELECT * FROM state_log FOR UPDATE", "cannot execute SELECT FOR UPDATE in a read-only transaction"),
    ],
)
def test_a_query_only_reads_and_reads_nothing_but_the_database(pg, query, said):
    storage = pg.open()
    saved(storage, n=1)
    with pytest.raises(BadQuery, match=said):
        storage.sql(query)
    assert pg.query("SELECT count(*) FROM state_log") == [(1,)]
    assert storage.sql("SELECT key, value FROM session_state")[0] == {"key": "n", "value": 1}


def test_a_query_gives_python_values_and_their_types(pg):
    storage = pg.open()
    saved(storage, posts=[{"a": 1.5}], n=2)
    told = storage.sql("SELECT sum(version) AS n, avg(version) AS mean, 'a' || ? AS text FROM session_state", ["?"])
    assert (told[0]["n"], told[0]["mean"], told[0]["text"]) == (2, 1.0, "a?")
    assert storage.sql("SELECT value ->> 0 AS first FROM session_state WHERE key = 'posts'")[0] == {"first": '{"a":1.5}'}
    assert len(storage.sql("SELECT * FROM generate_series(1, 5000) AS n")) == 5000
    assert storage.sql("EXPLAIN SELECT 1").columns == ["QUERY PLAN"]
    assert storage.sql("SELECT random() >= 0 AS yes")[0] == {"yes": True}
    odd = r"SELECT E'\\' AS a, $x1$(';$x1$ AS b, 'c (' AS c -- pg_sleep(60)"
    assert storage.sql(odd)[0] == {"a": "\\", "b": "(';", "c": "c ("}


def test_a_query_is_ended_by_its_time_and_by_stop_and_by_what_it_gives(pg):
    storage = pg.open()
    saved(storage, n=1)
    endless = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b"
    with pytest.raises(BadQuery, match=r"took more than 0\.2 s"):
        storage.sql(endless, seconds=0.2)
    bounds = asking.Bounds()
    threading.Timer(0.2, bounds.stop.cancel).start()
    with pytest.raises(BadQuery, match="the query was stopped"):
        storage.ask(endless, (), bounds)
    with pytest.raises(BadQuery, match="more than 10 rows"):
        storage.sql("SELECT * FROM generate_series(1, 100000) n", rows=10)
    assert storage.sql("SELECT count(*) AS n FROM session_state")[0] == {"n": 1}


# -- what the docs say ---------------------------------------------------------------------------------------------------------


def test_the_code_and_the_grants_of_the_page_do_what_it_says(pg):
    text = (Path(__file__).parents[2] / "docs" / "postgres.md").read_text(encoding="utf-8")
    given: dict = {}
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    exec(code.replace("postgresql://ann@db.example:5432/team", pg.url), given)
    assert pg.query("SELECT key, value ->> 0 FROM session_state") == [("posts", "cats")]
    grants = re.findall(r"^    ((?:CREATE|GRANT|ALTER) .*;)$", text, re.MULTILINE)
    assert len(grants) == 4
    for statement in [*grants, "ALTER ROLE flows LOGIN"]:
        pg.query(statement.replace("SCHEMA wf_notebook", f"SCHEMA {pg.open().schema}"))
    with open_storage(pg.url.replace("tester@", "flows@")) as storage:
        saved(storage, "of the team", n=1)
        storage.purge("of the team")
        assert storage.get_all_session_ids() == ["blog"]
    pg.query("DROP OWNED BY flows")
    pg.query("DROP ROLE flows")


# -- what Agno left ------------------------------------------------------------------------------------------------------------


def test_a_table_of_agno_is_read_at_the_first_load_and_never_written(pg):
    pg.query("CREATE SCHEMA IF NOT EXISTS ai")
    pg.query("DROP TABLE IF EXISTS ai.blog")
    pg.query(
        "CREATE TABLE ai.blog (session_id VARCHAR PRIMARY KEY, workflow_id VARCHAR, user_id VARCHAR, memory JSONB,"
        " workflow_data JSONB, session_data JSONB, extra_data JSONB, created_at BIGINT, updated_at BIGINT)"
    )
    data = json.dumps({"session_name": "Old", "session_state": {"topic": "cheese"}})
    pg.query("INSERT INTO ai.blog (session_id, user_id, session_data) VALUES ('demo', 'ann', ?)", data)
    session = pg.open("blog").session("demo")
    assert (session.state, session.about.session_name) == ({"topic": "cheese"}, "Old")
    session.state["n"] = 1
    session.save()
    assert pg.open("blog").session("demo").state == {"topic": "cheese", "n": 1}
    assert pg.query("SELECT session_data ->> 'session_name' FROM ai.blog") == [("Old",)]
    pg.query("DROP SCHEMA ai CASCADE")


def test_a_storage_that_is_closed_leaves_no_connection_for_claims_unless_one_is_held(pg):
    storage, another = pg.open(), Claims(pg.open()._address)  # as of another process
    assert storage.claims.take(["one", "two"]) == [True, True]
    storage.claims.release("one")
    storage.close()
    assert another.take(["one", "two"]) == [True, False]
    another.close()
    storage.claims.release("two")
    storage.close()
    assert storage.claims._connection is None
    assert storage.claims.take(["two"]) == [True]
    storage.claims.release("two")
    storage.close()


def test_the_pool_of_an_address_is_made_once():
    made = []

    class Noted(Pool):
        _all = {}  # noqa: RUF012 - of this test

        def __init__(self, address):
            made.append(address.url)
            super().__init__(address)

    address = postgres_address.read("postgresql://ann@127.0.0.1:1/team", None)
    assert Noted.at(address) is Noted.at(address)
    assert len(made) == 1
