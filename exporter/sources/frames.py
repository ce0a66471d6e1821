"""The door: parquet paths, pandas frames and Arrow tables become batches."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from exporter.batch import Batch, Kind, Schema, Task
from exporter.errors import BatchError, PlanError

READ_WHOLE = 100_000  # rows up to which a file is read in one call
FEW_INTEGERS = 10
ROLES = ("target", "prediction", "probability", "time", "id", "positive", "threshold")


def open_batch(data: Any) -> Batch:
    """A batch over a parquet path, an Arrow table or a pandas frame."""
    if isinstance(data, str | Path):
        return _parquet(Path(data))
    if not isinstance(data, pa.Table):
        data = pa.Table.from_pandas(data, preserve_index=False)
    return _table(data)


def resolve_schema(batch: Batch, columns: Mapping[str, Any] | None, task: Task | None) -> Schema:
    """The schema from the declaration, or, without one, from the data's types."""
    if columns is None:
        kinds = {name: kind for name in batch.types if (kind := _inferred(batch, name))}
        return Schema(
            kinds, tuple(n for n, k in kinds.items() if k in ("numerical", "categorical"))
        )
    roles = {role: columns.get(role) for role in ROLES}
    declared: dict[str, Kind] = {}
    for kind in ("numerical", "categorical", "datetime", "text"):
        declared |= dict.fromkeys(columns.get(kind, ()), kind)  # type: ignore[arg-type]
    features = tuple(n for n, k in declared.items() if k in ("numerical", "categorical"))
    outcome: Kind = "numerical" if task == "regression" else "categorical"
    for role, kind in (
        ("target", outcome),
        ("prediction", outcome),
        ("probability", "numerical"),
        ("time", "datetime"),
    ):
        if roles[role]:
            declared.setdefault(roles[role], kind)  # type: ignore[arg-type]
    absent = [name for name in declared if name not in batch.types]
    if absent:
        raise PlanError(f"columns that the data does not have: {', '.join(absent)}")
    return Schema(
        declared,
        features,
        roles["target"],
        roles["prediction"],
        roles["probability"],
        str(roles["positive"] or "1"),
        task or "none",
    )


def _parquet(path: Path) -> Batch:
    try:
        first = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise BatchError(f"{path}: {error}") from error
    schema, rows = first.schema_arrow, first.metadata.num_rows
    types = {field.name: field.type for field in schema}
    texts = [
        name
        for name, kind in types.items()
        if pa.types.is_string(kind) or pa.types.is_large_string(kind)
    ]

    def opened() -> (
        pq.ParquetFile
    ):  # not memory-mapped: that costs the same and counts the whole file as resident
        return pq.ParquetFile(
            path, metadata=first.metadata, read_dictionary=texts, pre_buffer=False
        )

    if rows <= READ_WHOLE:
        return _table(opened().read(use_threads=False))
    local = threading.local()

    def read(name: str) -> pa.ChunkedArray:
        if not hasattr(local, "file"):
            local.file = opened()
        return local.file.read(columns=[name], use_threads=False).column(0)

    return Batch(rows, types, read)


def _table(table: pa.Table) -> Batch:
    return Batch(table.num_rows, {field.name: field.type for field in table.schema}, table.column)


def _inferred(batch: Batch, name: str) -> Kind | None:
    kind = batch.types[name]
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "numerical"
    if pa.types.is_integer(kind):
        return (
            "categorical"
            if pc.count_distinct(batch.read(name)).as_py() <= FEW_INTEGERS
            else "numerical"
        )
    if pa.types.is_temporal(kind):
        return "datetime"
    if pa.types.is_boolean(kind) or pa.types.is_dictionary(kind):
        return "categorical"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "categorical"
    return None
