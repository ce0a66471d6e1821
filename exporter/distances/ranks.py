"""Drift methods on the order of the values: what moves a value without passing another changes nothing."""

from __future__ import annotations

from functools import lru_cache
from math import erfc, exp, floor, gcd, sqrt

import numpy as np

from exporter.distances._registry import drift_method
from exporter.distances.pooled import Pooled, each, pool
from exporter.distances.tails import (
    cramer_von_mises_exact,
    cramer_von_mises_limit,
    rank_sum_exact,
)
from exporter.profile.column import NumericProfile
from exporter.profile.points import Estimate

FEW = 8  # up to so many values without ties, the rank sum's distribution is counted out
CVM_EXACT = 20  # likewise for Cramer and von Mises, where neither sample has more

# Scholz and Stephens (1987), table 2, for two samples: significance, and the statistic there.
AD_LEVELS = (0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001)
AD_CRITICAL = tuple(
    a + b + c
    for a, b, c in zip(
        (0.675, 1.281, 1.645, 1.96, 2.326, 2.573, 3.085),
        (-0.245, 0.25, 0.678, 1.149, 1.822, 2.364, 3.615),
        (-0.105, -0.305, -0.362, -0.391, -0.396, -0.345, -0.154),
        strict=True,
    )
)


@drift_method(kinds=("numerical",), threshold=0.1, score="p_value", inclusive=False)
def anderson(current: NumericProfile, reference: NumericProfile) -> Estimate:
    """Anderson-Darling: p-value of a gap that counts most in the tails, told from 0.001 to 0.25.

    The table from which p-values are read ends there; beyond it the bounds say on which side.
    """
    both = pool("anderson", current, reference)
    statistic = _anderson_darling(both)
    if statistic < AD_CRITICAL[0]:
        return Estimate(AD_LEVELS[0], AD_LEVELS[0], 1.0)
    if statistic > AD_CRITICAL[-1]:
        return Estimate(AD_LEVELS[-1], 0.0, AD_LEVELS[-1])
    fitted = np.polyfit(AD_CRITICAL, np.log(AD_LEVELS), 2)
    p = exp(float(np.polyval(fitted, statistic)))
    return Estimate(p, p, p)


@drift_method(kinds=("numerical",), threshold=0.1, score="p_value")
def cramer_von_mises(
    current: NumericProfile, reference: NumericProfile, *, compat: bool = False
) -> float:
    """Cramer-von Mises: p-value of the mean squared gap between the distribution functions.

    `compat`: Evidently's statistic, to which equal values add, so that equal columns may drift.
    """
    n, m = current.count, reference.count
    if min(n, m) < 2:
        raise ValueError("cramer_von_mises needs two values on either side")
    both = pool("cramer_von_mises", current, reference)
    statistic = _from_midranks(both) if compat else _squared_gaps(both)
    if max(n, m) <= CVM_EXACT:
        whole = n * m // gcd(n, m)  # of which every gap is a multiple of 1
        need = floor(statistic * ((n + m) * whole) ** 2 / (n * m) + 1e-6)
        return cramer_von_mises_exact(need, n, m)
    mean = (1 + 1 / (n + m)) / 6
    spread = (n + m + 1) * (4 * n * m * (n + m) - 3 * (n * n + m * m) - 2 * n * m)
    variance = spread / (45 * (n + m) ** 2 * 4 * n * m)
    return cramer_von_mises_limit(1 / 6 + (statistic - mean) / sqrt(45 * variance))


@drift_method(kinds=("numerical",), threshold=0.1, inclusive=False)
def ed(current: NumericProfile, reference: NumericProfile) -> float:
    """Energy distance, in roots of the column's unit: the scale decides what is much."""
    both = pool("ed", current, reference)
    gap = both.gap[:-1]
    return sqrt(2 * float(np.einsum("i,i,i", gap, gap, np.diff(both.values))))


@drift_method(kinds=("numerical",), threshold=0.05, score="p_value", inclusive=False)
def mannw(current: NumericProfile, reference: NumericProfile, *, compat: bool = False) -> float:
    """Mann-Whitney: p-value of a batch that tends to larger or to smaller values.

    `compat`: Evidently's, which looks for larger ones only.
    """
    both = pool("mannw", current, reference)
    n, m = both.n, both.m
    ties = each(both.current + both.reference)
    # pairs of which the batch has the larger value, those of equal values half: doubled, so that
    # they are whole numbers
    here = each(both.current)
    above = int((here * (2 * both.reference - each(both.reference))).sum())
    if min(n, m) <= FEW and len(ties) == n + m:
        return _counted_out(above // 2, n, m, two_sided=not compat)
    cubes = float((ties.astype(np.float64) ** 3 - ties).sum())
    spread = sqrt(max(n * m / 12 * ((n + m + 1) - cubes / ((n + m) * (n + m - 1))), 0.0))
    if spread == 0:
        return 1.0
    beyond = above / 2 - n * m / 2
    tail = erfc(((beyond if compat else abs(beyond)) - 0.5) / spread / sqrt(2)) / 2
    return tail if compat else min(1.0, 2 * tail)


def _counted_out(above: int, n: int, m: int, *, two_sided: bool) -> float:
    if two_sided:
        return min(1.0, 2 * rank_sum_exact(min(above, n * m - above), n, m))
    if 2 * above >= n * m:
        return rank_sum_exact(n * m - above, n, m)
    return 1 - rank_sum_exact(above - 1, n, m)


def _anderson_darling(both: Pooled) -> float:
    """The standardised statistic with midranks; of a single value there is no gap at all."""
    n, m = both.n, both.m
    size = n + m
    if len(both.values) == 1:
        return -1 / _anderson_spread(n, m) if size > 3 else -1.0
    if size < 4:
        raise ValueError("anderson needs four values, of both sides together")
    here, there = each(both.current), each(both.reference)
    weight = (here + there).astype(np.float64)
    middle = both.current + both.reference - weight / 2
    gap = size * (both.current - here / 2) - middle * n
    told = weight / size * gap * gap / (middle * (size - middle) - size * weight / 4)
    statistic = (size - 1) / size * float(told.sum()) * (1 / n + 1 / m)
    return (statistic - 1) / _anderson_spread(n, m)


def _anderson_spread(n: int, m: int) -> float:
    """The statistic's standard deviation where nothing has changed."""
    size, inverse = n + m, 1 / n + 1 / m
    h, g = _harmonic(size)
    a = (4 * g - 6) + (10 - 6 * g) * inverse
    b = (2 * g - 4) * 4 + 16 * h + (2 * g - 14 * h - 4) * inverse - 8 * h + 4 * g - 6
    c = (6 * h + 2 * g - 2) * 4 + (4 * h - 4 * g + 6) * 2 + (2 * h - 6) * inverse + 4 * h
    d = (2 * h + 6) * 4 - 8 * h
    return sqrt(
        (a * size**3 + b * size**2 + c * size + d) / ((size - 1.0) * (size - 2.0) * (size - 3.0))
    )


@lru_cache(maxsize=8)
def _harmonic(size: int) -> tuple[float, float]:
    """Sum of 1/i below *size*, and of 1/((size - i) j) over i < j < size."""
    sums = np.cumsum(1 / np.arange(size - 1, 1, -1))
    return float(sums[-1]) + 1, float((sums / np.arange(2, size)).sum())


def _squared_gaps(both: Pooled) -> float:
    """The statistic as it is defined: only squares are added, so equal columns have exactly 0."""
    gap, n, m = both.gap, both.n, both.m
    if len(gap) == n + m:
        return float(np.einsum("i,i", gap, gap)) * n * m / (n + m) ** 2
    weight = each(both.current + both.reference).astype(np.float64)
    return float(np.einsum("i,i,i", gap, gap, weight)) * n * m / (n + m) ** 2


def _from_midranks(both: Pooled) -> float:
    """Anderson's (1962) formula with midranks, to which each run of equal values adds its cube."""
    n, m = both.n, both.m
    u = 0.0
    for mine, other, size in (
        (both.current, both.reference, n),
        (both.reference, both.current, m),
    ):
        run = each(mine).astype(np.float64)
        before = other - each(other) / 2
        u += size * float((run * before**2 + (run**3 - run) / 12).sum())
    return u / (n * m * (n + m)) - (4 * n * m - 1) / (6 * (n + m))
