"""Arrow and polars: tables and columns beside the tree in Arrow's own format, their columns in it for anyone to see."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from .frames import named_types
from .ipc import polars, pyarrow, written
from .kind import Refused, loaded

if TYPE_CHECKING:
    from .kind import Decoding, Encoding, Tree


def encode_polars(value: Any, walk: Encoding) -> Tree:
    """Write a DataFrame of polars."""
    blob = _polars_ipc(value, walk)
    columns = named_types(zip(value.columns, map(str, value.dtypes), strict=True))
    return {"$dataframe": "polars", "rows": value.height, "columns": columns, "blob": blob}


def decode_polars(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read a DataFrame of polars."""
    return polars().read_ipc(BytesIO(read.load("polars", tree["blob"])))


def encode_polars_series(value: Any, walk: Encoding) -> Tree:
    """Write a Series of polars."""
    blob = _polars_ipc(value.to_frame(), walk)
    return {"$series": "polars", "rows": len(value), "dtype": str(value.dtype), "blob": blob}


def decode_polars_series(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read a Series of polars."""
    return decode_polars(tree, read).to_series()


def _polars_ipc(frame: Any, walk: Encoding) -> str:
    if any(dtype == polars().Object for dtype in frame.dtypes):
        raise Refused("is a polars frame with a column of Python objects, which cannot be kept; keep .to_dicts() of it")
    file = BytesIO()
    frame.write_ipc(file, compression="uncompressed")
    return walk.keep("polars", [file.getvalue()])


def is_arrow_array(cls: type) -> bool:
    """Return whether a class is one of Arrow's arrays."""
    base = loaded("pyarrow:Array")
    return base is not None and issubclass(cls, base)


def encode_arrow(value: Any, walk: Encoding) -> Tree:
    """Write a Table, RecordBatch, ChunkedArray or Array of Arrow."""
    pa = pyarrow()
    shape = next(name for name in ("Table", "RecordBatch", "ChunkedArray", "Array") if isinstance(value, getattr(pa, name)))
    if shape in {"Table", "RecordBatch"}:
        batches, schema = value.to_batches() if shape == "Table" else [value], value.schema
    else:
        chunks, schema = value.chunks if shape == "ChunkedArray" else [value], pa.schema([pa.field("", value.type)])
        batches = [pa.RecordBatch.from_arrays([chunk], schema=schema) for chunk in chunks]
    content = written(batches, schema)
    foreign = any(_is_foreign(field.type) for field in schema)
    if foreign or not pa.ipc.open_stream(content).schema.equals(schema, check_metadata=True):
        raise Refused(f"is an Arrow {shape} of a type that does not come back; cast it to one of Arrow's own")
    columns = named_types((field.name, str(field.type)) for field in schema)
    blob = walk.keep("arrow", [content])
    return {
        "$table": "pyarrow",
        "is": shape,
        "rows": len(value) if "Array" in shape else value.num_rows,
        "columns": columns,
        "blob": blob,
    }


def _is_foreign(dtype: Any) -> bool:
    """Return whether a type, or one inside of it, is an extension that another process may not know."""
    if isinstance(dtype, pyarrow().BaseExtensionType):
        return not dtype.extension_name.startswith("arrow.")
    return any(_is_foreign(dtype.field(number).type) for number in range(dtype.num_fields))


def decode_arrow(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read what `encode_arrow` wrote."""
    pa = pyarrow()
    stream = pa.ipc.open_stream(read.load("arrow", tree["blob"]))
    schema, batches = stream.schema, list(stream)
    match tree["is"]:
        case "Table":
            return pa.Table.from_batches(batches, schema)
        case "RecordBatch":
            return batches[0]
        case "ChunkedArray":
            return pa.chunked_array([batch.column(0) for batch in batches], schema.field(0).type)
        case "Array":
            return batches[0].column(0)
    raise ValueError(f"{tree['is']!r} is no kind of Arrow's")
