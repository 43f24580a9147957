"""Any history of two writers gives what a plain dict gives; and the views say of every version what Python says."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from copy import deepcopy
from datetime import UTC
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from wf_notebook.errors import SessionExists
from wf_notebook.storage import open_storage
from wf_notebook.storage.duckdb_file import File

WORDS = st.sampled_from(["", "a", "b.c", "it's", 'say "x"', "ö", "\u2028", "$dict", "$$set", "0", "a b", "[0]"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=3
)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | WORDS
    | st.integers(0, 9).map(lambda n: f"{n} " * 40_000)
)
TYPED = st.one_of(
    st.tuples(PLAIN, PLAIN),
    st.sets(st.integers(0, 9)),
    st.datetimes(timezones=st.none() | st.just(UTC)),
    st.dictionaries(st.integers(-2, 2), PLAIN, max_size=3),
    st.binary(max_size=4),
    st.integers(0, 255).map(lambda byte: bytes([byte]) * 70_000),
    st.integers(1, 4).map(lambda n: np.arange(n * 3_000, dtype="f8")),
    st.integers(1, 4).map(np.arange),
)
VALUES = st.recursive(
    PLAIN | TYPED, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=4
)
#: Of two writers the first has keys of its own (a list, dicts of any keys, any value), and so has the second; both share two.
WRITERS = st.sampled_from([0, 1])
LISTS, DICTS, SHARED_LIST, SHARED_DICT = ("items", "deep items"), ("entries", "numbered"), "shared items", "shared entries"


def told(value: object) -> object:
    """Return a value so that equal ones, and only those, are equal: types and the order of keys count."""
    if isinstance(value, dict):
        return "dict", [(told(key), told(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [told(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return type(value).__name__, sorted(value)
    if isinstance(value, np.ndarray):
        return "array", str(value.dtype), value.shape, value.tobytes()
    return type(value).__name__, repr(value)


def same(one: dict, other: dict) -> bool:
    """Say whether two states are the same; the order of the top-level keys is that in which they came to the store."""
    return {key: told(value) for key, value in one.items()} == {key: told(value) for key, value in other.items()}


class Histories(RuleBasedStateMachine):
    """Two writers of one session, beside a model of it: what is stored, and what each writer did since it last saved."""

    kind = "memory"
    sessions = Bundle("sessions")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.url = self.address(self.kind).format(self.folder.name)
        self.storage = open_storage(self.url)
        self.stored: dict = {}
        self.versions: list[dict] = [{}]
        self.live: list[dict] = [{}, {}]
        self.undone: list[list] = [[], []]  # what each writer did since it last saved
        self.writers = [self.session(), self.session()]
        self.forks = 0

    def session(self):
        if self.kind != "memory:":
            self.storage = open_storage(self.url)
        return self.storage.session("demo")

    def teardown(self) -> None:
        if self.kind == "duckdb":
            File._files.pop(Path(self.folder.name, "runs.db").resolve(), None)
        else:
            self.storage.close()
            for writer in self.writers:
                writer.storage.close()
        self.folder.cleanup()

    # -- what a writer does ------------------------------------------------------------------------------------------------

    def do(self, who: int, change) -> None:
        """Change a live state, and the model's; the model keeps the change for when it is saved."""
        change(self.writers[who].state)
        change(self.live[who])
        self.undone[who].append(change)

    @rule(who=WRITERS, name=st.sampled_from(["x", "y"]), value=VALUES)
    def set(self, who, name, value):
        self.do(who, lambda state: state.__setitem__(f"{name} of {who}", deepcopy(value)))

    @rule(who=WRITERS, name=st.sampled_from(["x", "y", *LISTS, *DICTS]))
    def delete(self, who, name):
        self.do(who, lambda state: state.pop(f"{name} of {who}", None))

    @rule(who=WRITERS, shared=st.booleans(), values=st.lists(VALUES, min_size=1, max_size=3))
    def append(self, who, shared, values):
        key = SHARED_LIST if shared else f"items of {who}"
        self.do(who, lambda state: state.setdefault(key, []).extend(deepcopy(values)))

    @rule(who=WRITERS, value=VALUES, shared=st.booleans())
    def append_inside(self, who, value, shared):
        key = "shared deep items" if shared else f"deep items of {who}"
        self.do(who, lambda state: state.setdefault(key, {}).setdefault("in", []).append(deepcopy(value)))

    @rule(who=WRITERS, shared=st.booleans(), entry=WORDS, value=VALUES)
    def put(self, who, shared, entry, value):
        key, name = (SHARED_DICT, f"{entry} {who}") if shared else (f"entries of {who}", entry)
        self.do(who, lambda state: state.setdefault(key, {}).__setitem__(name, deepcopy(value)))

    @rule(who=WRITERS, entry=st.integers(-3, 3), value=VALUES)
    def put_by_number(self, who, entry, value):
        self.do(who, lambda state: state.setdefault(f"numbered of {who}", {}).__setitem__(entry, deepcopy(value)))

    @rule(who=WRITERS, data=st.data(), name=st.sampled_from(DICTS))
    def delete_entry(self, who, data, name):
        there = self.live[who].get(f"{name} of {who}")
        if there:
            entry = data.draw(st.sampled_from(list(there)))
            self.do(who, lambda state: state.get(f"{name} of {who}", {}).pop(entry, None))

    # -- the store ---------------------------------------------------------------------------------------------------------

    @rule(who=WRITERS)
    def save(self, who):
        self.writers[who].save()
        before = deepcopy(self.stored)
        for change in self.undone[who]:
            change(self.stored)
        self.undone[who] = []
        if not same(before, self.stored):
            self.versions.append(deepcopy(self.stored))

    @rule(who=WRITERS)
    def load(self, who):
        self.writers[who].load()
        self.live[who] = deepcopy(self.stored)
        for change in self.undone[who]:
            change(self.live[who])

    @rule(who=WRITERS)
    def crash(self, who):
        """Forget a writer without saving; another one comes, by a new storage object."""
        self.writers[who] = self.session()
        self.live[who], self.undone[who] = deepcopy(self.stored), []
        self.writers[who].load()

    @rule()
    def close(self):
        self.storage.close()

    @precondition(lambda self: len(self.versions) > 1)
    @rule(who=WRITERS, data=st.data())
    def restore(self, who, data):
        """Restore a version: for the model a change of everything, made when nothing else is undone."""
        for writer in (who, 1 - who):
            self.save(writer)
        for writer in (0, 1):
            self.load(writer)
        version = data.draw(st.integers(1, len(self.versions) - 1))
        self.writers[who].restore(version)
        if not same(self.stored, self.versions[version]):
            self.versions.append(deepcopy(self.versions[version]))
        self.stored = deepcopy(self.versions[version])
        self.live[who] = deepcopy(self.stored)
        self.load(1 - who)

    @precondition(lambda self: len(self.versions) > 1)
    @rule(who=WRITERS, data=st.data())
    def fork(self, who, data):
        version = data.draw(st.integers(1, len(self.versions) - 1))
        self.forks += 1
        fork = self.writers[who].fork(f"fork {self.forks}", at=version)
        assert same(self.session().storage.session(fork.session_id).state, self.versions[version])
        with suppress(SessionExists):
            self.writers[who].fork(fork.session_id)
            raise AssertionError("forked over a session that was there")

    # -- what always holds -------------------------------------------------------------------------------------------------

    @invariant()
    def a_writer_has_what_it_did(self):
        for writer, live in zip(self.writers, self.live, strict=True):
            assert same(writer.state, live)

    @invariant()
    def the_store_has_what_was_saved(self):
        session = self.session()
        assert same(session.state, self.stored)
        assert session.version == len(self.versions) - 1

    @rule(data=st.data())
    def every_version_is_there(self, data):
        if len(self.versions) > 1:
            version = data.draw(st.integers(1, len(self.versions) - 1))
            session = self.session()
            assert same(session.at(version), self.versions[version])
            assert [one.version for one in session.versions()] == list(range(1, len(self.versions)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    ["memory:", "sqlite:///{}/runs.db", "duckdb:///{}/runs.duckdb", pytest.param("postgres", marks=pytest.mark.postgres)],
    ids=lambda address: address.split(":")[0],
)
def test_any_history_of_two_writers_gives_what_a_plain_dict_gives(kind, place, torture):
    name = kind.split(":")[0]
    machine = type(f"Histories_{name}", (Histories,), {"kind": kind, "address": staticmethod(place)})
    count = torture.times(*{"memory": (120, 1500), "sqlite": (40, 500), "duckdb": (20, 100), "postgres": (20, 200)}[name])
    limits = settings(
        max_examples=count,
        stateful_step_count=torture.times(20, 40),
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=limits)
    torture.note(f"random histories of two writers beside a plain dict, {name}", tried=f"{count} histories", kept=count)
