"""The maximum mean discrepancy: beside its formula on every pair, and bounded in size."""

from __future__ import annotations

import numpy as np
import pytest
from distances.samples import row, score
from hypothesis import given, settings
from hypothesis import strategies as st


def by_pairs(current, reference, deals: int = 2000) -> float:
    """The share of random deals that are as far apart, by all pairs of rows."""
    rows = np.concatenate((reference, current))
    m, n = len(reference), len(current)
    apart = (np.asarray(reference)[:, None] - reference) ** 2
    width = np.percentile(apart, 50, method="nearest") or 1.0
    kernel = np.exp(-((rows[:, None] - rows) ** 2) / width)
    np.fill_diagonal(kernel, 0)
    rng = np.random.default_rng(5)

    def far(order) -> float:
        k = kernel[np.ix_(order, order)]
        own, others, cross = k[:m, :m], k[m:, m:], k[:m, m:]
        return own.sum() / m / (m - 1) + others.sum() / n / (n - 1) - 2 * cross.mean()

    seen = far(np.arange(n + m))
    return float(np.mean([far(rng.permutation(n + m)) >= seen - 1e-12 for _ in range(deals)]))


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
@pytest.mark.parametrize("rounded", [True, False])
def test_the_p_value_is_that_of_all_pairs_but_for_the_draws(shift, rounded):
    rng = np.random.default_rng(8)
    current, reference = rng.normal(shift, 1, 40), rng.normal(0, 1, 60)
    if rounded:
        current, reference = current.round(), reference.round()
    expected = by_pairs(current, reference)
    assert score("empirical_mmd", current, reference) == pytest.approx(expected, abs=0.07)


def test_more_values_than_points_are_read_in_lots_and_lose_little():
    rng = np.random.default_rng(9)
    current, reference = rng.normal(0.12, 1, 500), rng.normal(0, 1, 600)
    expected = by_pairs(current, reference, deals=200)
    assert score("empirical_mmd", current, reference) == pytest.approx(expected, abs=0.12)


@settings(max_examples=8, deadline=None)
@given(st.integers(2, 3000), st.integers(0, 1000))
def test_the_same_rows_do_not_drift_however_many(size, seed):
    sample = np.random.default_rng(seed).normal(0, 1, size)
    assert score("empirical_mmd", sample, sample) == 1.0


def test_a_large_drift_is_found_among_many_rows():
    rng = np.random.default_rng(3)
    current, reference = rng.normal(0.1, 1, 100_000), rng.normal(0, 1, 150_000)
    told = row("empirical_mmd", current, reference)
    assert (told.score, told.drifted) == (0.001, True)
    assert score("empirical_mmd", current, reference, compat=True) == 0.0


def test_a_constant_reference_has_a_kernel_of_width_one():
    assert row("empirical_mmd", [3.0] * 30, [0.0] * 30).drifted


def test_a_single_value_cannot_be_compared():
    with pytest.raises(ValueError, match="empirical_mmd needs two values on either side"):
        row("empirical_mmd", [1.0], [1.0, 2.0])
