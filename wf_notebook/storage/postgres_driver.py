"""psycopg, where it is installed, and how our values go to Postgres by it and come back; where it is not, what to install."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from ..errors import MissingPart
from .postgres_dialect import ITSELF, NUL, STANDS_FOR_IT

try:
    import psycopg
except ImportError:  # the package, or the library that it wraps
    psycopg = None  # type: ignore[assignment] # it is not installed

#: What it says of connections that were lost, our errors say: without this it would go to stderr where nobody takes it.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

__all__ = ["adapted", "check", "psycopg"]

#: Types that are texts here: JSON too.
_TEXTS = ("text", "varchar", "bpchar", "name", "json", "jsonb")


def check() -> None:
    """Raise MissingPart where it is not installed."""
    if psycopg is None:
        raise MissingPart("a storage in Postgres needs psycopg, which is not here; run %pip install 'psycopg[binary]'")


class Adapted:
    """What psycopg is told of our values."""

    def __init__(self) -> None:
        self.adapters = psycopg.adapt.AdaptersMap(psycopg.adapters)
        self.connection = None


@cache
def adapted() -> Adapted:
    """Return what psycopg is told of our values."""

    class Text(psycopg.adapt.Dumper):
        """A text, with what stands for U+0000; of what type it is the server finds out."""

        def dump(self, obj: str) -> bytes:
            if NUL in obj:
                obj = obj.replace(NUL, NUL + ITSELF)
            if "\0" in obj:
                obj = obj.replace("\0", NUL + STANDS_FOR_IT)
            return obj.encode()

    class Integer(psycopg.adapt.Dumper):
        """A number without a fraction: always of one type, so that a statement is prepared once."""

        oid = 20

        def dump(self, obj: int) -> bytes:
            return b"%d" % obj

    class TextBack(psycopg.adapt.Loader):
        """The way back."""

        def load(self, data: Any) -> str:
            text = bytes(data).decode()
            if NUL in text:
                text = text.replace(NUL + STANDS_FOR_IT, "\0").replace(NUL + ITSELF, NUL)
            return text

    made = Adapted()
    made.adapters.register_dumper(str, Text)
    made.adapters.register_dumper(int, Integer)
    for name in _TEXTS:
        made.adapters.register_loader(name, TextBack)
    return made
