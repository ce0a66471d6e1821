"""Tests on counts of categories: beside scipy, of batches of any size."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from distances.samples import counted, few, row, score, words
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from exporter.metrics.drift import compare

counts = st.integers(0, 60)


def of(method: str, current, reference, **options) -> float:
    return compare(current, reference, method, None, **options).score


@few
@given(words, words)
def test_the_g_test_is_scipy_s_on_the_reference_s_shares(current, reference):
    names = sorted({*current, *reference})
    seen, base = (np.array([x.count(n) for n in names]) for x in (current, reference))
    expected = base * len(current) / len(reference)
    with np.errstate(all="ignore"):
        theirs = stats.power_divergence(seen, expected, lambda_="log-likelihood").pvalue
    theirs = 1.0 if len(names) == 1 else theirs
    assert score("g_test", current, reference) == pytest.approx(theirs, rel=1e-8, abs=1e-12)


def test_the_g_test_of_a_batch_of_another_size_has_a_figure():
    current, reference = counted(a=30, b=20), counted(a=180, b=120)
    assert of("g_test", current, reference) == pytest.approx(1.0)


@pytest.mark.parametrize("method", ["g_test", "fisher_exact"])
def test_compatible_tests_of_samples_of_two_sizes_say_that_evidently_has_no_figure(method):
    current, reference = counted(a=30, b=20), counted(a=180, b=120)
    with pytest.raises(ValueError, match=f"Evidently's {method} has no figure .*50 and 300"):
        compare(current, reference, method, None, compat=True)
    same = counted(a=25, b=25), counted(a=40, b=10)
    assert of(method, *same, compat=True) == of(method, *same)


@few
@given(counts, counts, counts, counts)
def test_fisher_s_test_is_scipy_s_of_any_sizes(a, b, c, d):
    if a + b and c + d and a + c and b + d:
        theirs = stats.fisher_exact([[a, b], [c, d]]).pvalue
        ours = of("fisher_exact", counted(x=a, y=b), counted(x=c, y=d))
        assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("n", [100_000, 3_000_000])
def test_fisher_s_test_of_many_rows_is_scipy_s(n):
    table = np.array([[n // 50, n], [n // 48, n + 777]])
    current, reference = (
        type(counted(x=1))("c", int(side.sum()), 0, ("y", "x"), side[::-1].copy()) for side in table
    )
    theirs = stats.fisher_exact(table).pvalue
    assert of("fisher_exact", current, reference) == pytest.approx(theirs, rel=1e-7)


def test_fisher_s_test_of_one_category_sees_no_drift_and_of_three_says_so():
    assert of("fisher_exact", counted(a=9), counted(a=5)) == 1.0
    with pytest.raises(ValueError, match="fisher_exact compares two categories, and there are 3"):
        compare(counted(a=9, b=1), counted(a=5, c=1), "fisher_exact", None)


@few
@given(counts, counts, counts, counts)
def test_of_two_categories_every_deal_is_counted(a, b, c, d):
    if not (a + b and c + d and a + c and b + d):
        return
    n, m, good = a + b, c + d, a + c
    dealt = np.arange(max(0, n - b - d), min(good, n) + 1)
    chances = stats.hypergeom.pmf(dealt, n + m, good, n)
    gaps = np.abs(dealt * m - (good - dealt) * n)
    expected = chances[gaps >= abs(a * m - c * n)].sum()
    assert of("TVD", counted(x=a, y=b), counted(x=c, y=d)) == pytest.approx(expected, rel=1e-8)


def test_more_categories_are_dealt_out_as_by_counting_every_deal():
    current, reference = list("aaabbc"), list("abbcccc")
    rows = current + reference

    def distance(chosen: set[int]) -> float:
        here = [rows[i] for i in chosen]
        there = [x for i, x in enumerate(rows) if i not in chosen]
        return sum(abs(here.count(x) / 6 - there.count(x) / 7) for x in "abc")

    seen = distance(set(range(6)))
    far = [distance(set(c)) >= seen - 1e-12 for c in combinations(range(13), 6)]
    share = sum(far) / len(far)
    error = 4 * (share * (1 - share) / 1000) ** 0.5
    assert score("TVD", current, reference) == pytest.approx(share, abs=error)


def test_dealing_out_has_one_seed_and_a_batch_that_is_never_one_in_none():
    current, reference = ["a"] * 200 + ["b"] * 9 + ["c"], ["a"] * 9 + ["b"] * 9 + ["c"] * 400
    assert score("TVD", current, reference) == score("TVD", current, reference) == 1 / 1001
    assert score("TVD", current, reference, compat=True) == 0.0


def test_many_categories_are_dealt_out_fewer_times():
    labels = [str(i) for i in range(30_000)]
    told = row("TVD", labels * 2, labels * 3)
    assert (told.score, told.drifted) == (1.0, False)


@few
@given(words, words)
def test_which_side_is_the_batch_matters_no_more_than_a_draw(current, reference):
    one, other = score("TVD", current, reference), score("TVD", reference, current)
    assert one == pytest.approx(other, abs=0.12)
