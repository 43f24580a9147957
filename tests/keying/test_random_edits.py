"""Small random programs and random edits of them: where the result of a step changes, its key has changed."""

from __future__ import annotations

import json
import linecache
import re
import sys
from itertools import count
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wf_notebook.keying import Keyer

NUMBERS = count()
CALLS = ((1,), (4,))
#: Definitions from the first to the last; one may use those before it.
NAMES = ["G1", "h0", "G0", "T0", "deco", "f0", "f1", "C0", "f2", "odd", "even", "C1", "V0", "f3", "F0", "step"]
#: Those that lie in a module beside the program's.
BESIDE = {"h0", "G1"}


class Writer:
    """Writes random definitions; every expression is a small number."""

    def __init__(self, random):
        self.random = random

    def number(self):
        return str(self.random.randrange(10))

    def definition(self, name):
        """Return a random definition of that name."""
        self.known = NAMES[: NAMES.index(name)]
        kind = {"G": self.scalar, "T": self.table, "C": self.class_, "V": self.instance, "F": self.functions}.get(name[0])
        special = {"deco": self.decorator, "odd": self.odd, "even": self.even}.get(name)
        return (special or kind or self.function)(name)

    def scalar(self, name):
        return f"{name} = {self.number()}"

    def table(self, name):
        return f"{name} = {{'a': [{self.number()}, {self.number()}], 'b': {{'c': {self.number()}}}}}"

    def functions(self, name):
        return f"{name} = [{self.random.choice(['f0', 'f1', 'f2'])}, lambda x: {self.expression(1)}]"

    def instance(self, name):
        return f"{name} = {self.random.choice(['C0', 'C1'])}({self.number()})"

    def decorator(self, name):
        wraps = "@wraps(f)" if self.random.random() < 0.5 else "# bare"
        inner = f"def g(*args): return (f(*args) * n + {self.number()}) % 1009"
        return f"def {name}(n):\n  def around(f):\n    {wraps}\n    {inner}\n    return g\n  return around"

    def odd(self, _):
        return f"def odd(x, n=3): return x + {self.number()} if n <= 0 else even(x, n - 1)"

    def even(self, _):
        return f"def even(x, n=3): return x * {self.number()} if n <= 0 else odd(x, n - 1)"

    def function(self, name):
        above = f"@deco({self.number()})\n" if name in {"f1", "f3"} and self.random.random() < 0.5 else ""
        lines = []
        if self.random.random() < 0.3:
            lines.append(f"'says {self.number()}'")
        if self.random.random() < 0.3 and "f0" in self.known:
            lines.append("from beside import h0 as inside")
            lines.append("x = inside(x)")
        if self.random.random() < 0.3:
            lines.append(f"def inner(y): return y + {self.expression(1)}")
            lines.append("x = inner(x)")
        lines.append(f"return ({' + '.join(self.expression(2) for _ in range(4 if name == 'step' else 1))}) % 1009")
        default = f", *, n={self.number()}" if self.random.random() < 0.5 else f", n={self.random.choice(['G0', '2'])}"
        default = ", n=1" if name in BESIDE else default
        return f"{above}def {name}(x{default}):\n  " + "\n  ".join(lines)

    def class_(self, name):
        base = self.random.choice(["C0", "Base"]) if name == "C1" else "Base"
        method = self.random.choice(["plain", "more", "prop"])
        kinds = {"plain": "", "more": "@staticmethod\n  ", "prop": ""}
        first = "" if method == "more" else "self, "
        called = self.random.choice(["self.twice", "self.plain(x)", "self.more(x)", "super().call(x)"])
        lines = [
            f"size = {self.number()}",
            f"def __init__(self, n): self.n = n + {self.number()}",
            f"{kinds[method]}def {method}({first}x=1): return x + {self.expression(1)}",
            f"@property\n  def twice(self): return self.n * {self.number()} + self.size",
            f"def call(self, x): return {called} + x",
        ]
        return f"class {name}({base}):\n  " + "\n  ".join(lines)

    def expression(self, depth):
        """Return an expression of numbers, of `x` and of what is known by now."""
        choices = [self.number, lambda: "x"]
        known = {
            "G0": lambda: "G0",
            "G1": lambda: self.random.choice(["beside.G1", "G1"]) if "h0" in self.known else "G1",
            "h0": lambda: f"beside.h0({inner()})",
            "T0": lambda: self.random.choice(["T0['a'][0]", "T0['a'][1]", "T0['b']['c']", "sum(T0['a'])"]),
            "f0": lambda: f"f0({inner()})",
            "f1": lambda: f"f1({inner()})",
            "f2": lambda: self.random.choice([f"f2({inner()})", f"partial(f2, {inner()})()"]),
            "C0": lambda: self.random.choice([f"C0({inner()}).call(x)", "C0.size", "C0(1).twice"]),
            "even": lambda: f"even({inner()})",
            "C1": lambda: f"C1({inner()}).call(x)",
            "V0": lambda: self.random.choice(["V0.call(x)", "V0.n", "V0.size"]),
            "f3": lambda: f"f3({inner()})",
            "F0": lambda: f"F0[{self.random.randrange(2)}]({inner()})",
        }
        choices += [known[name] for name in self.known if name in known]

        def inner():
            return self.expression(depth - 1) if depth else self.number()

        if depth:
            choices += [
                lambda: f"({inner()} {self.random.choice('+-*')} {inner()})",
                lambda: f"sum([{inner()} + z for z in (1, {self.number()})])",
                lambda: f"(lambda x: {inner()})({inner()})",
            ]
        return self.random.choice(choices)()


START = """
from functools import partial, wraps
import beside
from beside import G1
class Base:
  def __init__(self, n): self.n = n
  def plain(self, x=1): return x
  def more(self, x=1): return x
  def call(self, x): return x
  twice = 1
"""


def files(program):
    """Return the two files of a program."""
    beside = "\n".join(program[name] for name in NAMES if name in BESIDE)
    return START + "\n".join(program[name] for name in NAMES if name not in BESIDE), beside


def run(text, space, name):
    """Run code as a cell or module of which linecache has the source."""
    linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
    exec(compile(text, name, "exec"), space)


def results(step):
    """Return what a step gives, and its keys."""
    return [result(step, args) for args in CALLS], [Keyer(step).key(args, {}).digest for args in CALLS]


def result(step, args):
    """Return what a step gives, or how it fails."""
    try:
        return step(*args)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the step gives
        return type(error).__name__


def fresh(program):
    """Return the results and keys of a program that is run in modules of its own."""
    steps, beside = (ModuleType("steps"), ModuleType("beside"))
    number = next(NUMBERS)
    text, text_beside = files(program)
    before = sys.modules.get("beside")
    sys.modules["beside"] = beside
    try:
        run(text_beside, vars(beside), f"beside_{number}.py")
        run(text, vars(steps), f"steps_{number}.py")
        return results(steps.step)
    finally:
        if before is None:
            del sys.modules["beside"]
        else:
            sys.modules["beside"] = before


def edited(program, writer):
    """Return a program with one random edit, and the name of what it changed."""
    name = writer.random.choice(NAMES)
    text = program[name]
    kind = writer.random.random()
    if kind < 0.5 and (digits := [*re.finditer(r"\b\d\b", text)]):
        place = writer.random.choice(digits)
        text = text[: place.start()] + writer.number() + text[place.end() :]
    elif kind < 0.9:
        text = writer.definition(name)
    else:
        text = f"# {writer.number()}\n{text}"
    return {**program, name: text}, name


RANDOM = st.randoms(use_true_random=False)
LIMITS = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@LIMITS
@given(RANDOM)
def test_a_step_whose_result_changed_has_another_key(random):
    writer = Writer(random)
    program = {name: writer.definition(name) for name in NAMES}
    found = [fresh(program)]
    for _ in range(6):
        program, _ = edited(program, writer)
        found.append(fresh(program))
    by_key = {}
    for told, keys in found:
        for one, key in zip(told, keys, strict=True):
            assert by_key.setdefault(key, one) == one, program


@LIMITS
@given(RANDOM)
def test_a_step_whose_result_changed_in_a_living_process_has_another_key(random):
    writer = Writer(random)
    program = {name: writer.definition(name) for name in NAMES}
    spaces = {False: vars(ModuleType("__main__")), True: vars(beside := ModuleType("beside"))}
    before = sys.modules.get("beside")
    sys.modules["beside"] = beside
    try:
        run(files(program)[1], spaces[True], f"beside_{next(NUMBERS)}.py")
        run(files(program)[0], spaces[False], f"steps_{next(NUMBERS)}.py")
        keyers, by_key = {}, {}
        for _ in range(6):
            step = spaces[False]["step"]
            keyer = keyers.setdefault(step, Keyer(step))
            for args in CALLS:
                key, told = keyer.key(args, {}), result(step, args)
                assert by_key.setdefault(key.digest, told) == told, program
                assert Keyer(step).key(args, {}) == key
            program, name = edited(program, writer)
            run(program[name], spaces[name in BESIDE], f"cell_{next(NUMBERS)}")
    finally:
        if before is None:
            del sys.modules["beside"]
        else:
            sys.modules["beside"] = before


@LIMITS
@given(RANDOM)
def test_comments_docstrings_and_blank_lines_keep_the_key(random):
    writer = Writer(random)
    program = {name: writer.definition(name) for name in NAMES}
    commented = {
        name: re.sub(r"^( *)(return .*)$", r"\1# more\n\n\1\2  # and more", text, flags=re.MULTILINE).replace("says", "tells")
        for name, text in program.items()
    }
    assert fresh(program) == fresh(commented)


@pytest.fixture
def programs():
    import random

    writer = Writer(random.Random(7))
    return [{name: writer.definition(name) for name in NAMES} for _ in range(30)]


def test_a_random_program_has_one_key_in_all_processes(programs, digests):
    written = {}
    for number, program in enumerate(programs):
        text, beside = files(program)
        written[str(number)] = {"steps.py": f"{text}\nargs = (1,)".replace("beside", "helpers"), "helpers.py": beside}
    assert json.dumps(digests(written, "module", 1)) == json.dumps(digests(written, "module", 2))
