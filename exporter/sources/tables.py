"""Arrow tables side by side: of different but compatible schemas, with what counts as missing made null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from exporter.errors import BatchError
from exporter.profile.arrow import UNTYPED, codes
from exporter.profile.table import kind_of
from exporter.sources.buffers import absent, arrow, null_where, texts

TEXT = pa.dictionary(pa.int32(), pa.string())
MARK = "\0replaced:"  # begins the names of columns that are nobody's: what stood in another


def stacked(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of all tables; a column that one of them lacks is null there.

    Where types differ, numbers become floats, times instants of the finest unit, and what has
    nothing in common becomes text: the evaluation then tells that the type is not the declared one.
    """
    if len(tables) == 1:
        return tables[0]
    names = list(dict.fromkeys(name for table in tables for name in table.column_names))
    columns = {}
    for name in names:
        types = [t.schema.field(name).type for t in tables if name in t.column_names]
        kind = common_type(types)
        chunks = [
            chunk
            for table in tables
            for chunk in (
                as_type(table[name], kind).chunks
                if name in table.column_names
                else [pa.nulls(len(table), kind)]
            )
        ]
        columns[name] = pa.chunked_array(chunks, kind)
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def common_type(types: Sequence[pa.DataType]) -> pa.DataType:
    """The type that holds the values of all."""
    t = pa.types
    distinct = list(dict.fromkeys(kind for kind in types if not t.is_null(kind)))
    if len(distinct) <= 1:
        return distinct[0] if distinct else pa.null()
    if all(map(is_text, distinct)):
        return TEXT if any(map(t.is_dictionary, distinct)) else pa.large_string()
    if all(t.is_integer(k) or t.is_boolean(k) for k in distinct) and pa.uint64() not in distinct:
        return pa.int64()
    if all(t.is_integer(k) or t.is_floating(k) or t.is_decimal(k) for k in distinct):
        return pa.float64()
    if all(t.is_timestamp(k) or t.is_date(k) for k in distinct):
        zones = [k.tz for k in distinct if t.is_timestamp(k)]
        return pa.timestamp("us", next((zone for zone in zones if zone), None))
    return TEXT


def as_type(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """The column in a type that `common_type` has found."""
    if column.type == kind:
        return column
    if kind == TEXT:
        return as_text(column).dictionary_encode()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(kind, safe=False)


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column's values as plain text, whatever they are."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_nested(column.type):
        return pa.chunked_array(
            [texts([None if x is None else str(x) for x in column.to_pylist()])]
        )
    return column.cast(pa.string(), safe=False)


def is_text(kind: pa.DataType) -> bool:
    """Whether a type is text, plain or dictionary-encoded."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view()
    )


def without(table: pa.Table, missing_values: Sequence[str | float]) -> pa.Table:
    """The table with what counts as missing made null: text in text columns, numbers in numeric ones."""
    for i, field in enumerate(table.schema if missing_values else ()):
        column = _without(table.column(i), missing_values)
        if column is not None:
            table = table.set_column(i, field.name, column)
    return table


def marked(table: pa.Table, missing_values: Sequence[str | float]) -> pa.Table:
    """The same; what stood in a column that held such values goes with its rows, in a column of its own.

    That column is for `replaced_in`; a batch does not show it.
    """
    for name in table.column_names if missing_values else ():
        before, place = table[name], table.column_names.index(name)
        after = _without(before, missing_values)
        if after is not None:
            table = table.set_column(place, name, after)
            table = table.append_column(MARK + name, _marks(before, after))
    return table


def unmarked(table: pa.Table, name: str) -> pa.Table:
    """The table without a column, and without what is told of it."""
    return table.drop_columns([n for n in (name, MARK + name) if n in table.column_names])


def replaced_in(table: pa.Table, name: str) -> Mapping[str, int]:
    """What stood in a column of a marked table where it is null now, and how often."""
    mark = table.schema.get_field_index(MARK + name)
    if mark < 0:
        return {}
    labels, places = codes(table.column(mark))
    counts = np.bincount(places, minlength=len(labels) + 1)[: len(labels)].tolist()
    return {label: count for label, count in zip(labels, counts, strict=True) if count}


def compact(table: pa.Table) -> pa.Table:
    """The same rows, with no dictionary larger than they are: a window must not carry its whole file's."""
    for i, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            column = table.column(i)
            if any(len(c.dictionary) > max(len(c), 64) for c in column.chunks):
                short = pa.chunked_array([_compact(c) for c in column.chunks], field.type)
                table = table.set_column(i, field.name, short)
    return table


def checked_names(names: Sequence[str], where: object) -> Sequence[str]:
    """The names; a BatchError where two columns share one."""
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise BatchError(f"{where}: two columns are called {twice[0]!r}: rename one")
    return names


def _without(
    column: pa.ChunkedArray, missing_values: Sequence[str | float]
) -> pa.ChunkedArray | None:
    """The column with nulls for these values; None where it holds none of them."""
    kind = column.type
    if is_text(kind):
        said = texts([_text(x) for x in missing_values])
        if pa.types.is_dictionary(kind):
            return _without_codes(column, said)
        hit = pc.is_in(column, value_set=said.cast(kind))
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        wanted = _numbers(missing_values, kind)
        if not len(wanted):
            return None
        hit = pc.is_in(column, value_set=arrow(wanted))
    else:
        return None
    return null_where(hit, column) if pc.any(hit).as_py() else None


def _marks(before: pa.ChunkedArray, after: pa.ChunkedArray) -> pa.ChunkedArray:
    """What stood where *after* is null and *before* was not, as text; null elsewhere."""
    rows = np.flatnonzero(absent(after) & ~absent(before))
    labels, places = codes(before.take(arrow(rows)))
    whole = np.full(len(before), len(labels), np.int32)
    whole[rows] = places
    indices = arrow(whole, null=whole == len(labels))
    return pa.chunked_array(
        [pa.DictionaryArray.from_arrays(indices, texts([*map(kind_of, labels)]))]
    )


def _numbers(missing_values: Sequence[str | float], kind: pa.DataType) -> npt.NDArray[Any]:
    """The numbers among the values that a column of this type can hold."""
    dtype = np.dtype(kind.to_pandas_dtype())
    numbers = [float(x) for x in missing_values if not isinstance(x, str)]
    if dtype.kind in "iu":
        least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
        numbers = [x for x in numbers if x.is_integer() and least <= x <= most]
    return np.array(numbers).astype(dtype)


def _without_codes(column: pa.ChunkedArray, said: pa.Array) -> pa.ChunkedArray | None:
    chunks, changed = [], False
    for chunk in column.chunks:
        hit = pc.is_in(chunk.dictionary, value_set=said.cast(chunk.dictionary.type))
        if pc.any(hit).as_py():
            gone = hit.take(chunk.indices)
            indices = null_where(gone, chunk.indices)
            chunk = _encoded(indices, chunk.dictionary, chunk.type)  # noqa: PLW2901
            changed = True
        chunks.append(chunk)
    return pa.chunked_array(chunks, column.type) if changed else None


def _compact(chunk: pa.DictionaryArray) -> pa.DictionaryArray:
    encoded = chunk.indices.dictionary_encode()
    indices = encoded.indices.cast(chunk.type.index_type)
    return _encoded(indices, chunk.dictionary.take(encoded.dictionary), chunk.type)


def untyped(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Labels of a file that tells no types, marked as such."""
    chunks = [_encoded(chunk.indices, chunk.dictionary, UNTYPED) for chunk in column.chunks]
    return pa.chunked_array(chunks, UNTYPED)


def _encoded(indices: pa.Array, labels: pa.Array, kind: pa.DataType) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(indices, labels, ordered=kind.ordered)


def _text(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return str(int(value)) if np.isfinite(value) and float(value).is_integer() else repr(value)
