"""What tests of steps share: a way to hear that a step is done."""

from __future__ import annotations

import logging

import pytest


class Noting(logging.Handler):
    """Writes down what is said, in a list."""

    def __init__(self):
        super().__init__()
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())


@pytest.fixture
def noted():
    """Return a way to hear a logger in this test: what it says is added to the list that is returned.

    A step says by it that it is done: a list would be one more thing that the step depends on.
    """
    heard = []

    def listen(name):
        logger, noting = logging.getLogger(name), Noting()
        logger.addHandler(noting)
        logger.setLevel("INFO")
        logger.propagate = False
        heard.append((logger, noting))
        return noting.said

    yield listen
    for logger, noting in heard:
        logger.removeHandler(noting)
