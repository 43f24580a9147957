"""The steps of a run and of a session as tables: what came from the store, what was done and why, and the takes of a step."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..log import span_of
from ..render.made import ago
from .columns import Column
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..remembers import Remembers
    from ..run import Run
    from .columns import Kind

_WHY: dict[str, Kind] = {
    "step": "text", "kind": "text", "lane": "text", "from": "text", "why": "text", "seconds": "real", "tokens": "integer",
    "cost": "real", "made_at": "timestamp",
}  # fmt: skip
#: What is said of how a step came about: a sign and a word.
STORE, DONE, FAILED, STOPPED = "✓ store", "● done", "✗ failed", "■ stopped"

#: The words for how a step ended that did not come from the store.
ENDED = {"completed": "done", "failed": "failed", "stopped": "stopped"}


def why(run: Run) -> Table:
    """Return a row for each step of a run: whether it came from the store, or what changed so that it was done."""
    steps = _steps(run)
    rows = [_row(event.lane, told, reason) for event, told, reason in steps]
    values = list(zip(*rows, strict=True)) or [()] * len(_WHY)
    columns = [Column.of(name, cells, kind) for (name, kind), cells in zip(_WHY.items(), values, strict=True)]
    return Table(
        columns, _summary([told for _, told, _ in steps]) or "the run had no steps that could be remembered, or cache='off'"
    )


def _steps(run: Run) -> list[tuple[Any, dict[str, Any], str]]:
    """Return the steps of a run in the order in which they began: event, what is told at the end, and why they were done."""
    ended = _ended(run)
    plain = _plain(told for _, told, _ in ended)
    return [one for one in ended if one[1]["kind"] != "request" or one[1].get("within") not in plain]


def _ended(run: Run) -> list[tuple[Any, dict[str, Any], str]]:
    begun: dict[Any, tuple[int, str]] = {}
    found: list[tuple[int, Any, dict[str, Any], str]] = []
    for place, event in enumerate(run.told.events() if run.told is not None else ()):
        if span_of(event.data) != "step":
            continue
        told = event.data
        if "status" in told:
            began, reason = begun.pop(told["id"], (place, ""))
            found.append((began, event, told, reason))
        else:
            begun[told["id"]] = (place, told.get("why", ""))
    return [(event, told, reason) for _, event, told, reason in sorted(found, key=lambda one: one[0])]


def steps_of(run: Run) -> list[dict[str, Any]]:
    """Return what is told of each step of a run at its end, in the order in which they began; requests too."""
    return [told for _, told, _ in _ended(run)]


def _plain(steps: Iterable[dict[str, Any]]) -> set[Any]:
    """Return the calls of agents of which nothing came from the store: their requests say no more than they do."""
    several = list(steps)
    mixed = {told.get("within") for told in several if told["hit"]}
    return {told["id"] for told in several if told["kind"] == "agent" and told["id"] not in mixed}


def _row(lane: str | None, told: dict[str, Any], reason: str) -> tuple[Any, ...]:
    status = told["status"]
    how = STORE if told["hit"] else DONE if status == "completed" else FAILED if status == "failed" else STOPPED
    made_at = datetime.fromisoformat(told["made_at"]) if told.get("made_at") else None
    said = f"made {ago(made_at)}" if told["hit"] and made_at else reason
    if told.get("uncached"):
        said = "; ".join(filter(None, [said, f"not remembered: {told['uncached']}"]))
    if told.get("left_out"):
        said = "; ".join(filter(None, [said, f"{told['left_out']} does not count"]))
    return (told["name"], told["kind"], lane, how, said, told.get("seconds"), _tokens(told) or None, told.get("cost"), made_at)


def _tokens(told: dict[str, Any]) -> int:
    return (told.get("input_tokens") or 0) + (told.get("output_tokens") or 0)


def _summary(steps: Sequence[dict[str, Any]]) -> str:
    """Return in a line what the steps from the store saved, and what the others took."""
    if not steps:
        return ""
    hits = [told for told in steps if told["hit"]]
    others = [told for told in steps if not told["hit"]]
    saved = f"{len(hits)} of {len(steps)} from the store" + (f", which saved {_spent(hits)}" if hits else "")
    ended = {word: sum(told["status"] == status for told in others) for status, word in ENDED.items()}
    told = ", ".join(f"{count} {word}" for word, count in ended.items() if count)
    return saved + (f"; {told} in {_spent(others)}" if others else "")


def _spent(steps: Iterable[dict[str, Any]]) -> str:
    """Return seconds, tokens and cost of steps; of one inside another only the outer counts, as that contains it."""
    several = list(steps)
    ids = {told["id"] for told in several}
    own = [told for told in several if told.get("within") not in ids]
    seconds, tokens = sum(told.get("seconds") or 0 for told in own), sum(map(_tokens, own))
    cost = sum(told.get("cost") or 0 for told in own)
    return ", ".join([f"{seconds:.1f} s", *([f"{tokens:,} tokens"] if tokens else []), *([f"${cost:.4f}"] if cost else [])])


def takes(session: Remembers, step: str | None = None) -> Table:
    """Return a row for each take of the steps that were done more than once with nothing changed."""
    rows = []
    for several in session.several(step):
        used = session.steps.find(several[0].key, several[0].place)
        for number, done in enumerate(several, start=1):
            tree = session.steps.result(done)
            rows.append((done.name, number, "✓ used" if done is used else "", gist(tree), done.made_at, done.seconds, done.place))
    kinds: dict[str, Kind] = {
        "step": "text", "take": "integer", "used": "text", "gave": "text", "made_at": "timestamp", "seconds": "real",
        "place": "text",
    }  # fmt: skip
    values = list(zip(*rows, strict=True)) or [()] * len(kinds)
    columns = [Column.of(name, cells, kind) for (name, kind), cells in zip(kinds.items(), values, strict=True)]
    return Table(columns, f"takes of session {session.session_id!r}; %wf use NUMBER chooses")


def gist(tree: Any) -> str:
    """Return what a step gave, as text: its value, or what it said."""
    if tree is None:
        return ""
    if tree.get("value") is not None:
        return str(tree["value"])
    if tree.get("more") and tree["more"]["response"].get("content") is not None:
        return str(tree["more"]["response"]["content"])
    return "".join(map(_said, tree.get("said", ())))


def _said(entry: dict[str, Any]) -> str:
    if "texts" in entry:
        return "".join(entry["texts"])
    said = entry.get("item", entry.get("content"))
    return "" if said is None else str(said)
