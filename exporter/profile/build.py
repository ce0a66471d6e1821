"""From a batch to profiles, a column at a time, on as many threads as pay."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import numpy as np
import pyarrow as pa

from exporter.batch import Batch, Kind
from exporter.errors import BatchError
from exporter.profile.arrays import Bools, Codes, Hashes, Ints, hash_labels, mixed
from exporter.profile.arrow import Numbers, codes, ends, instants, numbers, told_family
from exporter.profile.column import (
    ColumnProfile,
    category_profile,
    numeric_profile,
    opaque_profile,
    time_profile,
)
from exporter.profile.table import HashRows, TableBuilder, TableProfile

Item = TypeVar("Item")
Result = TypeVar("Result")
WORTH_A_THREAD = 50_000  # rows below which threads cost more than they give


def profile_table(
    batch: Batch,
    kinds: Mapping[str, Kind],
    visit: Callable[[ColumnProfile], Result],
    failed: Callable[[str, Exception], Result],
    *,
    gridded: bool = False,
    mergeable: bool = False,
) -> tuple[list[Result], TableProfile]:
    """Profile every column, hand each profile to *visit*, release it; what *visit* gave, and the table profile.

    A column that is not there or cannot be read goes to *failed* instead, and is named in the
    table profile. `gridded`: with the grids that a reference needs. `mergeable`: with the hashes
    that make the merged profile of parts as exact as that of the whole.
    """
    work = Profiling(batch, kinds, gridded, mergeable)

    @np.errstate(all="ignore")  # of a thread: figures that are not finite are told in the end
    def one(name: str) -> Result:
        try:
            profile = work.enter(name)
        except Exception as error:  # noqa: BLE001  one bad column never costs the batch
            return failed(name, error)
        return visit(profile)

    results = in_threads(one, list(kinds), threads=1 if batch.rows < WORTH_A_THREAD else None)
    return results, work.table()


@dataclass
class Profiling:
    """A batch that is profiled column by column, in any order and from several threads."""

    batch: Batch
    kinds: Mapping[str, Kind]
    gridded: bool = False
    mergeable: bool = False
    _builder: TableBuilder = field(init=False)
    _reasons: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._builder = TableBuilder(self.batch.rows, self.kinds, self.mergeable)

    def enter(self, name: str) -> ColumnProfile:
        """The profile of a column; whatever is wrong with it is raised, and told in the table profile."""
        try:
            kind, builder = self.kinds[name], self._builder
            return _entered(self.batch, name, kind, builder, gridded=self.gridded)
        except Exception as error:
            self._reasons[name] = str(error) or repr(error)
            raise

    def table(self) -> TableProfile:
        """The table profile of the columns entered; columns that look alike are read again."""
        types = {n: told_family(self.batch.types[n]) for n in self.kinds if n in self.batch.types}
        return self._builder.build(
            lambda name: hashes_of(self.batch.read(name), self.kinds[name])(None, 0),
            types,
            self._reasons,
        )


def in_threads(
    work: Callable[[Item], Result], items: Iterable[Item], *, threads: int | None = None
) -> list[Result]:
    """Results in order; numpy and Arrow release the lock, so threads share the columns out."""
    threads = threads or len(os.sched_getaffinity(0))
    if threads == 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


def _entered(
    batch: Batch, name: str, kind: Kind, table: TableBuilder, *, gridded: bool
) -> ColumnProfile:
    """The profile of one column, which is also entered into the table profile."""
    if name not in batch.types:
        raise BatchError("the batch has no such column")
    column = batch.read(name)
    if len(column) != batch.rows:
        raise BatchError(f"has {len(column)} rows, the batch {batch.rows}")
    replaced = batch.replaced(name)
    if kind == "numerical":
        return _enter_numbers(name, numbers(column), replaced, table, gridded=gridded)
    if kind == "categorical":
        return _enter_categories(name, column, replaced, table)
    return _enter_opaque(name, column, replaced, table, is_time=kind == "datetime")


def _enter_numbers(
    name: str, values: Numbers, replaced: Mapping[str, int], table: TableBuilder, *, gridded: bool
) -> ColumnProfile:
    profile = numeric_profile(name, len(values.absent), values.present(), gridded=gridded)
    profile = replace(profile, replaced=replaced) if replaced else profile
    unique = profile.distinct == profile.count and not profile.infinite
    infinite = np.isinf(values.all) if profile.infinite else None
    table.add(profile, values.absent, values.hashes, unique=unique, beyond=infinite)
    return profile


def _enter_categories(
    name: str, column: pa.ChunkedArray, replaced: Mapping[str, int], table: TableBuilder
) -> ColumnProfile:
    labels, indices = codes(column)
    profile = category_profile(name, labels, indices)
    profile = replace(profile, replaced=replaced) if replaced else profile
    hashes = partial(_label_hashes, hash_labels(labels), indices)
    table.add(profile, indices == len(labels), hashes, beyond=_empty(labels, indices))
    return profile


def _enter_opaque(
    name: str,
    column: pa.ChunkedArray,
    replaced: Mapping[str, int],
    table: TableBuilder,
    *,
    is_time: bool,
) -> ColumnProfile:
    absent, hashes, empty = _opaque(column)
    present = hashes(np.flatnonzero(~absent), 0)
    rows, missing = len(absent), len(absent) - len(present)
    count = 0 if empty is None else int(np.count_nonzero(empty))
    profile = opaque_profile(name, rows, missing, present, mergeable=table.mergeable, empty=count)
    profile = replace(profile, replaced=replaced) if replaced else profile
    profile = time_profile(profile, *ends(column)) if is_time else profile
    table.add(profile, absent, hashes, beyond=empty)
    return profile


def hashes_of(column: pa.ChunkedArray, kind: Kind) -> HashRows:
    """What gives the hashes of a column's rows: equal for equal values, and for all that are missing."""
    return numbers(column).hashes if kind == "numerical" else _opaque(column)[1]


def _opaque(column: pa.ChunkedArray) -> tuple[Bools, HashRows, Bools | None]:
    """Which rows are missing, what gives hashes of rows, and which are empty text; None = not one."""
    if (times := instants(column)) is not None:
        return times.absent, times.hashes, None
    labels, indices = codes(column)
    hashes = partial(_label_hashes, hash_labels(labels), indices)
    return indices == len(labels), hashes, _empty(labels, indices)


def _empty(labels: list[str], indices: Codes) -> Bools | None:
    """Which rows are text without a character; None where no label is."""
    return indices == labels.index("") if "" in labels else None


def _label_hashes(hashes: Hashes, indices: Codes, rows: Ints | None, seed: int) -> Hashes:
    return mixed(hashes, seed)[indices if rows is None else indices[rows]]
