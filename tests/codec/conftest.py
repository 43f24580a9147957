"""What the tests of the codec share: a place for blobs, and the way of a value through JSON and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from wf_notebook.codec import comes_back, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable


class Shelf(dict[str, bytes]):
    """Blobs by their hashes, and the classes that were met."""

    def __init__(self) -> None:
        super().__init__()
        self.classes: set[str] = set()

    def keep(self, content_hash: str, make: Callable[[], bytes]) -> None:
        """Keep bytes that are not there yet."""
        if content_hash not in self:
            self[content_hash] = make()

    def tree(self, value: Any) -> Any:
        """Return the tree of a value."""
        return encode(value, 'session_state["x"]', self)

    def read(self, tree: Any) -> Any:
        """Return the value of a tree that has been JSON text."""
        return decode(json.loads(json.dumps(tree, allow_nan=False)), self.__getitem__)

    def back(self, value: Any) -> Any:
        """Return what comes back of a value, once it is sure that it says so of itself."""
        tree = self.tree(value)
        assert comes_back(tree, self.__getitem__), tree
        return self.read(tree)


@pytest.fixture
def shelf() -> Shelf:
    """Return an empty place for blobs."""
    return Shelf()


@pytest.fixture(autouse=True)
def _warned_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wf_notebook.codec.decoder._warned", set())
