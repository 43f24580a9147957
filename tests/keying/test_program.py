"""The program of a class: its source, and all that it uses by name, and nothing else."""

from __future__ import annotations

import linecache
import sys
from types import ModuleType

import pytest

from wf_notebook.keying.program import program

MODULE = '''
import json as js
import re, os
from textwrap import dedent, indent

N = 3
results = print("never taken: run() has a results of its own")


def helper(text):
    results = [text] * N
    return js.dumps(results)


@staticmethod
def unused():
    return os.sep


class Base:
    pass


class Flow(Base):
    """Its docstring."""

    def run(self, topic: str):
        return indent(helper(topic), WIDTH)
'''


@pytest.fixture
def made():
    """Return a way to make a module, or a cell of one, of a text."""
    names = []

    def make(text, name="flows", file=None):
        module = sys.modules.setdefault(name, ModuleType(name))
        file = file or f"<{name} {len(names)}>"
        names.append((name, file))
        linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
        exec(compile(text, file, "exec"), vars(module))
        return module

    yield make
    for name, file in names:
        sys.modules.pop(name, None)
        linecache.cache.pop(file, None)


def test_it_is_the_class_and_what_that_uses_by_name(made):
    module = made(MODULE.replace("WIDTH", '" "'))
    made_of = program(module.Flow)
    assert made_of.body == (
        "import json as js\nfrom textwrap import indent\nN = 3\n\n\n"
        "def helper(text):\n    results = [text] * N\n    return js.dumps(results)\n\n\n"
        "class Base:\n    pass\n\n\n"
        'class Flow(Base):\n    """Its docstring."""\n\n    def run(self, topic: str):\n        return indent(helper(topic), " ")'
    )
    assert (made_of.name, made_of.before, made_of.is_cell, made_of.missing) == ("Flow", "", False, ())


def test_it_runs_by_itself(made):
    module = made(MODULE.replace("WIDTH", '" "'))
    alone: dict[str, object] = {}
    exec(program(module.Flow).body, alone)
    assert alone["Flow"]().run("a") == module.Flow().run("a") == ' ["a", "a", "a"]'
    assert "results" not in alone


def test_what_is_defined_nowhere_is_written_as_its_value_where_a_line_can_hold_it_and_named_where_not(made):
    module = made(MODULE.replace("WIDTH", "WIDTH + str(thing)"))
    module.WIDTH, module.thing = "> ", object()
    made_of = program(module.Flow)
    assert (made_of.before, made_of.missing) == ("WIDTH = '> '", ("thing",))


def test_an_import_from_beside_it_says_from_where(made, monkeypatch):
    sibling = ModuleType("pkg.words")
    sibling.word = len
    monkeypatch.setitem(sys.modules, "pkg.words", sibling)
    monkeypatch.setitem(sys.modules, "pkg", ModuleType("pkg"))
    module = ModuleType("pkg.flows")
    module.__package__ = "pkg"
    monkeypatch.setitem(sys.modules, "pkg.flows", module)
    made("from .words import word\nclass Flow:\n    def run(self): return word('a')\n", name="pkg.flows")
    assert program(module.Flow).body.startswith("from pkg.words import word\n")


def test_a_cell_without_a_class_is_the_program_and_what_it_uses_of_other_cells_comes_before(made):
    made("import math\nLIMIT = 2\nlimit = LIMIT\n", name="__main__.cells", file="<a>")
    module = made("def run(self, n):\n    return math.floor(n) * LIMIT\n", name="__main__.cells", file="<b>")
    cls = type("Flow", (), {"run": module.run, "__module__": "__main__.cells"})
    module.run.__module__ = cls.__module__
    made_of = program(cls)
    assert (made_of.body, made_of.is_cell, made_of.missing) == ("def run(self, n):\n    return math.floor(n) * LIMIT", True, ())
    assert {*made_of.before.splitlines()} == {"import math", "LIMIT = 2"}


def test_a_class_whose_source_is_not_found_has_none(made):
    spoken = {"__name__": "nowhere"}
    exec("class Flow:\n    def run(self): return 1\n", spoken)
    assert program(spoken["Flow"]) is None
    elsewhere = made("x = 1\n", name="elsewhere")
    elsewhere.__file__ = "<elsewhere 0>"
    exec("class Flow:\n    def run(self): return 1\n", vars(elsewhere))
    assert program(elsewhere.Flow) is None
