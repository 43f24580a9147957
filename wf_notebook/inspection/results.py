"""What the queries of an inspector gave: the last few results, a page of each at a time, and a Stop for one that runs."""

from __future__ import annotations

import time
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from threading import RLock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..cancel import CancelToken
from ..errors import BadArguments
from ..frames.cells import NUMBERS, cut, line, whole
from ..frames.columns import Column
from ..redact import redact

if TYPE_CHECKING:
    from ..frames import Table

#: How long a query may take, in seconds: others cannot save meanwhile, and who looks is no reason to let them wait for long.
SECONDS = 5.0
#: So many results are kept to be looked at, and of so many queries it is known that they were asked for.
KEPT, ASKED = 3, 32
#: Characters of a cell, of a name, and of all cells of a page; its rows and columns; characters of a cell that is opened.
CELL, NAME, PAGE = 200, 100, 100_000
ROWS, COLUMNS, WHOLE = 100, 50, 100_000
#: Characters of a text that are looked at for the beginning of it.
_BEGINNING = 4000


@dataclass(frozen=True, slots=True)
class Result:
    """What a query gave, and how many seconds it took."""

    number: int
    query: str
    table: Table
    seconds: float

    def told(self) -> dict[str, Any]:
        """Return what a page shows of it before it asks for rows."""
        kinds = self.table.kinds
        return {
            "result": self.number,
            "query": self.query,
            "total": len(self.table),
            "seconds": self.seconds,
            "columns": [
                {"name": sayable(cut(redact(name), NAME)), "type": _TYPES.get(kind, kind), "right": kind in NUMBERS}
                for name, kind in list(kinds.items())[:COLUMNS]
            ],
            "left_out": max(0, len(kinds) - COLUMNS),
        }

    def page(self, start: int, rows: int) -> list[list[str | None]]:
        """Return the texts of some rows, None for None; longer ones are cut, the more the more cells there are."""
        kinds = list(self.table.kinds.items())[:COLUMNS]
        some = list(self.table[max(0, start) : max(0, start) + max(0, min(rows, ROWS))])
        length = max(20, min(CELL, PAGE // max(1, len(some) * len(kinds))))
        columns = [Column(name, [], kind) for name, kind in kinds]
        return [[_text(row[column.name], column, length) for column in columns] for row in some]

    def whole(self, row: int, column: int) -> str:
        """Return all of a cell."""
        return sayable(whole(self.table[row][self.table.columns[column]], WHOLE))


#: What stands below the name of a column.
_TYPES = {"timestamp": "timestamp, UTC", "scalar": "value", "object": "value"}


def _text(value: Any, column: Column, length: int) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return sayable(cut(redact(value[:_BEGINNING]), length))
    return sayable(cut(repr(value) if isinstance(value, float) else line(value, column), length))


def sayable(text: str) -> str:
    """Return a text without halves of surrogate pairs, which no message can carry.

    >>> sayable("a" + chr(0xD800))
    'a?'
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


@dataclass(slots=True)
class _Asked:
    """A query that is asked for, once however often its page says so."""

    stop: CancelToken = field(default_factory=CancelToken)
    gave: Future[int] = field(default_factory=Future)
    is_begun: bool = False


class Results:
    """The last results of the queries of an inspector.

    >>> from wf_notebook.storage import open_storage
    >>> results = Results(open_storage("memory:"))
    >>> results.run("SELECT 1 AS n, 'a' AS title").page(0, 100)
    [['1', 'a']]
    """

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        self._numbers = count(1)
        self._kept: OrderedDict[int, Result] = OrderedDict()
        self._asked: OrderedDict[str, _Asked] = OrderedDict()
        self._lock = RLock()

    def run(self, query: str, run: str | None = None, *, seconds: float = SECONDS) -> Result:
        """Run a query, and keep what it gives; who asks for the same run again waits for it. Raises BadQuery."""
        asked = self._asked_for(run or uuid4().hex)
        with self._lock:
            is_mine, asked.is_begun = not asked.is_begun, True
        if not is_mine:
            return self.find(asked.gave.result())
        try:
            began = time.perf_counter()
            table = self._storage.sql(query, seconds=seconds, stop=asked.stop)
            result = Result(next(self._numbers), query, table, time.perf_counter() - began)
        except BaseException as error:
            asked.gave.set_exception(error)
            raise
        self._keep(result)
        asked.gave.set_result(result.number)
        return result

    def stop(self, run: str) -> None:
        """End a query that runs, or that has not begun yet."""
        self._asked_for(run).stop.cancel()

    def find(self, number: int) -> Result:
        """Return a result by its number. Raises BadArguments for one that was let go."""
        with self._lock:
            if number not in self._kept:
                raise BadArguments("this result is not kept any more; run the query again")
            self._kept.move_to_end(number)
            return self._kept[number]

    def newest_of(self, query: str) -> Result | None:
        """Return what a query gave the last time it was run, if that is still kept."""
        with self._lock:
            return max((one for one in self._kept.values() if one.query == query), key=lambda one: one.number, default=None)

    def _keep(self, result: Result) -> None:
        with self._lock:
            self._kept[result.number] = result
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)

    def _asked_for(self, run: str) -> _Asked:
        with self._lock:
            asked = self._asked.setdefault(run, _Asked())
            self._asked.move_to_end(run)
            while len(self._asked) > ASKED:
                self._asked.popitem(last=False)
            return asked
