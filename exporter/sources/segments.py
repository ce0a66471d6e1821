"""Rows by the values of a column: segments, and tags that are read from the data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from exporter.errors import BatchError, nearest
from exporter.profile.arrow import codes
from exporter.sources.buffers import arrow

OTHER = "other"
SHOWN = 3  # values that a describing tag names


def segment_values(table: pa.Table, column: str, most: int) -> list[str]:
    """The most frequent values of a column as canonical text, at most so many; what is left is `other`."""
    labels, counts = _counted(table, column)
    order = sorted(range(len(labels)), key=lambda i: (-counts[i], labels[i]))
    return [labels[i] for i in order[:most]]


def values_of(table: pa.Table, column: str) -> list[str]:
    """The distinct values of a column as canonical text, in order; rows without one have none."""
    return sorted(_counted(table, column)[0])


def rows_where(table: pa.Table, column: str, value: str) -> pa.Table:
    """The rows in which a column has a value, given as canonical text: `1` finds 1, 1.0 and "1"."""
    labels, places = codes(_column(table, column))
    if value not in labels:
        return table.slice(0, 0)
    chosen = np.flatnonzero(places == labels.index(value))
    return table if len(chosen) == len(table) else table.take(arrow(chosen))


def split(table: pa.Table, column: str) -> Iterator[tuple[str, pa.Table]]:
    """Each value of a column with its rows, in order of the values; rows without one are in none."""
    labels, places = codes(_column(table, column))
    order = np.argsort(places, kind="stable")
    edges = np.searchsorted(places[order], np.arange(len(labels) + 1))
    for i in sorted(range(len(labels)), key=labels.__getitem__):
        if edges[i + 1] > edges[i]:
            yield labels[i], table.take(arrow(order[edges[i] : edges[i + 1]]))


def other_rows(table: pa.Table, column: str, values: list[str]) -> int:
    """How many rows have a value that is none of these, or none at all."""
    labels, counts = _counted(table, column)
    known = dict(zip(labels, counts, strict=True))
    return len(table) - sum(known.get(value, 0) for value in values)


def describing_tag(table: pa.Table, column: str) -> str:
    """The values of a column as one tag: `2`, `1,2`, `1,2,3`, and `1,2,3 +4` where there are more."""
    found = values_of(table, column)
    more = f" +{len(found) - SHOWN}" if len(found) > SHOWN else ""
    return ",".join(found[:SHOWN]) + more


def _counted(table: pa.Table, column: str) -> tuple[list[str], list[int]]:
    """The labels that occur, and how often."""
    labels, places = codes(_column(table, column))
    counts = np.bincount(places, minlength=len(labels) + 1)[: len(labels)].tolist()
    return (
        [label for label, n in zip(labels, counts, strict=True) if n],
        [n for n in counts if n],
    )


def _column(table: pa.Table, column: str) -> pa.ChunkedArray:
    if column not in table.column_names:
        raise BatchError(
            f"there is no column {column!r} to read a tag or segments from"
            + nearest(column, table.column_names)
        )
    return table[column]
