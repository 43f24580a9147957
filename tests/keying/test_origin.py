"""Whose code it is: what is installed counts by its version, wherever the rest lies by how it reads."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
sys.path[:0] = [{site!r}, {own!r}]
{imports}
from wf_notebook.keying import Keyer
def step():
    {inside}
    return cheese.taste()
key = Keyer(step).key((), {{}})
print(key.digest, [part.shown for part in key.parts if part.what == "package" and "Cheese" in part.name or part.name == "cheese"])
"""


def told(folder, *, version="1.0", code="def taste(): return 1", own=False, inside=False):
    """Return the digest and the part of a package, in a process of its own; installed, or a folder of the user's."""
    site, mine = folder / "site-packages", folder / "mine"
    package = (mine if own else site) / "cheese"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(code)
    notes = site / "Cheese_Board.dist-info"
    notes.mkdir(parents=True, exist_ok=True)
    (notes / "METADATA").write_text(f"Metadata-Version: 2.1\nName: Cheese-Board\nVersion: {version}\n")
    (notes / "RECORD").write_text("cheese/__init__.py,,\n" if not own else "")
    text = PROGRAM.format(
        site=str(site), own=str(mine), imports="" if inside else "import cheese", inside="import cheese" if inside else ""
    )
    file = folder / "program.py"
    file.write_text(text)
    done = subprocess.run([sys.executable, "-B", file], capture_output=True, text=True, check=True)
    digest, _, parts = done.stdout.strip().partition(" ")
    return digest, parts


@pytest.mark.parametrize("inside", [False, True])
def test_what_is_installed_counts_by_its_version_and_not_by_its_code(tmp_path, inside):
    before = told(tmp_path, inside=inside)
    assert before[1] == "['Cheese-Board 1.0']"
    assert told(tmp_path, code="def taste(): return 2", inside=inside) == before
    after = told(tmp_path, version="1.1", inside=inside)
    assert after[1] == "['Cheese-Board 1.1']"
    assert after[0] != before[0]


@pytest.mark.parametrize("inside", [False, True])
def test_a_package_of_the_users_own_counts_by_its_code(tmp_path, inside):
    before = told(tmp_path, own=True, inside=inside)
    assert before[1] == "[]"
    assert told(tmp_path, own=True, version="1.1", inside=inside) == before
    assert told(tmp_path, own=True, code="def taste(): return 2", inside=inside)[0] != before[0]
