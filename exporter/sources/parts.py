"""Rows of files in memory, in order of their windows; the longest unused make room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from exporter.errors import BatchError
from exporter.profile.arrays import Ints
from exporter.sources.buffers import arrow
from exporter.sources.listing import Format
from exporter.sources.windows import NO_TIME, instants, starts

LIMIT = 256 << 20


@dataclass(frozen=True, slots=True)
class Layout:
    """What a model's declaration says of how its rows lie, whatever the path."""

    time: str
    zone: str  # of naive times
    timezone: str  # in which windows are cut
    batch: str
    id: str | None = None
    labels: str = ""  # path of the labels' files
    labels_format: Format | None = None
    also: tuple[str, ...] = ()  # columns that tags and segments read
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a file, window after window; those without a time come first."""

    table: pa.Table
    offsets: dict[int, tuple[int, int]]  # window start -> first row, rows
    without_time: int


@dataclass(slots=True)
class Parts:
    """Parts by name, as many as fit into *limit* bytes, and always the last one."""

    limit: int = LIMIT
    _kept: OrderedDict[Hashable, Part] = field(default_factory=OrderedDict, repr=False)
    held: int = 0  # bytes

    def get(self, key: Hashable) -> Part | None:
        """The part of that name, if it is still there."""
        part = self._kept.get(key)
        if part is not None:
            self._kept.move_to_end(key)
        return part

    def keep(self, key: Hashable, part: Part) -> None:
        """Keep a part, and let go of others until there is room."""
        size = part.table.nbytes
        while self._kept and self.held + size > self.limit:
            _, gone = self._kept.popitem(last=False)
            self.held -= gone.table.nbytes
        self._kept[key] = part
        self.held += size


def window_starts(column: pa.ChunkedArray, layout: Layout, where: str) -> tuple[Ints, Ints]:
    """Each row's instant, and the start of its window; a BatchError that names the file where they are no times."""
    try:
        times = instants(column, layout.zone, layout.time)
    except BatchError as error:
        raise BatchError(f"{where}: {error}") from error
    return times, starts(times, layout.batch, layout.timezone)


def part_of(table: pa.Table, layout: Layout, where: str) -> Part:
    """The rows of a table in order of their windows, with their times as instants in UTC."""
    times, begin = window_starts(table[layout.time], layout, where)
    column = arrow(times, pa.timestamp("us", "UTC"), null=times == NO_TIME)
    table = table.set_column(table.column_names.index(layout.time), layout.time, column)
    if (begin[1:] < begin[:-1]).any():
        order = np.argsort(begin, kind="stable")
        table, begin = table.take(arrow(order)), begin[order]
    each, first, count = np.unique(begin, return_index=True, return_counts=True)
    places = zip(each.tolist(), first.tolist(), count.tolist(), strict=True)
    offsets = {start: (at, rows) for start, at, rows in places}
    _, lost = offsets.pop(NO_TIME, (0, 0))
    return Part(table, offsets, lost)
