"""What an agent of another package is made of: taken apart as far as a key needs it, without the package."""

from __future__ import annotations

from functools import cached_property, partial, wraps
from typing import Any, NamedTuple

import pytest

from wf_notebook.agents.made_of import made_of
from wf_notebook.keying import Uncacheable, value_digest


def of(package, kind):
    """Return a class as if it were of a package."""
    kind.__module__ = f"{package}.inside"
    return kind


#: A module of a package, with a function that gives a function.
THEIRS = {"__name__": "langgraph.inside"}
exec("def closing_over(value):\n    return lambda: value", THEIRS)
closing_over = THEIRS["closing_over"]


def passing_for_mine(value):
    """Return a function of theirs that has the names of another one, as a decorator's has."""
    return wraps(test_what_was_worked_out_does_not_count)(closing_over(value))


@partial(of, "langgraph")
class Node:
    def __init__(self, function):
        self.function = function
        self.itself = self

    @cached_property
    def worked_out(self):
        return object()


@partial(of, "langgraph")
class Slotted:
    __slots__ = ("function",)

    def __init__(self, function):
        self.function = function


@partial(of, "langgraph")
class Entry(NamedTuple):
    function: Any


@partial(of, "langchain_core")
class Chunk(dict[str, Any]):
    """A dict of theirs."""


@partial(of, "langgraph.checkpoint")
class Saver:
    """What keeps things."""


@pytest.mark.parametrize("made", [lambda function: function, Node, Slotted, Entry, lambda function: Chunk(function=function)])
def test_what_lies_in_closures_of_a_package_counts_wherever_they_are(made):
    for around in (closing_over, passing_for_mine):
        one, same, other = (value_digest(made_of(made(around(text)))) for text in ("one", "one", "two"))
        assert (one == same, one == other) == (True, False)
        assert "'langgraph.inside'" in repr(made_of(made(around("one"))))  # taken apart here, and not left to the key


def test_a_method_of_theirs_counts_with_its_object():
    digests = {value_digest(made_of(Node(closing_over(text)).__init__)) for text in ("one", "two")}
    assert len(digests) == 2


def test_what_was_worked_out_does_not_count():
    node = Node(closing_over("one"))
    before = value_digest(made_of(node))
    assert node.worked_out
    assert value_digest(made_of(node)) == before


def test_what_keeps_things_has_no_key():
    with pytest.raises(Uncacheable, match="keeps things, which are no part of a key"):
        made_of({"saver": Saver()})


def test_what_is_the_users_own_is_left_to_the_key():
    def own():
        """A function of the user's."""

    assert made_of([own, own.__call__]) == [own, own.__call__]
