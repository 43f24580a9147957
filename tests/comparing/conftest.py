"""What tests of comparing share: a store, all that is in it, and a store with a session of an earlier run."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from wf_notebook import open_storage


@pytest.fixture
def storage(tmp_path):
    return open_storage(f"sqlite:///{tmp_path}/runs.db")


@pytest.fixture
def content(tmp_path):
    """Return a way to read all rows of all tables of the store: what is equal before and after was not written to."""

    def read():
        with closing(sqlite3.connect(tmp_path / "runs.db")) as there:
            tables = [name for (name,) in there.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
            return {name: there.execute(f"SELECT * FROM {name}").fetchall() for name in tables}

    return read
