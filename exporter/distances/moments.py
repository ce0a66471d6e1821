"""Drift methods on means: of the values themselves, and of waves through them."""

from __future__ import annotations

from bisect import bisect_left
from math import sqrt

import numpy as np

from exporter.distances._registry import drift_method
from exporter.distances.tails import chi_square, student_two_sided
from exporter.profile.arrays import Floats
from exporter.profile.column import NumericProfile
from exporter.profile.points import Points

FEWEST = 5  # values from which a covariance of four waves is more than noise
WAVE = 0.4  # the slower wave's frequency in half interquartile ranges; the other's is twice that
SMALL = 25
FLAT = 1e-12  # of the largest variance: below it is rounding


@drift_method(kinds=("numerical",), threshold=0.05, score="p_value", inclusive=False)
def t_test(current: NumericProfile, reference: NumericProfile) -> float:
    """Student's t-test: p-value of the difference of the means, with equal variances."""
    c, r = current.moments, reference.moments
    freedom = c.count + r.count - 2
    if freedom < 1:
        raise ValueError("t_test needs three values, of both sides together")
    spread = sqrt((c.squares + r.squares) / freedom * (1 / c.count + 1 / r.count))
    if spread == 0:
        return 1.0 if c.mean == r.mean else 0.0
    return student_two_sided((c.mean - r.mean) / spread, freedom)


@drift_method(kinds=("numerical",), threshold=0.05, score="p_value", inclusive=False)
def es(current: NumericProfile, reference: NumericProfile) -> float:
    """Epps-Singleton: p-value of the gap between the characteristic functions."""
    n, m = current.count, reference.count
    _refuse(current, reference)
    scale = _middle_half((current.points, reference.points), n + m) / 2
    if scale == 0:
        raise ValueError(
            "es measures in interquartile ranges, and the middle half of both sides is one value"
        )
    here, there = (_waves(x.points, WAVE / scale) for x in (current, reference))
    covariance = (n + m) * (here[1] / n + there[1] / m)
    sizes, axes = np.linalg.eigh(covariance)
    kept = sizes > FLAT * sizes[-1]
    rank = int(np.count_nonzero(kept)) if sizes[-1] > FLAT else 0
    if not rank:
        raise ValueError("es compares spreads, and either side is a single value")
    along = ((here[0] - there[0]) @ axes)[kept]
    statistic = (n + m) * float((along**2 / sizes[kept]).sum())
    if max(n, m) < SMALL:
        statistic /= 1 + (n + m) ** -0.45 + 10.1 * (n**-1.7 + m**-1.7)
    return chi_square(statistic, rank)


def _refuse(current: NumericProfile, reference: NumericProfile) -> None:
    if current.points.bounds is not None or reference.points.bounds is not None:
        raise ValueError("es reads the values themselves, and here there are only bins")
    if min(current.count, reference.count) < FEWEST:
        raise ValueError(f"es needs {FEWEST} values on either side")


def _waves(points: Points, frequency: float) -> tuple[Floats, Floats]:
    """Mean and covariance of cosine and sine at two frequencies, of which one is the double."""
    angle = points.values * frequency
    waves = np.empty((4, len(angle)))
    np.cos(angle, out=waves[0])
    np.sin(angle, out=waves[2])
    np.multiply(waves[0], waves[0], out=waves[1])
    waves[1] *= 2
    waves[1] -= 1
    np.multiply(waves[0], waves[2], out=waves[3])
    waves[3] *= 2
    weights = points.counts
    mean = (waves if weights is None else waves * weights).sum(axis=1) / points.total
    waves -= mean[:, None]
    covariance = np.empty((4, 4))
    for i, wave in enumerate(waves):
        weighted = wave if weights is None else wave * weights
        for j in range(i + 1):
            covariance[i, j] = covariance[j, i] = np.einsum("i,i", weighted, waves[j])
    return mean, covariance / points.total


def _middle_half(pair: tuple[Points, Points], size: int) -> float:
    """The interquartile range of two samples together, as numpy interpolates it."""
    ends = []
    for q in (0.25, 0.75):
        place = q * (size - 1)
        low = _at(pair, int(place))
        high = _at(pair, min(int(place) + 1, size - 1))
        ends.append(low + (high - low) * (place - int(place)))
    return float(ends[1] - ends[0])


def _at(pair: tuple[Points, Points], rank: int) -> float:
    """The value at this rank of both samples together, without merging them."""

    def at_or_below(value: float) -> int:
        place = np.array([value])
        return sum(int(points.below(place, "right")[0]) for points in pair)

    found = []
    for points in pair:
        index = bisect_left(points.values, rank + 1, key=at_or_below)
        if index < len(points.values):
            found.append(float(points.values[index]))
    return min(found)
