"""What is found in a state by a text: in keys, in values, or as a path; what cannot match is skipped as it is packed."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from ..codec.kind import json_text
from ..errors import BadArguments, UnknownPath
from ..kept import packed, tag
from ..readable import harmless
from ..redact import redact
from .glances import begin, shown_key
from .nodes import inside, python_path, top
from .selecting import steps_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .loaded import Loaded
    from .looking import Inspector
    from .place import Step

#: So many hits are told at a time.
PAGE = 50
#: So many characters the keys have together that lead to the hits of a page: it ends where they have more.
LETTERS = 50_000
#: So many characters stand around what was found; of a path.
AROUND, PATH = 40, 160
#: So many items of a container are looked at together.
_CHUNK = 500
#: What numbers, True and False consist of: these are not texts in what is packed.
_NUMBER = re.compile(r"[-+.\dainftruelse]+", re.IGNORECASE)
#: Texts of typed values in which nobody looks for anything.
_NEVER = ("$bytes", "$bytearray", "$ndarray", "$dataframe", "$series", "$index", "$array", "$table")

#: Of each page the search that it asked for last: an earlier one stops.
_last: WeakKeyDictionary[Inspector, dict[str, str]] = WeakKeyDictionary()


class Hit(NamedTuple):
    """A place where a text was found: in a key, in a value, or it is the place's path."""

    path: tuple[Step, ...]
    where: str
    text: str


def search(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return some of the places of a state where a text is found, from `start` on; `more` says whether there are others."""
    loaded = inspector.loaded(asked["session"], asked.get("version"))
    text, start = str(asked["text"]), int(asked.get("start", 0))
    found = list(islice(hits(loaded, text, _overtaken(inspector, str(asked.get("id", "")))), start + PAGE + 1)) if text else []
    page = list(_some(found[start : start + PAGE]))
    return {
        "start": start,
        "hits": [_told(loaded, hit, text) for hit in page],
        "total": min(len(found), start + len(page)),
        "more": len(found) > start + len(page),
    }


def _some(found: list[Hit]) -> Iterator[Hit]:
    """Yield the first hits, as many as their paths leave room for; one at least."""
    room = LETTERS
    for hit in found:
        yield hit
        room -= sum(len(step) for step in hit.path if isinstance(step, str))
        if room < 0:
            return


def _overtaken(inspector: Inspector, asked: str) -> Callable[[], bool]:
    page, _, _ = asked.rpartition(" ")
    latest = _last.setdefault(inspector, {})
    latest[page] = asked
    return lambda: latest[page] != asked


def _told(loaded: Loaded, hit: Hit, text: str) -> dict[str, Any]:
    path = harmless(redact(python_path(loaded, hit.path)))
    place = re.search(re.escape(text), hit.text, re.IGNORECASE)
    begins, ends = place.span() if place else (0, 0)
    shown = [hit.text[max(begins - AROUND, 0) : begins], hit.text[begins:ends], hit.text[ends : ends + 2 * AROUND]]
    if redact(hit.text) != hit.text:
        shown = ["", "", redact(hit.text)[: 2 * AROUND]]
    before, match, after = (harmless(each).replace("\n", "⏎") for each in shown)
    return {
        "path": list(hit.path),
        "shown": path if len(path) <= PATH else f"{path[: PATH // 2]} … {path[-PATH // 2 :]}",
        "where": hit.where,
        "before": f"…{before}" if begins > AROUND else before,
        "match": match,
        "after": f"{after}…" if ends + 2 * AROUND < len(hit.text) else after,
    }


def hits(loaded: Loaded, text: str, is_overtaken: Callable[[], bool] = lambda: False) -> Iterator[Hit]:
    """Yield the places of a state where a text is found, in order, first the one whose path it is; upper case is no other."""
    try:
        path = steps_to(loaded, text)
        yield Hit(path, "path", python_path(loaded, path))
    except UnknownPath:
        path = ()
    looking = Looking(loaded, text, is_overtaken)
    for key, kept in loaded.kept.items():
        if looking.may_be_in(key.encode("utf-8", "replace")) or looking.may_be_in(kept.packed) or looking.is_number:
            found = top(loaded).key(key)
            yield from (
                hit for hit in looking.within((key,), found, loaded.tree(key)) if not (hit.path == path and hit.where == "key")
            )


class Looking:
    """One search: what is looked for, and how it is told quickly that something is not it."""

    def __init__(self, loaded: Loaded, text: str, is_overtaken: Callable[[], bool]) -> None:
        self.loaded, self.text, self.is_overtaken = loaded, text.lower(), is_overtaken
        self.is_number = _NUMBER.fullmatch(text) is not None
        self._ascii = self.text.isascii()
        #: What is looked for in JSON, and in what is packed.
        self._escaped = json.dumps(self.text, ensure_ascii=False)[1:-1]

    def may_be_in(self, data: bytes) -> bool:
        """Say whether packed bytes hold the text."""
        if self._ascii:
            return self.text.encode() in data.lower()
        return self.text in data.decode("utf-8", "ignore").lower()

    def _may_match(self, trees: Any) -> bool:
        return self._escaped in json_text(trees).lower() if self.is_number else self.may_be_in(packed(trees))

    def within(self, path: tuple[Step, ...], key: Any, tree: Any) -> Iterator[Hit]:
        """Yield what is found in a key and in its value."""
        if self.is_overtaken():
            raise BadArguments("another search took the place of this one")
        if key is not None and self.text in (said := key if isinstance(key, str) else shown_key(key)).lower():
            yield Hit(path, "key", said)
        found = inside(tree)
        if found is None:
            yield from self._leaf(path, tree)
            return
        for start in range(0, len(found), _CHUNK):
            chunk = list(found.page(start, start + _CHUNK))
            if not self._may_match(dict(chunk) if isinstance(chunk[0][0], str) else [item for _, item in chunk]):
                continue
            for step, item in chunk:
                name = None if isinstance(step, int) else found.key(step)
                if type(item) is str:
                    if name is not None and self.text in str(name).lower():
                        yield Hit((*path, step), "key", str(name))
                    if self.text in item.lower():
                        yield Hit((*path, step), "value", item)
                elif name is not None or (type(item) is not dict and type(item) is not list) or self._may_match(item):
                    yield from self.within((*path, step), name, item)

    def _leaf(self, path: tuple[Step, ...], tree: Any) -> Iterator[Hit]:
        kind = tag(tree)
        if tree is None or kind in _NEVER:
            return
        said = tree if isinstance(tree, str) else begin(tree, self.loaded.value)
        if self.text in said.lower():
            yield Hit(path, "value", said)
