"""What a stored value is at a glance, from its tree alone: its type, its size, how it begins, and what lies in it."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import codec
from ..codec.containers import user_keys
from ..errors import StorageFailed
from ..kept import tag
from ..readable import glimpse, harmless
from ..redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..codec import Tree

#: A value in one line has so many characters at most, a key too.
LINE, KEY = 80, 60
#: A list or dict of so few plain values is shown in one line.
FEW = 8
#: So much more is read of a text than is shown: half of a secret is not recognised.
_AROUND = 10_000
#: Of bytes in base64 so many characters say whether they are a picture.
_MAGIC = 64

_LISTS = {"$tuple": "tuple", "$set": "set", "$frozenset": "frozenset", "$deque": "deque"}
_DICTS = {"$ordereddict": "OrderedDict", "$counter": "Counter", "$defaultdict": "defaultdict"}
#: Scalars whose tag is not their type.
_SCALARS = {"$pandas_timedelta": "Timedelta", "$timestamp": "Timestamp", "$pattern": "Pattern", "$decimal": "Decimal"}
_RECORDS = {"$model", "$dataclass", "$attrs", "$namedtuple"}
#: What has rows: how it is called where its tree does not say so.
_TABLES = {"$dataframe": "DataFrame", "$series": "Series", "$index": "Index", "$array": "array", "$table": "Table"}
_PLAIN = (type(None), bool, int, float, str)


class Shape(NamedTuple):
    """A value at a glance. What has a `line` is shown by it, what has `text` is unfolded as that; else by what is `inside`."""

    type: str
    size: str = ""
    line: str = ""
    text: str = ""
    within: int = 0
    inside: Callable[[], Iterable[tuple[str, Tree]]] = tuple

    @property
    def about(self) -> str:
        """Its type and size, as people read them."""
        return f"{self.type} · {self.size}" if self.size else self.type


def shape(tree: Tree) -> Shape:
    """Return what a value is, however large it is: only its beginning is looked at.

    >>> shape([1, 2]).line, shape({"$model": "blog:Post", "title": "On cats"}).about, shape({"$date": "2026-01-02"}).line
    ('[1, 2]', 'Post · 1 field', '2026-01-02')
    >>> shape({"$dataframe": "pandas", "rows": 1000, "columns": {"n": "int64"}, "blob": "…"}).about
    'DataFrame · 1,000 × 1'
    """
    kind = type(tree)
    if kind is str:
        return _text("str", tree)
    if kind is list:
        return _listed("list", tree)
    if kind is not dict:
        return Shape("None" if tree is None else kind.__name__, line=glimpse(tree))
    name = tag(tree)
    return _mapping("dict", tree) if name is None else _typed(name, tree)


def counted(count: int, noun: str) -> str:
    """Return how many there are, as people read it.

    >>> counted(1, "key"), counted(100_000, "item")
    ('1 key', '100,000 items')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def beginning(text: str, length: int) -> str:
    """Return the beginning of a text, without secrets and harmless."""
    return harmless(redact(text[: length + _AROUND])[:length])


def named(key: Any) -> str:
    """Return a key as it is shown, cut where it is long, and then with its length.

    >>> named("posts"), named(3), named("k" * 10_000)[-22:]
    ('posts', '3', 'k… (10,000 characters)')
    """
    text = key if type(key) is str else repr(key)
    line = " ".join(beginning(text, KEY).split()) or repr(key)
    return line if len(text) <= KEY else f"{line}… ({len(text):,} characters)"


def class_name(name: Any) -> str:
    """Return the name of a class without its module, as it was stored.

    >>> class_name("blog:Post"), class_name("models:Outer.Inner")
    ('Post', 'Outer.Inner')
    """
    return named(str(name).rpartition(":")[2])


def dtype_name(code: Any) -> str:
    """Return the name of a dtype of numpy, which is stored by its code.

    >>> dtype_name("<i8"), dtype_name("|b1"), dtype_name("<M8[ns]")
    ('int64', 'bool', 'datetime64[ns]')
    """
    kinds = {"i": "int", "u": "uint", "f": "float", "c": "complex", "M": "datetime", "m": "timedelta"}
    found = re.fullmatch(r"[<>|=]?([a-zA-Z])(\d+)(\[\w+\])?", code) if isinstance(code, str) else None
    if found and found[1] in kinds:
        return f"{kinds[found[1]]}{int(found[2]) * 8}{found[3] or ''}"
    return "bool" if code == "|b1" else beginning(str(code), KEY)


def picture(tree: Tree) -> bytes | None:
    """Return how bytes begin that lie in the tree itself; None for any other value."""
    held = next(iter(tree.values()), None) if tag(tree) in {"$bytes", "$bytearray"} else None
    try:
        return b64decode(held[:_MAGIC]) if isinstance(held, str) else None
    except ValueError:
        return None


def columns_of(tree: dict[str, Tree]) -> dict[str, str]:
    """Return the columns of a stored frame or table, and their types; of a series its one."""
    found: dict[str, str] = user_keys(tree["columns"]) if isinstance(tree.get("columns"), dict) else {}
    return found or ({"": str(tree["dtype"])} if "dtype" in tree else {})


def records(tree: Tree) -> list[dict[str, Tree]] | None:
    """Return a list of dicts, which is shown as a table; None for anything else. Its beginning tells.

    >>> records([{"a": 1}, {"a": 2}]) is None, records([{"a": 1}, 2]), records([{"a": 1}])
    (False, None, None)
    """
    if type(tree) is not list or len(tree) < 2:  # noqa: PLR2004 - one row is no table
        return None
    some = tree[:20]
    plain = all(type(item) is dict and item and tag(item) is None for item in some)
    return tree if plain and len({key for item in some for key in item}) <= 2 * max(map(len, some)) else None


# -- one kind after the other --------------------------------------------------------------------------------------------------


def _text(kind: str, text: str) -> Shape:
    line = glimpse(text[: LINE + _AROUND])
    size = counted(len(text), "character")
    if len(line) <= LINE and "\n" not in text:
        return Shape(kind, size if len(text) > LINE // 2 else "", line=line)
    return Shape(kind, size, text=text)


def _listed(kind: str, items: Any) -> Shape:
    if not isinstance(items, list):
        return Shape(kind, line=glimpse(items))
    size, pair = counted(len(items), "item"), {"tuple": tuple}.get(kind, list)
    line = _short(pair(items)) if len(items) <= FEW and all(isinstance(item, _PLAIN) for item in items) else ""
    if kind not in {"list", "tuple"} and line:
        line = f"{kind}({line})"
    return Shape(kind, size, line, within=len(items), inside=lambda: ((str(n), item) for n, item in enumerate(items)))


def _mapping(kind: str, entries: Any) -> Shape:
    if not isinstance(entries, dict):
        return Shape(kind, line=glimpse(entries))
    if tag(entries) == "$dict":
        keyed = entries["$dict"]
        size = counted(len(keyed), "key")
        return Shape(kind, size, "" if keyed else "{}", within=len(keyed), inside=lambda: _odd_keys(keyed))
    size = counted(len(entries), "key")
    line = _short(user_keys(entries)) if len(entries) <= FEW and all(isinstance(e, _PLAIN) for e in entries.values()) else ""
    return Shape(kind, size, line, within=len(entries), inside=lambda: ((named(_own(k)), item) for k, item in entries.items()))


def _typed(name: str, tree: dict[str, Tree]) -> Shape:
    read = _BY_TAG.get(name)
    return read(name, tree) if read is not None else Shape(_SCALARS.get(name, name[1:]), line=_scalar(tree[name], tree))


def _container(name: str, tree: dict[str, Tree]) -> Shape:
    if name == "$dict":
        return _mapping("dict", tree)
    held = tree.get("items", tree[name])
    return _listed(_LISTS[name], held) if name in _LISTS else _mapping(_DICTS[name], held)


def _record(name: str, tree: dict[str, Tree]) -> Shape:
    fields = user_keys(tree)
    size = counted(len(fields), "field")
    return Shape(class_name(tree[name]), size, within=len(fields), inside=lambda: ((named(k), v) for k, v in fields.items()))


def _bytes(name: str, tree: dict[str, Tree]) -> Shape:
    held = tree[name]
    size = held if isinstance(held, int) else len(held) * 3 // 4 - str(held[-2:]).count("=")
    return Shape(name[1:], counted(size, "byte"))


def _custom(name: str, tree: dict[str, Tree]) -> Shape:
    return Shape(class_name(tree[name]), within=1, inside=lambda: [("value", tree.get("value"))])


def _enum(name: str, tree: dict[str, Tree]) -> Shape:
    member = class_name(tree[name])
    return Shape(member.rpartition(".")[0], line=member)


def _numpy(name: str, tree: dict[str, Tree]) -> Shape:
    return Shape(dtype_name(tree[name]), line=glimpse(tree.get("value")))


def _table(name: str, tree: dict[str, Tree]) -> Shape:
    kind = tree["is"] if name == "$table" and isinstance(tree.get("is"), str) else _TABLES[name]
    columns, rows = columns_of(tree), tree.get("rows", 0)
    size = (
        f"{rows:,} × {len(columns):,}" if name in {"$dataframe", "$table"} else f"{counted(rows, 'value')} of {tree.get('dtype')}"
    )
    told = ", ".join(f"{named(key)} {dtype}" for key, dtype in islice(columns.items(), FEW)) if "columns" in tree else ""
    return Shape(kind, size, line=beginning(told + (", …" if len(columns) > FEW else ""), 3 * LINE))


def _array(_: str, tree: dict[str, Tree]) -> Shape:
    sizes = tree.get("shape", [])
    return Shape("ndarray", f"{' × '.join(f'{n:,}' for n in sizes) or '()'} of {dtype_name(tree['$ndarray'])}")


def _scalar(held: Tree, tree: dict[str, Tree]) -> str:
    """Return a value in one line that is stored as a text; what is not is decoded, which is quick for a scalar."""
    if isinstance(held, str) and len(tree) == 1:
        return beginning(held, LINE)
    try:
        return beginning(repr(codec.decode(tree, _no_blob)), LINE)
    except (StorageFailed, ValueError, KeyError, TypeError):
        return glimpse(tree)


def _short(value: Any) -> str:
    """Return a value in one line, if it is short."""
    line = glimpse(value)
    return line if len(line) <= LINE else ""


def _odd_keys(keyed: dict[str, Tree]) -> Iterator[tuple[str, Tree]]:
    for text, item in keyed.items():
        try:
            key = codec.decode(json.loads(text), _no_blob)
        except (StorageFailed, ValueError, KeyError, TypeError):
            key = text
        yield named(repr(key)), item


def _own(key: str) -> str:
    """Return the user's key: one that begins with a `$` is stored with another one."""
    return key[1:] if key[:1] == "$" else key


def _no_blob(content_hash: str) -> bytes:
    raise KeyError(content_hash)


#: What is no scalar, by its tag.
_BY_TAG: dict[str, Callable[[str, dict[str, Any]], Shape]] = {
    **dict.fromkeys(("$dict", *_LISTS, *_DICTS), _container),
    **dict.fromkeys(_RECORDS, _record),
    **dict.fromkeys(_TABLES, _table),
    **dict.fromkeys(("$bytes", "$bytearray"), _bytes),
    "$ndarray": _array,
    "$custom": _custom,
    "$enum": _enum,
    "$numpy": _numpy,
    "$str": lambda name, tree: _text("str", tree[name]),
}
