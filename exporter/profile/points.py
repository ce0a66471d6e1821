"""Weighted points: what a numeric column's values are kept as, exactly or in bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Literal, NamedTuple

import numpy as np

from exporter.profile.arrays import Floats, Ints

LARGEST_GRID = 16_384
VALUES_A_SLAB = 64


class Estimate(NamedTuple):
    """A figure and the bounds within which the exact one lies; equal bounds = exact."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Points:
    """Values in ascending order, each with a count; in bins also with the bounds of what a point stands for.

    `counts` is None where every point counts one; equal values may then follow each other.
    """

    values: Floats
    counts: Ints | None = None
    bounds: tuple[Floats, Floats] | None = None

    @cached_property
    def total(self) -> int:
        """How many values the points stand for."""
        return len(self.values) if self.counts is None else int(self.counts.sum())

    @cached_property
    def _before(self) -> Ints:
        counts = np.empty(0, np.int64) if self.counts is None else self.counts
        return np.concatenate(([0], np.cumsum(counts)))

    def rank(self, index: Ints) -> Ints:
        """How many values lie before the points with these indices."""
        return index if self.counts is None else self._before[index]

    def below(self, x: Floats, side: Literal["left", "right"] = "left") -> Ints:
        """How many values lie below each x (`right`: at or below)."""
        return self.rank(np.searchsorted(self.values, x, side))

    def at(self, rank: Ints) -> Floats:
        """The values that stand at these ranks (0 = smallest)."""
        if self.counts is None:
            return self.values[rank]
        return self.values[np.searchsorted(self._before, rank, "right") - 1]

    def quantile(self, q: float) -> Estimate:
        """The value below which a share q lies, interpolated as numpy and pandas do."""
        place = q * (self.total - 1)
        ranks = np.array([int(place), min(int(place) + 1, self.total - 1)])
        share = place - int(place)
        value = _between(self.at(ranks), share)
        if self.bounds is None:
            return Estimate(value, value, value)
        index = np.searchsorted(self._before, ranks, "right") - 1
        return Estimate(
            value, _between(self.bounds[0][index], share), _between(self.bounds[1][index], share)
        )

    def in_bins(self, edges: Floats) -> Ints:
        """How many values lie in each bin, the last one closed on the right, as numpy.histogram counts them."""
        below = np.append(self.below(edges[:-1]), self.below(edges[-1:], "right"))
        return below[1:] - below[:-1]

    def share_bounds(self, edges: Floats) -> tuple[Ints, Ints] | None:
        """The least and the most values that each bin can hold; None where the count is exact."""
        if self.bounds is None:
            return None
        surely, maybe = (
            self.rank(np.searchsorted(end, edges)) for end in (self.bounds[1], self.bounds[0])
        )
        surely[-1], maybe[-1] = (
            self.rank(np.searchsorted(end, edges[-1:], "right"))[0]
            for end in (self.bounds[1], self.bounds[0])
        )
        return np.maximum(surely[1:] - maybe[:-1], 0), maybe[1:] - surely[:-1]


def _between(pair: Floats, share: float) -> float:
    low, high = float(pair[0]), float(pair[1])
    step = high - low
    return low + step * share if isfinite(step) else low * (1 - share) + high * share


def points_of(ascending: Floats, distinct: int) -> Points:
    """The points of sorted values: one a distinct value where that saves memory, else one a value."""
    if distinct > len(ascending) // 2:
        return Points(ascending)
    last = (
        np.append(np.flatnonzero(ascending[1:] != ascending[:-1]), len(ascending) - 1)
        if distinct
        else np.empty(0, int)
    )
    return Points(ascending[last], np.diff(last, prepend=-1))


def merged_points(parts: Sequence[Points]) -> tuple[Points, int]:
    """The points of all parts together, as `points_of` would make them, and how many values are distinct.

    Parts in bins stay in bins: exact ones are taken as bins of one value.
    """
    if any(part.bounds is not None for part in parts):
        return _merged_bins(parts)
    values = np.concatenate([part.values for part in parts]) if parts else np.empty(0)
    if all(part.counts is None for part in parts):
        values.sort()
        distinct = int(np.count_nonzero(values[1:] != values[:-1])) + (len(values) > 0)
        return points_of(values, distinct), distinct
    if not len(values):
        return points_of(values, 0), 0
    order = np.argsort(values, kind="stable")
    values, counts = values[order], np.concatenate([_counts(part) for part in parts])[order]
    first = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    values, counts = values[first], np.add.reduceat(counts, first)
    if len(values) > int(counts.sum()) // 2:
        return Points(np.repeat(values, counts)), len(values)
    return Points(values, counts), len(values)


def _merged_bins(parts: Sequence[Points]) -> tuple[Points, int]:
    bounds = [part.bounds or (part.values, part.values) for part in parts]
    low, high = (np.concatenate([pair[side] for pair in bounds]) for side in (0, 1))
    values = np.concatenate([part.values for part in parts])
    counts = np.concatenate([_counts(part) for part in parts])
    order = np.lexsort((high, low, values))
    points = Points(values[order], counts[order], (low[order], high[order]))
    return points, int(np.count_nonzero(np.diff(values[order]))) + (len(values) > 0)


def _counts(points: Points) -> Ints:
    return np.ones(len(points.values), np.int64) if points.counts is None else points.counts


@dataclass(frozen=True)
class Slabs:
    """Points counted between the edges of a grid: (-inf, e0) [e0, e1) ... [ek, inf)."""

    edges: Floats
    index: Ints  # first point of each slab, and the number of points
    rank: Ints  # values before each border, and their total
    sums: Floats  # sum of the values in each slab


def grid_of(points: Points) -> Floats:
    """Edges that cut the points into slabs of about equal count; every edge is a value."""
    size = min(points.total // VALUES_A_SLAB, LARGEST_GRID)
    ranks = np.arange(1, size, dtype=np.int64) * points.total // max(size, 1)
    return np.unique(points.at(ranks)) if size > 1 else np.empty(0)


def bin_edges(points: Points, size: int = 2048) -> Floats:
    """The grid of binned mode: quantiles, equal widths for the tails, and heavy values in a bin of their own."""
    ranks = np.arange(1, size, dtype=np.int64) * points.total // size
    quantiles = points.at(ranks)
    heavy = quantiles[1:][quantiles[1:] == quantiles[:-1]]
    if len(points.values) <= size // 2:
        heavy = points.values
    ends = points.values[[0, -1]]
    alone = np.concatenate((heavy, ends))
    return np.unique(
        np.concatenate(
            (
                quantiles,
                np.linspace(float(ends[0]), float(ends[1]), size // 4),
                alone,
                np.nextafter(alone, np.inf),
            )
        )
    )


def slabs_of(points: Points, edges: Floats) -> Slabs:
    """The points counted and summed on the grid."""
    index = np.concatenate(([0], np.searchsorted(points.values, edges), [len(points.values)]))
    weighted = points.values if points.counts is None else points.values * points.counts
    sums = np.zeros(len(edges) + 1)
    filled = index[1:] > index[:-1]
    if filled.any():
        sums[filled] = np.add.reduceat(weighted, index[:-1][filled])
    return Slabs(edges, index, points.rank(index), sums)


def binned(points: Points, edges: Floats) -> Points:
    """The same column in bins: a point a slab, its mean, with the slab's ends as bounds."""
    slabs = slabs_of(points, edges)
    counts = np.diff(slabs.rank)
    keep = counts > 0
    low = np.concatenate((points.values[:1], edges))[keep]
    high = np.concatenate((np.nextafter(edges, -np.inf), points.values[-1:]))[keep]
    means = np.clip(
        slabs.sums[keep] / counts[keep], low, high
    )  # a rounded mean must not leave its bin
    return Points(means, counts[keep], (low, high))
