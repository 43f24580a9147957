"""The address of a Postgres database: read as SQLAlchemy and libpq write it, and told without its password."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode

from ..errors import BadStorage
from ..redact import register_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The schema in which our tables lie, where the address names none.
SCHEMA = "wf_notebook"
EXAMPLE = "postgresql://user@host:5432/database"
#: How such an address begins; the driver is SQLAlchemy's matter.
BEGINS = re.compile(r"postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)
_PARTS = re.compile(r"(?:(?P<user>[^/?#]*)@)?(?P<hosts>[^/?#@]*)(?:/(?P<dbname>[^?#@]*))?(?:\?(?P<options>[^#@]*))?$")
_HOST = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>\d*))?$")
#: What is told to nobody.
_SECRET = frozenset({"password", "sslpassword", "passfile"})

#: Passwords that this process was given, by a digest of each with its address; it means nothing in another process.
_passwords: dict[str, dict[str, str]] = {}
_SALT = os.urandom(16)
#: By the address without a password, by which a storage is opened again: the digest of the first, or of the one let in last.
_known: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is, and what is told of it; `secret` is told to the server only."""

    url: str
    schema: str
    parameters: Mapping[str, str] = field(repr=False)
    digest: str = field(default="", repr=False)

    @property
    def secret(self) -> Mapping[str, str]:
        """The passwords that go with it, as far as this process was given them."""
        return _passwords.get(self.settled().digest, {})

    def settled(self) -> Address:
        """Return it with the digest of its password; of one that was given none, of the one that this process knows."""
        return self if self.digest in _passwords else replace(self, digest=_known.get(self.url, ""))

    def let_in(self) -> None:
        """Note that the server took its password: it is the one that is meant where the address is given without."""
        if self.digest in _passwords:
            _known[self.url] = self.digest


def read(url: str, schema: str | None = None) -> Address:
    """Return what an address says. Raises BadStorage, without a word of what may be a password.

    >>> address = read("postgresql+psycopg://ann:cheese@db.example:5433/team?schema=blog&sslmode=require")
    >>> address.url, address.schema
    ('postgresql://ann@db.example:5433/team?sslmode=require&schema=blog', 'blog')
    >>> dict(address.parameters)
    {'user': 'ann', 'host': 'db.example', 'port': '5433', 'dbname': 'team', 'sslmode': 'require'}
    """
    begins = BEGINS.match(url)
    if begins is None:
        raise BadStorage(f"the address is no Postgres address; write {EXAMPLE}")
    found = _PARTS.match(url, begins.end())
    hosts = [_HOST.match(one) for one in (found["hosts"] or "").split(",")] if found else [None]
    if found is None or not all(hosts):
        raise BadStorage(
            f"the Postgres address cannot be read; write {EXAMPLE}, and in a user or password %40 for @, %2F for /, %3A for :"
        )
    user, colon, password = (found["user"] or "").partition(":")
    given = {
        "user": unquote(user),
        "password": unquote(password) if colon else "",
        "host": ",".join(unquote(one["host"]).strip("[]") for one in hosts if one),
        "port": ",".join(one["port"] or "" for one in hosts if one).strip(","),
        "dbname": unquote(found["dbname"] or ""),
        **dict(parse_qsl(found["options"] or "")),
    }
    chosen = given.pop("schema", None)
    parameters = {name: value for name, value in given.items() if value and name not in _SECRET}
    where = schema or chosen or SCHEMA
    told, digest = _told(parameters, where), ""
    if secret := {name: value for name, value in given.items() if value and name in _SECRET}:
        digest = hashlib.blake2b(json.dumps([told, sorted(secret.items())]).encode(), key=_SALT).hexdigest()
        _passwords[digest] = secret
        _known.setdefault(told, digest)
        for name in secret.keys() - {"passfile"}:
            register_secret(name, secret[name])
    return Address(told, where, parameters, digest)


def _told(parameters: Mapping[str, str], schema: str) -> str:
    """Return the address without its password: as `read` takes it."""
    rest = {name: value for name, value in parameters.items() if name not in {"user", "host", "port", "dbname"}}
    hosts, ports = parameters.get("host", "").split(","), parameters.get("port", "").split(",")
    if hosts[0].startswith("/"):  # a folder, in which the server's socket is
        rest = {"host": parameters["host"], **({"port": parameters["port"]} if "port" in parameters else {}), **rest}
        where = ""
    else:
        ports = ports * len(hosts) if len(ports) == 1 else ports
        named = [f"[{host}]" if ":" in host else quote(host, safe="") for host in hosts]
        where = ",".join(f"{host}:{port}" if port else host for host, port in zip(named, ports, strict=False))
    user = f"{quote(parameters['user'], safe='')}@" if "user" in parameters else ""
    rest |= {"schema": schema} if schema != SCHEMA else {}
    options = f"?{urlencode(rest, safe='/')}" if rest else ""
    return f"postgresql://{user}{where}/{quote(parameters.get('dbname', ''), safe='')}{options}"


def is_postgres(url: str) -> bool:
    """Return whether an address leads to Postgres.

    >>> is_postgres("postgresql+psycopg://db/team"), is_postgres("postgres://db"), is_postgres("duckdb:///postgres.duckdb")
    (True, True, False)
    """
    return BEGINS.match(url) is not None


def without_password(url: str) -> str:
    """Return any address of a server without what stands between the user's name and the host.

    >>> without_password("postgres+asyncpg//ann:cheese@db/team?password=cheese"), without_password("duckdb:///a.duckdb")
    ('postgres+asyncpg//ann:…@db/team?password=…', 'duckdb:///a.duckdb')
    """
    bare = re.sub(r"(//[^/?#:]*:).*@", r"\1…@", url)
    return re.sub(r"((?:pass\w*|sslpassword)=)[^&]*", r"\1…", bare)
