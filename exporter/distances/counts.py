"""Drift methods on how often each category occurs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from exporter.distances._registry import drift_method
from exporter.distances.shares import Shares
from exporter.distances.tails import chi_square, hypergeometric
from exporter.profile.arrays import Floats, Ints

PERMUTATIONS = 1000
FEWEST_PERMUTATIONS = 100
DRAWS = 2_000_000  # counts drawn for one column at most, while there are the fewest permutations
AT_ONCE = 1 << 18
SEED = 20_130_101  # fixed: the same batch has the same figure
MOST_ROWS = 1_000_000_000  # numpy draws from no larger urn
ALIKE = 1e-10  # two tables are equally likely up to here: rounding is smaller


@drift_method(kinds=("categorical",), threshold=0.1, score="p_value", inclusive=False)
def g_test(current: Shares, reference: Shares, *, compat: bool = False) -> float:
    """G-test: p-value of the likelihood of the batch's counts beside the reference's shares.

    `compat`: Evidently's, which takes the reference's counts as they are and has a figure for
    samples of one size only.
    """
    _one_size("g_test", current, reference, compat=compat)
    there = current.counts > 0
    expected = reference.counts[there] * (current.total / reference.total)
    seen = current.counts[there]
    with np.errstate(divide="ignore"):
        statistic = 2 * float((seen * np.log(seen / expected)).sum())
    return chi_square(max(statistic, 0.0), len(current.counts) - 1)


@drift_method(kinds=("categorical",), threshold=0.1, score="p_value", inclusive=False)
def fisher_exact(current: Shares, reference: Shares, *, compat: bool = False) -> float:
    """Fisher's exact test: p-value of two categories' counts, of batches of any size.

    `compat`: Evidently's, which has a figure for samples of one size only.
    """
    used = np.flatnonzero(current.counts + reference.counts)
    if len(used) > 2:
        raise ValueError(f"fisher_exact compares two categories, and there are {len(used)}")
    _one_size("fisher_exact", current, reference, compat=compat)
    if len(used) < 2:
        return 1.0
    seen = int(current.counts[used[0]])
    chances, first = _tables(current, reference, int(used[0]))
    at = seen - first
    if not 0 <= at < len(chances):
        return 0.0
    return min(1.0, float(chances[chances <= chances[at] * (1 + ALIKE)].sum()))


@drift_method(kinds=("categorical",), threshold=0.1, score="p_value", inclusive=False)
def TVD(current: Shares, reference: Shares, *, compat: bool = False) -> float:  # noqa: N802  its id
    """Total variation distance: p-value of half the summed gaps, by dealing the rows out anew.

    Two categories are counted out exactly. More are dealt out 1,000 times with a fixed seed
    (fewer times, but never fewer than 100, beyond 2,000 categories). `compat`: the share of deals
    that are as far apart, as Evidently takes it, which may be 0; else the batch counts as one deal.
    """
    pooled = current.counts + reference.counts
    seen = _distance(current.counts, reference.counts, current.total, reference.total)
    used = np.flatnonzero(pooled)
    if len(used) < 2:
        return 1.0
    if len(used) == 2:
        return _two_counted_out(current, reference, int(used[0]))
    if int(pooled.sum()) > MOST_ROWS:
        raise ValueError(f"TVD deals out {MOST_ROWS:,} rows at most")
    deals = min(PERMUTATIONS, max(FEWEST_PERMUTATIONS, DRAWS // len(used)))
    far = 0
    for dealt in _deals(pooled[used], reference.total, deals):
        distances = _distance(pooled[used] - dealt, dealt, current.total, reference.total)
        far += int(np.count_nonzero(distances >= seen))
    return far / deals if compat else (far + 1) / (deals + 1)


def _one_size(method: str, current: Shares, reference: Shares, *, compat: bool) -> None:
    if compat and current.total != reference.total:
        raise ValueError(
            f"Evidently's {method} has no figure for samples of two sizes "
            f"({current.total} and {reference.total}): leave `compat` out"
        )


def _tables(current: Shares, reference: Shares, place: int) -> tuple[Floats, int]:
    """Chances of the batch's count of one of two categories where nothing has changed."""
    total = int(current.counts[place] + reference.counts[place])
    return hypergeometric(total, current.total + reference.total - total, current.total)


def _two_counted_out(current: Shares, reference: Shares, place: int) -> float:
    """Chance of a count that is as far from the expected one, on either side."""
    chances, first = _tables(current, reference, place)
    total, n = int(current.counts[place] + reference.counts[place]), current.total
    rows = n + reference.total
    seen = abs(int(current.counts[place]) * rows - total * n)  # in whole numbers
    gaps = np.abs((np.arange(len(chances)) + first) * rows - total * n)
    return min(1.0, float(chances[gaps >= seen].sum()))


def _distance(current: Ints, reference: Ints, n: int, m: int) -> Ints:
    """Twice the distance, times n m: a whole number, so that equal ones are equal."""
    gaps: Ints = np.abs(current * m - reference * n).sum(axis=-1)
    return gaps


def _deals(pooled: Ints, size: int, deals: int) -> Iterator[Ints]:
    """So many ways to deal *size* rows of the pooled ones to the reference."""
    rng = np.random.default_rng(SEED)
    step = max(1, AT_ONCE // len(pooled))
    return (
        rng.multivariate_hypergeometric(pooled, size, min(step, deals - done), method="marginals")
        for done in range(0, deals, step)
    )
