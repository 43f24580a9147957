"""The part of a session that deals with other users: it is shared with them, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import BadSetting, UnknownSession
from .given import checked
from .owners import SHARED, UNSHARED, refuse_others
from .users import users

if TYPE_CHECKING:
    from .line import Line
    from .transaction import About, SessionStorage, Transaction


class Sharing:
    """Whose a session is, and with whom it is shared."""

    session_id: str
    storage: SessionStorage | None
    about: About

    _line: Line

    def share(self, user: str | None = None) -> None:
        """Let another user, or everybody, see the session, run in it and change it, as a shared notebook; only you delete it.

        It is kept with the session, and holds until `unshare`. Raises SessionOwned for the session of another user, BadSetting
        for one of nobody, which everybody sees.

        >>> from wf_notebook.storage import open_storage
        >>> from wf_notebook.workflow import Workflow
        >>> blog = Workflow(session_id="demo", storage="memory:", user_id="bob"); session = blog.write_to_storage()
        >>> session.share("ann"); session.shared
        ['ann']
        >>> session.unshare("ann"); session.shared
        []
        """
        self._say(SHARED, user)

    def unshare(self, user: str | None = None) -> None:
        """Take that back: for one user, or for all."""
        self._say(UNSHARED, user)

    @property
    def shared(self) -> list[str]:
        """With whom the session is shared; "*" stands for everybody."""
        if self.storage is None:
            return []
        about: About | None = self.storage.transact(lambda tx: tx.head(self._line.key, 0).about, write=False)
        return sorted("*" if name is None else name for name in about.shared) if about is not None else []

    def _say(self, op: str, user: str | None) -> None:
        if user is not None and not checked("user", user, (str,), "a str"):
            raise BadSetting("user is empty; write the name of a user, or none for everybody")
        if self.storage is None:
            raise UnknownSession(f"session {self.session_id!r} is kept in memory only, where nobody else is; give it a storage")
        self.storage.transact(lambda tx: self._append(tx, op, user), write=True)

    def _append(self, tx: Transaction, op: str, user: str | None) -> None:
        about = tx.head(self._line.key, 0).about
        if about is None:
            raise UnknownSession(f"session {self.session_id!r} is not saved yet; save it first: session.save()")
        if about.user_id is None:
            raise BadSetting(
                f"session {self.session_id!r} belongs to nobody, and everybody on its store sees it; WF_USER or "
                "Workflow(user_id=…) gives a new one to a user"
            )
        self._check_sole_owner(about)
        tx.append_about(self._line.key, op if user is None else f"{op}:{user}", about)

    def _acting(self) -> str | None:
        """Return who does what is done here; None means who works in this process."""
        return self.about.acting or (self.about.user_id if users() is None else None)

    def _check_owner(self, about: About | None) -> None:
        if about is not None:  # a new one is nobody's yet
            refuse_others(self.session_id, about, self._acting())

    def _check_sole_owner(self, about: About | None) -> None:
        refuse_others(self.session_id, about, self._acting(), alone=True)
