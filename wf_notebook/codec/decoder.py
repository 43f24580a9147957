"""From a tree to its value: tags are looked up in the table, classes where they already are; nothing in a file is ever run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import StorageFailed, WorkflowError
from ..run import logger
from .blobs import NOTHING_LOST, digest, unpack
from .containers import user_keys
from .encoder import Walk
from .kind import Absent, Tree, is_tag, json_text, one_line
from .stack import with_room
from .table import BESIDE, kind_tagged
from .unknown import Unknown, is_remembered, remember, unknown

if TYPE_CHECKING:
    from collections.abc import Callable


def decode(tree: Tree, blob: Callable[[str], bytes], *, whole: bool = False) -> Any:
    """Return the value of a tree; `blob` gives the bytes that were kept under a hash.

    A value whose class is not here is given as an `Unknown`; with `whole`, it is an error. Raises StorageFailed for a tree or a
    blob that is damaged.

    >>> decode({"title": "a", "tags": {"$set": ["x"]}}, {}.__getitem__)
    {'title': 'a', 'tags': {'x'}}
    """
    return _decoded(Read(blob, _refuse if whole else warn), tree)


def _refuse(value: Unknown) -> None:
    raise ValueError(value.why)


def _decoded(read: Read, tree: Tree) -> Any:
    try:
        return with_room(lambda: read.value(tree))
    except WorkflowError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise StorageFailed(f"a stored value is damaged ({one_line(said)}); {NOTHING_LOST}") from error


def comes_back(tree: Tree, blob: Callable[[str], bytes]) -> bool:
    """Return whether the value of a tree has that same tree again, so that nothing was lost on the way.

    A class that is not here is no reason against it; one that does not take the values is, but for an `Unknown` that is kept
    as it was. Anything that the user's own classes raise counts as no.
    """
    failed: list[Tree] = []

    def note(value: Unknown) -> None:
        if value.refused_by is not None and not is_remembered(value.tree):
            failed.append(value.tree)

    try:
        value = _decoded(Read(blob, note), tree)
        return not failed and json_text(with_room(lambda: Walk(_Nowhere()).tree(value))) == json_text(tree)
    except Exception:  # noqa: BLE001 - whatever the user's classes do, the answer is no
        return False


class _Nowhere:
    """Takes the bytes that were kept already."""

    def keep(self, *_: object) -> None:
        return


_warned: set[str] = set()


def warn(value: Unknown) -> None:
    """Say once for each class that its values are given as dicts."""
    remember(value)
    if value.name not in _warned:
        _warned.add(value.name)
        logger.getChild("codec").warning("%s", value.why)


class Read:
    """One reading of a tree. Also what the rows of the table work with, see `Decoding`."""

    def __init__(self, blob: Callable[[str], bytes], met: Callable[[Unknown], None]) -> None:
        self._blob = blob
        self._met = met
        self._plain_keys: set[str] = set()

    def value(self, tree: Tree) -> Any:
        """Return the value of any tree."""
        if type(tree) is list:
            return self.items(tree)
        if type(tree) is not dict or not tree:
            return {} if tree == {} else tree
        if is_tag(tag := next(iter(tree))):
            kind = kind_tagged(tag, tree[tag])
            try:
                if kind is None:
                    raise Absent(tag, f"values of the kind {tag!r} are not known to this version; they are given as dicts")  # noqa: TRY301 - told as those of loaders
                return kind.decode(tree, self)
            except Absent as absent:
                value = unknown(tree, self, absent)
                self._met(value)
                return value
        if not tree.keys() <= self._plain_keys:
            if any(map(is_tag, tree)):
                raise ValueError("a tag stands behind other keys")
            if any(key[:1] == "$" for key in tree):
                return self.fields(tree)
            self._plain_keys.update(tree)
        values = {}
        for key, item in tree.items():
            values[key] = self.value(item) if type(item) is dict or type(item) is list else item
        return values

    def items(self, trees: list[Tree]) -> list[Any]:
        """Return the values of a list of trees."""
        if type(trees) is not list:
            raise TypeError("there is no list inside")
        values: list[Any] = []
        for item in trees:
            values.append(self.value(item) if type(item) is dict or type(item) is list else item)  # noqa: PERF401 - a frame less
        return values

    def fields(self, tree: dict[str, Tree]) -> dict[str, Any]:
        """Return the values of all that is no tag, by their names."""
        values = {}
        for name, item in user_keys(tree).items():
            values[name] = self.value(item)
        return values

    def load(self, kind: str, content_hash: str) -> bytes:
        """Return bytes that were kept beside the tree; raise StorageFailed if they are not those of that hash."""
        content = unpack(self._blob(content_hash))
        if digest(kind, [content]) != content_hash:
            raise StorageFailed(f"a stored blob is damaged (its content is not that of {content_hash}); {NOTHING_LOST}")
        return content


def hashes(tree: Tree) -> set[str]:
    """Return the names of the blobs that a tree refers to.

    >>> hashes([{"$bytes": 100000, "blob": "d0"}, {"blob": "the user's own"}])
    {'d0'}
    """
    found: set[str] = set()
    boxes = [tree]
    while boxes:
        box = boxes.pop()
        if type(box) is dict:
            if box and next(iter(box)) in BESIDE:
                found.update(one for one in (box.get("blob"), *box.get("blobs", ())) if type(one) is str)
            boxes.extend(item for item in box.values() if type(item) is dict or type(item) is list)
        elif type(box) is list:
            boxes.extend(item for item in box if type(item) is dict or type(item) is list)
    return found
