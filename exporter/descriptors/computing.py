"""From columns to a descriptor's column: slices in, one array out, null where the text is null."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporter.descriptors._registry import DescriptorSpec
from exporter.descriptors.buffers import booleans, null, numeric, scalar
from exporter.errors import BatchError, PlanError
from exporter.profile.arrow import codes, family, texts

ROWS_AT_ONCE = 16_384  # what a function sees: bounds the memory that words and characters take
SliceOf = Callable[..., Any]


def type_of(spec: DescriptorSpec) -> pa.DataType:
    """The type of the descriptor's column: float64, bool or large_string."""
    if spec.kind == "numerical":
        return pa.float64()
    return pa.large_string() if spec.labels else pa.bool_()


def compute(
    spec: DescriptorSpec,
    params: Mapping[str, Any],
    text: pa.ChunkedArray,
    others: Mapping[str, pa.ChunkedArray] | None = None,
) -> pa.ChunkedArray:
    """The descriptor's column: as long as the text's, null where the text is null.

    *others* are the columns that the options name, by the name that they were given. Raises
    BatchError where the text column holds no texts, or bytes that are none; PlanError where a
    package of the extra `text` is not installed.
    """
    if lack := spec.lack():
        raise PlanError(lack)
    columns = dict(others or {})
    options = {name: params[name] for name in spec.options}
    try:
        if spec.rows:
            return _of_rows(spec, options, texts_of(text), columns)
        if spec.others:
            beside = [_other(columns[params[name]]) for name in spec.others]
            return _of_columns(spec, options, [texts_of(text), *beside])
        return _of_texts(spec, options, texts_of(text))
    except (pa.ArrowException, UnicodeError) as error:
        raise BatchError(f"{spec.id} cannot read these texts: {error}") from error


def texts_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as large_string, or as a dictionary of it; a BatchError where it holds no texts."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        column, kind = column.cast(kind.storage_type), kind.storage_type
    if family(kind) not in ("text", "null"):
        raise BatchError(f"holds {family(kind)} ({kind}), not texts")
    if pa.types.is_dictionary(kind):
        kind = pa.dictionary(kind.index_type, pa.large_string())
        return column if column.type == kind else column.unify_dictionaries().cast(kind)
    return column if kind == pa.large_string() else column.cast(pa.large_string())


def _of_texts(
    spec: DescriptorSpec, options: Mapping[str, Any], column: pa.ChunkedArray
) -> pa.ChunkedArray:
    encoded = pa.types.is_dictionary(column.type)
    if spec.distinct and not encoded:
        column, encoded = column.dictionary_encode(), True
    if not encoded:
        return _chunked(spec, (_masked(spec, options, s) for s in _slices(column)))
    chunks = column.unify_dictionaries().chunks  # which share one dictionary then
    known = pa.chunked_array([chunks[0].dictionary] if chunks else [], pa.large_string())
    values = _decoded(_chunked(spec, (_masked(spec, options, s) for s in _slices(known))))
    return _chunked(spec, [values.take(chunk.indices) for chunk in chunks])


def _of_columns(
    spec: DescriptorSpec, options: Mapping[str, Any], columns: Sequence[pa.ChunkedArray]
) -> pa.ChunkedArray:
    whole = [_decoded(column) for column in columns]
    ends = range(0, len(whole[0]), ROWS_AT_ONCE)
    parts = ([c.slice(at, ROWS_AT_ONCE) for c in whole] for at in ends)
    return _chunked(spec, (_masked(spec, options, *part) for part in parts))


def _of_rows(
    spec: DescriptorSpec,
    options: Mapping[str, Any],
    text: pa.ChunkedArray,
    columns: Mapping[str, pa.ChunkedArray],
) -> pa.ChunkedArray:
    rows = {name: _decoded(column) for name, column in columns.items()}
    result = _typed(spec, spec.compute(rows, **options), len(text))
    return _chunked(spec, [_without(spec, result, [_decoded(text)])])


def _slices(column: pa.ChunkedArray) -> Iterator[pa.Array]:
    for chunk in column.chunks:
        for at in range(0, len(chunk), ROWS_AT_ONCE):
            yield chunk.slice(at, ROWS_AT_ONCE)


def _masked(
    spec: DescriptorSpec, options: Mapping[str, Any], text: pa.Array, *others: pa.Array
) -> pa.Array:
    """What the function says of one slice; null where a column that it reads is null."""
    told = spec.compute(_filled(text), *others, **options)
    return _without(spec, _typed(spec, told, len(text)), [text, *others])


def _filled(text: pa.Array) -> pa.Array:
    return pc.fill_null(text, scalar("")) if text.null_count else text


def _without(spec: DescriptorSpec, values: pa.Array, columns: Sequence[pa.Array]) -> pa.Array:
    """The values, those of rows without a text taken out."""
    for column in columns:
        if column.null_count:
            values = pc.if_else(pc.is_valid(column), values, null(type_of(spec)))
    return values


def _chunked(spec: DescriptorSpec, chunks: Iterator[pa.Array] | list[pa.Array]) -> pa.ChunkedArray:
    return pa.chunked_array(list(chunks), type_of(spec))


def _decoded(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    whole = column.combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def _other(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Another column as texts, numbers as their canonical text, or as lists of texts."""
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return column.cast(pa.large_list(pa.large_string()))
    if family(kind) in ("text", "null"):
        return texts_of(column)
    labels, indices = codes(column)
    known = indices < len(labels)
    every = pa.concat_arrays([texts(labels), texts([""])]).take(numeric(indices, pa.int32()))
    return pa.chunked_array([pc.if_else(booleans(known), every, null(pa.large_string()))])


def _typed(spec: DescriptorSpec, told: Any, rows: int) -> pa.Array:
    """What a function returned, in the descriptor's type; a BatchError where it does not fit."""
    kind = type_of(spec)
    try:
        values = _array(told, kind)
        values = values if values.type == kind else pc.cast(values, kind)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise BatchError(f"{spec.id} gave what is no {spec.kind} column: {error}") from error
    if len(values) != rows:
        raise BatchError(f"{spec.id} gave {len(values)} values for {rows} texts")
    return values


def _array(told: Any, kind: pa.DataType) -> pa.Array:
    """An Arrow array; `pa.array` of a list or of numpy's would import pandas."""
    if isinstance(told, pa.ChunkedArray):
        return _decoded(told)
    if isinstance(told, pa.Array):
        return told
    if kind == pa.large_string():
        return _array_of(list(told), "", texts, kind)
    if isinstance(told, np.ndarray) and told.dtype != object:
        return booleans(told) if kind == pa.bool_() else numeric(told, kind)
    make = booleans if kind == pa.bool_() else partial(numeric, kind=kind)
    return _array_of(list(told), 0, lambda values: make(np.array(values)), kind)


def _array_of(values: list[Any], filler: Any, make: SliceOf, kind: pa.DataType) -> pa.Array:
    there = np.array([value is not None for value in values], bool)
    known = make([filler if value is None else value for value in values])
    return pc.if_else(booleans(there), known, null(kind))
