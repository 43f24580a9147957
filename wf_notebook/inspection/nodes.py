"""What lies inside of a value, as its tree has it: items, keys, fields, each found by a step, without decoding any of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from ..codec.classes import find
from ..codec.containers import user_keys
from ..codec.custom import codec_named
from ..codec.kind import escaped, json_text, shown
from ..errors import UnknownPath
from ..kept import tag
from ..keys import key_of, stored_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .loaded import Loaded
    from .place import Step

#: By what a step finds: the number of an item; one of a set, which has none; the stored text of a key, or its JSON; a field.
How = Literal["item", "member", "key", "json", "field"]

#: Kinds whose tag names a class of the user's, whose fields stand behind it.
CLASSES = ("$model", "$dataclass", "$attrs", "$namedtuple")
#: Kinds that hold all that is inside behind their tag: how it is found there, and what holds it.
_TYPED: dict[str, tuple[How, type]] = {
    **dict.fromkeys(("$tuple", "$deque"), ("item", list)),
    **dict.fromkeys(("$set", "$frozenset"), ("member", list)),
    "$dict": ("json", dict),
}
_DICTS = {"$ordereddict": "$ordereddict", "$counter": "$counter", "$defaultdict": "items"}
#: Attributes of a value that are no fields of its class.
_BESIDE = ("$attributes", "$private")


@dataclass(frozen=True, slots=True)
class Inside:
    """What lies inside of a list, a dict, a model or whatever else holds values."""

    how: How
    trees: list[Any] | Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.trees)

    def page(self, start: int, stop: int) -> Iterator[tuple[Step, Any]]:
        """Yield some of it, each with its step."""
        if isinstance(self.trees, list):
            yield from enumerate(self.trees[start:stop], start)
        else:
            for step in islice(self.trees, start, stop):
                yield step, self.trees[step]

    def letters(self, here: range) -> int:
        """Return how many characters the keys of some of it have together."""
        return 0 if isinstance(self.trees, list) else sum(map(len, islice(self.trees, here.start, here.stop)))

    def at(self, step: Step) -> Any:
        """Return the tree to which a step leads; LookupError if there is none."""
        if isinstance(self.trees, list):
            if type(step) is not int or not 0 <= step < len(self.trees):
                raise IndexError(step)
            return self.trees[step]
        return self.trees[step]  # type: ignore[index] # a number is not there

    def position(self, step: Step) -> int:
        """Return the how-manieth it is to which a step leads."""
        return step if isinstance(step, int) else next(n for n, each in enumerate(self.trees) if each == step)

    def step(self, key: Any) -> Step:
        """Return the step to what Python finds by a key, a number or a name; LookupError if there is none.

        >>> inside({"$dict": {"1": "one"}}).step(1), inside(["a", "b"]).step(-1), inside({"$$ref": 1}).step("$ref")
        ('1', 1, '$$ref')
        """
        tries: list[Any] = []
        if isinstance(self.trees, list):
            number = int(key)
            tries = [number if number >= 0 else number + len(self)]
        elif self.how == "field":
            tries = [escaped(str(key)), *(f"{beside}.{key}" for beside in _BESIDE)]
        elif self.how == "json":
            tries = [json_text(key) if isinstance(key, str) else stored_key(key)[1:], key]
        else:
            tries = [stored_key(key), f"${key}"]
        for step in tries:
            try:
                self.at(step)
            except LookupError:
                continue
            return step  # type: ignore[no-any-return] # a key may be of any type
        raise KeyError(key)

    def key(self, step: Step) -> Any:
        """Return the key, the number or the name of what a step leads to."""
        if isinstance(step, int):
            return step
        if self.how == "field":
            return step.partition(".")[2] if step.startswith(tuple(f"{each}." for each in _BESIDE)) else step.removeprefix("$")
        return key_of(f"${step}" if self.how == "json" else step)

    def after(self, path: str, step: Step) -> str:
        """Return how Python says what a step leads to, after how it says what this is.

        >>> inside({"$$ref": 1}).after("session_state", "$$ref"), inside({"$set": [1]}).after("tags", 0)
        ('session_state["$ref"]', 'tags{…}')
        """
        key = self.key(step)
        if self.how == "member":
            return path + "{…}"
        if self.how == "field":
            return f"{path}.{key}" if key.isidentifier() else f"getattr({path}, {json.dumps(key)})"
        return f"{path}[{json.dumps(key, ensure_ascii=False) if isinstance(key, str) else _whole(key)}]"


def _whole(key: Any) -> str:
    try:
        return repr(key)
    except Exception:  # noqa: BLE001 - the user's own __repr__ may do anything
        return shown(key)


def inside(tree: Any) -> Inside | None:
    """Return what lies inside of a value, None if it is one that has nothing inside.

    >>> inside({"$model": "m:Post", "title": "a"}).trees, inside({"$date": "2026-01-01"}), inside("text")
    ({'title': 'a'}, None, None)
    """
    kind = tag(tree)
    if kind is None:
        return Inside("item", tree) if type(tree) is list else Inside("key", tree) if type(tree) is dict else None
    head = tree[kind]
    if kind in _TYPED:
        how, holds = _TYPED[kind]
        return Inside(how, tree[kind]) if type(head) is holds else None
    if kind in _DICTS:
        return inside(tree.get(_DICTS[kind]))
    if kind == "$custom":
        return Inside("key", {"value": tree.get("value")}) if codec_named(head) is None else None
    return _record(tree, head) if kind in CLASSES else None


def _record(tree: dict[str, Any], name: Any) -> Inside:
    """Return the fields of a record; of one whose class is not here they are entries, as it is given as a dict."""
    fields = {escaped(field): value for field, value in user_keys(tree).items()}
    if type(name) is not str or find(name) is None:
        return Inside("key", fields)
    for beside in _BESIDE:
        fields |= {f"{beside}.{field}": value for field, value in user_keys(tree.get(beside, {})).items()}
    return Inside("field", fields)


class _Keys(Mapping[str, Any]):
    """The keys of a state, whose trees are made when they are looked at."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def __getitem__(self, key: str) -> Any:
        return self._loaded.tree(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded.kept)

    def __len__(self) -> int:
        return len(self._loaded.kept)

    def __contains__(self, key: object) -> bool:
        return key in self._loaded.kept


def top(loaded: Loaded) -> Inside:
    """Return the keys of a state."""
    return Inside("key", _Keys(loaded))


def within(loaded: Loaded, path: tuple[Step, ...]) -> Inside:
    """Return what lies inside of the value at a path; of the state itself, where that is empty. Raises UnknownPath."""
    found = top(loaded) if not path else inside(at(loaded, path))
    if found is None:
        raise UnknownPath(f"there is nothing inside of {python_path(loaded, path)}")
    return found


def at(loaded: Loaded, path: tuple[Step, ...]) -> Any:
    """Return the tree at a path, to look at and not to change. Raises UnknownPath for one that leads nowhere."""
    here: Inside | None = top(loaded)
    tree: Any = None
    for step in path:
        try:
            if here is None:
                raise KeyError(step)
            tree = here.at(step)
        except LookupError:
            raise UnknownPath(
                f"version {loaded.version} of session {loaded.session.session_id!r} has nothing there: {shown(step)} is missing"
            ) from None
        here = inside(tree)
    if not path:
        raise UnknownPath("nothing is selected; select a value: inspector.select('posts.0')")
    return tree


def python_path(loaded: Loaded, path: tuple[Step, ...]) -> str:
    """Return a path as Python says it: `session_state["posts"][3].title`. Raises UnknownPath for one that leads nowhere."""
    said, here = "session_state", top(loaded)
    for number, step in enumerate(path):
        at(loaded, path[: number + 1])
        said = here.after(said, step)
        here = inside(here.at(step)) or Inside("item", [])
    return said
