"""Inspector: what is in a storage, and where one is in it. A widget shows it; in Python it is the same object."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from ..errors import UnknownSession
from ..frames.reading import found_session
from ..run import way_up
from ..storage import opened
from ..transaction import is_branch, shown_id
from . import as_table
from .acting import Acting
from .loaded import States
from .nodes import at, python_path
from .overview import glances, table
from .place import Place
from .recorded import Recorded
from .results import SECONDS, Results
from .selecting import steps_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..frames import Table
    from ..run import Run
    from ..session import Session
    from .loaded import Loaded


class Inspector(Acting):
    """Looks at the sessions of a storage.

    >>> from wf_notebook.storage import open_storage
    >>> storage = open_storage("memory:")
    >>> session = storage.session("demo"); session.state["posts"] = ["a"]; session.save()
    >>> inspector = Inspector(storage, session="demo")
    >>> inspector.session, inspector.version
    (<Session 'demo' not loaded yet>, 1)
    """

    def __init__(self, storage: Any = "default", *, session: str | None = None, notes: Iterable[str] = ()) -> None:
        super().__init__()
        self.storage: Any = opened(storage)
        #: What is to be said with all that is seen: that it is a copy, that something could not be saved.
        self.notes = tuple(notes)
        self.states = States()
        self.results = Results(self.storage)
        self.recorded = Recorded()
        self._place = Place(session=session or "")
        self._lock = RLock()
        self._watchers: list[Callable[[Place], None]] = []
        if session is not None:
            self.find(session)

    # -- where it is -------------------------------------------------------------------------------------------------------

    @property
    def place(self) -> Place:
        """Where it is."""
        return self._place

    def go(self, **changes: Any) -> Place:
        """Look at something else; every view of this inspector follows. Raises BadArguments for what it has not."""
        with self._lock:
            self._place = self._place.moved(changes)
            for watcher in list(self._watchers):
                watcher(self._place)
            return self._place

    def on_move(self, watcher: Callable[[Place], None]) -> Callable[[], None]:
        """Tell `watcher` whenever it looks at something else; return what ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    # -- what is there -----------------------------------------------------------------------------------------------------

    @property
    def session(self) -> Session | None:
        """The session that is looked at, None while none is chosen; set it by itself or by its id, and a page follows.

        >>> from wf_notebook.storage import open_storage
        >>> storage = open_storage("memory:")
        >>> session = storage.session("demo"); session.state["n"] = 1; session.save()
        >>> inspector = Inspector(storage)
        >>> inspector.session = "demo"; inspector.session, inspector.version
        (<Session 'demo' not loaded yet>, 1)
        """
        return self.find(self._place.session) if self._place.session else None

    @session.setter
    def session(self, session: Session | str | None) -> None:
        session_id: Any = getattr(session, "session_id", session)
        if session_id is not None:
            self.find(session_id)
        self.go(session=session_id or "", version=None, path=[])

    @property
    def version(self) -> int | None:
        """The version that is looked at: the newest, unless another was chosen; None goes back to the newest."""
        return self.loaded().version if self._place.session else None

    @version.setter
    def version(self, version: int | None) -> None:
        if version is not None:
            self.loaded(self._place.session, version)
        self.go(version=version)

    @property
    def selected(self) -> list[str]:
        """The ids of the sessions that are selected in the list."""
        return list(self._place.selected)

    def sessions(
        self,
        filter: str | None = None,  # noqa: A002 - what a page calls it, too
        *,
        sort: str | None = None,
        descending: bool | None = None,
        branches: bool | None = None,
    ) -> Table:
        """Return the sessions of the list as a table, and each row of a sweep; what is given stands for what the list has.

        A session is found by words that each stand in its id, its name or its workflow; it is sorted by "updated_at", "name",
        "workflow", "size" (bytes in the store), "versions" or "runs". Raises BadArguments for another.

        >>> from wf_notebook.storage import open_storage
        >>> storage = open_storage("memory:")
        >>> for name in ("cheese", "ham"): session = storage.session(name); session.state["n"] = 1; session.save()
        >>> Inspector(storage).sessions("HAM")["session_id"]
        ['ham']
        """
        place = self._place
        _, found = glances(
            self.storage,
            words=place.filter if filter is None else filter,
            sort=sort or place.sort,
            descending=place.descending if descending is None else descending,
            branches=place.branches if branches is None else branches,
        )
        return table(found, f"sessions in {self.storage.url}")

    @property
    def run(self) -> Run | None:
        """The run that is open; None while none is. Raises UnknownRun for one that was erased."""
        return self.recorded.at(self.storage, self._place.run) if self._place.run else None

    def runs(self) -> Table:
        """Return the runs of the session that is looked at, the newest first; of all sessions while none is chosen."""
        table: Table = self.storage.runs(self._place.session or None)
        return table

    def find(self, session_id: str) -> Session:
        """Return a session, or a branch of one, as it is stored. Raises UnknownSession."""
        if not session_id:
            raise UnknownSession("no session is looked at; choose one: inspector.session = 'demo'")
        stored = self.storage.transact(lambda tx: found_session(self.storage, tx, session_id), write=False)
        of, _, branch = stored.rpartition("@") if is_branch(stored) else (stored, "", None)
        found: Session = self.storage.session(shown_id(of), branch=branch)
        return found

    def loaded(self, session_id: str | None = None, version: int | None = None) -> Loaded:
        """Return the state of a session at a version; left out, what is looked at. Raises UnknownSession and UnknownVersion."""
        if session_id is None:
            session_id, version = self._place.session, self._place.version
        return self.states.at(self.find(session_id), version)

    # -- queries, and what is on the screen --------------------------------------------------------------------------------

    @property
    def sql(self) -> str:
        """The text of the query that is on the screen."""
        return self._place.query

    def query(self, query: str, *, seconds: float = SECONDS) -> Table:
        """Return what a query gives, which its page shows too. It only reads, for so many seconds at most. Raises BadQuery.

        >>> looking = inspector("memory:", session=None)
        >>> looking.query("SELECT 1 AS n")[0], looking.sql, looking.place.view
        ({'n': 1}, 'SELECT 1 AS n', 'sql')
        """
        result = self.results.run(query, seconds=seconds)
        self.go(view="sql", query=query)
        return result.table

    def frame(self) -> Any:
        """Return what is on the screen as a DataFrame: the result of the query, the runs, what differs, or the selected value.

        A value that has no rows gives those of the state; without a session it is the sessions. It is a DataFrame of pandas, of
        polars where pandas is not here, and a Table where neither is.
        """
        return as_table.frame(self)

    # -- what is selected --------------------------------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """How Python says where the selected value is, `session_state["posts"][3]`. Raises UnknownPath if it is not there."""
        return python_path(self.loaded(), self._place.path)

    @property
    def selection(self) -> Any:
        """The selected value, at the version that is looked at: a copy of its own. Raises UnknownPath if it is not there.

        >>> from wf_notebook.storage import open_storage
        >>> storage = open_storage("memory:")
        >>> session = storage.session("demo"); session.state["posts"] = [{"title": "a"}]; session.save()
        >>> inspector = Inspector(storage, session="demo")
        >>> inspector.select("posts.0"); inspector.selection, inspector.path
        ({'title': 'a'}, 'session_state["posts"][0]')
        """
        loaded = self.loaded()
        return loaded.value(at(loaded, self._place.path))

    def select(self, path: Any) -> None:
        """Select a value: by "posts.0.title", by 'session_state["posts"][0]', or by a tuple of keys; None selects nothing.

        Raises UnknownPath for a path that leads nowhere.
        """
        self.go(path=[] if path is None else list(steps_to(self.loaded(), path)), view="state")

    # -- where nobody can click --------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        text: str = way_up("Inspector.__repr__")(self)
        return text

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        bundle: dict[str, str] = way_up("Inspector._repr_mimebundle_")(self)
        return bundle

    def _ipython_display_(self) -> None:
        way_up("Inspector._ipython_display_")(self)


def inspector(storage: Any = "default", *, session: str | None = None) -> Inspector:
    r"""Return an inspector of a storage, given as itself or by its address: shown as a widget where it is a cell's value.

    Without a page to click in, it is a tree to read. Raises BadStorage, and UnknownSession for a session that is not there.

    >>> from wf_notebook.storage import open_storage
    >>> storage = open_storage("memory:")
    >>> session = storage.session("demo"); session.state |= {"posts": [{"title": "On cats"}], "n": 1}; session.save()
    >>> head, *tree = repr(inspector(storage, session="demo")).splitlines()
    >>> head.partition(" · saved")[0]
    'session demo · version 1 of 1'
    >>> print(*tree[:3], sep="\n")
    ├─ posts: list · 1 item
    │  └─ 0: dict · 1 key  {'title': 'On cats'}
    └─ n: int  1
    """
    return Inspector(storage, session=session)
