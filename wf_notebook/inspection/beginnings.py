"""The beginning of a value, made of its tree: no class is asked for it, and no array or frame is read."""

from __future__ import annotations

from itertools import islice
from typing import Any

from .. import codec
from ..brief import brief
from ..errors import StorageFailed
from ..kept import packed, tag
from ..keys import key_of
from ..redact import redact

#: Of a list or dict so many items are looked at, so many inside each other; of a text so many characters.
_ITEMS, _DEPTH, _TEXT = 31, 6, 200
#: A value of another type than JSON has is decoded if it takes no more bytes than this.
_SMALL = 2000
#: Kinds that name a class of the user's, which is not asked to show its values.
_CLASSES = ("$model", "$dataclass", "$attrs", "$namedtuple", "$custom", "$enum", "$unknown", "$url")


class _Told:
    """Prints as it is told."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def beginning(tree: Any, limit: int = 100) -> str:
    """Return the beginning of a value in one line, without secrets.

    >>> beginning({"due": {"$date": "2026-01-02"}, "by": {"$model": "mine:Author", "name": "Ada"}})
    "{'due': 2026-01-02, 'by': Author(name='Ada')}"
    >>> beginning({"$dataframe": "pandas", "rows": 3, "columns": ["a", "b"], "blob": "0"}), beginning(list("ab" * 50), 12)
    ('<dataframe of 3 rows>', "['a', 'b', …")
    """
    return redact(brief(_pruned(tree, _DEPTH), limit))


def _pruned(tree: Any, depth: int) -> Any:
    """Return a value that prints as that of the tree does, as far as it is shown."""
    if isinstance(tree, str):
        return tree[:_TEXT]
    if type(tree) is list:
        return [_pruned(item, depth - 1) for item in tree[:_ITEMS]] if depth else _Told(f"[… {len(tree)}]")
    if type(tree) is not dict or not tree:
        return tree
    kind = tag(tree)
    if kind is not None:
        return _typed(tree, kind, depth)
    return _entries(tree, depth) if depth else _Told(f"{{… {len(tree)}}}")


def _entries(tree: dict[str, Any], depth: int) -> dict[Any, Any]:
    return {key_of(key): _pruned(item, depth - 1) for key, item in islice(tree.items(), _ITEMS)}


def _typed(tree: dict[str, Any], kind: str, depth: int) -> Any:
    if kind in _CLASSES:
        name = str(tree[kind]).rpartition(":")[2].rpartition(".")[2]
        fields = {key: item for key, item in islice(tree.items(), 1, _ITEMS) if key[:1] != "$"} if depth else {}
        return _Told(f"{name}({', '.join(f'{key}={brief(_pruned(item, depth - 1))}' for key, item in fields.items())})")
    if not codec.hashes(tree) and len(packed(tree)) <= _SMALL:
        try:
            return codec.decode(tree, dict[str, bytes]().__getitem__)
        except StorageFailed:  # it is damaged: what is there is shown
            return tree
    rows = tree.get("rows")
    size = f" of {rows:,} rows" if isinstance(rows, int) else ""
    size = size or (f" {' × '.join(map(str, tree['shape']))}" if isinstance(tree.get("shape"), list) else "")
    items = tree[kind]
    size = size or (f" of {len(items):,}" if isinstance(items, (list, dict)) else "")
    return _Told(f"<{kind[1:]}{size}>")
