"""Between numpy and Arrow without `pa.array`, `pa.scalar` and `to_numpy`, which import pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from exporter.profile.arrow import texts


def numeric(values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
    """The numbers in a numeric type of Arrow's."""
    plain = np.ascontiguousarray(values, kind.to_pandas_dtype())
    return pa.Array.from_buffers(kind, len(plain), [None, pa.py_buffer(plain)])


def booleans(values: npt.NDArray[Any]) -> pa.Array:
    """True and false, a bit each."""
    packed = np.packbits(values.astype(bool), bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(packed)])


def integers(array: pa.Array) -> npt.NDArray[np.int64]:
    """The whole numbers of an array without nulls."""
    dtype = np.dtype(array.type.to_pandas_dtype())
    if not len(array):
        return np.empty(0, np.int64)
    found = np.frombuffer(array.buffers()[1], dtype, len(array), array.offset * dtype.itemsize)
    return found.astype(np.int64)


def scalar(value: bool | float | str) -> pa.Scalar:
    """A value as bool, float64 or large_string."""
    if isinstance(value, str):
        return texts([value])[0]
    if isinstance(value, bool):
        return booleans(np.array([value]))[0]
    return numeric(np.array([value]), pa.float64())[0]


def null(kind: pa.DataType) -> pa.Scalar:
    """No value of a type."""
    return pa.nulls(1, kind)[0]
