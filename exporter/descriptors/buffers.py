"""numpy arrays as Arrow arrays, without `pa.array`, which imports pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def numeric(values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
    """The numbers in a numeric type of Arrow's."""
    plain = np.ascontiguousarray(values, kind.to_pandas_dtype())
    return pa.Array.from_buffers(kind, len(plain), [None, pa.py_buffer(plain)])


def booleans(values: npt.NDArray[Any]) -> pa.Array:
    """True and false, a bit each."""
    packed = np.packbits(values.astype(bool), bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(packed)])
