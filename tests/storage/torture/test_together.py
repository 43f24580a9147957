"""Many kernels save into one session at once, and a program of the user's opens the file between them: all of it is kept."""

from __future__ import annotations

import json

import pytest


def begin(database, **state) -> None:
    session = database.open().session("demo")
    session.state.update(state)
    session.save()
    database.close()


def saved_by(kernels) -> dict[str, float]:
    """Let kernels go at once; return what they say that they saved, and in how many seconds."""
    for kernel in kernels:
        kernel.begin()
    words = [line.split() for kernel in kernels for line in kernel.acknowledged()]
    return {name.replace("/", " "): float(seconds) for name, seconds in words}


def without_a_gap(database) -> bool:
    ((versions, newest),) = database.query(
        "SELECT count(DISTINCT version), max(version) FROM state_log WHERE session_id = 'demo'"
    )
    return versions == newest


SIZES = [(kind, many) for kind in ("list", "dict") for many in (2, 4, 8)]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "many"), SIZES, ids=[f"{kind}-{many}" for kind, many in SIZES])
def test_what_many_kernels_add_to_one_value_is_all_there(file_database, nursery, torture, kind, many):
    count = torture.times(25 if many == 4 else 5, 100)
    begin(file_database, all=[] if kind == "list" else {})
    kernels = [nursery.start("append", file_database.url, f"k{number}", count, kind) for number in range(many)]
    saved = saved_by(kernels)
    session = file_database.open().session("demo")
    kept = list(session.state["all"])
    assert sorted(kept) == sorted(saved)
    assert len(saved) == many * count
    for number in range(many):  # each kernel's own in the order in which it saved them
        own = [name for name in kept if name.startswith(f"k{number} ")]
        assert own == [f"k{number} {n}" for n in range(count)]
    assert session.version == many * count + 1
    assert without_a_gap(file_database)
    assert file_database.query("SELECT count(*) FROM session_log WHERE session_id <> 'demo'") == [(0,)]  # no branch: no conflict
    assert max(saved.values()) < 10
    what = "appends to one list" if kind == "list" else "entries put into one dict"
    torture.note(
        f"{many} kernels flat out, {what}, {file_database.kind}",
        tried=f"{many} × {count}",
        kept=len(kept),
        seconds=list(saved.values()),
    )


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["sum", None])
def test_what_many_kernels_add_to_one_number_is_its_sum_by_a_rule_and_otherwise_a_conflict(
    lasting_database, nursery, torture, rule
):
    many, count = torture.times(4, 8), torture.times(10, 50)
    begin(lasting_database, n=0)
    saved = saved_by([nursery.start("increment", lasting_database.url, f"k{k}", count, rule) for k in range(many)])
    assert len(saved) == many * count
    assert lasting_database.open().session("demo").state == {"n": many * count}
    assert without_a_gap(lasting_database)
    how = "merged by register_merge" if rule else "again after each SessionConflict"
    torture.note(
        f"{many} kernels that add 1 to one number, {how}, {lasting_database.kind}",
        tried=f"{many} × {count}",
        kept=many * count,
        seconds=list(saved.values()),
    )


@pytest.mark.slow
def test_a_program_that_opens_the_file_and_checkpoints_again_and_again_takes_nothing_away_and_loses_nothing(
    duck, nursery, torture
):
    many, count = 8, torture.times(6, 100)
    begin(duck, all=[])
    outsider = nursery.start("outside", str(duck.path))
    assert outsider.said.readline() == "0\n"
    kernels = [nursery.start("append", duck.url, f"k{number}", count, "list") for number in range(many)]
    saved = saved_by(kernels)
    outsider.tell()
    theirs = [0, *map(int, outsider.acknowledged())]
    assert sorted(duck.open().session("demo").state["all"]) == sorted(saved)
    assert without_a_gap(duck)
    assert [number for (number,) in duck.query("SELECT number FROM outside ORDER BY number")] == theirs
    assert len(theirs) > 1
    torture.note(
        f"8 kernels flat out, while another program writes and checkpoints ({len(theirs)} times)",
        tried=f"{many} × {count}",
        kept=len(saved),
        seconds=list(saved.values()),
    )


@pytest.mark.slow
def test_what_kernels_saved_is_what_an_outsider_reads(duck, nursery):
    begin(duck, all=[])
    saved = saved_by([nursery.start("append", duck.url, f"k{number}", 5, "list") for number in range(2)])
    ((value,),) = duck.query("SELECT value FROM session_state WHERE key = 'all'")
    assert sorted(json.loads(value)) == sorted(saved)
