"""Tail probabilities beside scipy's, far into the tails."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import comb, log, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import gammaincc
from scipy.stats._hypotests import _cdf_cvm

from exporter.distances.tails import (
    chi_square,
    cramer_von_mises_limit,
    hypergeometric,
    ks_asymptotic,
    ks_exact,
    ks_two_sample,
    normal_two_sided,
    rank_sum_exact,
    student_two_sided,
)


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 2000), st.integers(1, 400))
def test_chi_square_is_scipy_s(x, freedom):
    theirs = gammaincc(freedom / 2, x / 2)
    assert chi_square(x, freedom) == pytest.approx(theirs, rel=1e-8, abs=1e-290)


@given(st.floats(-37, 37))
def test_the_normal_tail_is_scipy_s(z):
    assert normal_two_sided(z) == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-10)


def counted(need: int, n: int, m: int) -> Fraction:
    """The share of paths from (0, 0) to (n, m) with |i m - j n| >= need somewhere, by whole numbers."""
    inside = {(0, 0): 1}
    for i in range(n + 1):
        for j in range(m + 1):
            if i + j:
                ways = inside.get((i - 1, j), 0) + inside.get((i, j - 1), 0)
                inside[i, j] = ways if abs(i * m - j * n) < need else 0
    return 1 - Fraction(inside[n, m], comb(n + m, n))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 25), st.integers(1, 25), st.floats(0, 1))
def test_the_exact_ks_tail_is_what_counting_paths_gives(n, m, share):
    need = max(round(share * n * m), 1)
    theirs = float(counted(need, n, m))
    assert ks_exact(need / (n * m), n, m) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(20_000, 20_000), (11_000, 90_000)])
@pytest.mark.parametrize("scaled", [0.3, 0.6, 1.0, 1.4, 2.0, 3.0, 5.0])
def test_the_asymptotic_ks_tail_is_scipy_s(n, m, scaled):
    effective = n * m / (n + m)
    d = scaled / effective**0.5
    theirs = stats.kstwo.sf(d, round(effective))
    assert ks_two_sample(d, n, m) == pytest.approx(theirs, rel=1e-5, abs=1e-7)


def test_small_p_values_keep_their_digits():
    p = ks_asymptotic(0.05, 100_000)
    # Smirnov's leading term: 2 exp(-2 n d^2), less a correction of the order of d
    assert log(p) == pytest.approx(log(2) - 2 * 100_000 * 0.05**2, rel=0.01)
    assert 0 < ks_exact(0.75, 1000, 1000) < 1e-200


def test_two_samples_that_do_not_overlap_are_as_unlikely_as_can_be():
    # one path in C(2n, n) each way
    assert ks_exact(1.0, 5, 5) == pytest.approx(2 / 252)


@settings(max_examples=100, deadline=None)
@given(st.floats(-60, 60), st.integers(1, 3_000_000))
def test_student_s_tail_is_scipy_s(t, freedom):
    theirs = 2 * stats.t.sf(abs(t), freedom)
    assert student_two_sided(t, freedom) == pytest.approx(theirs, rel=1e-9, abs=1e-300)


def test_student_s_tail_of_an_infinite_quotient_is_nothing():
    assert student_two_sided(1e200, 10) == 0.0
    assert student_two_sided(0.0, 10) == 1.0


def ways(u: int, n: int, m: int) -> int:
    """How many ways there are to deal n ranks among n + m whose sum exceeds the least by u or less."""
    sums = [sum(chosen) - n * (n - 1) // 2 for chosen in combinations(range(n + m), n)]
    return sum(x <= u for x in sums)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 9), st.floats(0, 1))
def test_the_rank_sum_s_tail_is_what_counting_every_deal_gives(n, m, share):
    u = int(share * (n * m // 2))
    expected = ways(u, n, m) / comb(n + m, n)
    assert rank_sum_exact(u, n, m) == pytest.approx(expected, rel=1e-12)
    assert rank_sum_exact(u, m, n) == pytest.approx(expected, rel=1e-12)


def test_the_rank_sum_of_few_values_among_many_is_counted_quickly_and_sums_to_a_half():
    assert rank_sum_exact(8 * 20_001 // 2, 8, 20_001) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("x", [0.004, 0.01, 0.05, 0.1, 0.3, 0.5, 1.0, 2.0])
def test_the_limit_of_cramer_and_von_mises_is_scipy_s(x):
    theirs = 1 - float(_cdf_cvm(np.array([x]))[0])
    assert cramer_von_mises_limit(x) == pytest.approx(theirs, rel=1e-6, abs=1e-9)


def test_the_limit_of_cramer_and_von_mises_keeps_its_digits_in_the_tail():
    # its leading term: exp(-pi^2 x / 2) 2 / (pi sqrt(pi x)), times what tends to 1
    for x in (20.0, 60.0, 120.0):
        leading = -(pi**2) / 2 * x + log(2 / (pi * (pi * x) ** 0.5))
        assert log(cramer_von_mises_limit(x)) == pytest.approx(leading, abs=1)
    assert cramer_von_mises_limit(500.0) == 0.0
    assert cramer_von_mises_limit(0.001) == 1.0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 300), st.integers(0, 300), st.floats(0, 1))
def test_hypergeometric_chances_are_scipy_s(good, bad, share):
    if not good + bad:
        return
    drawn = int(share * (good + bad))
    chances, first = hypergeometric(good, bad, drawn)
    theirs = stats.hypergeom.pmf(np.arange(len(chances)) + first, good + bad, good, drawn)
    assert chances == pytest.approx(theirs, rel=1e-9, abs=1e-290)
    assert chances.sum() == pytest.approx(1)
