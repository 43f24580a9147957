"""What functions of installed packages hold of the user's: settings count, what they change themselves does not."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

from wf_notebook.keying import Keyer, Uncacheable

#: A package as others write them: of decorators that keep what they were given in cells, defaults, attributes and objects.
OTHERS = """
import functools, itertools, threading, time

class Limit:
    def __init__(self, most, clock=time.monotonic):
        self.most, self.clock = most, clock
        self.lock, self.calls, self.began, self.log, self.slots = threading.RLock(), 0, clock(), [], {"n": 0}
    def __call__(self, function):
        @functools.wraps(function)
        def limited(*args):
            with self.lock:
                self.restart()
                self.calls += 1
                self.slots["n"] += 1
                self.log.append(args)
            return function(*args), self.most
        return limited
    def restart(self):
        self.began = self.clock()

class Stop:
    def __init__(self, n):
        self.n = n

class Policy:
    def __init__(self, stop):
        self.stop, self.local = stop, threading.local()
    def run(self, function, *args):
        self.local.n = 1
        return function(*args), self.stop.n

def retry(stop):
    policy = Policy(stop)
    def around(function):
        def tried(*args):
            stats = tried.statistics
            stats.clear()
            stats[args] = tried.times = 1
            return policy.run(function, *args)
        tried.policy, tried.statistics = policy, {}
        return tried
    return around

def memoized(function, key=None):
    cache, lock, hits, numbers = {}, threading.Lock(), 0, itertools.count()
    def call(*args):
        nonlocal hits
        place = key(*args) if key else args
        with lock:
            next(numbers)
            if place in cache:
                hits += 1
                return cache[place]
        return cache.setdefault(place, function(*args))
    call.hits, call.cache = (lambda: hits), cache
    return call

def with_default(function, value):
    def call(*args, _value=value):
        return function(*args), _value["n"]
    return call

def marked(function, **settings):
    def call(*args):
        return function(*args), call.settings["n"]
    call.settings = settings
    return call

class Connection:
    def __init__(self, address):
        self.address, self.socket, self.seen = address, iter([1]), []

def connected(connection):
    def around(function):
        def call(*args):
            connection.seen.append(args)
            return function(*args), connection.address
        return call
    return around

def reading(rows):
    return lambda: next(rows)

class Proxy:
    def __init__(self, wrapped, around):
        self._wrapped, self._self_around, self._self_calls = wrapped, around, 0
    @property
    def __wrapped__(self):
        return self._wrapped
    def __getattr__(self, name):
        return getattr(self._wrapped, name)
    @property
    def __class__(self):
        return type(self._wrapped)
    def __call__(self, *args):
        self._self_calls += 1
        return self._self_around(self._wrapped, *args)

def derived(cls):
    class Derived(cls):
        pass
    return Derived
"""


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Return a package that lies where packages are installed."""
    folder = tmp_path_factory.mktemp("environment") / "site-packages"
    folder.mkdir()
    (folder / "others.py").write_text(OTHERS)
    sys.path.insert(0, str(folder))
    yield import_module("others")
    sys.path.remove(str(folder))
    del sys.modules["others"]


@pytest.fixture
def step(others, tmp_path, monkeypatch):
    """Return what gives the step of a program."""
    assert others

    def made(text):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        (folder / "steps.py").write_text(f"import others\n{text}\n")
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, "steps", raising=False)
        return import_module("steps").step

    return made


SETTINGS = {
    "a setting of an object in a cell": "step = others.Limit(5)(lambda x: x)",
    "an object in an object in a cell": "step = others.retry(others.Stop(5))(lambda x: x)",
    "the function that is given": "step = others.retry(others.Stop(1))(lambda x: x + 5)",
    "a function beside it": "step = others.memoized(lambda x: x, key=lambda x: x % 5)",
    "a default": "step = others.with_default(lambda x: x, {'n': 5})",
    "an attribute": "step = others.marked(lambda x: x, n=5)",
    "the address of a client": "step = others.connected(others.Connection('5'))(lambda x: x)",
    "what is done around it, in a proxy": "step = others.Proxy(lambda x: x, lambda f, x: f(x) + 5)",
    "the function in a proxy": "step = others.Proxy(lambda x: x + 5, lambda f, x: f(x))",
    "a class of the user's in one of theirs": "@others.derived\nclass A:\n  n = 5\n  def a(self): return 5\n"
    "def step(x): return A().a() + A.n",
    "a context that is a decorator": "import contextlib\n@contextlib.contextmanager\ndef timed(n): yield n\n"
    "step = timed(5)(lambda x: x)",
}


@pytest.mark.parametrize("program", SETTINGS.values(), ids=SETTINGS)
def test_what_a_function_of_others_was_made_with_counts(step, program):
    def key(text):
        return Keyer(made := step(f"{text}\nshown = step\ndef step(x): return shown(x)"), name="step").key((7,), {}), made

    (before, made), (edited, _), (again, _) = key(program), key(program.replace("5", "6")), key(program)
    assert edited != before == again
    made(7)
    made(8)
    assert Keyer(made, name="step").key((7,), {}) == before


def test_a_change_in_place_of_what_they_hold_is_seen_at_the_next_call(step):
    made = step("stop = others.Stop(1)\ntried = others.retry(stop)(lambda x: x)\ndef step(x): return tried(x)")
    keyer = Keyer(made)
    before = keyer.key((1,), {})
    assert keyer.key((1,), {}) == before
    made.__globals__["stop"].n = 2
    assert keyer.key((1,), {}) != before
    made.__globals__["stop"].n = 1
    assert keyer.key((1,), {}) == before


def test_what_cannot_be_told_is_not_remembered(step):
    with pytest.raises(Uncacheable, match=r"closure `read\(rows\)` \(a list_iterator\) can be read only once"):
        Keyer(step("read = others.reading(iter([1, 2]))\ndef step(): return read()")).key((), {})


def test_a_part_of_what_they_hold_is_called_by_where_it_lies(step):
    made = step("tried = others.marked(lambda x: x, n=5)\ndef step(x): return tried(x)")
    names = [(part.what, part.name) for part in Keyer(made).key((1,), {}).parts]
    assert ("attribute", "tried.settings") in names


def test_code_that_a_value_of_it_leads_back_to_has_a_key(step):
    made = step(
        "import types\nnames = {}\nexec(compile('def text(n, _names={}): return n', '<template>', 'exec'), names)\n"
        "class Environment: pass\nEnvironment.__module__ = 'others'\nothers.Environment = Environment\n"
        "environment = Environment()\nenvironment.texts = [names['text']]\n"
        "names['text'].__defaults__ = (environment,)\ndef step(): return environment.texts[0](1)"
    )
    assert Keyer(made).key((), {}) == Keyer(made).key((), {})


def test_a_method_that_a_proxy_wraps_counts_by_what_it_reads_of_self(step):
    made = step(
        "class Flow:\n  def __init__(self): self.topic = 'a'\n  def read(self): return self.topic\n"
        "Flow.read = others.Proxy(Flow.read, lambda f, self: f(self))\nflow, step = Flow(), Flow.read"
    )
    flow = made._wrapped.__globals__["flow"]
    keyer = Keyer(made, bound=True)
    before = keyer.key((flow,), {})
    flow.topic = "b"
    assert keyer.key((flow,), {}) != before
