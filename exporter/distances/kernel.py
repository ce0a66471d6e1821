"""Drift by a kernel: the maximum mean discrepancy, with a bounded number of points."""

from __future__ import annotations

import numpy as np

from exporter.distances._registry import drift_method
from exporter.distances.pooled import Pooled, each, pool
from exporter.profile.arrays import Floats, Ints
from exporter.profile.column import NumericProfile

POINTS = 512  # more distinct values than this are taken together, each lot at its mean
PERMUTATIONS = 999
SEED = 20_130_101
MOST_ROWS = 1_000_000_000  # numpy draws from no larger urn
ROUNDING = 1e-12


@drift_method(kinds=("numerical",), threshold=0.1, score="p_value", inclusive=False)
def empirical_mmd(
    current: NumericProfile, reference: NumericProfile, *, compat: bool = False
) -> float:
    """Maximum mean discrepancy: p-value under a Gaussian kernel, by dealing the rows out anew.

    The kernel is as wide as the median squared distance in the reference. All rows are read: up to
    512 distinct values as they are, more of them in 512 lots of about equal count. The rows are
    dealt out 999 times with a fixed seed. `compat`: the share of deals that are as far apart, as
    Evidently takes it, which may be 0; else the batch counts as one deal.
    """
    if min(current.count, reference.count) < 2:
        raise ValueError("empirical_mmd needs two values on either side")
    if current.count + reference.count > MOST_ROWS:
        raise ValueError(f"empirical_mmd deals out {MOST_ROWS:,} rows at most")
    values, here, there = _lots(pool("empirical_mmd", current, reference))
    kernel = _kernel(values, there)
    seen = _discrepancy(kernel, here[None], there[None])[0]
    rng = np.random.default_rng(SEED)
    pooled = here + there
    dealt = rng.multivariate_hypergeometric(
        pooled, reference.count, PERMUTATIONS, method="marginals"
    )
    far = int(np.count_nonzero(_discrepancy(kernel, pooled - dealt, dealt) >= seen - ROUNDING))
    return far / PERMUTATIONS if compat else (far + 1) / (PERMUTATIONS + 1)


def _lots(both: Pooled) -> tuple[Floats, Ints, Ints]:
    """Values, and how often each occurs on either side."""
    here, there = each(both.current), each(both.reference)
    if len(both.values) <= POINTS:
        return both.values, here, there
    pooled = here + there
    lot = (np.cumsum(pooled) - pooled) * POINTS // int(pooled.sum())
    first = np.flatnonzero(np.diff(lot, prepend=-1))
    sums, counts = (np.add.reduceat(x, first) for x in (both.values * pooled, pooled))
    return sums / counts, np.add.reduceat(here, first), np.add.reduceat(there, first)


def _kernel(values: Floats, counts: Ints) -> Floats:
    squares = (values[:, None] - values) ** 2
    width = _median_of_pairs(squares, counts)
    kernel: Floats = np.exp(squares / -(width or 1.0))
    return kernel


def _median_of_pairs(squares: Floats, counts: Ints) -> float:
    """The median over all pairs of the reference's values, each with itself included."""
    used = counts > 0
    told = squares[np.ix_(used, used)].ravel()
    weights = np.outer(counts[used], counts[used]).ravel()
    order = np.argsort(told)
    below = np.cumsum(weights[order])
    middle = round((int(below[-1]) - 1) / 2)  # of two, the one at an even place: as numpy does
    return float(told[order][np.searchsorted(below, middle, "right")])


def _discrepancy(kernel: Floats, current: Ints, reference: Ints) -> Floats:
    """The unbiased discrepancy of each row of counts: no value is compared with itself."""
    n, m = int(current[0].sum()), int(reference[0].sum())
    near = reference @ kernel
    cross = np.einsum("ij,ij->i", near, current)
    own = np.einsum("ij,ij->i", near, reference) - m
    others = np.einsum("ij,ij->i", current @ kernel, current) - n
    told: Floats = own / (m * (m - 1)) + others / (n * (n - 1)) - 2 * cross / (n * m)
    return told
