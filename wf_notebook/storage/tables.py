"""What a storage shows of what it keeps: tables to look at and to go on with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cancel import CancelToken
from ..given import checked
from ..run import way_up
from .asking import ROWS, SECONDS, Bounds

if TYPE_CHECKING:
    from collections.abc import Sequence


class Tables:
    """The part of a storage that gives tables."""

    def sessions(self, *, user_id: str | None = None, workflow: str | None = None, all_users: bool = False) -> Any:
        """Return the sessions as a Table, the one that was used last first; without branches and deleted ones.

        Where WF_USER or JUPYTERHUB_USER names a user, they are that user's, nobody's, and those that are shared; or all. With
        `user_id` those of them that are of that user.

        >>> from wf_notebook.storage import open_storage
        >>> open_storage("memory:").sessions().columns[:3]
        ['session_id', 'workflow', 'session_name']
        """
        return way_up("Tables.sessions")(self, user_id=user_id, workflow=workflow, all_users=all_users)

    def runs(self, session_id: str | None = None) -> Any:
        """Return the runs of a session, or of all, as a Table, the newest first. Raises UnknownSession."""
        return way_up("Tables.runs")(self, session_id)

    def events(self, run_id: str) -> Any:
        """Return what a run said, in order, as a Table. Raises UnknownRun."""
        return way_up("Tables.events")(self, run_id)

    def state(self, session_id: str, path: Any = None) -> Any:
        """Return a session's state as a Table: a row for each key; or, with a path, the rows of the value that lies there.

        A list of dicts has a row for each of them, a dict of dicts too, its keys in the column `key`. A path is "posts",
        "stats.posts", "posts.0.tags", or a tuple of keys. Raises UnknownSession and UnknownPath.

        >>> from wf_notebook.storage import open_storage
        >>> storage = open_storage("memory:")
        >>> session = storage.session("blog"); session.state["posts"] = [{"title": "a"}, {"title": "b"}]; session.save()
        >>> storage.state("blog", path="posts")["title"]
        ['a', 'b']
        """
        return way_up("Tables.state")(self, session_id, path)

    def sql(
        self,
        query: str,
        parameters: Sequence[Any] = (),
        *,
        seconds: float = SECONDS,
        rows: int = ROWS,
        stop: CancelToken | None = None,
    ) -> Any:
        """Return what a query gives as a Table: one SELECT over the views and tables of this database, with `?` for parameters.

        It only reads, and nothing but this database. While it runs others cannot save, so it may take so many seconds at most,
        and give so many rows; `stop` ends it from another thread. It is made in a process of its own, which is killed when it
        hears nothing else; but beside a connection of your own to a DuckDB file, in this one. Raises BadQuery for all else.

        >>> from wf_notebook.storage import open_storage
        >>> storage = open_storage("memory:")
        >>> session = storage.session("demo"); session.state["n"] = 1; session.save()
        >>> storage.sql("SELECT key, value FROM session_state WHERE session_id = ?", ["demo"])[0]
        {'key': 'n', 'value': 1}
        """
        checked("seconds", seconds, (int, float), "a number")
        checked("rows", rows, (int,), "a number")
        return way_up("Tables.sql")(self, query, parameters, Bounds(seconds, rows, stop=stop or CancelToken()))
