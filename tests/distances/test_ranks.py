"""Methods on the order of values: beside scipy, with ties and without, and what was mended."""

from __future__ import annotations

import warnings
from itertools import combinations
from math import log, pi, sqrt

import numpy as np
import pytest
from distances.samples import edges_of, few, numbers, row, score, tied, untied
from hypothesis import given
from scipy import stats

from exporter.distances import DRIFT_METHODS
from exporter.metrics.drift import compare
from exporter.profile.column import in_bins

ALL = ("anderson", "cramer_von_mises", "ed", "mannw")


def disjoint(current, reference) -> bool:
    return not set(current) & set(reference)


def scipy_s_anderson(current, reference) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return stats.anderson_ksamp([reference, current]).pvalue


@few
@given(tied, tied)
def test_anderson_is_scipy_s_with_midranks(current, reference):
    if len({*current, *reference}) > 1:
        theirs = scipy_s_anderson(current, reference)
        assert score("anderson", current, reference) == pytest.approx(theirs, rel=1e-9)


@few
@given(untied, untied)
def test_anderson_is_scipy_s_without_ties(current, reference):
    theirs = scipy_s_anderson(current, reference)
    assert score("anderson", current, reference) == pytest.approx(theirs, rel=1e-9)


def test_an_anderson_p_value_beyond_its_table_is_told_as_the_table_s_end_with_its_bounds():
    near = row("anderson", [1, 2, 3, 4, 5], [1, 2, 3, 4, 5])
    far = row("anderson", range(50), range(100, 150))
    assert (near.score, near.low, near.high, near.drifted) == (0.25, 0.25, 1.0, False)
    assert (far.score, far.low, far.high, far.drifted) == (0.001, 0.0, 0.001, True)


@few
@given(untied, untied)
def test_cramer_von_mises_is_scipy_s_without_ties(current, reference):
    if disjoint(current, reference):
        theirs = stats.cramervonmises_2samp(reference, current).pvalue
        ours = score("cramer_von_mises", current, reference)
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-7)


@few
@given(tied, tied)
def test_compatible_cramer_von_mises_is_scipy_s_with_ties(current, reference):
    theirs = stats.cramervonmises_2samp(reference, current).pvalue
    ours = score("cramer_von_mises", current, reference, compat=True)
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-7)


def squared_gaps(current, reference) -> float:
    """The mean squared gap of two distribution functions at all values, as it is defined."""
    pooled, n, m = [*current, *reference], len(current), len(reference)
    gaps = [sum(x <= v for x in current) / n - sum(x <= v for x in reference) / m for v in pooled]
    return n * m / (n + m) ** 2 * sum(gap * gap for gap in gaps)


def test_cramer_von_mises_of_few_values_counts_every_way_to_deal_them():
    current, reference = [1.0, 2.0, 2.0, 5.0], [2.0, 6.0, 7.0, 7.0, 9.0]
    seen = squared_gaps(current, reference)
    ranks = range(9)
    far = [
        squared_gaps(chosen, [r for r in ranks if r not in chosen]) >= seen - 1e-12
        for chosen in combinations(ranks, 4)
    ]
    expected = sum(far) / len(far)
    assert score("cramer_von_mises", current, reference) == pytest.approx(expected, rel=1e-12)


def test_equal_values_are_no_drift_for_cramer_von_mises():
    current, reference = [7.0] * 120, [7.0] * 300
    assert score("cramer_von_mises", current, reference) == 1.0
    assert row("cramer_von_mises", current, reference, compat=True).drifted  # Evidently's fault


def test_a_small_cramer_von_mises_p_value_is_no_noise():
    rng = np.random.default_rng(4)
    current, reference = rng.normal(0.25, 1, 3000), rng.normal(0, 1, 3000)
    ours = score("cramer_von_mises", current, reference)
    statistic = stats.cramervonmises_2samp(current, reference).statistic
    # the leading term of the limit's tail, exp(-pi^2 x / 2) times a root
    assert log(ours) == pytest.approx(-(pi**2) / 2 * statistic, rel=0.1)
    assert 0 < ours < 1e-10


@few
@given(tied, untied)
def test_energy_distance_is_scipy_s(current, reference):
    theirs = stats.energy_distance(reference, current)
    assert score("ed", current, reference) == pytest.approx(theirs, rel=1e-9, abs=1e-9)


def test_energy_distance_drifts_above_its_threshold_only():
    gap = 0.1**2 / 2  # two constants so far apart have the distance sqrt(2 gap)
    told = row("ed", [gap] * 4, [0.0] * 4)
    assert told.score == pytest.approx(sqrt(2 * gap))
    assert not DRIFT_METHODS["ed"].drifted(0.1, 0.1)


@few
@given(tied, tied)
def test_mann_whitney_is_scipy_s_two_sided_test(current, reference):
    theirs = stats.mannwhitneyu(reference, current).pvalue
    assert score("mannw", current, reference) == pytest.approx(theirs, rel=1e-9)


@few
@given(untied, untied)
def test_mann_whitney_without_ties_is_scipy_s_also_where_it_counts(current, reference):
    if disjoint(current, reference):
        two = stats.mannwhitneyu(reference, current).pvalue
        less = stats.mannwhitneyu(reference, current, alternative="less").pvalue
        assert score("mannw", current, reference) == pytest.approx(two, rel=1e-9)
        told = score("mannw", current, reference, compat=True)
        assert told == pytest.approx(less, rel=1e-9, abs=1e-15)


@few
@given(tied, tied)
def test_compatible_mann_whitney_is_scipy_s_one_sided_test(current, reference):
    theirs = stats.mannwhitneyu(reference, current, alternative="less").pvalue
    ours = score("mannw", current, reference, compat=True)
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_mann_whitney_sees_a_batch_that_has_fallen():
    rng = np.random.default_rng(1)
    reference = rng.normal(0, 1, 200)
    fallen, risen = reference - 0.5, reference + 0.5
    assert row("mannw", fallen, reference).drifted
    assert row("mannw", risen, reference).drifted
    assert not row("mannw", fallen, reference, compat=True).drifted  # Evidently's fault
    assert row("mannw", risen, reference, compat=True).drifted


@pytest.mark.parametrize("method", ALL)
@few
@given(tied, untied)
def test_which_side_is_the_batch_does_not_matter(method, current, reference):
    one, other = score(method, current, reference), score(method, reference, current)
    assert one == pytest.approx(other, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("method", ["anderson", "cramer_von_mises", "mannw"])
@few
@given(tied, tied)
def test_ranks_do_not_know_the_scale(method, current, reference):
    curved = [[x**3 + 10 * x for x in side] for side in (current, reference)]
    assert score(method, *curved) == score(method, current, reference)


@pytest.mark.parametrize("method", [*ALL, "es", "empirical_mmd"])
def test_a_method_that_needs_the_values_refuses_bins_by_name(method):
    rng = np.random.default_rng(0)
    reference = numbers(rng.normal(0, 1, 3000), gridded=True)
    batch = in_bins(numbers(rng.normal(0, 1, 3000)), edges_of(reference))
    with pytest.raises(ValueError, match=f"{method} reads the values themselves"):
        compare(batch, reference, method, None)
