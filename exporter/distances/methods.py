"""The drift methods that are chosen most; ids, thresholds and formulas are Evidently's."""

from __future__ import annotations

from math import isinf, sqrt

import numpy as np

from exporter.distances._registry import drift_method
from exporter.distances.gaps import ks_distance, wasserstein_distance
from exporter.distances.shares import Bins, Shares, shares, sturges_edges
from exporter.distances.tails import chi_square, ks_two_sample, normal_two_sided
from exporter.profile.arrays import Floats
from exporter.profile.column import CategoryProfile, NumericProfile
from exporter.profile.points import Estimate


@drift_method(kinds=("numerical",), threshold=0.05, score="p_value")
def ks(current: NumericProfile, reference: NumericProfile) -> Estimate:
    """Kolmogorov-Smirnov: p-value of the largest gap between the distribution functions."""
    gap = ks_distance(current, reference)
    p, high, low = (ks_two_sample(d, current.count, reference.count) for d in gap)
    return Estimate(p, low, high)


@drift_method(kinds=("numerical",), threshold=0.1)
def wasserstein(current: NumericProfile, reference: NumericProfile) -> Estimate:
    """Wasserstein distance in standard deviations of the reference."""
    scale = max(reference.moments.std(ddof=0), 0.001)
    if isinf(scale):
        raise ValueError("the reference's standard deviation is infinite")
    value, low, high = wasserstein_distance(current, reference)
    return Estimate(value / scale, low / scale, high / scale)


def psi_parts(current: Shares, reference: Shares) -> Floats:
    """What each bin or category adds to PSI."""
    return _psi_terms(current.filled, reference.filled)


def jensenshannon_parts(current: Shares, reference: Shares) -> Floats:
    """What each bin or category adds to the squared Jensen-Shannon distance."""
    c, r = current.share, reference.share
    middle = (c + r) / 2
    return (_entropy_terms(c, middle) + _entropy_terms(r, middle)) / 2


@drift_method(kinds=("numerical", "categorical"), threshold=0.1, parts=psi_parts)
def psi(current: Shares, reference: Shares) -> Estimate:
    """Population stability index of bins or categories."""
    value = _psi(current.filled, reference.filled)
    if current.bounds is None and reference.bounds is None:
        return Estimate(value, value, value)
    (c_low, c_high), (r_low, r_high) = current.corners, reference.corners
    apart = np.maximum(_psi_terms(c_low, r_high), _psi_terms(c_high, r_low))
    near = np.where(
        c_high < r_low,
        _psi_terms(c_high, r_low),
        np.where(r_high < c_low, _psi_terms(c_low, r_high), 0.0),
    )
    return Estimate(value, float(near.sum()), float(apart.sum()))


@drift_method(kinds=("numerical", "categorical"), threshold=0.1, parts=jensenshannon_parts)
def jensenshannon(current: Shares, reference: Shares) -> float:
    """Jensen-Shannon distance of bins or categories."""
    c, r = current.share, reference.share
    c, r = c / c.sum(), r / r.sum()
    middle = (c + r) / 2
    return sqrt(max(_entropy(c, middle) + _entropy(r, middle), 0.0) / 2)


@drift_method(kinds=("numerical", "categorical"), threshold=0.1)
def kl_div(current: Shares, reference: Shares) -> float:
    """Kullback-Leibler divergence of the reference from the batch."""
    c, r = current.filled, reference.filled
    return _entropy(r / r.sum(), c / c.sum())


@drift_method(kinds=("numerical", "categorical"), threshold=0.1)
def hellinger(
    current: NumericProfile | CategoryProfile,
    reference: NumericProfile | CategoryProfile,
    *,
    bins: Bins = "sturges",
    missing: bool = False,
) -> float:
    """Hellinger distance of densities or categories."""
    plain = bins == "sturges" and not missing
    if plain and isinstance(current, NumericProfile) and isinstance(reference, NumericProfile):
        distinct = len(
            np.union1d(current.points.values, reference.points.values)
        )  # Evidently bins the distinct values
        edges = sturges_edges(current, reference, distinct)
        c, r = (x.points.in_bins(edges) / x.count for x in (current, reference))
    else:
        pair = shares(current, reference, bins=bins, missing=missing)
        c, r = pair[0].share, pair[1].share
    overlap = float(np.sqrt(c * r).sum())
    return sqrt(1 - min(1.0, overlap))


@drift_method(kinds=("categorical",), threshold=0.05, score="p_value", inclusive=False)
def chisquare(current: Shares, reference: Shares) -> float:
    """Chi-square test: p-value of the batch's counts against the reference's shares."""
    expected = reference.counts * (current.total / reference.total)
    with np.errstate(divide="ignore"):
        statistic = float(((current.counts - expected) ** 2 / expected).sum())
    return chi_square(statistic, len(expected) - 1)


@drift_method(kinds=("categorical",), threshold=0.05, score="p_value", inclusive=False)
def z(current: Shares, reference: Shares) -> float:
    """Z-test: p-value of the share of rows that are not the first label."""
    if len(current.counts) < 2:
        return 1.0
    c, r = 1 - current.counts[0] / current.total, 1 - reference.counts[0] / reference.total
    pooled = (c * current.total + r * reference.total) / (current.total + reference.total)
    spread = sqrt(pooled * (1 - pooled) * (1 / current.total + 1 / reference.total))
    return normal_two_sided((c - r) / spread) if spread else 1.0


def _psi(c: Floats, r: Floats) -> float:
    return float(_psi_terms(c, r).sum())


def _psi_terms(c: Floats, r: Floats) -> Floats:
    return (r - c) * np.log(r / c)


def _entropy(p: Floats, q: Floats) -> float:
    there = p > 0
    return float((p[there] * np.log(p[there] / q[there])).sum())


def _entropy_terms(p: Floats, q: Floats) -> Floats:
    terms = np.zeros(len(p))
    there = p > 0
    terms[there] = p[there] * np.log(p[there] / q[there])
    return terms
