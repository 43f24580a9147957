"""What a session knows of the store, for the length of one transaction.

A transaction is made in another thread, and may be made twice, or go on after its caller was interrupted. So it works on a copy,
and what it found out becomes the session's only once its caller hears of it.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .codec.kind import json_text
from .kept import tag
from .keys import key_of
from .merging import merge
from .transaction import shown_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from .changes import Encoded
    from .kept import Kept
    from .line import Line
    from .transaction import About, Attempt, Records, Save, Transaction

    Check = Callable[[About | None], object]

#: Characters of a value in a message.
_BRIEF = 40
#: What has rows, by its tag.
_ROWS = {"$dataframe": "frame", "$table": "table", "$series": "series", "$index": "index", "$array": "array"}


@dataclass(slots=True)
class Known:
    """What is known of a session's line, and how its live state compares with it."""

    line: Line
    about: About
    #: What the live state was when it was last loaded or saved.
    base: Encoded
    #: What that became in the store, with what others had saved meanwhile.
    met: Encoded
    #: Saves whose acknowledgement did not come.
    attempts: tuple[Attempt, ...]
    #: Rows that wait for a save that can be done.
    rows: tuple[Records, ...]
    #: What is kept about the session, as it was last saved from here.
    saved_about: About | None
    #: Whether nobody else wrote since, as the last transaction found.
    undisturbed: bool = False
    #: Of a save: the keys that were changed on both sides.
    conflicts: tuple[str, ...] = ()
    #: Of a save that came too late: what another run had done in its place, so that it changed nothing.
    meanwhile: Any = None

    def copy(self) -> Known:
        """Return what a transaction may change."""
        so_far = self.base, self.met, self.attempts, self.rows, self.saved_about, self.undisturbed, self.conflicts
        return Known(copy(self.line), self.about, *so_far)

    @property
    def has_news(self) -> bool:
        """Whether what is kept about the session changed here. Two kernels that call it by two names say so once each."""
        return self.line.about is None or self.about not in {self.line.about, self.saved_about}

    def fetch(self, tx: Transaction, check: Check, *, inherits: bool) -> Known:
        """Bring this up to the store's newest; a session that is new there may inherit what another program kept of it."""
        self.undisturbed = self.line.is_current(tx.before)
        if not self.attempts and self.undisturbed:
            return self
        way = self.line.follow(tx, check)
        if way != "on":  # mine is written again: all of it, or all but what is only there
            self.base = {key: kept for key, kept in self.line.state.items() if way == "back" or key in self.base}
            self.met = {}
        for attempt in self.attempts:
            self._recognise(tx, attempt)
        self.attempts = ()
        about = self.line.about
        if inherits and not self.line.was_there and (inherited := tx.inherited(shown_id(self.line.key))):
            check(inherited.about)
            self.line.inherited, about = inherited, inherited.about
        if about:
            self.about = self.about.filled(about)
        return self

    def _recognise(self, tx: Transaction, attempt: Attempt) -> None:
        """A save that was durable though nobody heard so is not merged with itself, and its rows are not written again."""
        durable = tx.has_save(self.line.key, attempt.save_id)
        if durable:
            self.base, self.met = attempt.mine, attempt.made
        if durable or any(tx.has_records(records) for records in attempt.rows):
            written = {id(records) for records in attempt.rows}
            self.rows = tuple(records for records in self.rows if id(records) not in written)

    def append(self, tx: Transaction, attempt: Attempt, save: Save, branch: str) -> Known:
        """Append mine to the session's line, or all of mine to a branch, with the rows that wait."""
        line, merged = self.line, merge(self.base, attempt.mine, self.line.state, self.met)
        self.about = self.about.owned_as(line.about)
        if self.has_news:
            tx.append_about(line.key, "changed" if line.about else "created", self.about)
            line.about = self.about
        attempt.made, self.conflicts = merged.state, merged.conflicts
        line.look_back(tx, self.rows, f"not saved: {self.told(attempt.mine, branch)}" if merged.conflicts else None)
        if merged.conflicts:
            line.branch_off(tx, branch, attempt.mine, self.about, save)
            line.extend(tx, line.state, save)
        else:
            line.extend(tx, merged.state, save)
            self.base, self.met = attempt.mine, merged.state
        self.rows, self.saved_about = (), self.about
        return self

    def told(self, mine: Encoded, branch: str | None) -> str:
        """Return what is said of the keys that were changed on both sides; `branch` says where mine were kept."""
        key, others, session_id = self.conflicts[0], len(self.conflicts) - 1, shown_id(self.line.key)
        kept = f"yours are kept, in storage.session({session_id!r}, branch={branch!r}); " if branch else ""
        return (
            f"session {session_id!r} was changed elsewhere: {key_of(key)!r} was {_brief(self.base.get(key), 'absent')}, "
            f"is {_brief(mine.get(key))} here and "
            f"{_brief(self.line.state.get(key))} in the store{f' (and {others} more)' if others else ''}; {kept}"
            "choose by the workflow's session.resolve('mine'), 'theirs', or a dict of the values"
        )


def _brief(kept: Kept | None, none: str = "deleted") -> str:
    if kept is None:
        return none
    text = _shape(kept.tree) if kept.may_have_blobs else kept.text
    return text if len(text) <= _BRIEF else text[: _BRIEF - 1] + "…"


def _shape(tree: Any) -> str:
    """Return what a tree says of a frame or an array, whose bytes may be in the store; inside a save nobody can look there."""
    kind = tag(tree)
    if kind == "$ndarray":
        return f"array {' × '.join(map(str, tree['shape']))}"
    if kind in _ROWS:
        return f"{_ROWS[kind]} {' × '.join([str(tree['rows']), *([str(len(tree['columns']))] if 'columns' in tree else [])])}"
    return json_text(tree)
