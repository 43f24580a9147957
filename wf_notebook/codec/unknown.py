"""What is given for a value whose class is not here: its fields in a dict that still knows what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, WeakValueDictionary, ref

from .containers import user_keys
from .kind import Refused, escaped, json_text, one_line

if TYPE_CHECKING:
    from .kind import Absent, Decoding, Encoding, Tree

#: Tags whose entries are fields of the user's; of any other, what stands behind the tag is an entry too.
_OF_FIELDS = {"$dataclass", "$attrs", "$namedtuple", "$model", "$custom"}

_alive: WeakValueDictionary[str, Unknown] = WeakValueDictionary()


class Unknown(dict[str, Any]):
    """The fields of a value whose class is not defined here, or does not take them any more.

    Unchanged it is stored as it was; with changed fields, as one of its class with these. It is hashable by what is stored,
    so that a set of such values is still a set.
    """

    #: The name of the class, or of whatever is missing.
    name: str
    #: What is stored.
    tree: dict[str, Tree]
    #: Why it is not what it was.
    why: str
    #: The class that did not take the fields.
    refused_by: ReferenceType[type] | None

    def __hash__(self) -> int:  # type: ignore[override] # a dict has none, and this is told from others by it
        return hash(json_text(self.tree))

    def __repr__(self) -> str:
        return f"<{self.name} {super().__repr__()}>"


def unknown(tree: dict[str, Tree], read: Decoding, absent: Absent) -> Unknown:
    """Return what is given for a tree that could not be read."""
    value = Unknown({(name[1:] if name[:1] == "$" else name): read.value(item) for name, item in _entries(tree).items()})
    value.name, value.tree, value.why = absent.name, tree, one_line(absent)
    value.refused_by = ref(absent.cls) if absent.cls else None
    return value


def remember(value: Unknown) -> None:
    """Let `is_remembered` know what this value is stored as, while it lives."""
    _alive[json_text(value.tree)] = value


def is_remembered(tree: Tree) -> bool:
    """Return whether a tree is what a living Unknown is stored as."""
    return json_text(tree) in _alive


def encode_unknown(value: Unknown, walk: Encoding) -> Tree:
    """Write what was stored, with the fields as they are now."""
    walk.met(value.name)
    entries = walk.fields(value)
    before = _entries(value.tree)
    if json_text(entries) == json_text(before):
        return value.tree
    tag = next(iter(value.tree))
    if tag not in _OF_FIELDS:
        raise Refused(f"stands for a value of {value.name!r}, which is not here, and was changed; set another value in its place")
    hidden = {key: item for key, item in value.tree.items() if key not in before and key != tag}
    return {tag: value.tree[tag], **entries, **hidden}


def _entries(tree: dict[str, Tree]) -> dict[str, Tree]:
    tag = next(iter(tree))
    head = {} if tag in _OF_FIELDS else {tag[1:]: tree[tag]}
    return head | {escaped(name): item for name, item in user_keys(tree).items()}
