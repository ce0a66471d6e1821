"""Files as a stream of batches: an index of their windows, and the rows of those that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pyarrow as pa

from exporter.batch import Batch, Schema
from exporter.errors import BatchError, nearest
from exporter.sources.batches import batch_of, parquet_batch
from exporter.sources.cache import Cache, open_cache
from exporter.sources.clock import micros, moment
from exporter.sources.index import FileIndex, Index, index_stretch, load_index, name_of, save_index
from exporter.sources.inference import inferred
from exporter.sources.labels import Labels, label_hashes, load_labels
from exporter.sources.listing import DataFile, Format, Print, found
from exporter.sources.parts import Layout, Part, Parts, part_of
from exporter.sources.reading import Groups, Wanted, column_reader, labels_of, read_file, stretches
from exporter.sources.tables import compact, marked, stacked, unmarked, without
from exporter.sources.windows import end_of, starts

if TYPE_CHECKING:
    from exporter.config import Files, Model

__all__ = ["FileSource", "Layout", "batch_of", "read_table"]

LARGE = 16 << 20  # bytes from which a parquet file is indexed column by column
ENOUGH = 10_000  # rows from which kinds are inferred, where there are so many


@dataclass(slots=True)
class _Seen:
    """A window over all files."""

    rows: int = 0
    sums: int = 0
    targets: int = 0
    stretches: list[tuple[str, Groups | None]] = field(default_factory=list)


@dataclass
class FileSource:
    """The batches of one model, from its files.

    Files are looked at once, when the first question is asked; `refresh` looks again.
    """

    pattern: str
    folder: Path
    schema: Schema
    layout: Layout
    format: Format | None = None
    cache: Cache = field(default_factory=partial(open_cache, "index"))
    parts: Parts = field(default_factory=Parts, repr=False)
    timeless: bool = False  # files may lack the time column: their rows are in no window
    _files: dict[str, DataFile] | None = field(default=None, repr=False)
    _known: Index = field(default_factory=Index, repr=False)
    _windows: dict[int, _Seen] | None = field(default=None, repr=False)
    _label_sums: dict[int, int] | None = field(default=None, repr=False)
    _labels: Labels | None = field(default=None, repr=False)
    _told: list[str] = field(default_factory=list, repr=False)
    _unreadable: dict[str, BatchError] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, model: Model, folder: Path, schema: Schema, timezone: str) -> FileSource:
        """The source of a configured model; relative paths are below *folder*."""
        from exporter.config import Files, descriptors_of

        columns, source = model.columns, model.source
        if columns is None or columns.time is None or not isinstance(source, Files):
            raise BatchError("a model of files needs source.path and columns.time")
        tags = [given.column for given in (model.tags or {}).values() if hasattr(given, "column")]
        texts = [x for c in descriptors_of(model)[0] for x in (c.column, *c.reads.values())]
        layout = Layout(
            columns.time.column,
            columns.time.timezone or timezone,
            timezone,
            model.batch or "1d",
            columns.id,
            model.labels.path if model.labels else "",
            model.labels.format if model.labels else None,
            tuple(dict.fromkeys((*tags, *(model.segments or {}), *texts))),
            tuple(columns.ignore or ()),
        )
        return cls(source.path, folder, schema, layout, source.format)

    def like(self, given: Files, folder: Path) -> FileSource:
        """Other files that are read in the same way: a fixed reference, which needs no times."""
        return FileSource(
            given.path, folder, self.schema, self.layout, given.format, self.cache, self.parts,
            timeless=True,
        )  # fmt: skip

    def refresh(self) -> None:
        """Look at the files anew when they are next asked for."""
        self._files = self._windows = self._label_sums = self._labels = None
        self._unreadable = {}

    def windows(self, now: datetime | None = None) -> dict[int, int]:
        """Window start -> rows, in order of time; with *now* without those in the future."""
        limit = None if now is None else self._limit(now)
        return {
            start: seen.rows
            for start, seen in self._seen().items()
            if limit is None or start <= limit
        }

    @property
    def without_time(self) -> int:
        """Rows that lie in no window, as they have no time, or none that can be read."""
        self._seen()
        return sum(file.without_time for file in self._known.files.values())

    @property
    def unreadable(self) -> list[BatchError]:
        """What is wrong with each file that cannot be read: the others are evaluated without it."""
        self._seen()
        return list(self._unreadable.values())

    def told(self, now: datetime) -> list[str]:
        """What a user should know of the data, a line each."""
        lines = []
        if lost := self.without_time:
            lines.append(
                f"{self.pattern}: {_rows(lost)} without a time (or with one that cannot be read): "
                "they are in no window"
            )
        limit = self._limit(now)
        ahead = [(start, seen.rows) for start, seen in self._seen().items() if start > limit]
        if ahead:
            count = sum(rows for _, rows in ahead)
            lines.append(
                f"{self.pattern}: {_rows(count)} {'lies' if count == 1 else 'lie'} in the future "
                f"(from {moment(ahead[0][0]):%Y-%m-%d}): they are in no window; is the timezone right?"
            )
        if self._joins:
            self._summed_labels()
            if self._known.duplicates:
                lines.append(
                    f"{self.layout.labels}: {self._known.duplicates} labels are replaced by a later "
                    "one of the same id: the last one counts"
                )
        return lines + self._told

    def fingerprint(self, start: int, *, labels: bool) -> str:
        """A text that changes when the rows of a window do; with *labels* also when their targets do.

        It stays the same where the same rows move to other files or change places.
        """
        seen = self._seen().get(start) or _Seen()
        content = [seen.rows, seen.sums]
        if not self._joins:
            content.append(seen.targets)
        elif labels:
            content.append(self._summed_labels().get(start, 0))
        return blake2b(repr(content).encode(), digest_size=16).hexdigest()

    @property
    def content(self) -> str:
        """A text that changes when any row does, with a time or without."""
        windows = [self.fingerprint(start, labels=True) for start in self._seen()]
        lost = [file.without_time_sum for file in self._known.files.values()]
        rest = sum(lost) % 2**64
        return blake2b(repr([windows, rest]).encode(), digest_size=16).hexdigest()

    def read(self, *wanted: int) -> pa.Table:
        """The rows of some windows, window by window, with their labels; no columns where there are none."""
        pieces = []
        for start in wanted:
            for path, groups in self._seen().get(start, _Seen()).stretches:
                part = self._part(self._listed()[path], groups)
                if start in part.offsets:
                    rows = compact(part.table.slice(*part.offsets[start]))
                    pieces.append(self._finished(rows, self._listed()[path]))
        return stacked(pieces) if pieces else pa.table({})

    def whole(self) -> pa.Table:
        """All rows with their labels, those without a time too: a fixed reference."""
        return stacked(
            [
                self._finished(self._part(file, groups).table, file)
                for file in self._listed().values()
                for groups in stretches(file)
            ]
        )

    def batch(self) -> Batch:
        """All rows as a batch; of one parquet file whose rows are taken as they are, column by column."""
        files = list(self._listed().values())
        if self._joins or len(files) != 1:
            return batch_of(self.whole())
        file = files[0]
        if file.format != "parquet" or file.partitions:
            return batch_of(self.whole())
        return parquet_batch(file.path, self.schema.missing_values)

    @property
    def print(self) -> str:
        """A text that changes when one of the files, or of the labels' files, does."""
        files = [*self._listed().values(), *(self._label_files() if self._joins else [])]
        return name_of([(str(file.path), *file.print) for file in files])

    def infer_schema(self, table: pa.Table | None = None) -> Schema:
        """The schema with the kinds that its columns show in a table, or in the first windows.

        What was inferred from windows is kept: it must not change when the first of them goes.
        """
        self._seen()
        kept = self._known.kinds if table is None else None
        if kept is None:
            rows = table if table is not None else self._first_rows()
            left_out = {*self.layout.ignored, self.layout.id, *self.schema.apart}
            kinds, self._told = inferred(batch_of(rows), self.schema, left_out, self.pattern)
            if table is None:
                self._known.kinds, self._known.changed = dict(kinds), True
                self._save()
        else:
            kinds = kept  # type: ignore[assignment]  # they are what was put there
        roles = {*self.schema.roles, *self.schema.pair, self.layout.time}
        features = tuple(
            n for n, k in kinds.items() if n not in roles and k in ("numerical", "categorical")
        )
        return replace(self.schema, kinds=dict(kinds), features=features)

    @cached_property
    def identity(self) -> str:
        """What tells this source from any other, whatever columns are read of it."""
        how, schema = self.layout, self.schema
        return name_of(
            str(self.folder.resolve()), self.pattern, self.format, how.time, how.zone, how.timezone,
            how.batch, how.id, how.labels, how.labels_format, schema.target,
        )  # fmt: skip

    @property
    def _joins(self) -> bool:
        return bool(self.layout.labels and self.layout.id and self.schema.target)

    @property
    def _wanted(self) -> Wanted:
        """The columns that are declared; all but the ignored ones where none are."""
        how, schema = self.layout, self.schema
        keys = {how.time, *([how.id] if how.id else [])}
        read = {*keys, *how.also, *schema.apart}
        names = {*schema.kinds, *read, *schema.roles} if schema.kinds else None
        return Wanted(
            None if names is None else frozenset(names),
            but=frozenset(how.ignored) - read,
            as_text=frozenset(keys),
            labels=labels_of(schema),
            plain=frozenset(keys),
        )

    def _listed(self) -> dict[str, DataFile]:
        if self._files is None:
            files = found(self.pattern, self.folder, self.format)
            self._files = {str(file.path): file for file in files}
        return self._files

    def _seen(self) -> dict[int, _Seen]:
        """Every window; only files that changed since they were last indexed are opened."""
        if self._windows is None:
            files = self._listed()
            self._known = load_index(self.cache, self.identity)
            self._known.keep_only(list(files))
            try:
                for path, file in files.items():
                    self._try_index(path, file)
            finally:
                self._save()
            if len(self._unreadable) == len(files):
                raise next(iter(self._unreadable.values()))
            self._windows = _over_files(files, self._known)
        return self._windows

    def _try_index(self, path: str, file: DataFile) -> None:
        try:
            self._index_file(path, file)
        except BatchError as error:
            self._unreadable[path] = error

    def _index_file(self, path: str, file: DataFile) -> None:
        state = file.print
        entry = self._known.files.get(path)
        if entry is not None and entry.print == state:
            return
        if self._known.files.pop(path, None):
            self._known.changed = True
        entry = FileIndex(state, 0, [])
        for groups in stretches(file):
            names, read = self._columns(file, groups, state)
            if self.layout.time not in names:
                names, read = self._without_time(names, read, file)
            found = index_stretch(names, read, self.layout, self.schema.target, path)
            entry.stretches.append(replace(found[0], groups=groups))
            entry.without_time += found[1]
            entry.without_time_sum = (entry.without_time_sum + found[2]) % 2**64
        self._known.files[path], self._known.changed = entry, True

    def _without_time(
        self, names: list[str], read: Callable[[str], pa.ChunkedArray], file: DataFile
    ) -> tuple[list[str], Callable[[str], pa.ChunkedArray]]:
        """The same columns and one of no times; a BatchError where the file needs them."""
        time = self.layout.time
        if not self.timeless or not names:
            _lacks(time, "time", file)
        return [
            *names,
            time,
        ], lambda name: _no_times(len(read(names[0]))) if name == time else read(name)

    def _columns(
        self, file: DataFile, groups: Groups | None, state: Print
    ) -> tuple[list[str], Callable[[str], pa.ChunkedArray]]:
        """The columns of a stretch: of a large one each is read when it is asked for."""
        if groups is not None and state.size > LARGE:
            return column_reader(file, self._wanted, groups)
        table = self._part(file, groups).table
        return table.column_names, table.column

    def _part(self, file: DataFile, groups: Groups | None) -> Part:
        wanted = self._wanted
        key = (file.path, groups, wanted)
        part = self.parts.get(key)
        if part is None:
            table = read_file(file, wanted, groups)
            part = self._part_of(table, file)
            self.parts.keep(key, part)
        return part

    def _finished(self, rows: pa.Table, file: DataFile) -> pa.Table:
        """Rows as they are evaluated: with their labels, and without what counts as missing."""
        rows = marked(rows, self.schema.missing_values)
        if not self._joins:
            return rows
        return self._with_targets(rows, file, self._loaded_labels())

    def _with_targets(self, rows: pa.Table, file: DataFile, labels: Labels) -> pa.Table:
        key, target = str(self.layout.id), str(self.schema.target)
        if key not in rows.column_names:
            _lacks(key, "id", file)
        places = labels.places(rows[key], is_loose=file.format == "csv", where=str(file.path))
        own = rows[target] if target in rows.column_names else None
        if own is not None:
            rows = unmarked(rows, target)
        return rows.append_column(target, labels.targets(places, own))

    def _label_files(self) -> list[DataFile]:
        return found(self.layout.labels, self.folder, self.layout.labels_format)

    def _loaded_labels(self) -> Labels:
        if self._labels is None:
            target = str(self.schema.target)
            self._labels = load_labels(
                self._label_files(),
                str(self.layout.id),
                target,
                is_category=self.schema.kinds.get(target) == "categorical",
                missing_values=self.schema.missing_values,
            )
        return self._labels

    def _summed_labels(self) -> dict[int, int]:
        """Window start -> checksum of its rows' targets; labels are read where one of their files changed."""
        if self._label_sums is None:
            self._seen()
            files = self._label_files()
            key = name_of([(str(f.path), f.print) for f in files], self.schema.missing_values)
            try:
                for path, entry in self._known.files.items():
                    if entry.labels_key != key:
                        self._sum_labels(entry, self._listed()[path], key)
            finally:
                self._save()
            self._label_sums = {}
            for entry in self._known.files.values():
                for stretch in entry.stretches:
                    for start, hashed in zip(stretch.starts, stretch.labels, strict=True):
                        known = self._label_sums.get(start, 0)
                        self._label_sums[start] = (known + hashed) % 2**64
        return self._label_sums

    def _sum_labels(self, entry: FileIndex, file: DataFile, key: str) -> None:
        labels = self._loaded_labels()
        for stretch in entry.stretches:
            part = self._keys(file, stretch.groups)
            stretch.labels = [0] * len(stretch.starts)
            if not stretch.starts:
                continue
            rows = self._with_targets(without(part.table, self.schema.missing_values), file, labels)
            hashes = label_hashes(rows[str(self.layout.id)], rows[str(self.schema.target)])
            for i, start in enumerate(stretch.starts):
                if start in part.offsets:
                    first, count = part.offsets[start]
                    total = hashes[first : first + count].sum(dtype=np.uint64)
                    stretch.labels[i] = int(total)
        entry.labels_key = key
        self._known.duplicates, self._known.changed = labels.duplicates, True

    def _keys(self, file: DataFile, groups: Groups | None) -> Part:
        """The rows of a stretch, or only their times, ids and targets where they are not at hand."""
        wanted = self._wanted
        part = self.parts.get((file.path, groups, wanted))
        if part is not None:
            return part
        how = self.layout
        names = frozenset((how.time, str(how.id), str(self.schema.target)))
        table = read_file(file, replace(wanted, names=names), groups)
        return self._part_of(table, file)

    def _part_of(self, table: pa.Table, file: DataFile) -> Part:
        time = self.layout.time
        if time not in table.column_names:
            if not self.timeless:
                _lacks(time, "time", file)
            table = table.append_column(time, _no_times(len(table)))
        return part_of(table, self.layout, str(file.path))

    def _first_rows(self) -> pa.Table:
        """The first windows, until there are rows enough to tell what a column holds."""
        chosen: list[int] = []
        count = 0
        for start, seen in self._seen().items():
            chosen.append(start)
            count += seen.rows
            if count >= ENOUGH:
                break
        return self.read(*chosen)

    def _limit(self, now: datetime) -> int:
        """The start of the last window that does not lie in the future: the one after *now*'s."""
        how = self.layout
        current = int(starts(np.array([micros(now)]), how.batch, how.timezone)[0])
        return end_of(current, how.batch, how.timezone)

    def _save(self) -> None:
        save_index(self.cache, self.identity, self._known)


def read_table(path: Path) -> pa.Table:
    """All rows and columns of a file, a glob or a folder."""
    return stacked([read_file(file) for file in found(str(path), Path())])


def _over_files(files: Iterable[str], known: Index) -> dict[int, _Seen]:
    out: dict[int, _Seen] = {}
    for path in files:
        for stretch in known.files[path].stretches if path in known.files else ():
            columns = (stretch.starts, stretch.rows, stretch.sums, stretch.targets)
            for start, rows, sums, targets in zip(*columns, strict=True):
                seen = out.setdefault(start, _Seen())
                seen.rows += rows
                seen.sums = (seen.sums + sums) % 2**64
                seen.targets = (seen.targets + targets) % 2**64
                seen.stretches.append((path, stretch.groups))
    return dict(sorted(out.items()))


def _no_times(rows: int) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(rows, pa.timestamp("us", "UTC"))])


def _lacks(name: str, role: str, file: DataFile) -> NoReturn:
    names = read_file(file).column_names
    raise BatchError(
        f"{file.path}: there is no {role} column {name!r}"
        + (nearest(name, names) or f"; it has {', '.join(map(repr, names[:20]))}")
    )


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
