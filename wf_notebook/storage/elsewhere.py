"""The part of a storage that deals with other stores: sessions are copied into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..run import way_up

if TYPE_CHECKING:
    from collections.abc import Sequence


class Elsewhere:
    """What a storage does with another one."""

    def copy(self, sessions: str | Sequence[str] | None = None, *, to: Any, new_id: str | None = None) -> Any:
        """Copy sessions whole into another store; return a Table with a row for each: what was done, and how much that was.

        All of a session goes along: its versions, runs, events, steps, branches, and what is said about it; of a fork also the
        steps that it remembers of where it came from. Each is copied in one transaction. One that is there already and is the
        same gets what is new of it.

        Args:
            sessions: The id of one, or several; left out, all of them.
            to: The other storage, or its address.
            new_id: What one session is called there; left out, as here.

        Raises UnknownSession, and SessionExists where another session has that id there, once all others are copied.

        >>> from wf_notebook.storage import open_storage
        >>> storage, other = open_storage("memory:"), open_storage("memory:")
        >>> session = storage.session("demo"); session.state["n"] = 1; session.save()
        >>> storage.copy("demo", to=other)[0]["done"], other.session("demo").state
        ('copied', {'n': 1})
        >>> storage.copy("demo", to=other)[0]["done"]
        'was there'
        """
        return way_up("Elsewhere.copy")(self, sessions, to, new_id)
