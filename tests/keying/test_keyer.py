"""A keyer sees at every call what changed since the last one; and says what a key is made of."""

from __future__ import annotations

import linecache
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import wraps
from types import ModuleType

import pytest

from wf_notebook.errors import BadSetting, UncacheableArgument
from wf_notebook.keying import Key, Keyer, Uncacheable, code_digest
from wf_notebook.models import limit

STEPS = """
import other
LIMIT = 10
TABLE = {"a": [1, 2], "deep": [{"n": 1}]}
FUNCTIONS = [lambda: 1]
class Config:
    size = 1
    def __init__(self): self.limit = 1
    def method(self): return 1
config = Config()
def helper(n=1, *, m=[1]): return n + LIMIT + len(m)
def make(n):
    def inner(): return n
    return inner
closure = make(1)
import numpy
from types import SimpleNamespace
ARRAY, DATA, SPACE = numpy.zeros(3), bytearray(b"a"), SimpleNamespace(n=[1])
class Agent:
    def __init__(self): self.text, self.tools = "a", [helper]
    def _key_parts_(self): return {"instructions": self.text, "tools": self.tools}
agent = Agent()
class Words(list): pass
WORDS = Words("a")
def step(topic="a"):
    more = ARRAY, DATA, SPACE, agent, WORDS
    return helper(), TABLE, FUNCTIONS[0](), config.limit, closure(), other.clean(topic), missing, more
"""


@pytest.fixture
def steps(monkeypatch):
    """Return a module of which everything can be changed."""
    other, steps = ModuleType("other"), ModuleType("steps_of_keys")
    monkeypatch.setitem(sys.modules, "other", other)
    exec("def clean(x): return x", vars(other))
    exec(STEPS, vars(steps))
    return steps


def run(steps, text):
    exec(text, vars(steps))


@pytest.mark.parametrize(
    "change",
    [
        "LIMIT = 11",
        "LIMIT = 10.0",
        "TABLE['a'].append(3)",
        "TABLE['deep'][0]['n'] = 2",
        "TABLE['b'] = 1",
        "TABLE['a'][0] = True",
        "TABLE['a'] = (1, 2)",
        "TABLE = {'a': [1, 2], 'deep': [{'n': 1.0}]}",
        "ARRAY[0] = 1",
        "DATA[0] = 1",
        "SPACE.n.append(1)",
        "agent.text = 'b'",
        "agent.tools.append(make)",
        "WORDS.append('b')",
        "FUNCTIONS[0] = lambda: 2",
        "FUNCTIONS.append(len)",
        "config.limit = 2",
        "config.more = 2",
        "Config.size = 2",
        "Config.method = lambda self: 2",
        "Config.more = 2",
        "class Config: pass\nconfig.__class__ = Config",
        "def helper(n=1, *, m=[1]): return 0",
        "helper.__defaults__ = (2,)",
        "helper.__kwdefaults__['m'].append(2)",
        "helper.__kwdefaults__['m'] = [2]",
        "helper.__kwdefaults__ = {'m': [2]}",
        "helper.__code__ = (lambda n=1, *, m=[1]: 5).__code__",
        "closure = make(2)",
        "closure.__closure__[0].cell_contents = 2",
        "other.clean = lambda x: 2",
        "missing = 1",
        "def len(x): return 1",
        "del config.limit",
        "del LIMIT",
        "step.__code__ = (lambda topic='a': 5).__code__",
        "import sys\nother = sys",
    ],
)
def test_each_change_is_seen_at_the_next_call(steps, change):
    keyer = Keyer(steps.step)
    before = keyer.key(("a",), {})
    assert keyer.key(("a",), {}) == before
    run(steps, change)
    after = keyer.key(("a",), {})
    assert after != before
    assert Keyer(steps.step).key(("a",), {}) == after


@pytest.mark.parametrize(
    "change",
    ["other.more = 1", "LIMIT = 20 // 2", "TABLE = {'deep': [{'n': 1}], 'a': [1, 2]}", "more = 1", "TABLE = dict(TABLE)"],
)
def test_what_does_not_matter_is_no_change(steps, change):
    keyer = Keyer(steps.step)
    before = keyer.key((), {})
    run(steps, change)
    assert keyer.key((), {}) == before


def test_a_change_taken_back_gives_the_old_key(steps):
    keyer = Keyer(steps.step)
    before = keyer.key((), {})
    steps.LIMIT = 11
    assert keyer.key((), {}) != before
    steps.LIMIT = 10
    assert keyer.key((), {}) == before


def test_arguments_count_by_the_names_of_the_parameters():
    def step(a, /, b, c=3, *more, d=4, **settings):
        return a, b, c, more, d, settings

    keyer = Keyer(step)
    assert keyer.key((1, 2), {}) == keyer.key((1,), {"b": 2}) == keyer.key((1, 2, 3), {"d": 4})
    assert keyer.key((1, 2), {"x": 1, "y": 2}) == keyer.key((1, 2), {"y": 2, "x": 1})
    assert len({keyer.key((1, 2, 3, 4), {}), keyer.key((1, 2, 3), {}), keyer.key((1, 2, 3, (4,)), {})}) == 3
    assert keyer.key((1, 2), {"a": 1}) != keyer.key((1, 2), {})


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1, 2, 3), {}), ((1,), {"c": 1}), ((1,), {"a": 1})])
def test_a_call_that_fails_fails_in_the_same_words(args, kwargs):
    def step(a, b=2):
        return a, b

    with pytest.raises(TypeError):
        step(*args, **kwargs)
    with pytest.raises(TypeError, match=r"argument"):
        Keyer(step).key(args, kwargs)


def test_a_default_that_is_not_used_does_not_count():
    def one(n=1):
        return n

    def other(n=2):
        return n

    other.__code__ = one.__code__
    assert Keyer(one).key((5,), {}) == Keyer(other).key((5,), {})
    assert Keyer(one).key((), {}) != Keyer(other).key((), {})


def test_an_argument_without_content_is_refused_by_its_name_and_type():
    class Client:
        def __init__(self):
            self.open = threading.Thread()

    def step(client):
        return client

    said = "argument 'client' of step() has no key: (a Thread) has no content to key by; hand in"
    with pytest.raises(
        UncacheableArgument,
        match=re.escape(
            "argument 'client' of step() has no key: (a Client) has no content to key by: `client.open` (a Thread) has"
        ),
    ):
        Keyer(step).key((Client(),), {})
    with pytest.raises(UncacheableArgument, match=re.escape(said)):
        Keyer(step).key((threading.Thread(),), {})


CLIENT = threading.Thread()


def test_a_global_without_content_is_refused_by_its_name():
    def step():
        return CLIENT

    with pytest.raises(Uncacheable, match=re.escape("global `CLIENT` (a Thread) has no content to key by")) as refusal:
        Keyer(step).key((), {})
    assert (refusal.value.what, refusal.value.name) == ("global", "CLIENT")


@dataclass
class Agent:
    instructions: str
    tools: list = field(default_factory=list)
    history: object = None

    def _key_parts_(self):
        return {"instructions": self.instructions, "tools": self.tools, "history": self.history}


WRITER = Agent("write")


class Flow:
    limit = 3

    def __init__(self):
        self.writer = Agent("draft", [test_arguments_count_by_the_names_of_the_parameters])
        self.session_state = {"posts": ["a"]}

    def step(self, topic, n=2):
        """Write."""
        return self.writer, WRITER, self.session_state["posts"], self.limit, topic, n, clean(topic)


def clean(text, upper=False):
    return text.upper() if upper else text


def test_parts_say_what_a_key_is_made_of(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("notes")
    key = Keyer(Flow.step, name="Flow.step", files=[file]).key((Flow(), "cheese"), {})
    parts = {(part.what, part.name): part.shown for part in key.parts}
    assert parts[("body", "Flow.step")].startswith('def step(self, topic, n=2):\n    """Write."""\n    return self.writer')
    assert parts[("helper", "clean")].startswith("def clean(text, upper=False):")
    assert parts[("default", "clean(upper)")] == "False"
    assert parts[("attribute", "writer.instructions")] == "'draft'"
    assert parts[("attribute", "WRITER.instructions")] == "'write'"
    assert parts[("attribute", "self.limit")] == "3"
    assert parts[("state", 'session_state["posts"]')] == "['a']"
    assert parts[("argument", "topic")] == "'cheese'"
    assert parts[("default", "n")] == "2"
    assert parts[("file", str(file))] == str(file)
    assert parts[("package", "python")] == f"python {sys.version_info.major}.{sys.version_info.minor}"
    assert len({part.digest for part in key.parts}) > 10


def noted(function):
    @wraps(function)
    def inner(*args):
        return function(*args)

    return inner


@noted
def written(topic):
    return clean(topic)


def test_the_body_of_a_decorated_step_is_the_users_own():
    parts = [(part.what, part.name, part.shown.partition("(")[0]) for part in Keyer(written).key(("a",), {}).parts]
    assert ("body", "written", "@noted\ndef written") in parts
    assert ("decorator", "noted", "@wraps") in parts
    assert ("decorator", "noted", "def noted") in parts


def test_a_decorator_of_ours_and_what_stands_above_it_do_not_count():
    def key(name, decorators):
        text = f"def outer(f): return f\n{decorators}def step(): return 1"
        linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
        space = {"__name__": "__main__", "limit": lambda _: lambda f: f}
        exec(compile(text, name, "exec"), space)
        space["limit"] = limit  # ours, which the decorator's name leads to
        return Keyer(space["step"]).key((), {})

    assert key("a.cell", "") == key("b.cell", "@limit(1)\n") == key("c.cell", "@outer\n@limit(2)\n")
    assert key("a.cell", "") != key("d.cell", "@limit(1)\n@outer\n")


def test_what_is_shown_has_no_secrets_and_an_end(monkeypatch):
    monkeypatch.setenv("TEST_API_KEY", "sk-this-is-secret")

    def step(a, b):
        return "sk-this-is-secret", a, b

    parts = Keyer(step).key(("sk-this-is-secret", "x" * 10_000), {}).parts
    assert "secret" not in "".join(part.shown for part in parts)
    assert max(len(part.shown) for part in parts) < 3000


def test_parts_are_made_only_when_they_are_asked_for():
    class Loud:
        def __init__(self):
            self.n = 1

        def __repr__(self):
            raise AssertionError

    key = Keyer(lambda loud: loud).key((Loud(),), {})
    assert next(part.shown for part in key.parts if part.what == "argument") == "<Loud>"


def test_files_count_by_content(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keyer = Keyer(clean, files=["a.txt"])
    with pytest.raises(BadSetting, match=re.escape("files names 'a.txt', which is not there; give the path of a file")):
        keyer.key(("a",), {})
    (tmp_path / "a.txt").write_text("a")
    before = keyer.key(("a",), {})
    (tmp_path / "a.txt").write_text("b")
    assert keyer.key(("a",), {}) != before
    (tmp_path / "a.txt").write_text("a")
    assert keyer.key(("a",), {}) == before
    with pytest.raises(BadSetting, match="which cannot be read"):
        Keyer(clean, files=str(tmp_path)).key(("a",), {})


def test_a_long_argument_is_seen_to_change():
    def step(posts):
        return posts

    keyer, posts = Keyer(step), [{"id": number, "text": f"post {number}"} for number in range(100)]
    before = keyer.key((posts,), {})
    assert keyer.key((posts,), {}) == keyer.key(([{"text": one["text"], "id": one["id"]} for one in posts],), {}) == before
    posts[50]["id"] = 50.0
    after = keyer.key((posts,), {})
    posts[50]["id"] = 50
    assert keyer.key((posts,), {}) == before != after
    assert len({keyer.key(([one] * 1000,), {}) for one in (1, True, 1.0, "1", b"1", None)}) == 6


def test_keys_are_equal_by_their_digest():
    one, other = Keyer(clean).key(("a",), {}), Keyer(clean).key(("a",), {})
    assert one == other
    assert hash(one) == hash(other)
    assert one == Key(one.digest, tuple)
    assert re.fullmatch("[0-9a-f]{32}", one.digest)
    assert one != one.digest


def test_many_threads_get_the_same_key(steps):
    keyer = Keyer(steps.step)
    expected = keyer.key((), {})
    fresh = Keyer(steps.step)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: fresh.key((), {}), range(64))) == {expected}


def test_code_of_others_counts_by_its_version():
    import numpy as np

    def step():
        return np.mean([1])

    parts = {part.name: part.shown for part in Keyer(step).key((), {}).parts if part.what == "package"}
    assert parts["numpy"] == f"numpy {np.__version__}"
    assert code_digest(np.mean) != code_digest(np.median)


def test_callables_that_are_no_functions_have_keys():
    from functools import partial

    class Adder:
        def __init__(self, n):
            self.n = n

        def __call__(self, x):
            return x + self.n

    assert Keyer(partial(clean, upper=True)).key(("a",), {}) != Keyer(partial(clean, upper=False)).key(("a",), {})
    assert Keyer(Adder(1)).key((1,), {}) != Keyer(Adder(2)).key((1,), {})
    assert Keyer(len).key(("a",), {}) != Keyer(max).key(("a",), {})
    assert Keyer(Adder(1)).key((1,), {}) == Keyer(Adder(1)).key((), {"x": 1})


def test_what_a_call_depends_on_besides_its_arguments_has_those_that_it_leaves_out():
    limits = [1]

    def step(topic, limit=limits, *, more=1):
        return topic, limit, more

    keyer = Keyer(step)
    before = keyer.code()
    assert keyer.code() == before
    limits.append(2)
    changed = keyer.code()
    step.__kwdefaults__ = {"more": 2}
    assert len({before, changed, keyer.code()}) == 3
