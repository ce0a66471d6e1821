"""Arrow columns as numpy arrays over the same memory; `to_numpy` would import pandas."""

from __future__ import annotations

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
    """A boolean column without nulls."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return _joined([_bits(chunk) for chunk in chunks], np.bool_)


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
    places = pc.fill_null(chunk.indices.cast(pa.int32()), len(chunk.dictionary))
    codes: Codes = values(places)
    return codes


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
