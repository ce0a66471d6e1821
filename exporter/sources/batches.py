"""Batches over tables, and over parquet files that are read a column at a time."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from exporter.batch import Batch
from exporter.sources.listing import DataFile
from exporter.sources.reading import open_parquet, read_file, texts_of, told
from exporter.sources.tables import MARK, checked_names, marked, replaced_in

READ_WHOLE = 100_000  # rows up to which a file is read in one call


def batch_of(table: pa.Table) -> Batch:
    """A batch over a table; a BatchError where two of its columns share a name."""
    checked_names(table.column_names, "the data")
    types = {f.name: f.type for f in table.schema if not f.name.startswith(MARK)}
    return Batch(len(table), types, table.column, partial(replaced_in, table))


def parquet_batch(path: Path, missing_values: Sequence[str | float] = ()) -> Batch:
    """A batch over a parquet file; of a large one each column is read when it is asked for.

    Every thread has the file open for itself. Raises BatchError for a file that cannot be read.
    """
    with told(path):
        first = open_parquet(path)
    schema, rows = first.schema_arrow, first.metadata.num_rows
    if rows <= READ_WHOLE:
        return batch_of(marked(read_file(DataFile(path, "parquet")), missing_values))
    checked_names(schema.names, path)
    texts = texts_of(schema)
    local = threading.local()
    replaced: dict[str, Mapping[str, int]] = {}

    def read(name: str) -> pa.ChunkedArray:
        with told(path):
            if not hasattr(local, "file"):
                local.file = pq.ParquetFile(
                    path, metadata=first.metadata, read_dictionary=texts, pre_buffer=False
                )
            table = local.file.read(columns=[name], use_threads=False)
        table = marked(table, missing_values)
        replaced[name] = replaced_in(table, name)
        return table.column(0)

    types = {field.name: field.type for field in schema}
    return Batch(rows, types, read, lambda name: replaced.get(name, {}))
