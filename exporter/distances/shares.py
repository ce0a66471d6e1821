"""Two columns as frequencies on the same categories or bins."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from math import ceil, inf, isinf, log2
from typing import Literal

import numpy as np

from exporter.profile.arrays import Floats, Ints
from exporter.profile.column import CategoryProfile, NumericProfile

Bins = Literal["sturges", "reference_quantiles"]
FEW_VALUES = 20  # a reference with no more distinct values is compared value by value
LOTS = 10  # bins by the reference's quantiles, each with a tenth of it: what PSI's 0.1 is meant for


@dataclass(frozen=True, slots=True)
class Shares:
    """How often each category or bin occurs in one of two columns that are compared."""

    counts: Ints
    total: int
    bounds: tuple[Ints, Ints] | None = None  # binned mode: the least and the most a bin can hold
    names: Collection[str] | Floats = ()  # the categories, or the values, or the bins' edges
    missing: bool = False  # the last one is what is missing

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

    def with_missing(self, missing: int) -> Shares:
        """The same with what is missing as one more category or bin."""
        low, high = self.bounds or (self.counts, self.counts)
        bounds = (np.append(low, missing), np.append(high, missing)) if self.bounds else None
        counts, total = np.append(self.counts, missing), self.total + missing
        return replace(self, counts=counts, total=total, bounds=bounds, missing=True)


def shares(
    current: NumericProfile | CategoryProfile,
    reference: NumericProfile | CategoryProfile,
    *,
    bins: Bins = "sturges",
    missing: bool = False,
) -> tuple[Shares, Shares]:
    """Both columns on common categories, values or bins.

    Numbers of which the reference has more than 20 are put in bins: Sturges' over the combined
    range, or with open ends between the reference's deciles. `missing`: what is missing on either
    side is one more.
    """
    if isinstance(current, CategoryProfile) and isinstance(reference, CategoryProfile):
        pair = _by_label(current, reference)
    elif isinstance(current, NumericProfile) and isinstance(reference, NumericProfile):
        pair = _of_numbers(current, reference, bins)
    else:
        raise TypeError("a numerical column cannot be compared with a categorical one")
    if missing and (current.missing or reference.missing):
        return pair[0].with_missing(current.missing), pair[1].with_missing(reference.missing)
    return pair


def _of_numbers(
    current: NumericProfile, reference: NumericProfile, bins: Bins
) -> tuple[Shares, Shares]:
    both = current, reference
    if reference.distinct > FEW_VALUES:
        if bins == "sturges":
            edges = sturges_edges(current, reference, current.count + reference.count)
        else:
            edges = quantile_edges(reference)
        counts = [x.points.in_bins(edges) for x in both]
        bounds = [x.points.share_bounds(edges) for x in both]
        return Shares(counts[0], current.count, bounds[0], edges), Shares(
            counts[1], reference.count, bounds[1], edges
        )
    values = np.union1d(current.points.values, reference.points.values)
    counts = [x.points.below(values, "right") - x.points.below(values) for x in both]
    return Shares(counts[0], current.count, names=values), Shares(
        counts[1], reference.count, names=values
    )


def _by_label(current: CategoryProfile, reference: CategoryProfile) -> tuple[Shares, Shares]:
    """Both columns' counts of all labels, in the labels' order; quick where the reference has them all."""
    if reference.place_of.keys() >= current.count_of.keys():
        counts = np.zeros(len(reference.labels), np.int64)
        counts[[reference.place_of[label] for label in current.labels]] = current.counts
        known = reference.place_of.keys()
        return Shares(counts, current.count, names=known), Shares(
            reference.counts_by_label, reference.count, names=known
        )
    labels = sorted({*current.labels, *reference.labels})
    one, other = (
        np.array([x.count_of.get(label, 0) for label in labels], np.int64)
        for x in (current, reference)
    )
    return Shares(one, current.count, names=labels), Shares(other, reference.count, names=labels)


def sturges_edges(current: NumericProfile, reference: NumericProfile, size: int) -> Floats:
    """numpy.histogram_bin_edges(both, "sturges"): equal widths over the combined range."""
    low = float(np.fmin(current.moments.least, reference.moments.least))  # of nothing it is NaN
    high = float(np.fmax(current.moments.most, reference.moments.most))
    if isinf(high - low):
        raise ValueError("the values lie too far apart to be put in bins of equal width")
    width = (high - low) / (log2(size) + 1)
    if not width:  # of one value, or of two that no float lies between
        return np.array([low - 0.5, high + 0.5])
    return np.linspace(low, high, ceil((high - low) / width) + 1)


def quantile_edges(reference: NumericProfile) -> Floats:
    """The reference's deciles between open ends: no outlier moves them or empties a bin.

    A value at two or more of them, such as the zero of most rows, has a bin of its own.
    """
    ranks = np.arange(1, LOTS, dtype=np.int64) * reference.count // LOTS
    cuts = reference.points.at(ranks)
    heavy = cuts[1:][cuts[1:] == cuts[:-1]]
    return np.unique(np.concatenate(([-inf], cuts, np.nextafter(heavy, inf), [inf])))


def _filled(share: Floats) -> Floats:
    least = float(share[share > 0].min())
    share[share == 0] = least / 1e6 if least <= 1e-4 else 1e-4
    return share
