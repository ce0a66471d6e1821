"""Column profiles: computed once from a column, read by every metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from math import isfinite, sqrt

import numpy as np

from exporter.batch import Kind
from exporter.profile.arrays import BLOCK, Codes, Floats, Hashes, Ints
from exporter.profile.points import Points, Slabs, binned, grid_of, points_of, slabs_of

SORTED_IN_PYTHON = 10_000  # labels up to which Arrow is not asked to sort them


@dataclass(frozen=True)
class Moments:
    """Count, mean, sum of squared deviations and range of the finite values; two of them add up to that of both."""

    count: int = 0
    mean: float = float("nan")
    squares: float = 0.0
    least: float = float("nan")
    most: float = float("nan")

    def std(self, *, ddof: int = 1) -> float:
        """Standard deviation; NaN where there are too few values."""
        return sqrt(self.squares / (self.count - ddof)) if self.count > ddof else float("nan")

    def __add__(self, other: Moments) -> Moments:
        if not self.count or not other.count:
            return self if self.count else other
        count, step = self.count + other.count, other.mean - self.mean
        squares = self.squares + other.squares + step * step * self.count * other.count / count
        mean = self.mean + step * other.count / count
        return Moments(
            count, mean, squares, min(self.least, other.least), max(self.most, other.most)
        )


@dataclass(frozen=True)
class NumericProfile:
    """A numeric column: counts, moments and weighted points of its finite values."""

    name: str
    rows: int
    missing: int
    infinite: int
    distinct: int
    moments: Moments
    points: Points
    grid: Slabs | None = (
        None  # the points on their own grid: made for references, kept in their cache
    )
    negative_infinite: int = 0  # of the infinite ones
    replaced: Mapping[str, int] = field(default_factory=dict)  # of the missing: what they were

    @property
    def count(self) -> int:
        """How many values are there and finite."""
        return self.moments.count

    @cached_property
    def top(self) -> int:
        """How often the most common value occurs."""
        if not self.count:
            return 0
        if self.points.counts is not None:
            return int(self.points.counts.max())
        if self.distinct == self.count:
            return 1
        values = self.points.values
        again = np.flatnonzero(values[1:] == values[:-1])  # few, or there would be counts
        ends = np.append(np.flatnonzero(np.diff(again) != 1), len(again) - 1)
        return int(np.diff(ends, prepend=-1).max()) + 1

    @property
    def top_at_most(self) -> int:
        """An upper bound of it that costs nothing, where few values repeat."""
        return (
            self.count - self.distinct + 1
            if self.points.counts is None and self.distinct
            else self.top
        )


@dataclass(frozen=True)
class CategoryProfile:
    """A categorical column: how often each label occurs, most frequent first."""

    name: str
    rows: int
    missing: int
    labels: tuple[str, ...]
    counts: Ints
    replaced: Mapping[str, int] = field(default_factory=dict)  # of the missing: what they were

    @property
    def count(self) -> int:
        """How many values are there."""
        return self.rows - self.missing

    @property
    def distinct(self) -> int:
        """How many labels occur."""
        return len(self.labels)

    @property
    def top(self) -> int:
        """How often the most common label occurs."""
        return int(self.counts[0]) if len(self.counts) else 0

    @cached_property
    def count_of(self) -> dict[str, int]:
        """Label to count."""
        return dict(zip(self.labels, self.counts.tolist(), strict=True))

    @cached_property
    def place_of(self) -> dict[str, int]:
        """Label to its place in the labels' own order."""
        return {label: place for place, label in enumerate(sorted(self.labels))}

    @cached_property
    def counts_by_label(self) -> Ints:
        """The counts in the labels' own order."""
        counts = np.zeros(len(self.labels), np.int64)
        counts[[self.place_of[label] for label in self.labels]] = self.counts
        return counts


@dataclass(frozen=True)
class OpaqueProfile:
    """A column of which only the presence and the repetition of values is looked at: times, text."""

    name: str
    rows: int
    missing: int
    distinct: int = 0
    top: int = 0  # how often the most common value occurs
    values: Hashes | None = None  # of its distinct values, in order: kept where parts are to merge
    counts: Ints | None = None
    empty: int = 0  # texts without a character
    replaced: Mapping[str, int] = field(default_factory=dict)  # of the missing: what they were

    @property
    def count(self) -> int:
        """How many values are there."""
        return self.rows - self.missing


@dataclass(frozen=True)
class TimeProfile(OpaqueProfile):
    """A column of points in time: the same, and the first and the last of them, in seconds since 1970."""

    first: float = float("nan")
    last: float = float("nan")


ColumnProfile = NumericProfile | CategoryProfile | OpaqueProfile | TimeProfile
PROFILE_OF: Mapping[Kind, type[ColumnProfile]] = {
    "numerical": NumericProfile,
    "categorical": CategoryProfile,
    "datetime": TimeProfile,
    "text": OpaqueProfile,
}


def numeric_profile(
    name: str, rows: int, present: Floats, *, gridded: bool = False
) -> NumericProfile:
    """The exact profile of a column; sorts *present* in place. `gridded`: also the grid, for a reference."""
    present.sort()  # NaN goes last
    if len(present) and np.isnan(present[-1]):
        present = present[: np.searchsorted(present, np.nan)]
    finite = _finite(present)
    distinct = int(np.count_nonzero(finite[1:] != finite[:-1])) + (len(finite) > 0)
    points = points_of(finite, distinct)
    return NumericProfile(
        name,
        rows,
        rows - len(present),
        len(present) - len(finite),
        distinct,
        moments_of(finite),
        points,
        slabs_of(points, grid_of(points)) if gridded else None,
        int(np.searchsorted(present, -np.inf, "right")),
    )


def category_profile(name: str, labels: list[str], codes: Codes) -> CategoryProfile:
    """The profile of dictionary codes; the code after the last label is missing."""
    counts = np.bincount(codes, minlength=len(labels) + 1)
    order = frequency_order(labels, counts[:-1])
    return CategoryProfile(
        name, len(codes), int(counts[-1]), tuple([labels[i] for i in order]), counts[order]
    )


def frequency_order(labels: Sequence[str], counts: Ints) -> Ints:
    """The indices of the labels that occur, most frequent first, equally frequent ones by name."""
    if len(labels) > SORTED_IN_PYTHON:
        import pyarrow.compute as pc

        from exporter.profile.arrow import texts

        names = np.frombuffer(pc.sort_indices(texts(labels)).buffers()[1], np.uint64).astype(int)
    else:
        names = np.array(sorted(range(len(labels)), key=labels.__getitem__), dtype=int)
    order: Ints = names[np.argsort(-counts[names], kind="stable")]
    return order[counts[order] > 0]


def opaque_profile(
    name: str, rows: int, missing: int, hashes: Hashes, *, mergeable: bool, empty: int = 0
) -> OpaqueProfile:
    """The profile of a column of which only a hash a present row is looked at."""
    values, counts = np.unique(hashes, return_counts=True)
    top = int(counts.max(initial=0))
    kept, often = (values, counts) if mergeable else (None, None)
    return OpaqueProfile(name, rows, missing, len(values), top, kept, often, empty)


def time_profile(column: OpaqueProfile, first: float, last: float) -> TimeProfile:
    """The profile of a column of times, with its ends; NaN where there are none."""
    told = {part.name: getattr(column, part.name) for part in fields(column)}
    return TimeProfile(**told | {"first": first, "last": last})


def in_bins(column: NumericProfile, edges: Floats) -> NumericProfile:
    """The same column in binned mode, on another column's grid."""
    points = binned(column.points, edges)
    return NumericProfile(
        column.name,
        column.rows,
        column.missing,
        column.infinite,
        column.distinct,
        column.moments,
        points,
        slabs_of(points, edges),
        column.negative_infinite,
        column.replaced,
    )


def _finite(ascending: Floats) -> Floats:
    if len(ascending) and (np.isinf(ascending[0]) or np.isinf(ascending[-1])):
        return ascending[
            np.searchsorted(ascending, -np.inf, "right") : np.searchsorted(ascending, np.inf)
        ]
    return ascending


def moments_of(ascending: Floats) -> Moments:
    """The moments of finite values that ascend."""
    if not len(ascending):
        return Moments()
    least, most = float(ascending[0]), float(ascending[-1])
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(ascending.mean())
        if not isfinite(mean):  # the sum was too large for a float, their mean is not
            mean = float((ascending / len(ascending)).sum())
        mean = min(max(mean, least), most)  # a rounded mean must not leave the range
        return Moments(len(ascending), mean, _squares(ascending, mean), least, most)


def _squares(values: Floats, mean: float) -> float:
    squares = 0.0
    room = np.empty(min(BLOCK, len(values)))
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK]
        gap = np.subtract(block, mean, out=room[: len(block)])
        squares += float(np.einsum("i,i", gap, gap))  # np.dot would start BLAS threads
    return squares
