"""A live state, encoded again and again: only what changed since the last time costs more than a look."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import codec
from .codec.kind import DEEPEST, json_text
from .errors import UnsavableValue
from .glance import Glance
from .kept import Kept, extended, grown, is_tagged, may_be_typed, packed, unpacked
from .keys import key_of, path, stored_key
from .redact import redact
from .run import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .changes import Encoded

#: How often a typed value that other threads are changing is read again, to see all of it at one moment.
LOOKS = 3

#: What the codec writes otherwise than JSON does: texts that begin with a `$` as keys, and integers of more than 64 bit.
_TYPED = re.compile(r'"\$|\d{19}')


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state at one moment: what is kept of it, and by stored key the reason why a value cannot be."""

    kept: Encoded
    refused: Mapping[str, UnsavableValue]


@dataclass(slots=True)
class _Seen:
    """What was made of a value: `raw` are its own bytes, None where equal bytes would not prove an equal value."""

    raw: bytes | None
    kept: Kept
    hashes: set[str] = field(default_factory=set)
    has_classes: bool = False
    #: The bytes of its tree, secrets and all, once it was seen that the value comes back from it.
    proven: bytes | None = None


class Encoder:
    """Encodes a state, and remembers what it made of each key.

    >>> snapshot = Encoder().encode({"topic": "cheese", "seen": {"gouda"}, "odd": object()})
    >>> snapshot.kept
    {'topic': Kept("cheese"), 'seen': Kept({"$set":["gouda"]})}
    >>> snapshot.refused["odd"].path
    'session_state["odd"]'
    """

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._glance = Glance()
        #: The bytes of arrays and frames in the state, by content.
        self.blobs: dict[str, bytes] = {}

    def encode(self, state: Mapping[Any, Any]) -> Snapshot:
        """Return a consistent snapshot, also while other threads change the state."""
        if not state:
            self._seen, self.blobs = {}, {}
            return Snapshot({}, {})
        refused: dict[str, UnsavableValue] = {}
        seen: dict[str, _Seen] = {}
        for key, raw in self._glance.read(state).items():
            text = repr(key)
            try:
                text = stored_key(key)
                known = self._seen.get(text)
                if known is None or raw is None or known.raw != raw:
                    known = self._made(path(key), state.get(key), raw, known)
                seen[text] = known
            except UnsavableValue as refusal:
                refused[text] = refusal
        self._seen = seen
        needed = set().union(*(known.hashes for known in seen.values()))
        self.blobs = {content_hash: content for content_hash, content in self.blobs.items() if content_hash in needed}
        return Snapshot({text: known.kept for text, known in seen.items()}, refused)

    def loaded(self, state: Mapping[Any, Any], stored: Encoded, keys: Iterable[str]) -> None:
        """Take over what was just loaded under these keys, as far as it is plain data: it need not be encoded."""
        for text in keys:
            kept, value = stored[text], state[key_of(text)]
            if not may_be_typed(kept.packed) or _packed(value) == kept.packed:
                self._seen[text] = _Seen(kept.packed, kept)

    def stale(self, state: Mapping[Any, Any]) -> frozenset[str]:
        """Return the keys whose values have a class that is out of date, as it was defined again since."""
        known = [text for text, seen in self._seen.items() if seen.has_classes]
        return frozenset(text for text in known if codec.is_stale(state.get(key_of(text))))

    # -- one value ---------------------------------------------------------------------------------------------------------

    def _made(self, where: str, live: Any, raw: bytes | None, before: _Seen | None) -> _Seen:
        """Encode a value; of one that only grew, what was added."""
        if raw is not None and before is not None and before.raw is not None and not is_tagged(before.kept.packed):
            more = grown(before.raw, raw)
            if more is not None and len(more) * 2 < len(raw):
                added = self._whole(where, unpacked(more), more)
                # Bytes may be those of an array or a number of numpy's: only the live value tells.
                if added.raw is not None and not is_tagged(added.kept.packed):
                    classes, hashes = before.has_classes or added.has_classes, before.hashes | added.hashes
                    is_plain = before.kept.packed is before.raw and added.kept.packed is more
                    whole = raw if is_plain else extended(before.kept.packed, added.kept.packed)
                    return _Seen(raw, Kept(whole), hashes, classes)
        return self._whole(where, live, raw, before)

    def _whole(self, where: str, live: Any, raw: bytes | None, before: _Seen | None = None) -> _Seen:
        if raw is not None and (text := _plain_text(value := unpacked(raw), raw)) is not None:
            return _Seen(raw, _without_secrets(where, value, text) or Kept(raw, text))
        call = _Call(self.blobs)
        tree = codec.encode(live, where, call)
        # A tree names arrays and frames by their content; what a class of the user's makes of it may have changed.
        if before is not None and not call.classes and packed(tree) == before.proven:
            return before
        tree = _settled(tree, live, where, call)
        if call.hidden:
            _warn_of_secret(where)
        if not codec.comes_back(tree, self.blobs.__getitem__):
            tree = self._renewed(tree, live, where, call)
        print_, text = packed(tree), json_text(tree)
        trusted = raw is not None and '"$byte' not in text and packed(codec.encode(unpacked(raw), where, call)) == print_
        kept = _without_secrets(where, tree, text) or Kept(print_, text)
        return _Seen(raw if trusted else None, kept, codec.hashes(tree), has_classes=bool(call.classes), proven=print_)

    def _renewed(self, tree: Any, live: Any, where: str, call: _Call) -> Any:
        """Return the tree of a value as the classes in it are now, if it is because of them that it does not come back."""
        if not codec.is_stale(live):
            raise UnsavableValue(f"{where} does not come back as it was; keep what it is made of", path=where)
        renewed = codec.encode(codec.decode(tree, self.blobs.__getitem__), where, call)
        if not codec.comes_back(renewed, self.blobs.__getitem__):
            raise UnsavableValue(
                f"{where} has values that a class does not take since it was defined anew; mend them", path=where
            )
        return renewed


class _Call:
    """What the codec is given: where the bytes of arrays and frames go, the names of classes that it met, and of secrets."""

    def __init__(self, blobs: dict[str, bytes]) -> None:
        self._blobs = blobs
        self.classes: set[str] = set()
        self.hidden: set[str] = set()

    def keep(self, content_hash: str, make: Callable[[], bytes]) -> None:
        if content_hash not in self._blobs:
            self._blobs[content_hash] = make()


def _settled(tree: Any, live: Any, where: str, call: _Call) -> Any:
    """Return the tree of a value, `tree` at first; one that others change is read until it stands still for a moment."""
    for _ in range(LOOKS):
        before, tree = tree, codec.encode(live, where, call)
        if packed(before) == packed(tree):
            break
    return tree


def _packed(value: Any) -> bytes | None:
    try:
        return packed(value)
    except ValueError:
        return None


def _plain_text(value: Any, raw: bytes) -> str | None:
    """Return a value as JSON if it comes back from that as it was, everywhere, and the codec would write it so."""
    try:
        text = json_text(value)
        text.encode()
        same = _packed(json.loads(text)) == raw
    except (TypeError, ValueError, RecursionError):
        return None
    return text if same and not _TYPED.search(text) and not _too_deep(value, text) else None


def _too_deep(value: Any, text: str) -> bool:
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    level, depth = [value], 0
    while level and depth < DEEPEST:
        inner = [item for box in level for item in (box.values() if type(box) is dict else box)]
        level, depth = [item for item in inner if type(item) in {list, dict}], depth + 1
    return bool(level)


# -- secrets -------------------------------------------------------------------------------------------------------------------

_warned: set[str] = set()


def _without_secrets(where: str, tree: Any, text: str) -> Kept | None:
    """Return what is kept of a tree that holds a secret, None for one that holds none; the live value is left alone."""
    if redact(text) == text or (without := redacted(tree)) == tree:  # a number is no secret
        return None
    _warn_of_secret(where)
    return Kept.of(without)


def _warn_of_secret(where: str) -> None:
    """Say once for each key that a secret in it is not stored."""
    if where not in _warned:
        _warned.add(where)
        logger.warning("a secret in %s is stored as <redacted …>; the live value is untouched", where)


def redacted(value: Any) -> Any:
    """Return a plain value without the secrets in its texts; the value itself is left alone.

    >>> redacted(["nothing", {"to": "hide"}])
    ['nothing', {'to': 'hide'}]
    """
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [redacted(item) for item in value]
    if isinstance(value, dict):
        return {redact(key): redacted(item) for key, item in value.items()}
    return value
