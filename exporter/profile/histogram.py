"""Grids: the fixed edges or categories on which a column's distribution is told, batch after batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from exporter.profile.column import CategoryProfile, ColumnProfile, NumericProfile

BINS = 20
CATEGORIES = 20
TAIL = 0.01  # of the values lie in the overflow bin at either end
RARE = 0.001  # a category of a smaller share is told as `other`
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Grid:
    """Where a column's values are counted: between edges, with an overflow bin at either end, or by category."""

    edges: tuple[float, ...] | None = None
    categories: tuple[str, ...] | None = None


def grid_for(column: ColumnProfile) -> Grid | None:
    """The grid that suits a column; None where it has no values, or none that are counted.

    Numbers: 20 equal bins between the 1 % and the 99 % quantiles (one edge where these are equal).
    Categories: the 20 most frequent; rare ones, and all of a column of which no two rows are
    alike (an id), are told as `other`.
    """
    if isinstance(column, NumericProfile):
        return _numeric_grid(column) if column.count else None
    if isinstance(column, CategoryProfile):
        return Grid(categories=_frequent(column)) if column.count else None
    return None


def histogram(column: ColumnProfile | None, grid: Grid) -> list[int] | None:
    """How many values lie in each of the grid's bins, `other` last; None where the column is of another kind.

    An edge belongs to the bin on its right. Infinite and missing values are not counted.
    """
    if grid.edges is not None and isinstance(column, NumericProfile):
        below = column.points.below(np.array(grid.edges)).tolist()
        return [after - before for before, after in pairwise([0, *below, column.count])]
    if grid.categories is not None and isinstance(column, CategoryProfile):
        counts = [column.count_of.get(name, 0) for name in grid.categories]
        return [*counts, column.count - sum(counts)]
    return None


def bin_names(grid: Grid) -> Sequence[str] | None:
    """The names of a categorical grid's counts; None of a numeric one."""
    return None if grid.categories is None else [*grid.categories, OTHER]


def _numeric_grid(column: NumericProfile) -> Grid:
    low, high = (column.points.quantile(q).value for q in (TAIL, 1 - TAIL))
    with np.errstate(over="ignore", invalid="ignore"):
        edges = np.unique(np.linspace(low, high, BINS + 1))
    if not np.isfinite(edges).all():  # the range itself is too wide for a float
        edges = np.unique([low, high])
    return Grid(edges=tuple((edges + 0.0).tolist()))


def _frequent(column: CategoryProfile) -> tuple[str, ...]:
    if column.distinct == column.count > CATEGORIES:
        return ()
    return tuple(
        label
        for label, count in zip(column.labels[:CATEGORIES], column.counts.tolist(), strict=False)
        if count >= RARE * column.count
    )
