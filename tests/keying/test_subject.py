"""`self` of a step: what is read of it counts, and what cannot be followed is named."""

from __future__ import annotations

import pytest

from wf_notebook import Workflow
from wf_notebook.keying import Keyer, Uncacheable

KEY = "posts"
KEYS = ["posts"]


class Keys:
    POSTS = "posts"


def helper(flow):
    return flow.topic


def alias(flow):
    return [flow]


class Flow(Workflow):
    topic = "cheese"

    def read(self):
        return self.session_state["posts"], self.session_state.get("seen", []), "done" in self.session_state

    def write(self):
        self.session_state["posts"] = 1
        self.session_state.update(seen=2)

    def change(self):
        self.session_state["n"] += 1
        self.session_state["posts"].append(1)
        del self.session_state["gone"]
        return self.session_state.setdefault("more", []), self.session_state.pop("last", None)

    def by_name(self):
        return self.session_state[KEY], self.session_state.get(Keys.POSTS)

    def aliased(self):
        state = self.session_state
        return state["posts"]

    def dynamic(self, key="posts"):
        return (
            1,
            self.session_state[key],
        )

    def listed(self):
        return self.session_state[KEYS[0]]

    def iterated(self):
        return [*self.session_state]

    def handed_on(self):
        return len(self.session_state)

    def replaced(self):
        self.session_state = {}

    def cleared(self):
        self.session_state.clear()

    def behind(self):
        return self.aliased()

    def by_getattr(self, name="topic"):
        return getattr(self, name)

    def by_vars(self):
        return vars(self)

    def by_dict(self):
        return self.__dict__

    def to_helper(self):
        return helper(self)

    def to_alias(self):
        return alias(self)

    def to_hash(self):
        hash(self)

    def returned(self):
        return self

    def stored(self):
        self.other = self

    def all_of_it(self):
        return self.read_from_storage()

    def by_super(self):
        return super().by_super

    def in_a_class(self):
        class Inner:
            def run(self):
                return self.session_state

        return Inner

    async def later(self):
        return [post async for post in self.session_state["posts"]]


def names(function, flow):
    return [part.name for part in Keyer(function).key((flow,), {}).parts if part.name.startswith(("self.", "session_state"))]


@pytest.fixture
def flow():
    flow = Flow()
    flow.session_state.update(posts=[1], n=1)
    return flow


def test_what_is_read_by_a_constant_key_is_named(flow):
    assert names(Flow.read, flow) == ['session_state["posts"]', 'session_state["seen"]', 'session_state["done"]']
    assert names(Flow.write, flow) == []
    assert names(Flow.change, flow) == [f'session_state["{key}"]' for key in ("n", "posts", "gone", "more", "last")]
    assert names(Flow.by_name, flow) == ['session_state["posts"]']
    assert names(Flow.later, flow) == ['session_state["posts"]']
    assert names(Flow.in_a_class, flow) == []


def test_a_key_that_is_not_there_differs_from_none(flow):
    keyer = Keyer(Flow.read)
    absent = keyer.key((flow,), {})
    flow.session_state["seen"] = None
    none = keyer.key((flow,), {})
    flow.session_state["seen"] = []
    assert len({absent, none, keyer.key((flow,), {})}) == 3


def test_only_what_is_read_counts(flow):
    reads, writes = Keyer(Flow.read), Keyer(Flow.write)
    before = reads.key((flow,), {}), writes.key((flow,), {})
    flow.session_state["other"] = 5
    flow.topic = "wine"
    assert (reads.key((flow,), {}), writes.key((flow,), {})) == before
    flow.session_state["posts"].append(2)
    assert reads.key((flow,), {}) != before[0]
    assert writes.key((flow,), {}) == before[1]


def test_an_attribute_of_the_instance_hides_that_of_the_class(flow):
    keyer, other = Keyer(Flow.to_helper), Flow()
    before = keyer.key((flow,), {})
    assert keyer.key((other,), {}) == before
    flow.topic = "wine"
    assert keyer.key((flow,), {}) != before
    assert keyer.key((other,), {}) == before
    flow.topic = "cheese"
    assert [part.shown for part in keyer.key((flow,), {}).parts if part.name == "self.topic"] == ["'cheese'"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("aliased", "reads session_state dynamically in `aliased`, line 2"),
        ("dynamic", "reads session_state dynamically in `dynamic`, line 4"),
        ("listed", "reads session_state dynamically in `listed`, line 2"),
        ("iterated", "reads session_state dynamically in `iterated`, line 2"),
        ("handed_on", "reads session_state dynamically in `handed_on`, line 2"),
        ("replaced", "reads session_state dynamically in `replaced`, line 2"),
        ("cleared", "reads session_state dynamically in `cleared`, line 2"),
        ("behind", "reads session_state dynamically in `aliased`, line 2"),
        ("by_getattr", "calls getattr() of `self` with a name that is known only when it runs in `by_getattr`, line 2"),
        ("by_vars", "hands `self` to `vars` in `by_vars`, line 2"),
        ("by_dict", "reads all attributes of `self` in `by_dict`, line 2"),
        ("to_alias", "hands `self` on in `alias`, line 2"),
        ("to_hash", "hands `self` to `hash` in `to_hash`, line 2"),
        ("returned", "hands `self` on in `returned`, line 2"),
        ("stored", "hands `self` on in `stored`, line 2"),
        ("all_of_it", "reads all of session_state by `read_from_storage`"),
    ],
)
def test_what_cannot_be_followed_is_named_with_its_line(flow, name, said):
    with pytest.raises(Uncacheable) as refusal:
        Keyer(getattr(Flow, name)).key((flow,), {})
    assert str(refusal.value) == said
    assert refusal.value.name
    assert refusal.value.what


def test_a_method_without_source_is_followed_as_far_as_its_code_says():
    space = {"__name__": "__main__"}
    exec("class Flow:\n def read(self): return self.topic\n def state(self): return self.session_state['k']", space)
    one, other = space["Flow"](), space["Flow"]()
    one.topic, other.topic = "a", "b"
    keyer = Keyer(space["Flow"].read)
    assert keyer.key((one,), {}) != keyer.key((other,), {})
    with pytest.raises(Uncacheable, match="its source is not at hand"):
        Keyer(space["Flow"].state).key((one,), {})


def test_a_bound_method_is_keyed_as_a_call_with_its_self(flow):
    assert Keyer(flow.read).key((), {}) == Keyer(Flow.read).key((flow,), {})


def test_a_plain_function_may_call_its_first_parameter_self():
    def step(self):
        return [*self]

    assert Keyer(step).key(([1],), {}) != Keyer(step).key(([2],), {})
    with pytest.raises(Uncacheable, match="hands `self` on"):
        Keyer(step, bound=True).key(([1],), {})


def test_an_attribute_that_fails_is_named():
    class Odd:
        upper = str.upper

        def step(self):
            return self.upper()

    with pytest.raises(Uncacheable, match=r"attribute `self.upper` cannot be read: descriptor 'upper'"):
        Keyer(Odd.step, bound=True).key((Odd(),), {})


def test_a_class_that_looks_up_attributes_by_itself_cannot_be_followed():
    class Odd:
        def __getattribute__(self, name):
            return 1

        def step(self):
            return self.topic

    with pytest.raises(Uncacheable, match="looks up attributes of `Odd` by a method of its own"):
        Keyer(Odd.__dict__["step"], bound=True).key((Odd(),), {})
