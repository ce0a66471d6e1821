"""Two columns as frequencies on the same categories or bins."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isinf, log2

import numpy as np

from exporter.profile.arrays import Floats, Ints
from exporter.profile.column import CategoryProfile, NumericProfile

FEW_VALUES = 20  # a reference with no more distinct values is compared value by value


@dataclass(frozen=True, slots=True)
class Shares:
    """How often each category or bin occurs in one of two columns that are compared."""

    counts: Ints
    total: int
    bounds: tuple[Ints, Ints] | None = None  # binned mode: the least and the most a bin can hold

    @property
    def share(self) -> Floats:
        """The share of each category or bin."""
        return self.counts / self.total

    @property
    def filled(self) -> Floats:
        """The shares with zeros replaced by a small one, as Evidently does for PSI and KL."""
        return _filled(self.share)

    @property
    def corners(self) -> tuple[Floats, Floats]:
        """The least and the most of each share, zeros replaced likewise."""
        low, high = self.bounds if self.bounds is not None else (self.counts, self.counts)
        return _filled(low / self.total), _filled(high / self.total)


def shares(
    current: NumericProfile | CategoryProfile, reference: NumericProfile | CategoryProfile
) -> tuple[Shares, Shares]:
    """Both columns on common categories, values, or Sturges' bins over the combined range."""
    if isinstance(current, CategoryProfile) and isinstance(reference, CategoryProfile):
        pair = _by_label(current, reference)
    elif isinstance(current, NumericProfile) and isinstance(reference, NumericProfile):
        if reference.distinct > FEW_VALUES:
            edges = sturges_edges(current, reference, current.count + reference.count)
            counts = [x.points.in_bins(edges) for x in (current, reference)]
            bounds = [x.points.share_bounds(edges) for x in (current, reference)]
            return Shares(counts[0], current.count, bounds[0]), Shares(
                counts[1], reference.count, bounds[1]
            )
        values = np.union1d(current.points.values, reference.points.values)
        pair = [
            x.points.below(values, "right") - x.points.below(values) for x in (current, reference)
        ]
    else:
        raise TypeError("a numerical column cannot be compared with a categorical one")
    return Shares(pair[0], current.count), Shares(pair[1], reference.count)


def _by_label(current: CategoryProfile, reference: CategoryProfile) -> list[Ints]:
    """Both columns' counts of all labels, in the labels' order; quick where the reference has them all."""
    if reference.place_of.keys() >= current.count_of.keys():
        counts = np.zeros(len(reference.labels), np.int64)
        counts[[reference.place_of[label] for label in current.labels]] = current.counts
        return [counts, reference.counts_by_label]
    labels = sorted({*current.labels, *reference.labels})
    return [
        np.array([x.count_of.get(label, 0) for label in labels], np.int64)
        for x in (current, reference)
    ]


def sturges_edges(current: NumericProfile, reference: NumericProfile, size: int) -> Floats:
    """numpy.histogram_bin_edges(both, "sturges"): equal widths over the combined range."""
    low = min(current.moments.least, reference.moments.least)
    high = max(current.moments.most, reference.moments.most)
    if isinf(high - low):
        raise ValueError("the values lie too far apart to be put in bins of equal width")
    if high == low:
        return np.array([low - 0.5, high + 0.5])
    return np.linspace(low, high, ceil((high - low) / ((high - low) / (log2(size) + 1))) + 1)


def _filled(share: Floats) -> Floats:
    least = float(share[share > 0].min())
    share[share == 0] = least / 1e6 if least <= 1e-4 else 1e-4
    return share
