"""The source is that of the code that runs; where there is none, what the code holds counts."""

from __future__ import annotations

import gc
import importlib
import linecache
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from textwrap import dedent

import pytest

from wf_notebook.keying import Keyer, code_digest
from wf_notebook.keying.source import class_source

NUMBERS = count()


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a way to write a module, and to import it under a name of its own."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(text, name=None):
        name = name or f"module_of_keys_{next(NUMBERS)}"
        path = tmp_path / f"{name}.py"
        path.write_text(dedent(text))
        importlib.invalidate_caches()
        return sys.modules.get(name) or importlib.import_module(name)

    return write


def body(function):
    """Return what is shown of a function."""
    return next(part for part in Keyer(function).key((), {}).parts if part.what == "body").shown


def test_a_file_that_was_edited_after_its_import_is_not_taken_for_what_runs(module):
    old = module("def step():\n    return 1\n")
    module("def step():\n    return 2\n", old.__name__)
    linecache.checkcache()
    new = module("def step():\n    return 2\n")
    assert "without its source" in body(old.step)
    assert body(new.step) == "def step():\n    return 2"
    assert code_digest(old.step) != code_digest(new.step)


def test_a_comment_written_after_the_import_moves_the_lines_and_not_the_key(module):
    there = module("def other(): pass\ndef step():\n    return 1\n")
    before = code_digest(module("def other(): pass\ndef step():\n    return 1\n").step)
    module("# one\n# two\ndef other(): pass\n\n\ndef step():\n    'new'\n    return 1\n", there.__name__)
    assert code_digest(there.step) == before


def test_a_reloaded_module_has_its_new_source(module):
    there = module("def step():\n    return 1\n")
    before = code_digest(there.step)
    keyer = Keyer(there.step)
    key = keyer.key((), {})
    module("def step():\n    return 22\n", there.__name__)
    importlib.reload(there)
    assert body(there.step) == "def step():\n    return 22"
    assert code_digest(there.step) != before
    assert keyer.key((), {}) == key


def test_code_that_is_swapped_in_place_is_seen(module):
    old, new = module("def step():\n    return 1\n"), module("def step():\n    return 2\n")
    keyer = Keyer(old.step)
    before = keyer.key((), {})
    old.step.__code__ = new.step.__code__
    assert keyer.key((), {}) == Keyer(new.step).key((), {}) != before


def test_lambdas_on_one_line_are_told_apart(module):
    there = module("A, B, C = lambda: 1, lambda: 2, lambda: (lambda: 3)\n")
    digests = {code_digest(there.A), code_digest(there.B), code_digest(there.C), code_digest(there.C())}
    assert len(digests) == 4


def test_code_without_source_counts_by_what_it_holds():
    def made(text):
        space = {"__name__": "__main__"}
        exec(text, space)
        return space["step"]

    text = "def step(x):\n    'says'\n    return x in {'a', 'b', 'c'}, [y for y in (1, 2)], lambda: 1.0\n"
    assert code_digest(made(text)) == code_digest(made(f"\n\n{text.replace('says', 'tells')}"))
    for before, after in (("'a'", "'d'"), ("(1, 2)", "(1, True)"), ("1.0", "2.0"), ("(x)", "(x, y=1)")):
        assert code_digest(made(text)) != code_digest(made(text.replace(before, after)))
    assert code_digest(made("def step(): return ['a']")) != code_digest(made("def step(): return ['b']"))


def test_code_without_source_has_one_key_in_all_processes():
    code = """
        from wf_notebook.keying import code_digest
        exec("def step(x): return x in {'a', 'b', 'c', 'd'}, {1, 'a', None, 2.5}, [lambda: x in {'e', 'f'}]")
        print(code_digest(step))
    """
    said = {
        subprocess.run(
            [sys.executable, "-c", dedent(code)], env={**os.environ, "PYTHONHASHSEED": str(seed)}, capture_output=True, check=True
        ).stdout
        for seed in range(3)
    }
    assert len(said) == 1


def test_autoreload_that_swaps_code_in_place_is_seen(shell, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    name = "reloaded_of_keys"
    path = tmp_path / f"{name}.py"
    path.write_text("def clean(): return 1\n")
    shell.run_line_magic("load_ext", "autoreload")
    shell.run_line_magic("autoreload", "2")
    cells = [
        f"from {name} import clean\nfrom wf_notebook.keying import Keyer",
        "def step(): return clean()\nkeyer = Keyer(step)\nbefore = keyer.key((), {})",
    ]
    for cell in cells:
        shell.run_cell(cell).raise_error()
    clean = shell.user_ns["clean"]
    path.write_text("def clean(): return 23456\n")
    os.utime(path, (path.stat().st_mtime + 5,) * 2)
    shell.run_cell("after = keyer.key((), {})").raise_error()
    assert shell.user_ns["clean"]() == 23456
    assert clean() == 23456
    assert shell.user_ns["after"] != shell.user_ns["before"]
    shown = {part.name: part.shown for part in shell.user_ns["after"].parts}
    assert shown["clean"] == "def clean(): return 23456"


def test_a_cell_that_is_compiled_with_a_line_before_it_has_its_source(shell):
    source = "\ndef step():\n    return 1\n"
    number = 5
    name = shell.compile.cache(source, number, raw_code="%%workflow x\ndef step():\n    return 1\n")
    exec(compile(source, name, "exec"), shell.user_ns)
    assert body(shell.user_ns["step"]) == "def step():\n    return 1"


def test_a_cell_with_magics_and_await_has_its_source(shell):
    cell = "import asyncio\nx = await asyncio.sleep(0, 1)\n%who_ls\ndef step():\n    return 1"
    shell.run_cell(cell).raise_error()
    assert body(shell.user_ns["step"]) == "def step():\n    return 1"


def test_the_source_of_a_cell_is_found_wherever_its_imports_stand(shell):
    shell.run_cell("import re\ndef step():\n    return re.sub('a', 'b', 'cab')")
    together = shell.user_ns["step"]
    assert body(together) == "def step():\n    return re.sub('a', 'b', 'cab')"
    shell.run_cell("def step():\n    return re.sub('a', 'b', 'cab')")
    assert code_digest(shell.user_ns["step"]) == code_digest(together)


def test_threads_read_sources_at_once_while_the_collector_runs():
    """CPython 3.11 counts how deep a tree is for all threads together, and the collector lets another one have its turn."""
    classes = []
    for number in range(40):
        text = "class Long:\n" + "".join(f"    def m{n}(self): return [{{'a': (lambda: {n} + 1)}}]\n" for n in range(60))
        namespace = {"__name__": "long"}
        exec(compile(text, f"<long {number}>", "exec"), namespace)
        linecache.cache[f"<long {number}>"] = len(text), None, text.splitlines(keepends=True), f"<long {number}>"
        classes.append(namespace["Long"])

    def let_others(*_):
        time.sleep(0)

    gc.callbacks.append(let_others)
    try:
        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(class_source, classes))
    finally:
        gc.callbacks.remove(let_others)
