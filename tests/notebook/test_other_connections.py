"""A kernel's own connections to the file, as JupySQL and `duckdb.connect` make them: both sides go on working."""

from __future__ import annotations

import pytest

FLOW = """
%%workflow blog --storage duckdb:///runs.duckdb topic='cheese'
def run(self, topic):
    self.session_state.setdefault('topics', []).append(topic)
    yield topic
"""


@pytest.fixture
def blog(cells, monkeypatch):
    monkeypatch.setenv("PLOOMBER_STATS_ENABLED", "false")
    cells.good(FLOW.strip())
    cells.good("import duckdb\nblog.storage.close()")
    return cells


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_jupysql_reads_the_views_while_runs_go_on(blog):
    blog.good("%load_ext sql\nconnection = duckdb.connect(str(blog.storage.path))")
    blog.good("%sql connection --alias store")
    blog.good("%config SqlMagic.displaylimit = 5")
    assert blog.good("rows = %sql SELECT key, value FROM session_state\n[tuple(row) for row in rows]") == [
        ("topics", '["cheese"]')
    ]
    blog.good("%workflow blog topic='bread'")
    assert blog.good("rows = %sql SELECT value FROM session_state\n[tuple(row) for row in rows]") == [('["cheese","bread"]',)]
    blog.good("%sql --close store\nconnection.close()")
    blog.good("%workflow blog topic='wine'")
    assert blog.good("blog.storage.session('blog').state") == {"topics": ["cheese", "bread", "wine"]}


def test_a_read_only_connection_stands_in_the_way_and_is_named(blog):
    blog.good("connection = duckdb.connect(str(blog.storage.path), read_only=True)")
    error = blog.bad("%workflow blog topic='bread'")
    assert "is open read-only in this kernel, or with other settings" in str(error)
    assert "close that connection, then run %wf save (or write_to_storage())" in str(error)
    assert blog.good("blog.session_state") == {"topics": ["cheese", "bread"]}
    blog.good("connection.close()\nblog.write_to_storage()")
    assert blog.good("blog.storage.session('blog').state") == {"topics": ["cheese", "bread"]}


def test_a_connection_of_the_kernels_own_writes_beside_us(blog):
    blog.good("connection = duckdb.connect(str(blog.storage.path))\nconnection.execute('CREATE TABLE mine AS SELECT 1 AS n')")
    blog.good("%workflow blog topic='bread'")
    blog.good("connection.execute('INSERT INTO mine VALUES (2)')\nconnection.close()")
    blog.good("%workflow blog topic='wine'")
    blog.good("blog.storage.close()\nconnection = duckdb.connect(str(blog.storage.path))")
    assert blog.good("connection.sql('SELECT * FROM mine ORDER BY n').fetchall()") == [(1,), (2,)]
    assert blog.good("connection.sql('SELECT value FROM session_state').fetchall()") == [('["cheese","bread","wine"]',)]
    blog.good("connection.close()")
