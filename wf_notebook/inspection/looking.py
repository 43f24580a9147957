"""Inspector: what is in a storage, and where one is in it. A widget shows it; in Python it is the same object."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from ..frames.reading import found_session
from ..run import way_up
from ..storage import opened
from ..transaction import is_branch, shown_id
from .loaded import States
from .nodes import at, python_path
from .place import Place
from .selecting import steps_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session import Session
    from .loaded import Loaded


class Inspector:
    """Looks at the sessions of a storage.

    >>> from wf_notebook.storage import open_storage
    >>> storage = open_storage("memory:")
    >>> session = storage.session("demo"); session.state["posts"] = ["a"]; session.save()
    >>> inspector = Inspector(storage, session="demo")
    >>> inspector.session, inspector.version
    (<Session 'demo' version 0>, 1)
    """

    def __init__(self, storage: Any = "default", *, session: str | None = None) -> None:
        self.storage: Any = opened(storage)
        self.states = States()
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

    def on_move(self, watcher: Callable[[Place], None]) -> None:
        """Tell `watcher` whenever it looks at something else."""
        self._watchers.append(watcher)

    # -- what is there -----------------------------------------------------------------------------------------------------

    @property
    def session(self) -> Session | None:
        """The session that is looked at; None while none is chosen."""
        return self.find(self._place.session) if self._place.session else None

    @property
    def version(self) -> int | None:
        """The version that is looked at: the newest, unless another was chosen."""
        return self.loaded().version if self._place.session else None

    def find(self, session_id: str) -> Session:
        """Return a session, or a branch of one, as it is stored. Raises UnknownSession."""
        stored = self.storage.transact(lambda tx: found_session(self.storage, tx, session_id), write=False)
        of, _, branch = stored.rpartition("@") if is_branch(stored) else (stored, "", None)
        found: Session = self.storage.session(shown_id(of), branch=branch)
        return found

    def loaded(self, session_id: str | None = None, version: int | None = None) -> Loaded:
        """Return the state of a session at a version; left out, what is looked at. Raises UnknownSession and UnknownVersion."""
        if session_id is None:
            session_id, version = self._place.session, self._place.version
        session = self.find(session_id)
        return self.states.at(session, session.newest() if version is None else version)

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
        """Select a value: by "posts.0.title", by 'session_state["posts"][0]', or by a tuple of keys.

        Raises UnknownPath for a path that leads nowhere.
        """
        self.go(path=list(steps_to(self.loaded(), path)), view="state")

    def __repr__(self) -> str:
        return f"<Inspector of {self.storage.url!r}{f', session {self._place.session!r}' if self._place.session else ''}>"

    def _ipython_display_(self) -> None:
        way_up("Inspector._ipython_display_")(self)


def inspector(storage: Any = "default", *, session: str | None = None) -> Inspector:
    """Return an inspector of a storage, given as itself or by its address: shown as a widget where it is a cell's value.

    Raises BadStorage, and UnknownSession for a session that is not there.
    """
    return Inspector(storage, session=session)


def inspect_workflow(workflow: Any) -> Inspector:
    """Return an inspector of a workflow's session, with what is unsaved in it saved: what `workflow.inspect()` does."""
    if workflow.session.loaded and workflow.session.unsaved:
        workflow.write_to_storage()
    return Inspector(workflow.storage, session=workflow.session_id)
