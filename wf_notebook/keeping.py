"""What a workflow keeps: its session, loaded, saved, renamed and changed for another one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .ids import new_id
from .session import Session
from .settings import checked_setting
from .transaction import About

if TYPE_CHECKING:
    from collections.abc import Callable

    from .run import RunContext
    from .storage import WorkflowStorage


class Keeping:
    """The part of a workflow that deals with its session."""

    name: str | None
    workflow_id: str | None
    user_id: str | None
    session_name: str | None
    extra_data: dict[str, Any] | None
    storage: WorkflowStorage | None
    cache: Any
    _session: Session
    _id_is_made_up: bool
    _run: Callable[[], Any]
    _last_run: Any
    _next_cache: Any
    _last_ids: tuple[str, dict[str, Any]] | None
    #: The user that the environment named, None where the workflow was made for one.
    _user_is_known_by: str | None

    def _here(self) -> RunContext | None:
        raise NotImplementedError

    @property
    def session(self) -> Session:
        """The session of this workflow."""
        return self._session

    @property
    def session_state(self) -> dict[str, Any]:
        """The state of the session: one dict object for the life of this instance, loaded when it is first asked for."""
        return self._session.state

    @session_state.setter
    def session_state(self, state: dict[str, Any]) -> None:
        self._session.replace(state)

    @property
    def session_id(self) -> str:
        """The id of the session; assigning another one saves this session and goes on in that one."""
        return self._session.session_id

    @session_id.setter
    def session_id(self, session_id: str) -> None:
        self._switch(session_id)

    def _switch(self, session_id: str) -> None:
        if not self._session.loaded:
            self._session = self._new_session(session_id, self._session.initial)
            return
        self.write_to_storage()
        new = self._new_session(session_id, None, self._session.state)
        self._session.state.clear()
        self._session = new

    def _new_session(self, session_id: str, state: dict[str, Any] | None, live: dict[str, Any] | None = None) -> Session:
        return Session(session_id, storage=self.storage, state=state, about=self.about(), live=live)

    def about(self) -> About:
        """Return what is kept of the session besides its state."""
        extra = None if self.extra_data is None else json.dumps(self.extra_data, default=repr)
        # Whom the environment names takes over no session that is there and nobody's.
        owner = None if self.user_id == self._user_is_known_by else self.user_id
        return About(
            self.name, self.workflow_id, owner, self.session_name, extra, is_made_up=self._id_is_made_up, acting=self.user_id
        )

    def _adopt(self, about: About) -> None:
        """Take from the store what the constructor left open."""
        if about.workflow_id and about.workflow_id != self.workflow_id:
            self.workflow_id = about.workflow_id
        if about.user_id and not self.user_id:
            self.user_id = about.user_id
        if about.session_name and not self.session_name:
            self.session_name = about.session_name
        if self.extra_data is None and about.extra_data:
            self.extra_data = json.loads(about.extra_data)

    def read_from_storage(self) -> Session:
        """Bring in what the store has; edits made here since the last load hold. Raises SessionConflict where both changed."""
        self._session.load()
        self._adopt(self._session.about)
        return self._session

    def load_session(self, force: bool = False) -> str:
        """Do what read_from_storage does, under its old name; return the session's id."""
        self.read_from_storage()
        return self.session_id

    def write_to_storage(self) -> Session:
        """Save the state now; durable when it returns, and what others saved meanwhile is in `session_state`.

        Raises what stands against it: StorageBusy, StorageReadOnly, SessionConflict, UnsavableValue…
        """
        run = self._here()
        self._session.about = self.about()
        self._session.write(run_id=run.run_id if run and not run.private else None)
        return self._session

    def new_session(self) -> None:
        """Go on in a session of a new id, with a fresh state."""
        self.session_name = None
        self._switch(new_id())

    def go_on_in(self, session: Session, *, cache: Any = None) -> None:
        """Go on in this session, as one that has not run yet: a copy of a workflow does so for a row of a sweep."""
        fresh = {"_session": session, "cache": cache, "_run": _no_run}
        vars(self).update(fresh, _last_run=None, _next_cache=None, _last_ids=None)

    def go_on_from(self, other: Keeping) -> None:
        """Go on in the session of another instance, with all that is unsaved in it: both have one state from now on."""
        self._session = other.session

    def forget(self, *, step: str | None = None, run: str | None = None) -> int:
        """Forget steps of this session, all or those of a name or a run, so that they are done again; return how many."""
        return self._session.forget(step=step, run=run)

    def rename(self, name: str) -> None:
        """Rename the workflow, in the store too."""
        self.name = checked_setting("name", name)
        self.write_to_storage()

    def rename_session(self, session_name: str) -> None:
        """Give the session a name that people read, in the store too."""
        self.session_name = checked_setting("session_name", session_name)
        self.write_to_storage()

    def delete_session(self, session_id: str | None = None) -> None:
        """Hide a session (this one, if none is named): it is no longer listed or loaded; its rows stay in the store."""
        if session_id is None or session_id == self.session_id:
            self._session.delete()
        elif self.storage is not None:
            self.storage.delete_session(session_id)


def _no_run() -> None:
    """There is no run yet."""
