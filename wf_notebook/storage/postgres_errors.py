"""What Postgres says when something cannot be done, and what that means to the user."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

from ..errors import BadStorage, StorageFailed, StorageReadOnly, WorkflowError
from ..redact import redact
from .place import KEPT
from .postgres_address import EXAMPLE
from .postgres_driver import psycopg
from .waiting import busy

if TYPE_CHECKING:
    from .postgres_address import Address
    from .postgres_connection import Cursor

#: The server is not there just now, or it was restarted under us.
_LOST = ("08", "57P01", "57P02", "57P03", "57P05", "25P03", "53300")
#: What was done was undone by the server, as it stood against what others did: it may be done again.
_UNDONE = ("40001", "40P01", "40003")
_HELD = "55P03"


class _Meaning(NamedTuple):
    """What it means that nobody is let in, told by what is said then: a fact and a remedy, and whether it may pass."""

    said: re.Pattern[str]
    fact: str
    remedy: str
    passes: bool = False


_FREE = "end some (SELECT pid, application_name FROM pg_stat_activity lists them), or let it take more"
#: What a server, or the library that looks for it, says without a code. What passes stands first, as there may be several hosts.
_MEANINGS = tuple(
    _Meaning(re.compile(said), fact, remedy, passes)
    for said, fact, remedy, passes in (
        ("starting up|not yet accepting|recovery mode", "the server at {at} starts up", "wait a moment", True),
        ("shutting down", "the server at {at} shuts down", "see that it is started again", True),
        (
            "too many connections for (?:role|database) (?P<name>.*)",
            "{name} has as many connections as it may have at {at}",
            _FREE,
            True,
        ),
        (
            "too many (?:clients|connections)|remaining connection",
            "the server at {at} has as many connections as it takes",
            f"{_FREE}: max_connections",
            True,
        ),
        (
            "Connection refused|No such file or directory",
            "nobody listens at {at}",
            "start the server, or name the host and port at which it listens: postgresql://USER@HOST:PORT/DATABASE",
            True,
        ),
        ("Temporary failure in name resolution", "the name {host} leads nowhere just now", "see that the network is there", True),
        (
            'database "(?P<name>.*)" does not exist',
            "there is no database {name!r} at {at}",
            "make it: createdb {options}{quoted}{unnamed}",
            False,
        ),
        (
            'role "(?P<name>.*)" does not exist',
            "there is no role {name!r} at {at}",
            "name the right user: postgresql://USER@HOST/DATABASE, or let the role be made: createuser {quoted}",
            False,
        ),
        (
            'role "(?P<name>.*)" is not permitted to log in',
            "the role {name!r} may not log in at {at}",
            'let that be granted: ALTER ROLE "{name}" LOGIN',
            False,
        ),
        (
            "no password supplied",
            "the server at {at} wants a password of {user}, and none was given",
            "set PGPASSWORD, or write a line into ~/.pgpass",
            False,
        ),
        (
            'password authentication failed for user "(?P<name>.*)"',
            "the password of {name!r} is not the one that the server at {at} knows",
            "mend it where it comes from: the address, PGPASSWORD or ~/.pgpass",
            False,
        ),
        (
            "pg_hba.conf",
            "the server at {at} does not let in {user} from this machine",
            "let a line for that be written into its pg_hba.conf",
            False,
        ),
        (
            "failed to resolve host|could not translate host name",
            "there is no host {host}",
            "check its name in the address, and that you are in its network",
            False,
        ),
        ("SSL was required", "the server at {at} speaks without TLS only", "leave sslmode out of the address", False),
        ("invalid port number|invalid connection option|invalid URI", "{url} cannot be used: {line}", f"write {EXAMPLE}", False),
    )
)


def is_lost(error: psycopg.Error, *, connected: bool, met: bool = False) -> bool:
    """Return whether the connection is gone or did not come about, for a reason that may pass.

    `met` says that the server was there before: then its name may be found again.
    """
    if code := error.sqlstate:
        return code.startswith(_LOST)
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    if (meaning := _meaning(error)) is not None and not connected:
        return meaning[0].passes or (met and "{host}" in meaning[0].fact)
    return connected or "FATAL" not in str(error)


def _meaning(error: psycopg.Error) -> tuple[_Meaning, str] | None:
    """Return what it means, and the name that is in it."""
    found = ((each, each.said.search(str(error))) for each in _MEANINGS)
    return next(((each, match.groupdict().get("name", "")) for each, match in found if match), None)


def _told(error: psycopg.Error, address: Address) -> tuple[str, str] | None:
    """Return a fact and a remedy for a server that lets nobody in, None where nothing is known but what it said."""
    meaning = _meaning(error)
    if meaning is None:
        return None
    kind, name = meaning
    given = address.parameters
    host, port = given.get("host", "") or "localhost", given.get("port", "5432")
    flags = {"-h": given.get("host"), "-p": given.get("port"), "-U": given.get("user")}
    words = {
        "at": f"{host}/.s.PGSQL.{port}" if host.startswith("/") else f"{host}:{port}",
        "host": repr(host),
        "user": repr(given["user"]) if "user" in given else "this user",
        "name": name,
        "quoted": shlex.quote(name),
        "options": "".join(f"{flag} {shlex.quote(value)} " for flag, value in flags.items() if value),
        "unnamed": "" if "dbname" in given else ", or name another one: postgresql://USER@HOST/DATABASE",
        "url": address.url,
        "line": _line(error),
    }
    return kind.fact.format(**words), kind.remedy.format(**words)


def is_undone(error: psycopg.Error) -> bool:
    """Return whether it may be done again at once."""
    return (error.sqlstate or "") in _UNDONE


def is_held(error: psycopg.Error) -> bool:
    """Return whether others hold what is needed."""
    return error.sqlstate == _HELD


def unreachable(error: psycopg.Error, address: Address, waited: float, *, write: bool) -> WorkflowError:
    """Return what is said of a server that did not come back."""
    fact, remedy = _told(error, address) or (_line(error), "see that the server runs")
    return busy(f"{address.url} cannot be reached since {waited:.0f} s: {fact}", remedy, write=write)


def why(error: psycopg.Error, address: Address) -> str:
    """Return in a few words why a server cannot be reached just now."""
    return (_told(error, address) or (_line(error), ""))[0]


def not_granted(fact: str, address: Address, remedy: str, *, write: bool) -> WorkflowError:
    """Return what is said of a role that may not do what is asked of it."""
    return StorageReadOnly(f"{address.url}: {fact}; {f'{KEPT}: ' if write else ''}let the owner {remedy}")


def _use(schema: str, *, write: bool) -> str:
    grant = "SELECT, INSERT, DELETE" if write else "SELECT"
    return f"GRANT USAGE ON SCHEMA {schema} and {grant} ON ALL TABLES IN SCHEMA {schema} to your role"


#: What a role may do before it did anything: make a schema, use the one that is there, make tables in it; whether it has any.
_GRANTS = (
    "SELECT CAST(current_database() AS TEXT), has_database_privilege(current_database(), 'CREATE'),"
    " has_schema_privilege(n.oid, 'USAGE'), has_schema_privilege(n.oid, 'CREATE'),"
    " EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'schema_log')"
    " FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = ?"
)


def check_grants(cursor: Cursor, address: Address, *, write: bool) -> bool:
    """Return whether the schema is there; raise StorageReadOnly, with the grant that helps, where the role may not go on."""
    schema = address.schema
    ((database, may_make, may_use, may_fill, is_filled),) = cursor.execute(_GRANTS, (schema,))
    if may_use is False:
        raise not_granted(f"your role may not use schema {schema!r}", address, _use(schema, write=write), write=write)
    if write and may_use is None and not may_make:
        fact, remedy = f"there is no schema {schema!r}, and your role may not make it", f"GRANT CREATE ON DATABASE {database}"
        raise not_granted(fact, address, f"save first, or {remedy} to your role", write=write)
    if write and may_use and not is_filled and not may_fill:
        fact, remedy = f"schema {schema!r} is empty, and your role may make no tables in it", f"GRANT CREATE ON SCHEMA {schema}"
        raise not_granted(fact, address, f"save first, or {remedy} to your role", write=write)
    return may_use is not None


def translated(error: psycopg.Error, address: Address, *, write: bool = True) -> WorkflowError:
    """Return our error for one of Postgres's that does not pass."""
    code, said, url, schema = error.sqlstate or "", _line(error), address.url, address.schema
    if not code or code.startswith(("28", "3D")):
        if (told := _told(error, address)) is not None:
            return BadStorage("; ".join(told))
        return BadStorage(f"{url} lets nobody in ({said}); check user, password (PGPASSWORD or ~/.pgpass), host and database")
    if code == "42501":
        return not_granted(said, address, _use(schema, write=write), write=write)
    if code in {"25006", "57P04"}:
        return StorageReadOnly(f"{url} is read-only here, as a standby is; {KEPT}: name the server that takes writes")
    if code == "54000":
        return StorageFailed(f"{url}: {said}; ids of sessions have up to 2,600 bytes in Postgres: choose a shorter one")
    return StorageFailed(f"{url}: {said}; what was saved before is still there, {KEPT}")


def _line(error: psycopg.Error) -> str:
    said = " ".join((error.diag.message_primary or str(error) or type(error).__name__).split())
    return redact(_AROUND.sub("", said)[:300])


#: What the library says around what is the matter.
_AROUND = re.compile(
    r"connection (?:failed|is bad): |connection to server (?:at|on) [^:]*? failed: |FATAL: +| (?:Is the server|This probably) .*"
)
