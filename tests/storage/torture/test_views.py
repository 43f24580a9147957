"""The views that fold rows in SQL say of every version, for any history, what Python says that it was."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

NAMES = ["", "a", "b.c", "it's", 'say "x"', "ö", "a\nb", "$dict", "$$set", "0", "[0]", "\\", "null", "\x7f\x00"]
KEYS = st.sampled_from(NAMES)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(NAMES)
LARGE = st.integers(0, 3).map(lambda n: f"{n} ö " * 20_000)
VALUES = st.recursive(PLAIN | LARGE, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
ENTRIES = KEYS | st.integers(-2, 2) | st.none() | st.booleans()


def changes(keys: list[str]) -> st.SearchStrategy:
    """Return histories of few keys, so that one is changed again and again: what is done to which, and whether it is saved."""
    key, whole = st.sampled_from(keys), st.dictionaries(ENTRIES, VALUES, max_size=3)
    one = st.one_of(
        st.tuples(st.just("set"), key, VALUES | whole),
        st.tuples(st.just("append"), key, st.lists(VALUES, max_size=3)),
        st.tuples(st.just("append"), key, st.lists(VALUES, max_size=3)),
        st.tuples(st.just("put"), key, st.tuples(ENTRIES, VALUES)),
        st.tuples(st.just("put"), key, st.tuples(ENTRIES, VALUES)),
        st.tuples(st.just("drop"), key, ENTRIES),
        st.tuples(st.just("delete"), key, st.none()),
        st.tuples(st.just("hide"), key, st.none()),
    )
    return st.lists(st.tuples(one, st.booleans()), min_size=5, max_size=25)


HISTORIES = st.lists(KEYS, min_size=1, max_size=3, unique=True).flatmap(changes)


def change(session, what: str, key, value) -> None:
    state = session.state
    there = state.get(key)
    if what == "set":
        state[key] = value
    elif what == "append":
        there.extend(value) if isinstance(there, list) else state.__setitem__(key, [*value])
    elif what == "put":
        there.__setitem__(*value) if isinstance(there, dict) else state.__setitem__(key, dict([value]))
    elif what == "drop" and isinstance(there, dict):
        there.pop(value, None)
    elif what == "delete":
        state.pop(key, None)
    elif what == "hide":
        session.delete()


def in_sql(rows) -> dict:
    return {key: json.loads(value) for key, value in rows}


def as_told(state: dict) -> dict[str, str]:
    """Return a state so that 1, 1.0 and true are three, and the order of entries counts."""
    return {key: json.dumps(tree) for key, tree in state.items()}


def test_entries_stand_in_the_order_in_which_they_came_since_they_were_last_deleted(database):
    session = database.open().session("demo")
    session.state["d"] = {"a": 1, "b": 2, "c": 3, 1: "one"}
    session.save()
    session.state["d"]["a"] = "changed"
    session.save()
    del session.state["d"]["b"]
    session.save()
    session.state["d"]["b"] = "again"
    session.save()
    session.state["d"]["c"] = "changed"
    session.save()
    ((value,),) = database.query("SELECT value FROM session_state")
    assert list(json.loads(value)["$dict"]) == ['"a"', '"c"', "1", '"b"']
    assert list(database.open().session("demo").state["d"]) == ["a", "c", 1, "b"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
def test_the_views_say_of_every_version_what_python_says(database, torture):
    count = torture.times({"memory": 60, "sqlite": 30, "duckdb": 20, "postgres": 30}[database.kind], 500)
    seen, number = [], itertools.count()

    @settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(HISTORIES)
    def check(history):
        session_id = f"demo {next(number)}"
        session = database.open().session(session_id)
        for one, save in history:
            change(session, *one)
            if save:
                session.save()
        session.save()
        versions = [version.version for version in session.versions()]
        now = in_sql(database.query("SELECT key, value FROM session_state WHERE session_id = ?", session_id))
        assert as_told(now) == as_told({key: kept.tree for key, kept in session._line.state.items()})
        rows = database.query(
            "SELECT version, last_version, key, value FROM state_history WHERE session_id = ? AND value IS NOT NULL", session_id
        )
        for version in versions:
            kept, _ = session._at(version)
            then = in_sql([(key, value) for first, last, key, value in rows if first <= version <= last])
            assert as_told(then) == as_told({key: one.tree for key, one in kept.items()})
        seen.append(len(versions))

    check()
    torture.note(
        f"random histories, each version folded in SQL and by Python, {database.kind}",
        tried=f"{len(seen)} histories",
        kept=sum(seen),
    )
