"""The steps of our side: in a module, as a user's are."""

from __future__ import annotations

from time import sleep

from wf_notebook import step

SIZE = 10_000


@step
def work(number):
    """Give a text of SIZE characters."""
    return f"{number:08d} " + "x" * (SIZE - 9)


@step
def short(number):
    """Give a text of 1 KB."""
    return f"{number:08d} " + "x" * 991


@step
def slow(number):
    """Give it after a while."""
    sleep(0.02)
    return f"{number:08d} " + "x" * 991
