"""Ids: nobody else makes them, neither another thread nor a child."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from wf_notebook.ids import AT_ONCE, new_hex, new_id


def test_ids_are_those_of_uuid4():
    made = [UUID(new_id()) for _ in range(3 * AT_ONCE)]
    assert {(one.version, one.variant) for one in made} == {(4, "specified in RFC 4122")}
    assert set(map(str, made)).isdisjoint(new_id() for _ in range(AT_ONCE))


def test_threads_never_make_an_id_twice():
    with ThreadPoolExecutor(8) as pool:
        made = [one for some in pool.map(lambda _: [new_hex() for _ in range(5000)], range(8)) for one in some]
    assert len(set(made)) == len(made) == 40_000


FORKED = """
import os
from wf_notebook.ids import new_hex
new_hex()
if child := os.fork():
    os.waitpid(child, 0)
print(new_hex(), flush=True)
"""


def test_a_forked_child_makes_others_than_its_parent():
    told = subprocess.run([sys.executable, "-c", FORKED], check=True, capture_output=True, text=True).stdout.split()
    assert len(told) == len(set(told)) == 2
