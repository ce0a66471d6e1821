"""Files as a stream of batches: read once, joined with their labels, cut into windows, with a fingerprint each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from exporter.batch import Batch, Schema, Window
from exporter.errors import BatchError
from exporter.sources.windows import NO_TIME, instants, starts, window_from

Print = tuple[str, int, int]  # path, size, mtime
KEPT = 24  # files held open between windows


@dataclass(frozen=True, slots=True)
class Part:
    """One file's rows, ordered by window."""

    table: pa.Table
    offsets: dict[int, tuple[int, int]]  # window start -> first row, rows
    without_time: int
    prints: dict[int, tuple[Print, ...]]  # window start -> the label files that reach into it


@dataclass
class FileSource:
    """The batches of one model."""

    paths: Sequence[Path]
    schema: Schema
    time: str
    zone: str  # of naive times
    timezone: str  # in which windows are cut
    batch: str
    labels: Sequence[Path] = ()
    id: str | None = None
    _parts: dict[Path, Part] = field(default_factory=dict)

    def windows(self) -> dict[int, int]:
        """Window start -> rows, in order of time."""
        found: dict[int, int] = {}
        for path in self.paths:
            for start, (_, rows) in self._part(path).offsets.items():
                found[start] = found.get(start, 0) + rows
        return dict(sorted(found.items()))

    @property
    def without_time(self) -> int:
        """Rows that lie in no window."""
        return sum(self._part(p).without_time for p in self.paths)

    def fingerprint(self, start: int, *, labels: bool) -> list[Print]:
        """The files from which the window is read; with those that its labels come from."""
        out: list[Print] = []
        for path in self.paths:
            part = self._part(path)
            if start in part.offsets:
                out += [print_of(path), *(part.prints.get(start, ()) if labels else ())]
        return sorted(set(out))

    def read(self, *wanted: int) -> pa.Table:
        """The rows of some windows."""
        pieces = [
            part.table.slice(*part.offsets[s])
            for s in wanted
            for part in map(self._part, self.paths)
            if s in part.offsets
        ]
        return (
            pieces[0]
            if len(pieces) == 1
            else pa.concat_tables(pieces, promote_options="permissive")
            if pieces
            else pa.table({})
        )

    def whole(self) -> pa.Table:
        """All rows, those without a time too: a fixed reference."""
        return pa.concat_tables(
            [self._part(p).table for p in self.paths], promote_options="permissive"
        )

    def _part(self, path: Path) -> Part:
        if path not in self._parts:
            table = read_table(path)
            table = without(table, self.schema)
            prints: dict[int, tuple[Print, ...]] = {}
            if self.time not in table.column_names:
                raise BatchError(
                    f"{path}: there is no time column {self.time!r}; it has {', '.join(table.column_names[:20])}"
                )
            begin = starts(
                instants(table[self.time], self.zone, self.time), self.batch, self.timezone
            )
            source = np.full(len(table), -1)
            if self.labels and self.id and self.schema.target:
                table, source = self._joined(table)
            order = np.argsort(begin, kind="stable")
            if not np.array_equal(order, np.arange(len(order))):
                table, begin, source = table.take(pa.array(order)), begin[order], source[order]
            each, first, count = np.unique(begin, return_index=True, return_counts=True)
            offsets = {
                int(s): (int(f), int(n))
                for s, f, n in zip(each, first, count, strict=True)
                if s != NO_TIME
            }
            for s, (f, n) in offsets.items():
                prints[s] = tuple(
                    print_of(self.labels[i]) for i in np.unique(source[f : f + n]) if i >= 0
                )
            self._parts[path] = Part(
                table.combine_chunks(), offsets, int(count[each == NO_TIME].sum()), prints
            )
        return self._parts[path]

    def _joined(self, table: pa.Table) -> tuple[pa.Table, Any]:
        ids, values, numbers = _labels(tuple(self.labels), self.id or "", self.schema.target or "")
        if self.id not in table.column_names:
            raise BatchError(f"there is no id column {self.id!r} to join labels by")
        if pa.types.is_integer(table[self.id].type) != pa.types.is_integer(ids.type):
            raise BatchError(
                f"labels cannot be joined: {self.id!r} is {table[self.id].type} in the data and {ids.type} in the labels"
            )
        place = pc.index_in(_plain(table[self.id]).cast(ids.type), value_set=ids)
        column = values.take(
            place.combine_chunks() if isinstance(place, pa.ChunkedArray) else place
        )
        if self.schema.target in table.column_names:
            column = pc.coalesce(column, table[self.schema.target])
            table = table.drop_columns([self.schema.target])
        at = pc.fill_null(place, -1).to_numpy()
        return table.append_column(self.schema.target, column), np.where(at >= 0, numbers[at], -1)


_LABELS: OrderedDict[Any, Any] = OrderedDict()


def _labels(paths: tuple[Path, ...], key: str, target: str) -> tuple[pa.Array, pa.Array, Any]:
    """Ids, targets and the file of each; of an id that comes twice, the last one stands."""
    at = (tuple(print_of(p) for p in paths), key, target)
    if at not in _LABELS:
        tables = [read_table(p) for p in paths]
        for path, table in zip(paths, tables, strict=True):
            if {key, target} - set(table.column_names):
                raise BatchError(f"{path}: labels need the columns {key!r} and {target!r}")
        whole = pa.concat_tables(
            [t.select([key, target]) for t in tables], promote_options="permissive"
        )
        numbers = np.repeat(np.arange(len(tables)), [len(t) for t in tables])[::-1]
        back = pa.array(np.arange(len(whole))[::-1].copy())
        _LABELS[at] = (
            _plain(whole[key]).take(back).combine_chunks(),
            whole[target].take(back).combine_chunks(),
            numbers,
        )
        while len(_LABELS) > 2:
            _LABELS.popitem(last=False)
    return _LABELS[at]  # type: ignore[no-any-return]


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return (
        column.cast(pa.string())
        if pa.types.is_dictionary(column.type) or pa.types.is_large_string(column.type)
        else column
    )


def print_of(path: Path) -> Print:
    """What changes when a file does."""
    state = path.stat()
    return str(path), state.st_size, state.st_mtime_ns


def found(pattern: str, folder: Path) -> list[Path]:
    """The files of a pattern, relative to the config's folder; a BatchError where there are none."""
    paths = sorted(Path(p) for p in glob(str(folder / pattern), recursive=True))
    if not paths:
        raise BatchError(f"no file matches {folder / pattern}")
    return paths


def read_table(path: Path) -> pa.Table:
    """A file as an Arrow table."""
    try:
        if path.suffix == ".csv" or path.name.endswith(".csv.gz"):
            from pyarrow import csv

            return csv.read_csv(
                path,
                convert_options=csv.ConvertOptions(
                    strings_can_be_null=True, quoted_strings_can_be_null=False
                ),
            )
        if path.suffix in (".jsonl", ".ndjson"):
            from pyarrow import json

            return json.read_json(path)
        file = pq.ParquetFile(path)
        texts = [
            f.name
            for f in file.schema_arrow
            if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)
        ]
        return pq.ParquetFile(path, read_dictionary=texts).read(use_threads=False)
    except (OSError, pa.ArrowInvalid) as error:
        raise BatchError(f"{path}: {error}") from error


def without(table: pa.Table, schema: Schema) -> pa.Table:
    """The table with what counts as missing made null."""
    texts = [x for x in schema.missing_values if isinstance(x, str)]
    odd = [x for x in schema.missing_values if not isinstance(x, str)]
    for i, name in enumerate(table.column_names):
        kind = table.schema.field(i).type
        if texts and (pa.types.is_string(kind) or pa.types.is_dictionary(kind)):
            column = table[name].cast(pa.string())
            hit = pc.is_in(column, value_set=pa.array(texts))
        elif odd and pa.types.is_floating(kind):
            column, hit = table[name], pc.is_in(table[name], value_set=pa.array(odd, kind))
        else:
            continue
        if pc.any(hit).as_py():
            table = table.set_column(i, name, pc.if_else(hit, pa.scalar(None, column.type), column))
    return table


def batch_of(table: pa.Table) -> Batch:
    """A batch over a table."""
    return Batch(len(table), {f.name: f.type for f in table.schema}, table.column)


def chosen(
    windows: Sequence[int],
    start: int,
    *,
    batch: str,
    zone: str,
    rolling: float = 0,
    lag: float = 0,
    previous: int = 0,
) -> list[int]:
    """The windows that make up the reference of the one at *start*."""
    earlier = [w for w in windows if w < start]
    if previous:
        return earlier[-previous : len(earlier) - previous + 1] if len(earlier) >= previous else []
    begin = window_from(start, batch, zone).start
    end = begin - timedelta(seconds=lag)
    return [
        w
        for w in earlier
        if begin - timedelta(seconds=lag + rolling) <= _at(w)
        and window_from(w, batch, zone).end <= end
    ]


def _at(start: int) -> datetime:
    from datetime import UTC

    return datetime.fromtimestamp(start / 1e6, UTC)


Reader = Callable[[Window], pa.Table]
