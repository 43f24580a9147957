"""Arrow's own format for streams of columns, where pyarrow or polars are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .kind import Absent

if TYPE_CHECKING:
    from types import ModuleType


def polars() -> ModuleType:
    """Return polars, or raise Absent where it is not installed."""
    try:
        import polars as pl
    except ImportError as error:
        raise Absent("polars", "polars is not installed; its values are given as dicts until it is") from error
    return pl


def pyarrow() -> ModuleType:
    """Return pyarrow, or raise Absent where it is not installed."""
    try:
        import pyarrow as pa
        import pyarrow.ipc
    except ImportError as error:
        raise Absent("pyarrow", "pyarrow is not installed; its values are given as dicts until it is") from error
    library: ModuleType = pa
    return library


def written(batches: list[Any], schema: Any) -> bytes:
    """Return batches as a stream."""
    pa = pyarrow()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def ipc_of_array(array: Any) -> bytes:
    """Return an array of Arrow, in one piece or several, as a stream."""
    pa = pyarrow()
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    schema = pa.schema([pa.field("", array.type)])
    return written([pa.RecordBatch.from_arrays([chunk], schema=schema) for chunk in chunks], schema)


def array_of_ipc(content: bytes) -> Any:
    """Return the array in pieces that `ipc_of_array` wrote."""
    stream = pyarrow().ipc.open_stream(content)
    return pyarrow().chunked_array([batch.column(0) for batch in stream], stream.schema.field(0).type)
