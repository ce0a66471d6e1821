"""One file as an Arrow table: only the columns that are asked for, text dictionary-encoded."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from gzip import BadGzipFile
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from exporter.batch import Schema
from exporter.errors import BatchError
from exporter.sources.buffers import arrow, texts
from exporter.sources.listing import DataFile, says
from exporter.sources.tables import TEXT, checked_names, is_text
from exporter.sources.text_files import read_csv, read_jsonl, unpacked

STRETCH = 500_000  # rows of a parquet file that are worked on at a time, or one row group
WORTH_THREADS = 100_000
_PARQUET = b"PAR1"
Groups = tuple[int, int]  # first row group, and the one after the last


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which columns to read, and how."""

    names: frozenset[str] | None = None  # None = all
    but: frozenset[str] = frozenset()
    as_text: frozenset[str] = field(default=frozenset())  # what csv must not take for numbers
    labels: frozenset[str] = field(default=frozenset())  # categories: canonical text, also in csv
    plain: frozenset[str] = field(default=frozenset())  # text that no dictionary makes shorter

    def chosen(self, names: Sequence[str]) -> list[str]:
        """Those of the names that are wanted."""
        return [n for n in names if n not in self.but and (self.names is None or n in self.names)]


EVERYTHING = Wanted()


def labels_of(schema: Schema) -> frozenset[str]:
    """The columns that hold categories, or tell users and items apart."""
    return frozenset((*(n for n, k in schema.kinds.items() if k == "categorical"), *schema.pair))


def read_file(
    file: DataFile, wanted: Wanted = EVERYTHING, groups: Groups | None = None
) -> pa.Table:
    """The wanted columns of a file, or of some of its row groups, and those its folders stand for.

    Columns that the file does not have are left out. Raises BatchError for a file that cannot be read.
    """
    with told(file.path):
        if file.format == "parquet":
            table = _read_parquet(file.path, wanted, groups)
        else:
            table = _read_text(file, wanted)
    for name, value in file.partitions:
        if name not in table.column_names and wanted.chosen([name]):
            table = table.append_column(name, _repeated(value, len(table)))
    return table


def column_reader(
    file: DataFile, wanted: Wanted, groups: Groups
) -> tuple[list[str], Callable[[str], pa.ChunkedArray]]:
    """The wanted columns of some row groups of a parquet file, and the way to read one of them."""
    with told(file.path):
        opened = open_parquet(file.path)
        encoded = [n for n in texts_of(opened.schema_arrow) if n not in wanted.plain]
        opened = _encoding(opened, file.path, encoded) if encoded else opened
    names = list(checked_names(wanted.chosen(opened.schema_arrow.names), file.path))
    partitions = {k: v for k, v in file.partitions if k not in names and wanted.chosen([k])}
    rows = sum(opened.metadata.row_group(i).num_rows for i in range(*groups))

    def read(name: str) -> pa.ChunkedArray:
        if name in partitions:
            return _repeated(partitions[name], rows)
        with told(file.path):
            table = opened.read_row_groups(range(*groups), columns=[name], use_threads=False)
        return _without_views(table).column(0)

    return [*names, *partitions], read


def stretches(file: DataFile) -> list[Groups | None]:
    """The parts in which a file is best read: row groups of parquet, the whole of any other."""
    if file.format != "parquet":
        return [None]
    with told(file.path):
        metadata = open_parquet(file.path).metadata
    out: list[Groups | None] = []
    first = rows = 0
    for i in range(metadata.num_row_groups):
        rows += metadata.row_group(i).num_rows
        if rows >= STRETCH or i == metadata.num_row_groups - 1:
            out.append((first, i + 1))
            first, rows = i + 1, 0
    return out or [None]


def open_parquet(path: Path) -> pq.ParquetFile:
    """The open file.

    It is not memory-mapped: that costs the same and counts the whole file as resident.
    """
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0, 2)
        size = file.tell()
        file.seek(max(size - 4, 0))
        tail = file.read(4)
    if not size:
        raise BatchError(_empty(path))
    if head != _PARQUET:
        raise BatchError(f"{path}: this is no parquet file{_guess(head)}")
    if tail != _PARQUET or size < 12:
        raise BatchError(
            f"{path}: this parquet file is cut off: write it beside its place and rename it when whole"
        )
    return pq.ParquetFile(path, pre_buffer=False)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What goes wrong with a file as a BatchError of one line that names it."""
    try:
        yield
    except (BadGzipFile, BadZipFile, EOFError, zlib.error, RuntimeError) as error:
        raise BatchError(
            f"{path}: cannot be unpacked: {_line(error)}: was it written to its end?"
        ) from error
    except (pa.ArrowException, ValueError) as error:
        raise BatchError(f"{path}: cannot be read: {_line(error)}") from error
    except OSError as error:
        if error.errno is None:  # Arrow's own, about what the file holds
            raise BatchError(f"{path}: cannot be read, is it damaged? {_line(error)}") from error
        raise BatchError(says(path, error)) from error


def texts_of(schema: pa.Schema) -> list[str]:
    """The names of the schema's text columns."""
    return [entry.name for entry in schema if is_text(entry.type)]


def _encoding(file: pq.ParquetFile, path: Path, texts: Sequence[str]) -> pq.ParquetFile:
    """The same file with dictionaries for these text columns; its footer is not read again."""
    return pq.ParquetFile(path, metadata=file.metadata, read_dictionary=texts, pre_buffer=False)


def _read_parquet(path: Path, wanted: Wanted, groups: Groups | None) -> pa.Table:
    first = open_parquet(path)
    schema = first.schema_arrow
    names = checked_names(wanted.chosen(schema.names), path)
    encoded = [n for n in texts_of(schema) if n in names and n not in wanted.plain]
    file = _encoding(first, path, encoded) if encoded else first
    if groups is None:
        threads = first.metadata.num_rows > WORTH_THREADS
        table = file.read(columns=names, use_threads=threads)
    else:
        if groups[1] > first.metadata.num_row_groups:
            raise BatchError(f"{path}: the file was replaced while it was read: run again")
        table = file.read_row_groups(range(*groups), columns=names, use_threads=True)
    return _without_views(table)


def _read_text(file: DataFile, wanted: Wanted) -> pa.Table:
    data = file.path.read_bytes()
    if not data:
        raise BatchError(_empty(file.path))
    if data[:4] == _PARQUET:
        raise BatchError(
            f"{file.path}: this is a parquet file: end its name in .parquet, or give `format: parquet`"
        )
    read = read_csv if file.format == "csv" else read_jsonl
    return unpacked(data, file.path, lambda text: read(text, file.path, wanted))


def _repeated(value: str | int | None, rows: int) -> pa.ChunkedArray:
    if isinstance(value, int):
        return pa.chunked_array([arrow(np.full(rows, value, np.int64))])
    if value is None:
        return pa.chunked_array([pa.nulls(rows, TEXT)])
    codes = arrow(np.zeros(rows, np.int32))
    return pa.chunked_array([pa.DictionaryArray.from_arrays(codes, texts([value]))])


def _without_views(table: pa.Table) -> pa.Table:
    """Newer text types as the one that everything here reads."""
    for i, entry in enumerate(table.schema):
        if entry.type == pa.string_view():
            table = table.set_column(i, entry.name, table.column(i).cast(pa.string()))
    return table


def _empty(path: Path) -> str:
    return (
        f"{path}: the file is empty: remove it, or write it again (a csv without rows has a header)"
    )


def _guess(head: bytes) -> str:
    if head[:2] == b"\x1f\x8b" or head[:2] == b"PK":
        return " but a packed one: unpack it, or give `format: csv` or `jsonl`"
    if head.lstrip()[:1] == b"{":
        return ": it looks like jsonl: rename it, or give `format: jsonl`"
    printable = all(32 <= x < 127 or x in b"\t\r\n" for x in head)
    return ": it looks like text: rename it, or give `format: csv`" if printable else ""


def _line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300].rstrip(".")
