"""What who shows an inspector is told without asking: that something was saved, or why nothing can be read."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, Any

from ..errors import UnknownSession
from ..frames.reading import found_session
from ..redact import redact
from ..storage.waiting import at_most
from . import watching
from .watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..storage.place import Signature
    from .looking import Inspector
    from .watching import Look

#: Seconds that a look waits for a file which others hold: it comes again.
BRIEF = 0.1
#: So many pieces of news in a row that nobody has an answer to are the last.
UNHEARD = 30


class News:
    """Tells of an inspector while pages show it.

    A piece of news is `{n, session, newest, error}`: the newest version of the session that is looked at, None where it is not
    there, and why nothing can be read, if it cannot for longer than a save takes.
    """

    def __init__(self, inspector: Inspector, tell: Callable[[dict[str, Any]], None]) -> None:
        self._inspector = inspector
        self._tell = tell
        self._pages: set[str] = set()
        self._end: Callable[[], None] | None = None
        self._unheard = 0
        self._is_asked = False
        self._failing_since = inf
        self._seen: Signature | None = None
        self._told: dict[str, Any] = {"n": 0, "error": ""}

    @property
    def is_watched(self) -> bool:
        """Whether a page is known to show it."""
        return self._end is not None

    def shown(self, page: str) -> None:
        """Know that a page shows it, and is there."""
        self._unheard = 0
        self._pages.add(page)
        if self._end is None:
            sign = self._inspector.storage.sign()
            self._end = Watch.listen(self._inspector.storage, self._look)
            if self._seen not in {None, sign}:  # what was saved while nobody looked
                self.asked()
            self._seen = self._seen or sign

    def gone(self, page: str) -> None:
        """Know that a page does not show it any more."""
        self._pages.discard(page)
        if not self._pages:
            self.end()

    def end(self) -> None:
        """Tell nothing any more, until a page shows it again."""
        self._pages.clear()
        if self._end is not None:
            self._end()
            self._end = None

    def asked(self) -> None:
        """Look whether the storage can be read, and say so: somebody could not."""
        self._is_asked = True
        Watch.call(self._inspector.storage, self._look)

    def _look(self, look: Look) -> bool:
        """Tell what is new; return whether all could be read."""
        before, self._seen = self._seen, look.sign
        is_asked, self._is_asked = self._is_asked, False
        session = self._inspector.place.session
        newest, error, can_read = self._read(session, was_there=bool(before and before[0]), is_there=look.sign[0] is not None)
        had_failed = self._failing_since < inf
        self._failing_since = inf if can_read else min(self._failing_since, time.monotonic())
        if not (can_read or is_asked) and time.monotonic() - self._failing_since < watching.AGAIN:
            return False  # somebody saves just now: it may be over when it is looked again
        told = {"n": self._told["n"] + 1, "session": session, "newest": newest, "error": redact(error)}
        is_again = not can_read and told["error"] == self._told["error"]
        if not is_again and (look.is_new or is_asked or had_failed or self._told["error"]):
            self._told = told
            self._unheard += 1
            self._tell(told)
        if self._unheard >= UNHEARD:
            self.end()
        return can_read

    def _read(self, session: str, *, was_there: bool, is_there: bool) -> tuple[int | None, str, bool]:
        """Return the newest version of a session, what is wrong, and whether something could be read."""
        storage = self._inspector.storage
        if not is_there and (was_there or self._told["error"]):
            return None, f"{storage.file.name!r} is not there any more; what is shown is what was in it", True
        try:
            with at_most(BRIEF):
                if not session:
                    storage.read("SELECT 1 FROM sessions LIMIT 1")
                    return None, "", True
                newest: int = storage.transact(lambda tx: tx.head(found_session(storage, tx, session), 0).version, write=False)
                return newest, "", True
        except UnknownSession:
            return None, "", True
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and the watch goes on
            return None, str(error) or type(error).__name__, False
