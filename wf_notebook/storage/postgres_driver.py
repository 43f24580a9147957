"""psycopg, where it is installed; where it is not, what to install."""

from __future__ import annotations

from ..errors import MissingPart

try:
    import psycopg
except ImportError as error:  # the package, or the library that it wraps
    raise MissingPart("a storage in Postgres needs psycopg, which is not here; run %pip install 'psycopg[binary]'") from error

__all__ = ["psycopg"]
