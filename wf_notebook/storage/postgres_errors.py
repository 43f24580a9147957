"""What Postgres says when something cannot be done, and what that means to the user."""

from __future__ import annotations

import re

from ..errors import BadStorage, StorageFailed, StorageReadOnly, WorkflowError
from ..redact import redact
from .place import KEPT
from .postgres_driver import psycopg
from .waiting import busy

#: The server is not there just now, or it was restarted under us.
_LOST = ("08", "57P01", "57P02", "57P03", "57P05", "25P03", "53300")
#: What was done was undone by the server, as it stood against what others did: it may be done again.
_UNDONE = ("40001", "40P01", "40003")
_HELD = "55P03"
#: What a server says that does let nobody in only now.
_NOT_YET = re.compile(
    r"starting up|shutting down|not yet accepting|recovery mode|too many (clients|connections)|remaining connection"
)


def is_lost(error: psycopg.Error, *, connected: bool) -> bool:
    """Return whether the connection is gone or did not come about, for a reason that may pass."""
    if code := error.sqlstate:
        return code.startswith(_LOST)
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    text = str(error)
    if "no password supplied" in text:
        return False
    return connected or "FATAL" not in text or _NOT_YET.search(text) is not None


def is_undone(error: psycopg.Error) -> bool:
    """Return whether it may be done again at once."""
    return (error.sqlstate or "") in _UNDONE


def is_held(error: psycopg.Error) -> bool:
    """Return whether others hold what is needed."""
    return error.sqlstate == _HELD


def unreachable(error: psycopg.Error, url: str, waited: float, *, write: bool) -> WorkflowError:
    """Return what is said of a server that did not come back."""
    return busy(f"{url} cannot be reached since {waited:.0f} s ({_line(error)})", "see that the server runs", write=write)


def translated(error: psycopg.Error, url: str, schema: str, *, write: bool = True) -> WorkflowError:
    """Return our error for one of Postgres's that does not pass."""
    code, said = error.sqlstate or "", _line(error)
    if not code or code.startswith(("28", "3D")):
        return BadStorage(f"{url} lets nobody in ({said}); check user, password (PGPASSWORD or ~/.pgpass), host and database")
    if code == "42501":
        grant = "SELECT, INSERT, DELETE" if write else "SELECT"
        remedy = f"let the owner GRANT USAGE ON SCHEMA {schema} and {grant} ON ALL TABLES IN SCHEMA {schema} to your role"
        return StorageReadOnly(f"{url}: {said}; {f'{KEPT}: ' if write else ''}{remedy}")
    if code in {"25006", "57P04"}:
        return StorageReadOnly(f"{url} is read-only here, as a standby is; {KEPT}: name the server that takes writes")
    if code == "54000":
        return StorageFailed(f"{url}: {said}; ids of sessions have up to 2,600 bytes in Postgres: choose a shorter one")
    return StorageFailed(f"{url}: {said}; what was saved before is still there, {KEPT}")


def _line(error: psycopg.Error) -> str:
    diagnosed = error.diag.message_primary
    return redact(" ".join((diagnosed or str(error) or type(error).__name__).split())[:300])
