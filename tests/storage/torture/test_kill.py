"""A kernel is killed, at any moment of a save: what was acknowledged is there, and the next kernel goes on."""

from __future__ import annotations

import random
import runpy
import time
from pathlib import Path

import pytest

state_after = runpy.run_path(str(Path(__file__).with_name("kernels.py")))["state_after"]


def whole(database) -> None:
    """Read every row of every table, as an outsider."""
    if database.kind == "sqlite":
        assert database.query("PRAGMA integrity_check") == [("ok",)]
    for table in ("state_log", "blob", "session_log", "run_log", "event_log", "schema_log"):
        database.query(f"SELECT * FROM {table}")


def checked(database, acknowledged: int) -> int:
    """Check what a killed kernel left, and return the number of its last save: the last acknowledged one, or the one after."""
    session = database.open().session("demo")
    n = session.state.get("n", 0)
    assert n - acknowledged in {0, 1}
    assert (session.state, session.version) == (state_after(n), n)
    if n:
        assert database.query("SELECT DISTINCT version FROM state_log ORDER BY version") == [(v,) for v in range(1, n + 1)]
        assert session.at(max(1, n - 3)) == state_after(max(1, n - 3))
        whole(database)
    database.forget()
    return n


def last(lines: list[str], before: int) -> int:
    return max([before, *(int(line) for line in lines if line.isdecimal())])


@pytest.mark.slow
def test_a_kernel_killed_at_any_line_of_a_save_loses_nothing_that_was_acknowledged(lasting_database, nursery, torture):
    kills, n, died = torture.times(12, 200), 0, 0
    limits = (2_000_000, 0) if lasting_database.kind != "postgres" else (0, 0)  # without a checkpoint, and with one
    for wal_limit in limits:
        for _ in range(2):  # the first save makes the tables
            lines = nursery.start("die_at_line", lasting_database.url, 0, wal_limit).acknowledged()
            n = checked(lasting_database, last(lines, n))
        count = int(lines[-1].split()[1])
        for number in range(kills // 2):
            at = 1 + number * count // (kills // 2)
            lines = nursery.start("die_at_line", lasting_database.url, at, wal_limit).rest()
            died += not lines or lines[-1] != "done"
            n = checked(lasting_database, last(lines, n))
    assert died > kills * 0.8
    torture.note(f"kill -9 at a line of a save, {lasting_database.kind}", tried=f"{died} kills", kept=n)


@pytest.mark.slow
def test_a_kernel_killed_at_any_time_loses_nothing_that_was_acknowledged(lasting_database, nursery, torture):
    chance, n, kills = random.Random(4), 0, torture.times(8, 200)
    for _ in range(kills):
        kernel = nursery.start("save_until_killed", lasting_database.url)
        lines = [kernel.said.readline().strip() for _ in range(chance.randint(1, 6))]
        time.sleep(chance.uniform(0, 0.01))
        kernel.kill()
        n = checked(lasting_database, last([*lines, *kernel.rest()], n))
    assert n >= kills
    torture.note(f"kill -9 at any time, {lasting_database.kind}", tried=f"{kills} kills", kept=n)
