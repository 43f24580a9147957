"""What a sweep is given: a dataframe, a list or a file, read as rows of inputs, and checked against run() before it begins."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import BadRows
from ..inputs import Inputs
from ..nearest import did_you_mean
from ..place import locate
from ..tabular import columns, seen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from inspect import Signature

    from .kinds import Kinds

    Row = dict[str, Any]
    Columns = list[tuple[Any, list[Any]]]

#: What may be given.
WAYS = (
    "give a dataframe, a dict of columns, a list of dicts, a list of values for the one input of run(), or the path of a .csv, "
    ".json or .parquet file"
)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as they were given, all their columns by name.

    `total` is None where nobody knows how many there are, as of a generator: these are read and checked as they come.
    `frame` is the dataframe of pandas that they were, for its index and its types.
    """

    given: Iterable[Row]
    total: int | None
    takes: Takes
    frame: Any = None

    @property
    def listed(self) -> list[Row] | None:
        """All rows, where they are there."""
        return list(self.given) if self.total is not None else None

    def __iter__(self) -> Iterator[tuple[Row, Row]]:
        """Yield of each row all that it was given as, and of that the inputs of run().

        They are made anew, although they were made to be checked: to keep them would double long lists, to save microseconds.
        """
        for row in self.given:
            yield row, self.takes.of(row)


class Takes:
    """Which columns of a row run() takes, and what it is given besides, the same for each row.

    >>> from inspect import signature
    >>> def run(self, topic, *, style="plain"): ...
    >>> takes = Takes(signature(run), {"style": "short"}, name="Blog")
    >>> takes.of({"topic": "cheese", "label": 3})
    {'topic': 'cheese', 'style': 'short'}
    """

    def __init__(self, signature: Signature, shared: Mapping[str, Any], *, name: str, kinds: Kinds | None = None) -> None:
        self._kinds = kinds
        parameters = list(signature.parameters.values())[1:]
        self._inputs, self._shared, self._name = Inputs(signature), dict(shared), name
        self._all = any(each.kind is each.VAR_KEYWORD for each in parameters)
        named = [each for each in parameters if each.kind in {each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY}]
        self.names = [each.name for each in named]
        self._needed = [each.name for each in named if each.default is each.empty and each.name not in self._shared]
        for given in self._shared:
            if given not in self.names and not self._all:
                meant = f"; did you mean {OTHERS[given]!r}?" if given in OTHERS else did_you_mean(given, [*self.names, *OPTIONS])
                raise BadRows(f"map() knows no {given}=, and {name}.run() takes no such input{meant}")

    @property
    def single(self) -> str | None:
        """The one input that a plain value is for; None where there are several that it may be."""
        free = [each for each in self.names if each not in self._shared]
        return self._needed[0] if len(self._needed) == 1 else free[0] if len(free) == 1 and not self._needed else None

    def of(self, row: Row) -> Row:
        """Return the inputs of a row."""
        taken = row if self._all else {name: row[name] for name in self.names if name in row}
        inputs = {**taken, **self._shared} if self._shared else taken
        return inputs if self._kinds is None else self._kinds.made(inputs)

    def check_columns(self, given: Iterable[str], elsewhere: Collection[str] = ()) -> None:
        """Refuse columns of which run() would miss one; others than it takes are carried along into the result.

        `elsewhere` are those of other rows: what these have is no name that was meant, and has a default where it is left out.
        """
        known = list(given)
        for name in self._shared:
            if name in known:
                raise BadRows(f"{name!r} is a column, and given for all rows too; drop the one or the other")
        for name in self._needed:
            if name not in known:
                near = did_you_mean(name, known) or f"; there are {', '.join(map(repr, known)) or 'none'}"
                raise BadRows(f"{self._name}.run() needs {name!r}, and there is no such column{near}")
        if not self._all:
            for name in known:
                left = [each for each in self.names if each not in known and each not in elsewhere]
                if name not in self.names and (near := did_you_mean(name, left)):
                    raise BadRows(
                        f"{self._name}.run() takes no input {name!r}{near.removesuffix('?')}? rename the column, or drop it"
                    )

    def check(self, row: Row, number: int, elsewhere: Collection[str] = ()) -> None:
        """Refuse a row that run() does not take."""
        try:
            self.check_columns(row, elsewhere)
        except BadRows as error:
            stands_for_all = not number and set(row) >= set(elsewhere)
            raise (error if stands_for_all else BadRows(f"row {number}: {error}")) from None
        self.check_values(row, number)

    def check_values(self, row: Row, number: int) -> None:
        """Refuse a row of which run() does not take the values."""
        try:
            self._inputs.bound((), self.of(row), name=self._name)
        except (TypeError, ValueError) as error:
            raise BadRows(f"row {number}: {error}") from None


#: What map() takes besides the inputs of run().
OPTIONS = ("limit", "timeout", "session", "name", "cache", "max_tokens", "max_cost", "executor")
#: What these are called elsewhere.
OTHERS = dict.fromkeys(
    ("max_workers", "workers", "num_workers", "n_jobs", "jobs", "concurrency", "max_concurrency", "parallel", "threads"), "limit"
)


def read_rows(given: Any, takes: Takes, *, read: Callable[[str], Any]) -> Rows:
    """Return what was given as rows; `read` reads a file. Raises BadRows for what cannot be rows, or not rows of run()."""
    if isinstance(given, str | os.PathLike):
        given = read(os.fspath(given))
    is_pandas = type(given).__module__.partition(".")[0] == "pandas"
    if is_pandas and hasattr(given, "to_frame"):  # a series, or an index
        given = given.to_frame(name=_single(takes))
    if (what := seen(given)) is not None and what.noun in {"frame", "table"}:
        return _of_columns(columns(given) or [], takes, given if is_pandas else None)
    if isinstance(given, Mapping):
        return _of_columns(_even(given), takes)
    if what is not None and len(what.shape) != 1:
        raise BadRows(f"an array of {what.size} has no names for its columns; give pandas.DataFrame(array, columns=[…])")
    if what is not None and what.columns:  # an array of records
        return _of_columns(columns(given) or [], takes)
    if what is not None:  # a series, or an array
        return _checked(_plain([value for _, values in columns(given) or () for value in values], takes), takes)
    if isinstance(given, bytes) or not isinstance(given, Iterable):
        ways = "give what its .collect() returns" if hasattr(given, "collect") else WAYS
        raise BadRows(f"rows of type {type(given).__name__!r} cannot be read; {ways}")
    if isinstance(given, Sized):
        return _checked(_plain(list(given), takes), takes)
    return Rows(_as_they_come(given, takes), None, takes)


def _of_columns(named: Columns, takes: Takes, frame: Any = None) -> Rows:
    names = [str(name) for name, _ in named]
    takes.check_columns(names)
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BadRows(f"two columns are named {twice!r}; rename one, or drop it")
    rows = [dict(zip(names, cells, strict=True)) for cells in zip(*(values for _, values in named), strict=True)]
    for number, row in enumerate(rows):
        takes.check_values(row, number)
    return Rows(rows, len(rows), takes, frame)


def _even(given: Mapping[Any, Any]) -> Columns:
    """Return the columns of a dict, as pandas takes them: of the same length, a single value being that of each row."""
    lists = {name: values for name, value in given.items() if (values := _listed(value)) is not None}
    lengths = {name: len(values) for name, values in lists.items()}
    if not lists:
        what = "a dict of single values is one row; give [{…}] for that, or lists as its columns"
        raise BadRows(what if given else f"a dict without columns has no rows; {WAYS}")
    (first, most), *others = lengths.items()
    for name, length in others:
        if length != most:
            raise BadRows(f"the columns of a dict differ in length: {first!r} has {most:,} values, {name!r} has {length:,}")
    return [(name, lists[name] if name in lists else [value] * most) for name, value in given.items()]


def _listed(value: Any) -> list[Any] | None:
    """Return the values of a column; None for a single value."""
    if seen(value) is not None:  # a series, or an array
        found = columns(value) or []
        return found[0][1] if len(found) == 1 else None
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray) else None


def _plain(given: list[Any], takes: Takes) -> list[Row]:
    """Return rows that are dicts as they are, and of any other values those that run() is given as its one input."""
    if all(isinstance(one, Mapping) for one in given):
        return [dict(one) for one in given]
    if odd := next((number for number, one in enumerate(given) if isinstance(one, Mapping)), None):
        raise BadRows(f"row {odd} is a dict, and others are not; {WAYS}")
    return [{_single(takes): one} for one in given]


def _single(takes: Takes) -> str:
    if takes.single is None:
        raise BadRows(f"these are plain values, and run() takes {', '.join(map(repr, takes.names)) or 'no inputs'}; give dicts")
    return takes.single


def _checked(rows: list[Row], takes: Takes) -> Rows:
    elsewhere = {name for row in rows for name in row}
    for number, row in enumerate(rows):
        takes.check(row, number, elsewhere)
    return Rows(rows, len(rows), takes)


def _as_they_come(given: Iterable[Any], takes: Takes) -> Iterator[Row]:
    before: set[str] = set()
    for number, one in enumerate(_yielded(given)):
        row = dict(one) if isinstance(one, Mapping) else {_single(takes): one}
        takes.check(row, number, before)
        before.update(row)
        yield row


def _yielded(given: Iterable[Any]) -> Iterator[Any]:
    """Yield what the user's generator yields; say of what it raises at which row that was, and at which line of its own."""
    number, values = 0, iter(given)
    while True:
        try:
            one = next(values)
        except StopIteration:
            return
        except Exception as raised:
            said = f"{type(raised).__name__}: {raised}".partition("\n")[0].removesuffix(": ")
            error = BadRows(
                f"row {number} could not be read ({said}); those before it are done: mend what yields the rows, and map again"
            )
            locate(error.with_traceback(raised.__traceback__))
            raise error from raised
        yield one
        number += 1
