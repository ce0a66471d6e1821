"""Arrow columns as numpy arrays, without `to_numpy`, which imports pandas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isnan, nan
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from exporter.errors import BatchError
from exporter.profile.arrays import (
    Bools,
    Codes,
    Floats,
    Hashes,
    Ints,
    hash_floats,
    hash_integers,
    number_text,
)

_DTYPES = {
    str(kind): np.dtype(kind.to_pandas_dtype())
    for kind in (
        pa.float64(), pa.float32(), pa.float16(),
        pa.int64(), pa.int32(), pa.int16(), pa.int8(),
        pa.uint64(), pa.uint32(), pa.uint16(), pa.uint8(),
    )
}  # fmt: skip
UNTYPED = pa.dictionary(
    pa.int32(), pa.string(), ordered=True
)  # labels whose type nobody wrote down


@dataclass(frozen=True)
class Numbers:
    """A numeric column without a copy of it: Arrow's own buffers, and which rows they miss."""

    chunks: tuple[tuple[npt.NDArray[np.generic], Bools | None], ...]
    absent: Bools  # null or NaN

    def present(self) -> Floats:
        """The values that are there, in new memory."""
        parts = [values if valid is None else values[valid] for values, valid in self.chunks]
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.empty(0)
        return whole.astype(np.float64, copy=len(parts) == 1 and self.chunks[0][1] is None)

    @cached_property
    def all(self) -> Floats:
        """Row by row as float64, NaN where a value is missing."""
        out = np.empty(len(self.absent))
        at = 0
        for values, _ in self.chunks:
            np.copyto(out[at : at + len(values)], values, casting="unsafe")
            at += len(values)
        np.putmask(out, self.absent, np.nan)
        return out

    def hashes(self, rows: Ints | None, seed: int) -> Hashes:
        """A hash a row, of some rows (None = all); whole numbers that no float can tell apart differ."""
        whole = self._integers
        if whole is not None:
            chosen, absent = (
                (whole, self.absent) if rows is None else (whole[rows], self.absent[rows])
            )
            return hash_integers(chosen, absent, seed)
        return hash_floats(self._at(rows), seed)

    @cached_property
    def _integers(self) -> npt.NDArray[np.integer] | None:
        """The column's 64-bit integers; None for floats, and for integers that are floats as well."""
        if not self.chunks or any(values.dtype.kind == "f" for values, _ in self.chunks):
            return None
        if self.chunks[0][0].dtype.itemsize < 8:
            return None
        parts = [values for values, _ in self.chunks]
        whole: npt.NDArray[Any] = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return whole

    def _at(self, rows: Ints | None) -> Floats:
        if rows is None or len(self.chunks) != 1:
            return self.all if rows is None else self.all[rows]
        out = self.chunks[0][0][rows].astype(np.float64)
        np.putmask(out, self.absent[rows], np.nan)
        return out


def numbers(column: pa.ChunkedArray) -> Numbers:
    """The column's buffers as numpy sees them; a BatchError where it does not hold numbers."""
    _refuse_non_numbers(column.type)
    chunks = []
    absent = np.zeros(len(column), bool)
    at = 0
    for chunk in column.chunks:
        values, valid = _view(_plain(chunk))
        part = absent[at : at + len(values)]
        if valid is not None:
            np.logical_not(valid, out=part)
        if values.dtype.kind == "f":
            part |= np.isnan(values)
        chunks.append((values, valid))
        at += len(values)
    return Numbers(tuple(chunks), absent)


def floats(column: pa.ChunkedArray) -> Floats:
    """The column row by row as float64, NaN where a value is missing."""
    return numbers(column).all


def instants(column: pa.ChunkedArray) -> Numbers | None:
    """Points in time as whole numbers (microseconds, or the type's own unit); None where they are no such type."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        column = pc.cast(column, pa.timestamp("us", getattr(kind, "tz", None)), safe=False)
    elif pa.types.is_time32(kind):
        column = pc.cast(column, pa.int32())
    elif not (pa.types.is_time64(kind) or pa.types.is_duration(kind)):
        return None
    return numbers(pc.cast(column, pa.int64()))


def ends(column: pa.ChunkedArray) -> tuple[float, float]:
    """The first and the last point in time, in seconds since 1970; NaN where there is none, or no times are held."""
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        return nan, nan
    column = pc.cast(column, pa.timestamp("us", getattr(column.type, "tz", None)), safe=False)
    found = pc.min_max(pc.cast(column, pa.int64()))
    first, last = (found[end].as_py() for end in ("min", "max"))
    return (nan, nan) if first is None else (first / 1e6, last / 1e6)


def codes(column: pa.ChunkedArray) -> tuple[list[str], Codes]:
    """The column's distinct values as canonical text, and each row's index among them; missing = their number.

    NaN is missing, and so is what is null among a dictionary's values; values that read the same
    (0.0 and -0.0) are one. Raises BatchError where values have no text.
    """
    if pa.types.is_null(column.type):
        return [], np.zeros(len(column), np.int32)
    try:
        found, column = _encoded(column)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise BatchError(f"holds {column.type} that cannot be read as text") from error
    out = np.empty(len(column), np.int32)
    at = 0
    for chunk in column.chunks:
        values, valid = _view(chunk.indices)
        part = out[at : at + len(chunk)]
        np.copyto(part, values, casting="unsafe")
        if valid is not None:
            np.putmask(part, ~valid, len(found))
        at += len(chunk)
    return _canonical(found, out)


def _encoded(column: pa.ChunkedArray) -> tuple[list[str | None], pa.ChunkedArray]:
    """The text of each of the column's distinct values, and the column as their indices."""
    if pa.types.is_nested(column.type):
        raise BatchError(f"holds {column.type}, which has no categories")
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.cast(column.type.storage_type)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    if column.num_chunks > 1:
        column = column.unify_dictionaries()
    return _labels(column.chunk(0).dictionary) if column.num_chunks else [], column


def texts(labels: Sequence[str]) -> pa.Array:
    """The labels as an Arrow array; `pa.array` of a list would import pandas."""
    encoded = [label.encode("utf-8", "surrogatepass") for label in labels]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    buffers = pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))
    return pa.LargeStringArray.from_buffers(len(encoded), *buffers)


def family(kind: pa.DataType) -> str:
    """What a type is to a user: whole and broken numbers are one family, a column without values is of any."""
    t = pa.types
    if t.is_dictionary(kind):
        return family(kind.value_type)
    if t.is_null(kind):
        return "null"
    if t.is_integer(kind) or t.is_floating(kind) or t.is_decimal(kind):
        return "number"
    if t.is_boolean(kind):
        return "boolean"
    if t.is_nested(kind):
        return "nested"
    return "time" if t.is_temporal(kind) else "text"


def told_family(kind: pa.DataType) -> str:
    """The same as far as the data tell it: labels of a csv may have been numbers where they were written."""
    return "null" if kind == UNTYPED else family(kind)


def _refuse_non_numbers(kind: pa.DataType) -> None:
    found = family(kind)
    if found not in ("number", "boolean", "null"):
        raise BatchError(f"holds {found} ({kind}), not numbers")


def _plain(chunk: pa.Array) -> pa.Array:
    """The chunk in one of the types whose buffer is an array of numbers."""
    if pa.types.is_dictionary(chunk.type):
        chunk = chunk.dictionary_decode()
    if str(chunk.type) in _DTYPES:
        return chunk
    if pa.types.is_boolean(chunk.type):
        return pc.cast(chunk, pa.uint8())
    return pc.cast(chunk, pa.float64(), safe=False)


def _view(chunk: pa.Array) -> tuple[npt.NDArray[np.generic], Bools | None]:
    """The chunk's buffer as it is, and which of its values are there; None = all."""
    dtype = _DTYPES[str(chunk.type)]
    if not len(chunk):
        return np.empty(0, dtype), None
    data = chunk.buffers()[1]
    return np.frombuffer(data, dtype, len(chunk), chunk.offset * dtype.itemsize), _bits(chunk)


def _bits(chunk: pa.Array) -> Bools | None:
    bitmap = chunk.buffers()[0]
    if bitmap is None or chunk.null_count == 0:
        return None
    end = chunk.offset + len(chunk)
    packed = np.frombuffer(bitmap, np.uint8, (end + 7) // 8)
    return np.unpackbits(packed, count=end, bitorder="little")[chunk.offset :].view(bool)


def _labels(dictionary: pa.Array) -> list[str | None]:
    """Canonical text: `1`, never `1.0`; `true`; None for what is null or NaN."""
    kind = dictionary.type
    if pa.types.is_floating(kind):
        found = dictionary.to_pylist()
        return [None if x is None or isnan(x) else number_text(x) for x in found]
    if pa.types.is_decimal(kind):
        return [None if x is None else _decimal_text(f"{x:f}") for x in dictionary.to_pylist()]
    if not pa.types.is_string(kind):
        dictionary = pc.cast(dictionary, pa.string(), safe=False)
    return list(dictionary.to_pylist())


def _decimal_text(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _canonical(found: list[str | None], indices: Codes) -> tuple[list[str], Codes]:
    """Labels without None and without doubles, and the indices that follow."""
    place: dict[str, int] = {}
    for text in found:
        if text is not None:
            place.setdefault(text, len(place))
    if len(place) == len(found):
        return list(place), indices
    follow = [len(place) if text is None else place[text] for text in found]
    return list(place), np.take(np.array([*follow, len(place)], np.int32), indices)
