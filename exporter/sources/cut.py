"""Fixed data in windows: what their days tell of how far sound batches are from the whole.

The data is read once: when a column is read for the profile of all rows, each window's own is made
from the same memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

import numpy as np
import pyarrow as pa

from exporter.batch import Batch, Kind, Schema
from exporter.errors import BatchError
from exporter.evaluation import FEWEST_OF_FIXED, Outcome, ReferenceProfile
from exporter.profile.arrays import Ints
from exporter.profile.build import Profiling
from exporter.profile.column import ColumnProfile
from exporter.sources.buffers import arrow
from exporter.sources.parts import Layout, window_starts
from exporter.sources.windows import NO_TIME

MOST_WINDOWS = 60  # whose figures are worth their time: the tail of so many is well known


@dataclass
class Cut:
    """A batch whose columns are profiled, and its windows along with them.

    `enter` each column after it was read for the whole; `finish` gives the windows.
    """

    batch: Batch
    kinds: Mapping[str, Kind]
    pieces: Sequence[tuple[int, int]] = ()  # first row and rows of each window, in order of time
    order: Ints | None = None  # of the rows, so that a window's lie together; None = as they are
    _windows: list[Profiling] = field(init=False)
    _columns: list[dict[str, ColumnProfile]] = field(init=False)
    _last: threading.local = field(default_factory=threading.local)
    _kept: dict[str, pa.ChunkedArray] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._windows = [
            Profiling(Batch(rows, self.batch.types, partial(self._part, at, rows)), self.kinds)
            for at, rows in self.pieces
        ]
        self._columns = [{} for _ in self.pieces]

    def whole(self) -> Batch:
        """The batch itself, which remembers the column that was read last."""
        return replace(self.batch, read=self._read) if self.pieces else self.batch

    def enter(self, name: str) -> None:
        """Profile each window's part of a column."""
        for window, columns in zip(self._windows, self._columns, strict=True):
            columns[name] = window.enter(name)

    def finish(
        self, schema: Schema, outcome_of: Callable[[Batch, Schema], Outcome | None]
    ) -> tuple[ReferenceProfile, ...]:
        """The windows' profiles."""
        found = []
        parts = zip(self.pieces, self._windows, self._columns, strict=True)
        for (at, rows), window, columns in parts:
            batch = replace(window.batch, read=partial(self._slice, at, rows))
            window.batch = batch  # what is read now is read by each window in turn
            table, outcome = window.table(), outcome_of(batch, schema)
            found.append(ReferenceProfile(schema, columns, table, outcome))
        self._kept.clear()
        return tuple(found)

    def _read(self, name: str) -> pa.ChunkedArray:
        column = self.batch.read(name)
        self._last.name, self._last.column = name, column
        self._last.ordered = None
        return column

    def _part(self, at: int, rows: int, name: str) -> pa.ChunkedArray:
        """Rows of the column that this thread has read last."""
        if getattr(self._last, "name", None) != name:
            self._read(name)
        if self._last.ordered is None:
            self._last.ordered = self._in_order(self._last.column)
        return self._last.ordered.slice(at, rows)

    def _slice(self, at: int, rows: int, name: str) -> pa.ChunkedArray:
        """Rows of a column that is kept until all windows have read it."""
        with self._lock:
            if name not in self._kept:
                self._kept[name] = self._in_order(self.batch.read(name))
        return self._kept[name].slice(at, rows)

    def _in_order(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        return column if self.order is None else column.take(arrow(self.order))


def cut(batch: Batch, kinds: Mapping[str, Kind], layout: Layout | None) -> Cut:
    """The batch in the windows of a layout; in none where it has no times, or fewer than seven windows.

    Of more than sixty windows as many are chosen at random, always the same ones: every sixth day
    would be each weekday in turn, every seventh always a Monday.
    """
    if layout is None or layout.time not in batch.types:
        return Cut(batch, kinds)
    try:
        _, begin = window_starts(batch.read(layout.time), layout, "the reference")
    except BatchError:
        return Cut(batch, kinds)
    order = np.argsort(begin, kind="stable") if (begin[1:] < begin[:-1]).any() else None
    begin = begin if order is None else begin[order]
    each, first, count = np.unique(begin, return_index=True, return_counts=True)
    pieces = [
        (int(at), int(rows))
        for start, at, rows in zip(each, first, count, strict=True)
        if start != NO_TIME
    ]
    if len(pieces) < FEWEST_OF_FIXED:
        return Cut(batch, kinds)
    if len(pieces) > MOST_WINDOWS:
        pieces = sorted(Random(0).sample(pieces, MOST_WINDOWS))  # noqa: S311  any will do
    return Cut(batch, kinds, pieces, order)
