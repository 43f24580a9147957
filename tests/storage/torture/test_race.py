"""DuckDB 2.0 reads a file's header before it locks the file: a checkpoint in between would be written over later.

A small library, compiled here and preloaded, makes that moment as long as it takes to do something in it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

pytestmark = pytest.mark.torture


@pytest.fixture
def late(duck, nursery, tmp_path):
    """Return a nursery whose kernels can be held between header and lock."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    library = tmp_path / "late_lock.so"
    source = Path(__file__).with_name("late_lock.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    late = type(nursery)({"LD_PRELOAD": str(library), "LATE_LOCK": str(duck.path)})
    with closing(late):
        yield late


class Gap:
    """The moment between header and lock, in another process."""

    def __init__(self, path: Path) -> None:
        self._reached, self._go = (Path(f"{path}.{name}") for name in ("reached", "go"))
        for pipe in (self._reached, self._go):
            os.mkfifo(pipe)

    def wait(self) -> None:
        """Wait until the other process stands in it."""
        self._reached.read_text()

    def end(self) -> None:
        """Let it go on."""
        self._go.write_text("")


def saved(database, **state):
    session = database.open().session("demo")
    session.state.update(state)
    session.save()
    return session


def a_checkpoint_while_we_open(duck, late, without: list[str]) -> tuple[list, list]:
    """Return what is left of ours and of an outsider's, who checkpoints while a kernel of ours opens the file."""
    saved(duck, all=["before"])
    kernel = late.start("append", duck.url, "k", 1, "list", without)
    assert kernel.said.readline() == "ready\n"
    gap = Gap(duck.path)
    kernel.tell()
    gap.wait()
    with duckdb.connect(duck.path) as outsider:
        outsider.execute("CREATE TABLE outside AS SELECT range AS number FROM range(1000)")
        outsider.execute("CHECKPOINT")
    gap.end()
    kernel.rest()
    return left(duck, "count(*)")


def left(duck, what: str) -> tuple[list, list]:
    try:
        duck.forget()
        return duck.open().session("demo").state["all"], duck.query(f"SELECT {what} FROM outside")
    except Exception as error:  # noqa: BLE001 - any is a loss
        return [repr(error)], []


@pytest.mark.parametrize("without", [[], ["type"], ["header"]], ids=["all guards", "the header's check alone", "the type alone"])
def test_a_checkpoint_of_an_outsiders_while_we_open_the_file_is_seen(duck, late, torture, without):
    """Told the type of the file, DuckDB reads its header after the lock; our check of the header is there if it ever does not."""
    assert a_checkpoint_while_we_open(duck, late, without) == (["before", "k 0"], [(1000,)])
    what = f"an outsider's checkpoint just before our lock{f' (without the guard {without[0]!r})' if without else ''}"
    torture.note(what, tried="made to happen", kept=2)


def test_without_these_guards_it_would_not_be_seen(duck, late, torture):
    assert a_checkpoint_while_we_open(duck, late, ["type", "header"]) != (["before", "k 0"], [(1000,)])
    torture.note("*the same without both guards, to see that the trial can fail*", tried="made to happen", kept=0, lost=1)


def a_checkpoint_of_ours_while_an_outsider_opens(duck, late, nursery, *, stay: float) -> tuple[list, list]:
    """Return what is left of ours and of an outsider's, who opens the file while a kernel of ours checkpoints."""
    saved(duck, all=["before"])
    gap = Gap(duck.path)
    outsider = late.start("outside", str(duck.path))
    gap.wait()
    before = duck.path.stat().st_mtime_ns
    kernel = nursery.start("append_and_checkpoint", duck.url, stay)
    while duck.path.stat().st_mtime_ns == before:
        threading.Event().wait(0.002)
    if not stay:
        kernel.acknowledged()
    gap.end()
    assert outsider.said.readline() == "0\n"
    outsider.tell()
    outsider.acknowledged()
    return left(duck, "min(number)")


def test_an_outsider_who_opens_the_file_while_we_checkpoint_fails_on_our_lock_and_tries_again(duck, late, nursery, torture):
    assert a_checkpoint_of_ours_while_an_outsider_opens(duck, late, nursery, stay=2) == (["before", "ours"], [(0,)])
    torture.note("our checkpoint between an outsider's reading of the header and its lock", tried="made to happen", kept=2)


def test_had_we_not_stayed_attached_after_the_checkpoint_it_would_write_over_it(duck, late, nursery, torture):
    assert a_checkpoint_of_ours_while_an_outsider_opens(duck, late, nursery, stay=0) != (["before", "ours"], [(0,)])
    torture.note("*the same without staying attached, to see that the trial can fail*", tried="made to happen", kept=0, lost=1)
