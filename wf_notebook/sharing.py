"""The part of a session that deals with other users: it is shared with them, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from .errors import BadSetting, UnknownSession
from .given import checked
from .owners import SHARED, UNSHARED, refuse_others
from .unit import is_unit
from .users import users

if TYPE_CHECKING:
    from collections.abc import Callable

    from .line import Line
    from .transaction import About, Head, SessionStorage, Transaction

T = TypeVar("T")


@runtime_checkable
class OfAll(Protocol):
    """A storage that knows the rows of a sweep as a unit."""

    def say_of_rows(self, unit: str, op: str, acting: str | None = None) -> object:
        """Say something of all rows of a sweep."""

    def shared_rows(self, unit: str) -> list[str]:
        """Return with whom any row of a sweep is shared."""


class Sharing:
    """Whose a session is, and with whom it is shared."""

    session_id: str
    storage: SessionStorage | None
    about: About

    _line: Line

    def share(self, user: str | None = None) -> None:
        """Let another user, or everybody, see the session, run in it and change it, as a shared notebook; only you delete it.

        It is kept with the session, and holds until `unshare`. The session `blog/` stands for all rows of that sweep; those that
        come later are shared when it is said again. Raises SessionOwned for the session of another user, BadSetting for one of
        nobody, which everybody sees.

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
        """With whom the session is shared, of `blog/` any row of that sweep; "*" stands for everybody."""
        if self.storage is None:
            return []
        if self._of_all is not None:
            return self._of_all.shared_rows(self.session_id)

        about = self.storage.transact(self._seeing(lambda tx: tx.head(self._line.key, 0).about), write=False)
        return sorted("*" if name is None else name for name in about.shared) if about is not None else []

    def _say(self, op: str, user: str | None) -> None:
        if user is not None and not checked("user", user, (str,), "a str"):
            raise BadSetting("user is empty; write the name of a user, or none for everybody")
        if self.storage is None:
            raise UnknownSession(f"session {self.session_id!r} is kept in memory only, where nobody else is; give it a storage")
        op = op if user is None else f"{op}:{user}"
        if self._of_all is not None:
            self._of_all.say_of_rows(self.session_id, op, self._acting())
        else:
            self.storage.transact(lambda tx: self._append(tx, op), write=True)

    @property
    def _of_all(self) -> OfAll | None:
        """What says things of all rows of the sweep that the id means."""
        return self.storage if is_unit(self.session_id) and isinstance(self.storage, OfAll) else None

    def _append(self, tx: Transaction, op: str) -> None:
        about = tx.head(self._line.key, 0).about
        if about is None:
            raise UnknownSession(f"session {self.session_id!r} is not saved yet; save it first: session.save()")
        if about.user_id is None:
            raise BadSetting(
                f"session {self.session_id!r} belongs to nobody, and everybody on its store sees it; WF_USER or "
                "Workflow(user_id=…) gives a new one to a user"
            )
        self._check_sole_owner(about)
        tx.append_about(self._line.key, op, about)

    def _acting(self) -> str | None:
        """Return who does what is done here; None means who works in this process."""
        return self.about.acting or (self.about.user_id if users() is None else None)

    def check_seen(self) -> None:
        """Raise SessionOwned where the session is another user's, and not shared."""
        if self.storage is not None:
            self.storage.transact(self._seeing(lambda _: None), write=False)

    def _seeing(self, work: Callable[[Transaction], T]) -> Callable[[Transaction], T]:
        """Return what looks at the session, and raises SessionOwned where it is another user's, and not shared."""
        if users() is None and self._acting() is None:
            return work

        def seeing(tx: Transaction) -> T:
            self._check_owner(tx.head(self._line.key, 0).about)
            return work(tx)

        return seeing

    def _own_head(self, tx: Transaction) -> Head:
        """Return where the session stands. Raises SessionOwned where it is another user's, also if it is shared."""
        head = tx.head(self._line.key, 0)
        self._check_sole_owner(head.about)
        return head

    def _check_owner(self, about: About | None) -> None:
        if about is not None:  # a new one is nobody's yet
            refuse_others(self.session_id, about, self._acting())

    def _check_sole_owner(self, about: About | None) -> None:
        refuse_others(self.session_id, about, self._acting(), alone=True)
