"""From a batch to profiles, a column at a time, on as many threads as pay."""

from __future__ import annotations

import os
from dataclasses import replace
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import numpy as np
import pyarrow as pa

from exporter.batch import Batch, Kind
from exporter.errors import BatchError
from exporter.profile.arrays import (
    Codes,
    Hashes,
    Ints,
    Numbers,
    codes,
    hash_floats,
    hash_labels,
    missing,
    mixed,
    numbers,
)
from exporter.profile.column import (
    ColumnProfile,
    OpaqueProfile,
    category_profile,
    numeric_profile,
)
from exporter.profile.table import TableBuilder, TableProfile

Item = TypeVar("Item")
Result = TypeVar("Result")
WORTH_A_THREAD = 50_000  # rows below which threads cost more than they give


def profile_table(
    batch: Batch,
    kinds: dict[str, Kind],
    visit: Callable[[ColumnProfile], Result],
    failed: Callable[[str, Exception], Result],
    *,
    gridded: bool = False,
) -> tuple[list[Result], TableProfile]:
    """Profile every column, hand each profile to *visit*, release it; what *visit* gave, and the table profile."""
    builder = TableBuilder(batch.rows, kinds)

    def one(name: str) -> Result:
        if name not in batch.types:
            return failed(name, BatchError("the batch has no such column"))
        try:
            profile = profile_column(name, kinds[name], batch.read(name), builder, gridded=gridded)
        except Exception as error:  # noqa: BLE001  one bad column never costs the batch
            return failed(name, error)
        return visit(profile)

    results = in_threads(one, list(kinds), threads=1 if batch.rows < WORTH_A_THREAD else None)
    types = {name: family(batch.types[name]) for name in kinds if name in batch.types}
    return results, replace(builder.build(batch.read), types=types)


def profile_column(
    name: str, kind: Kind, column: pa.ChunkedArray, table: TableBuilder, *, gridded: bool
) -> ColumnProfile:
    """The profile of one Arrow column, which is also entered into the table profile."""
    if kind == "numerical":
        values = numbers(column)
        numeric = numeric_profile(name, len(values.absent), values.present(), gridded=gridded)
        table.add(
            name,
            values.absent,
            partial(_number_hashes, values),
            distinct=numeric.distinct,
            top=numeric.top_at_most,
            unique=numeric.distinct == numeric.count and not numeric.infinite,
        )
        return numeric
    labels, indices = codes(column)
    hashes = partial(_label_hashes, hash_labels(labels), indices)
    if kind == "categorical":
        category = category_profile(name, labels, indices)
        table.add(
            name, indices == len(labels), hashes, distinct=category.distinct, top=category.top
        )
        return category
    absent = missing(column)
    table.add(name, absent, hashes, distinct=len(labels), top=0)
    return OpaqueProfile(name, len(column), int(np.count_nonzero(absent)))


def in_threads(
    work: Callable[[Item], Result], items: Iterable[Item], *, threads: int | None = None
) -> list[Result]:
    """Results in order; numpy and Arrow release the lock, so threads share the columns out."""
    threads = threads or len(os.sched_getaffinity(0))
    if threads == 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


def family(kind: pa.DataType) -> str:
    """What a type is to a user: whole and broken numbers are one family, a column without values is of any."""
    t = pa.types
    if t.is_null(kind):
        return "null"
    if t.is_integer(kind) or t.is_floating(kind) or t.is_decimal(kind):
        return "number"
    if t.is_boolean(kind):
        return "boolean"
    return "time" if t.is_temporal(kind) else "text"


def _number_hashes(values: Numbers, rows: Ints | None, seed: int) -> Hashes:
    return hash_floats(values.at(rows), seed)


def _label_hashes(hashes: Hashes, indices: Codes, rows: Ints | None, seed: int) -> Hashes:
    return mixed(hashes, seed)[indices if rows is None else indices[rows]]
