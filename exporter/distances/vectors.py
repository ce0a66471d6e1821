"""Vectors of batch and reference, each in several columns or in one of lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exporter.errors import BatchError
from exporter.profile.arrays import Floats, Ints
from exporter.profile.rows import Rows

if TYPE_CHECKING:  # a config is checked without Arrow
    import pyarrow as pa

MOST_ROWS = 50_000  # of a set that has more, so many are chosen, with a fixed seed
MOST_NUMBERS = 1 << 25  # and fewer of long ones
CHOICE = 20_130_101


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors in the order of the rows: shape (rows, components), every number finite."""

    values: Floats

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.values)

    def by_column(self) -> Vectors:
        """The same, each component's numbers side by side in memory, as a frame holds them."""
        return Vectors(np.asfortranarray(self.values))

    def some(self, most: int) -> Vectors:
        """The same, or so many of them, chosen with a fixed seed."""
        chosen = _chosen(self.count, most)
        return self if chosen is None else Vectors(self.values[chosen])


def vectors_of(rows: Rows, columns: Sequence[str]) -> Vectors:
    """The vectors in some columns, or in one of lists; rows that lack a number are left out.

    At most 50,000 and 256 MB of them are read. Raises BatchError where a column is not there or
    holds no numbers.
    """
    width = len(columns)
    chosen = _chosen(rows.count, min(MOST_ROWS, MOST_NUMBERS // width))
    if width == 1 and _is_list(rows, columns[0]):
        values = _lists(rows.arrow(columns[0]), columns[0])
    else:
        values = np.empty((rows.count if chosen is None else len(chosen), width), order="F")
        for i, column in enumerate(columns):
            numbers = _numbers(rows, column)
            values[:, i] = numbers if chosen is None else numbers[chosen]
    sound = np.isfinite(values).all(axis=1)
    return Vectors(values if sound.all() else values[sound])


def reduced(current: Vectors, reference: Vectors, components: int) -> tuple[Vectors, Vectors]:
    """Both in the principal components of the reference; a ValueError where there are not so many."""
    from sklearn.decomposition import PCA

    most = min(reference.values.shape)
    if components > most:
        raise ValueError(f"pca_components: the reference has {most} components at most")
    pca = PCA(n_components=components, random_state=0)
    fitted = pca.fit_transform(reference.values)
    return Vectors(pca.transform(current.values)), Vectors(fitted)


def _chosen(rows: int, most: int) -> Ints | None:
    """Which rows are read; None = all."""
    if rows <= most:
        return None
    chosen: Ints = np.random.default_rng(CHOICE).choice(rows, most, replace=False)
    chosen.sort()
    return chosen


def _numbers(rows: Rows, column: str) -> Floats:
    """A component row by row; not kept, for there are many and each is read once."""
    from exporter.profile.arrow import floats

    try:
        return floats(rows.arrow(column))
    except BatchError as error:
        text = str(error)
        raise BatchError(text if column in text else f"column {column!r}: {text}") from error


def _is_list(rows: Rows, column: str) -> bool:
    import pyarrow as pa

    kind = rows.types.get(column)
    return kind is not None and (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _lists(column: pa.ChunkedArray, name: str) -> Floats:
    """The lists of a column as rows, those that are missing left out; all must be of one length."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from exporter.profile.arrow import floats

    present = column.drop_null()
    lengths = pc.unique(pc.list_value_length(present)).to_pylist()
    if len(lengths) > 1:
        raise BatchError(f"column {name!r}: its lists are of {len(lengths)} lengths")
    width = lengths[0] if lengths else 0
    chosen = _chosen(len(present), min(MOST_ROWS, MOST_NUMBERS // max(width, 1)))
    if chosen is not None:
        present = present.take(pa.array(chosen))
    try:
        return floats(pc.list_flatten(present)).reshape(len(present), width)
    except BatchError as error:
        raise BatchError(f"column {name!r}: its lists hold no numbers: {error}") from error
