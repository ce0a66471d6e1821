"""Student's and Epps and Singleton's tests: beside scipy, and where there is nothing to test with."""

from __future__ import annotations

import numpy as np
import pytest
from distances.samples import edges_of, few, numbers, row, score, tied, untied
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from exporter.metrics.drift import compare
from exporter.profile.column import in_bins


@pytest.mark.filterwarnings("ignore:Precision loss:RuntimeWarning")  # scipy's, of constants
@few
@given(tied, untied)
def test_student_s_test_is_scipy_s(current, reference):
    if np.ptp(current) + np.ptp(reference) > 0:
        theirs = stats.ttest_ind(reference, current).pvalue
        assert score("t_test", current, reference) == pytest.approx(theirs, rel=1e-7, abs=1e-12)


def test_equal_constants_do_not_differ_and_other_constants_do():
    assert score("t_test", [7.0] * 9, [7.0] * 5) == 1.0
    assert score("t_test", [7.0] * 9, [8.0] * 5) == 0.0


def test_two_single_values_cannot_be_tested():
    with pytest.raises(ValueError, match="t_test needs three values"):
        row("t_test", [1.0], [2.0])


def test_student_s_test_is_as_exact_in_bins():
    rng = np.random.default_rng(0)
    reference, batch = numbers(rng.normal(0, 1, 3000), gridded=True), numbers(rng.normal(0, 1, 900))
    binned = in_bins(batch, edges_of(reference))
    exact = compare(batch, reference, "t_test", None)
    assert compare(binned, reference, "t_test", None).score == exact.score


@few
@given(st.integers(0, 10_000), st.integers(5, 80), st.integers(5, 80))
def test_epps_and_singleton_s_test_is_scipy_s(seed, n, m):
    rng = np.random.default_rng(seed)
    current, reference = rng.normal(0.3, 1, n), rng.standard_t(4, m)
    theirs = stats.epps_singleton_2samp(reference, current).pvalue
    assert score("es", current, reference) == pytest.approx(theirs, rel=1e-6, abs=1e-12)


def test_repeated_values_are_weighed():
    rng = np.random.default_rng(2)
    current, reference = rng.integers(0, 9, 400), rng.integers(0, 10, 900)
    theirs = stats.epps_singleton_2samp(reference, current).pvalue
    assert score("es", current, reference) == pytest.approx(theirs, rel=1e-6)


def test_of_two_values_the_waves_have_one_degree_of_freedom_whatever_the_rounding():
    # scipy counts between one and four of them, by the last bits of the covariance
    current, reference = np.repeat([0.0, 1.0], [90, 110]), np.repeat([0.0, 1.0], [180, 120])
    shares, n, m = (0.55, 0.4), 200, 300
    spread = shares[0] * (1 - shares[0]) / n + shares[1] * (1 - shares[1]) / m
    expected = stats.chi2.sf((shares[0] - shares[1]) ** 2 / spread, 1)
    assert score("es", current, reference) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("current", "reference", "reason"),
    [
        ([0.0] * 9 + [5.0], [0.0] * 20, "es measures in interquartile ranges"),
        ([0.0] * 20, [1.0] * 20, "es compares spreads"),
        ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0, 5.0], "es needs 5 values on either side"),
    ],
)
def test_samples_without_a_middle_half_a_spread_or_enough_values_are_told(
    current, reference, reason
):
    with pytest.raises(ValueError, match=reason):
        row("es", current, reference)
