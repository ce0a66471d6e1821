"""Rows enough to tell what data are: from the beginning, the middle and the end, never all of much."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from exporter.errors import BatchError
from exporter.sources.buffers import arrow, texts
from exporter.sources.clock import micros
from exporter.sources.listing import DataFile, found
from exporter.sources.reading import Wanted, open_parquet, read_file, told
from exporter.sources.tables import checked_names, stacked
from exporter.sources.text_files import read_csv, read_jsonl

FILES = 8  # of many, so many are opened
ALL_FILES, ALL_BYTES = 100, 32 << 20  # up to which they are not many
ROWS = 50_000  # of a parquet file
CELLS = 4_000_000
BYTES = 64 << 20
HEAD, TAIL = 8 << 20, 2 << 20  # bytes of a file of text
_TRIES = 100

Span = tuple[int, int]  # first and last time, in microseconds


@dataclass(frozen=True, slots=True)
class Piece:
    """What was read of one file."""

    file: DataFile
    table: pa.Table
    share: float  # of the file's rows
    spans: Mapping[str, Span] = field(default_factory=dict)  # of its columns of times, where known
    texts: Sequence[bytes] = ()  # what a file of text was read from

    def again(self, names: frozenset[str]) -> pa.Table:
        """The same rows, with these columns as the text that stands in the file."""
        if not self.texts:
            return self.table
        return _parsed(self.file, self.texts, Wanted(as_text=names, plain=names))


@dataclass(frozen=True, slots=True)
class Sample:
    """Some rows of the data, or all of few."""

    table: pa.Table
    files: Sequence[DataFile]
    pieces: Sequence[Piece]
    rows: int  # of all files; estimated where not all were read

    @property
    def is_whole(self) -> bool:
        """Whether all rows were read."""
        return len(self.pieces) == len(self.files) and all(p.share == 1 for p in self.pieces)

    @property
    def is_text(self) -> bool:
        """Whether there are csv or jsonl files: what a text means is a guess there."""
        return any(piece.texts for piece in self.pieces)

    @property
    def is_beginning(self) -> bool:
        """Whether all that was read is the beginning of one file."""
        only = self.pieces[0]
        return len(self.pieces) == 1 and only.share < 1 and len(only.texts) == 1

    def span(self, name: str) -> Span | None:
        """First and last value of a column of times, as the files themselves tell."""
        known = [piece.spans[name] for piece in self.pieces if name in piece.spans]
        if not known or len(known) < len(self.pieces):
            return None
        return min(first for first, _ in known), max(last for _, last in known)

    def as_text(self, *names: str) -> pa.Table:
        """The same rows, with some columns as the text that stands in the files."""
        return stacked([piece.again(frozenset(names)) for piece in self.pieces])


def sampled(data: str) -> Sample:
    """A sample of a file, glob or folder; a BatchError for what cannot be read, or holds no rows."""
    files = found(data, Path())
    pieces = [_piece(file) for file in _spread(files)]
    table = stacked([piece.table for piece in pieces])
    checked_names(table.column_names, data)
    if not len(table):
        raise BatchError(f"{data}: there are no rows, so nothing tells what the columns are")
    read = sum(piece.file.print.size * piece.share for piece in pieces)
    share = read / max(sum(file.print.size for file in files), 1)
    rows = sum(round(len(piece.table) / piece.share) for piece in pieces)
    if len(pieces) < len(files):
        rows = round(len(table) / max(share, 1e-9))
    return Sample(table, files, pieces, rows)


def _spread(files: Sequence[DataFile]) -> list[DataFile]:
    """All of few and small ones, else the first, the last and some between."""
    if len(files) <= ALL_FILES and sum(file.print.size for file in files) <= ALL_BYTES:
        return list(files)
    places = np.linspace(0, len(files) - 1, min(FILES, len(files))).round().astype(int)
    return [files[i] for i in dict.fromkeys(places.tolist())]


def _piece(file: DataFile) -> Piece:
    piece = _parquet_piece(file) if file.format == "parquet" else _text_piece(file)
    table = piece.table
    for name, value in file.partitions:
        if name not in table.column_names:
            table = table.append_column(name, _repeated(value, len(table)))
    return replace(piece, table=table)


def _repeated(value: str | int | None, rows: int) -> pa.Array:
    if isinstance(value, int):
        return arrow(np.full(rows, value, np.int64))
    return texts([value] * rows)


def _parquet_piece(file: DataFile) -> Piece:
    with told(file.path):
        opened = open_parquet(file.path)
        metadata, schema = opened.metadata, opened.schema_arrow
    checked_names(schema.names, file.path)
    limit = _limit(metadata)
    spans = _spans(metadata, schema)
    if metadata.num_rows <= limit:
        return Piece(file, read_file(file), 1.0, spans)
    last = metadata.num_row_groups - 1
    groups = sorted({0, last // 2, last})
    with told(file.path):
        table = stacked([_first_rows(opened, i, limit // len(groups)) for i in groups])
    return Piece(file, table, len(table) / metadata.num_rows, spans)


def _limit(metadata: pq.FileMetaData) -> int:
    """So many rows that neither their number nor their length takes long."""
    size = sum(int(metadata.row_group(i).total_byte_size) for i in range(metadata.num_row_groups))
    of_bytes = BYTES * int(metadata.num_rows) // max(size, 1)
    return max(min(ROWS, CELLS // max(int(metadata.num_columns), 1), of_bytes), 100)


def _first_rows(opened: pq.ParquetFile, group: int, rows: int) -> pa.Table:
    batches = opened.iter_batches(batch_size=max(rows, 1), row_groups=[group], use_threads=True)
    table = pa.Table.from_batches([batch for batch, _ in zip(batches, range(1), strict=False)])
    for i, entry in enumerate(table.schema):
        if entry.type == pa.string_view():
            table = table.set_column(i, entry.name, table.column(i).cast(pa.string()))
    return table


def _spans(metadata: pq.FileMetaData, schema: pa.Schema) -> dict[str, Span]:
    """First and last value of each column of times, where every row group's statistics have them."""
    out = {}
    for i in range(metadata.num_columns):
        name = metadata.schema.column(i).path
        if name in schema.names and _holds_times(schema.field(name).type):
            parts = [
                _span(metadata.row_group(g).column(i).statistics)
                for g in range(metadata.num_row_groups)
                if metadata.row_group(g).num_rows
            ]
            known = [part for part in parts if part]
            if known and len(known) == len(parts):
                out[name] = min(p[0] for p in known), max(p[1] for p in known)
    return out


def _span(statistics: Any) -> Span | None:
    try:
        if statistics is None or not statistics.has_min_max:
            return None
        return _micros_of(statistics.min), _micros_of(statistics.max)
    except (ValueError, OverflowError, pa.ArrowException):  # a year that no calendar has
        return None


def _micros_of(value: date) -> int:
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return micros(value if value.tzinfo else value.replace(tzinfo=UTC))


def _holds_times(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


class _Head(NamedTuple):
    """The first bytes of a text."""

    data: bytes
    share: float  # of the whole text
    is_packed: bool = False


def _text_piece(file: DataFile) -> Piece:
    with told(file.path), file.path.open("rb") as raw:
        head = _head(raw, file)
    if not head.data.strip() or head.data[:4] == b"PAR1":
        return Piece(file, read_file(file), 1.0)  # which tells what is wrong
    if head.share == 1:
        return Piece(file, _parsed(file, [head.data]), 1.0, texts=[head.data])
    part = _cut(head.data, file)
    share = head.share * len(part) / len(head.data)
    if not head.is_packed and (tail := _tail(file, part)):
        try:
            table = _parsed(file, [part, tail])
        except BatchError:  # it began inside a quoted text
            pass
        else:
            return Piece(file, table, (len(part) + len(tail)) / file.print.size, {}, [part, tail])
    return Piece(file, _parsed(file, [part]), share, texts=[part])


def _head(raw: IO[bytes], file: DataFile) -> _Head:
    size = max(file.print.size, 1)
    magic = raw.read(4)
    raw.seek(0)
    if magic[:2] == b"\x1f\x8b":
        data = gzip.GzipFile(fileobj=raw).read(HEAD + 1)
        return _Head(data, 1.0 if len(data) <= HEAD else min(raw.tell() / size, 0.99), True)
    if magic == b"PK\x03\x04":
        return _head_of_archive(raw)
    data = raw.read(HEAD + TAIL + 1)
    if len(data) <= HEAD + TAIL:
        return _Head(data, 1.0)
    return _Head(data[:HEAD], HEAD / size)


def _head_of_archive(raw: IO[bytes]) -> _Head:
    with zipfile.ZipFile(raw) as archive:
        members = [
            m
            for m in archive.infolist()
            if not m.is_dir() and not m.filename.startswith("__MACOSX")
        ]
        if not members:
            return _Head(b"", 1.0, True)
        first = min(members, key=lambda member: member.filename)
        with archive.open(first) as member:
            data = member.read(HEAD + 1)
        whole = sum(m.file_size for m in members)
        return _Head(data, min(len(data) / max(whole, 1), 1.0), True)


def _cut(head: bytes, file: DataFile) -> bytes:
    """Whole lines; of csv also whole quotes: a line may end inside one."""
    end = len(head)
    for _ in range(_TRIES):
        end = head.rfind(b"\n", 0, end)
        if end < 0:
            return head
        if file.format != "csv" or head.count(b'"', 0, end) % 2 == 0:
            return head[: end + 1]
    return head


def _tail(file: DataFile, head: bytes) -> bytes:
    """The last whole lines, under the header of a csv file; nothing where a quote seems cut."""
    with told(file.path), file.path.open("rb") as raw:
        raw.seek(-TAIL, 2)
        data = raw.read(TAIL)
    lines = data[data.find(b"\n") + 1 :]
    if file.format != "csv":
        return lines
    return b"" if lines.count(b'"') % 2 else head[: head.find(b"\n") + 1] + lines


def _parsed(file: DataFile, parts: Iterable[bytes], wanted: Wanted | None = None) -> pa.Table:
    read: Callable[[bytes, Path, Wanted], pa.Table]
    read = read_csv if file.format == "csv" else read_jsonl
    with told(file.path):
        return stacked([read(part, file.path, wanted or Wanted()) for part in parts])
