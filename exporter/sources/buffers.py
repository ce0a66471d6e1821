"""Arrow columns as numpy arrays over the same memory, and back.

`to_numpy`, `pa.array`, `pa.scalar` and `pc.fill_null` would import pandas, which costs a third of a
second in every process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from exporter.profile.arrays import Bools, Codes, Ints


def absent(column: pa.ChunkedArray | pa.Array) -> Bools:
    """Row by row, whether the value is null."""
    if not column.null_count:
        return np.zeros(len(column), bool)
    return booleans(column.is_null())


def booleans(column: pa.ChunkedArray | pa.Array) -> Bools:
    """A boolean column; False where it is null."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    true: Bools = _joined([_bits(chunk) for chunk in chunks], np.bool_)
    return true & ~absent(column) if column.null_count else true


def values(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[Any]:
    """The numbers of a numeric column; whatever stands where it is null."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    dtype = np.dtype(column.type.to_pandas_dtype())
    parts = [
        np.frombuffer(c.buffers()[1], dtype, len(c), c.offset * dtype.itemsize)
        for c in chunks
        if len(c)
    ]
    return _joined(parts, dtype)


def microseconds(column: pa.ChunkedArray | pa.Array) -> Ints:
    """A column of timestamps or dates as microseconds; whatever stands where it is null."""
    zone = getattr(column.type, "tz", None)
    instants: Ints = values(column.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64()))
    return instants


def indices(chunk: pa.DictionaryArray) -> Codes:
    """Each row's place in the chunk's dictionary; the dictionary's length where it is null."""
    codes: Codes = values(chunk.indices).astype(np.int32)
    return np.where(absent(chunk.indices), np.int32(len(chunk.dictionary)), codes)


def arrow(
    numbers: npt.NDArray[Any], kind: pa.DataType | None = None, *, null: Any = None
) -> pa.Array:
    """Numbers as an Arrow array (times are whole numbers); *null* says which of them are missing."""
    numbers = np.ascontiguousarray(numbers)
    valid = None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))
    buffers = [valid, pa.py_buffer(numbers)]
    return pa.Array.from_buffers(kind or pa.from_numpy_dtype(numbers.dtype), len(numbers), buffers)


def mask(bools: Bools) -> pa.Array:
    """A boolean Arrow array."""
    packed = pa.py_buffer(np.packbits(bools, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(bools), [None, packed])


def texts(given: Sequence[str | None]) -> pa.Array:
    """Texts as an Arrow array."""
    encoded = [None if text is None else text.encode() for text in given]
    ends = np.cumsum([0, *(len(x or b"") for x in encoded)], dtype=np.int32)
    null = np.array([x is None for x in encoded], bool)
    buffers = [
        pa.py_buffer(np.packbits(~null, bitorder="little")),
        pa.py_buffer(ends),
        pa.py_buffer(b"".join(x or b"" for x in encoded)),
    ]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def null_where(hit: pa.ChunkedArray | pa.Array, column: pa.ChunkedArray | pa.Array) -> Any:
    """The column with nulls where *hit* holds."""
    return pc.if_else(hit, pa.nulls(len(column), column.type), column)


def _bits(chunk: pa.Array) -> Bools:
    if not len(chunk):
        return np.zeros(0, bool)
    end = chunk.offset + len(chunk)
    packed = np.frombuffer(chunk.buffers()[1], np.uint8, (end + 7) // 8)
    return np.unpackbits(packed, count=end, bitorder="little")[chunk.offset :].view(bool)


def _joined(parts: list[npt.NDArray[Any]], dtype: Any) -> npt.NDArray[Any]:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, dtype)
