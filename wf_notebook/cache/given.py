"""What a step gave, as text for the store, and back: its value, its stream, what was heard of it, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from .. import codec
from ..changes import Change
from ..codec.kind import json_text
from ..errors import UnsavableValue
from ..events import RunResponse
from ..kept import packed
from ..redact import secrets_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from .heard import Heard

_FIELDS = tuple(f.name for f in fields(RunResponse))
#: What the run stamps on a response belongs to that run alone.
_STAMPS = {"run_id", "session_id", "workflow_id"}
#: What differs between the pieces of one text.
_PIECE = {"content", "created_at"}


@dataclass(slots=True)
class Given:
    """What a step gave.

    `said` is its stream, None for a step without one; `heard` what it printed and displayed; `counts` how often steps were done
    inside of it, by key and branch; `used` the requests and the names of the models; `needs` what it met in the
    state and may have written again; `more` is what an agent keeps.
    """

    value: Any = None
    said: list[Any] | None = None
    heard: list[Heard] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    used: dict[str, Any] = field(default_factory=dict)
    needs: dict[str, str] = field(default_factory=dict)
    more: Any = None
    #: What agents of the workflow are to know of their calls inside of it, by their attributes.
    agents: dict[str, Any] = field(default_factory=dict)


class _Blobs:
    """Where the bytes of arrays and frames go."""

    def __init__(self, blobs: dict[str, bytes]) -> None:
        self._blobs = blobs
        self.hidden: set[str] = set()

    def keep(self, content_hash: str, make: Callable[[], bytes]) -> None:
        if content_hash not in self._blobs:
            self._blobs[content_hash] = make()


def text_of(given: Given, blobs: dict[str, bytes]) -> str:
    """Return what a step gave as JSON, arrays and frames in `blobs`.

    Raises UnsavableValue for what would not come back as it was, and for what holds a secret.
    """
    kept = _Blobs(blobs)

    def tree(value: Any, where: str) -> Any:
        if value is None or type(value) is bool or (type(value) is str and is_text(value)):
            return value
        made = codec.encode(value, where, kept)
        if packed(made) != packed(value) if type(value) in {int, float} else not codec.comes_back(made, blobs.__getitem__):
            raise UnsavableValue(f"{where} does not come back as it was", path=where)
        return made

    told: dict[str, Any] = {"value": tree(given.value, "the result")}
    if given.said is not None:
        told["said"] = _stream(given.said, tree)
    if given.heard:
        told["heard"] = [[how, tree(what, "what was displayed")] for how, what in given.heard]
    if given.changes:
        told["changes"] = [[change.key, change.op, change.value, change.path] for change in given.changes]
    told |= {name: value for name in ("counts", "used", "needs") if (value := getattr(given, name))}
    if given.more is not None:
        told["more"] = tree(given.more, "the answer")
    if given.agents:
        told["agents"] = tree(given.agents, "the answer of an agent")
    text = json_text(told)
    if kept.hidden or (names := secrets_in(text)):
        name = next(iter(kept.hidden or names))
        raise UnsavableValue(f"the result holds the secret {name}", path="the result")
    if not is_text(text):
        raise UnsavableValue("the result holds half of a surrogate pair, which is no text", path="the result")
    return text


def is_text(value: str) -> bool:
    """Say whether a str can be written: one with halves of surrogate pairs, as of a JSON that was cut off, cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def given_of(told: Any, blob: Callable[[str], bytes]) -> Given:
    """Return what a step gave, from what `text_of` made; each time anew, so that nobody changes what is remembered.

    Raises StorageFailed, ValueError, LookupError or TypeError for what is damaged, or made of classes that are not here.
    """

    def value(tree: Any) -> Any:
        return tree if tree is None or type(tree) in {str, bool} else codec.decode(tree, blob, whole=True)

    if not isinstance(told, dict) or "value" not in told:
        raise ValueError("it is no result of a step")
    said = told.get("said")
    return Given(
        value(told["value"]),
        None if said is None else _heard_again(said, value),
        [(how, value(what)) for how, what in told.get("heard", ())],
        [Change(*change) for change in told.get("changes", ())],
        told.get("counts", {}),
        told.get("used", {}),
        told.get("needs", {}),
        value(told.get("more")),
        value(told.get("agents")) or {},
    )


def _stream(said: list[Any], tree: Callable[[Any, str], Any]) -> list[Any]:
    """Return a stream as a tree; successive pieces of one text, which differ in nothing else, are one entry."""
    entries: list[Any] = []
    last: dict[str, Any] | None = None
    shared: list[Any] = []  # what many responses of one call have in common is told once

    def common(metrics: Any) -> int:
        for number, other in enumerate(shared):
            if other is metrics:
                return number
        shared.append(metrics)
        return len(shared) - 1

    for item in said:
        if type(item) is not RunResponse:
            entries.append({"item": tree(item, "what was yielded")})
            last = None
            continue
        told = {name: value for name in _FIELDS if name not in _STAMPS and (value := getattr(item, name)) is not None}
        if item.lane is not None:
            told["lane"] = item.lane
        if told.get("metrics") is not None:
            told["metrics"] = common(told["metrics"])
        head = {name: value for name, value in told.items() if name not in _PIECE}
        if last is not None and isinstance(item.content, str) and head == last and "texts" in entries[-1]:
            entries[-1]["texts"].append(item.content)
            continue
        last, content = (head, item.content) if isinstance(item.content, str) else (None, item.content)
        entry = {"response": tree(head, "a response"), "made": item.created_at}
        entries.append(entry | ({"texts": [content]} if isinstance(content, str) else {"content": tree(content, "a response")}))
    return [{"shared": tree(shared, "metrics")}, *entries]


def _heard_again(entries: list[Any], value: Callable[[Any], Any]) -> list[Any]:
    said: list[Any] = []
    shared: list[Any] = []
    for entry in entries:
        if "shared" in entry:
            shared = value(entry["shared"])
        elif "item" in entry:
            said.append(value(entry["item"]))
        else:
            for content in entry.get("texts") or [value(entry["content"])]:
                head = value(entry["response"])
                lane = head.pop("lane", None)
                if "metrics" in head:
                    head["metrics"] = shared[head["metrics"]]
                response = RunResponse(content, created_at=entry["made"], **head)
                said.append(response if lane is None else response.stamped({"lane": lane}))
    return said
