"""What has to change a key and what must not, across fresh processes, for functions in modules and in notebook cells."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest


class Probe(NamedTuple):
    """A program, and an edit of it."""

    program: str
    before: str
    after: str

    def edited(self) -> str:
        """Return the program after the edit."""
        assert self.before in self.program
        return self.program.replace(self.before, self.after, 1)


def probes(title: str) -> dict[str, Probe]:
    """Return the probes of a part of the list."""
    parts = Path(__file__).with_name("probes.txt").read_text().split("=== ")
    chosen = next(text for text in parts if text.startswith(title))
    found = {}
    for one in chosen.split("\n## ")[1:]:
        name, _, text = one.partition("\n")
        program, _, edit = text.rpartition("edit: ")
        before, after = (side.replace("\\n", "\n") for side in edit.rstrip("\n").split(" → "))
        found[name] = Probe(program, before, after)
    return found


CHANGES = probes("What has to change a key")
SAME = probes("What must not change a key")


def files(program: str) -> dict[str, str]:
    """Return the files of a program."""
    steps, _, helpers = program.partition("# helpers\n")
    return {"steps.py": steps, **({"helpers.py": helpers} if helpers else {})}


@pytest.fixture(scope="module", params=["module", "cells"])
def found(request, digests):
    """Return the digests of all programs: as they are, edited, and as they were again."""
    every = CHANGES | SAME
    before = {name: files(probe.program) for name, probe in every.items()}
    edited = {name: files(probe.edited()) for name, probe in every.items()}
    with ThreadPoolExecutor(2) as pool:
        return [*pool.map(digests, (before, edited, before), [request.param] * 3, range(3))]


def test_each_probe_has_a_key(found):
    assert len(CHANGES) > 80
    assert {name: said for version in found for name, said in version.items() if said.startswith("no key")} == {}


def test_what_a_result_depends_on_changes_its_key(found):
    before, after, _ = found
    assert [name for name in CHANGES if before[name] == after[name]] == []


def test_what_does_not_act_keeps_the_key(found):
    before, after, _ = found
    assert [name for name in SAME if before[name] != after[name]] == []


def test_an_edit_taken_back_gives_the_old_key_in_another_process(found):
    before, _, again = found
    assert [name for name in before if before[name] != again[name]] == []
