"""Table: rows with named columns, as they come from a storage; shown as a table, and given to pandas, polars or Arrow."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, overload

from .exports import to_arrow, to_pandas, to_polars, to_stream
from .html import table_html
from .text import shown, table_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from .columns import Column, Kind


class Table:
    """Rows with named columns. It is a list of dicts to Python, and a dataframe to who asks for one.

    >>> from wf_notebook.storage import open_storage
    >>> storage = open_storage("memory:")
    >>> session = storage.session("demo"); session.state["posts"] = [{"title": "a"}, {"title": "b"}]; session.save()
    >>> posts = storage.state("demo", path="posts")
    >>> posts.columns, len(posts), posts[0], posts["title"]
    (['title'], 2, {'title': 'a'}, ['a', 'b'])
    >>> posts.df().shape
    (2, 1)
    """

    def __init__(self, columns: Sequence[Column], title: str = "", *, below: str | None = None) -> None:
        """Hold columns; as text, the values of the one that is named `below` stand below the table, whole: lines to be typed."""
        self._columns = tuple(columns)
        self._title = title
        self._below = below

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self._columns]

    @property
    def kinds(self) -> dict[str, Kind]:
        """What kind of values each column has: boolean, integer, real, text, status, timestamp, scalar or object."""
        return {column.name: column.kind for column in self._columns}

    @property
    def title(self) -> str:
        """What it is a table of, in a line; "" where nothing says so."""
        return self._title

    @property
    def shown(self) -> list[Column]:
        """The columns with something in them."""
        return shown(self._columns)

    def __len__(self) -> int:
        return len(self._columns[0].cells) if self._columns else 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        names = self.columns
        for row in zip(*(column.cells for column in self._columns), strict=True):
            yield dict(zip(names, row, strict=True))

    @overload
    def __getitem__(self, which: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, which: slice) -> Table: ...
    @overload
    def __getitem__(self, which: str) -> list[Any]: ...
    def __getitem__(self, which: int | slice | str) -> dict[str, Any] | Table | list[Any]:
        """Return a row by its number, some rows by a slice, or the values of a column by its name."""
        if isinstance(which, str):
            for column in self._columns:
                if column.name == which:
                    return list(column.cells)
            raise KeyError(which)
        if isinstance(which, slice):
            return Table([column.sliced(which) for column in self._columns], self._title, below=self._below)
        if not -len(self) <= which < len(self):
            raise IndexError(f"row {which} of {len(self)}")
        return {column.name: column.cells[which] for column in self._columns}

    def text(
        self, *, room: int | None = None, rows: int | None = None, paint: Callable[[str, Column, Any], str] | None = None
    ) -> str:
        """Return it as text of a width, the terminal's if none is given; of all its rows, or of the first ones.

        `paint` gives a cell its colour, by its text, its column and its value; the heading of a column has no value.
        """
        more = {} if paint is None else {"paint": paint}
        most = len(self) if rows is None else rows
        return table_text(self._columns, self._title, room=room, rows=most, below=self._below, **more)

    def titled(self, title: str) -> Table:
        """Return the same rows under another title."""
        return Table(self._columns, title, below=self._below)

    def df(self) -> pd.DataFrame:
        """Return it as a DataFrame of pandas: times in UTC, values of the state as Python objects."""
        return to_pandas(self._columns)

    def pl(self) -> pl.DataFrame:
        """Return it as a DataFrame of polars: lists and dicts as lists and structs, as JSON text where their shapes differ."""
        return to_polars(self._columns)

    def frame(self) -> Any:
        """Return it as a DataFrame of pandas; of polars where pandas is not here, and as it is where neither is."""
        return self.df() if find_spec("pandas") else self.pl() if find_spec("polars") else self

    def arrow(self) -> pa.Table:
        """Return it as a Table of Arrow: lists and dicts as lists and structs, as JSON text where their shapes differ."""
        return to_arrow(self._columns)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return to_stream(self._columns, requested_schema)

    def __repr__(self) -> str:
        return table_text(self._columns, self._title, below=self._below)

    def _repr_html_(self) -> str:
        return table_html(self._columns, self._title)
