"""What kind of column each is, where nobody has said so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from exporter.batch import Batch, Kind, Schema
from exporter.profile.arrays import EXACT_INTEGERS
from exporter.sources.tables import is_text

FEW_INTEGERS = 10
MANY_TEXTS = 100


class Inferred(NamedTuple):
    """The kinds of the columns that can be watched, and a line for each that cannot, or not exactly."""

    kinds: Mapping[str, Kind]
    told: list[str]


def inferred(
    batch: Batch, schema: Schema, left_out: Collection[str | None], where: str
) -> Inferred:
    """The kind of every column but those left out; target and prediction are what the task says.

    Floats are numerical; integers with at most 10 distinct values categorical, others numerical;
    booleans and strings categorical; strings of which more than half are distinct, among more than
    100, text; times datetime. A column without values has no kind, nor has one of nested values.
    """
    kinds: dict[str, Kind] = {}
    told = []
    for name in batch.types:
        if name in left_out:
            continue
        kind = _of_role(name, schema) or _of_values(batch.read(name))
        if kind is None:
            told.append(
                f"{where}: column {name!r} holds no values that can be watched "
                f"({batch.types[name]}): it is left out; list the columns to watch it all the same"
            )
        else:
            kinds[name] = kind
            if kind == "numerical" and _beyond_floats(batch.read(name)):
                told.append(
                    f"{where}: column {name!r} holds whole numbers beyond 2^53, which are read as the "
                    "nearest floats: ignore it if it is an identifier, or list it as categorical"
                )
    return Inferred(kinds, told)


def _beyond_floats(column: pa.ChunkedArray) -> bool:
    """Whether neighbouring whole numbers are the same float."""
    if not pa.types.is_integer(column.type) or column.type.bit_width < 64:
        return False
    ends = pc.min_max(column)
    return any(abs(ends[end].as_py() or 0) > EXACT_INTEGERS for end in ("min", "max"))


def _of_role(name: str, schema: Schema) -> Kind | None:
    if schema.task == "none" and name in (schema.target, schema.prediction):
        return None
    return schema.roles.get(name)


def _of_values(column: pa.ChunkedArray) -> Kind | None:
    kind = column.type
    t = pa.types
    present = len(column) - column.null_count
    if t.is_floating(kind):
        return "numerical" if pc.any(pc.is_finite(column)).as_py() else None
    if not present:
        return None
    if t.is_decimal(kind):
        return "numerical"
    if t.is_integer(kind):
        return "categorical" if pc.count_distinct(column).as_py() <= FEW_INTEGERS else "numerical"
    if t.is_temporal(kind):
        return "datetime"
    if is_text(kind):
        distinct = _distinct(column)
        return "text" if present > MANY_TEXTS and distinct > present / 2 else "categorical"
    return "categorical" if t.is_boolean(kind) or t.is_dictionary(kind) else None


def _distinct(column: pa.ChunkedArray) -> int:
    if not pa.types.is_dictionary(column.type):
        return int(pc.count_distinct(column).as_py())
    codes = [chunk.indices for chunk in column.unify_dictionaries().chunks]
    return int(pc.count_distinct(pa.chunked_array(codes)).as_py())
