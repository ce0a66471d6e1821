"""Column profiles beside numpy, in parts beside the whole, and in bins beside the exact figure."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exporter.distances.gaps import ks_distance, wasserstein_distance
from exporter.distances.shares import FEW_VALUES, shares
from exporter.profile import column as columns
from exporter.profile.column import (
    CategoryProfile,
    Moments,
    NumericProfile,
    category_profile,
    frequency_order,
    in_bins,
    numeric_profile,
    opaque_profile,
)
from exporter.profile.merge import merge_columns
from exporter.profile.points import Points, bin_edges, merged_points, points_of

numbers = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 1.0, 2.0, 1e-300, 1e300, -1e300, inf, -inf, nan]),
    st.floats(allow_nan=True, allow_infinity=True, width=32),
    st.integers(-3, 3).map(float),
)
samples = st.lists(numbers, max_size=60)
finite = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)
words = st.lists(st.sampled_from(["a", "b", "", "ü", "0", None]), max_size=50)
often = settings(max_examples=60, deadline=None)


def profile(values, *, gridded: bool = False) -> NumericProfile:
    array = np.array(values, dtype=float)
    return numeric_profile("x", len(array), array, gridded=gridded)


def categories(values) -> CategoryProfile:
    names = [x for x in dict.fromkeys(values) if x is not None]
    codes = [len(names) if x is None else names.index(x) for x in values]
    return category_profile("c", names, np.array(codes, np.int32))


def spread(points: Points) -> list[float]:
    """Every value as often as it occurs."""
    if points.counts is None:
        return points.values.tolist()
    return np.repeat(points.values, points.counts).tolist()


def assert_same(one: NumericProfile, other: NumericProfile) -> None:
    """Counts and points to the bit, moments to rounding."""
    for name in ("rows", "missing", "infinite", "distinct", "count", "top"):
        assert getattr(one, name) == getattr(other, name), name
    assert np.array_equal(one.points.values, other.points.values)
    assert spread(one.points) == spread(other.points)
    assert (one.points.counts is None) == (other.points.counts is None)
    ends = [(p.moments.least, p.moments.most) for p in (one, other)]
    assert np.array_equal(*ends, equal_nan=True)


@often
@given(samples)
def test_a_numeric_profile_counts_what_numpy_counts(values):
    array = np.array(values, dtype=float)
    there = array[np.isfinite(array)]
    ours = profile(values)
    assert (ours.rows, ours.missing) == (len(array), int(np.isnan(array).sum()))
    assert ours.infinite == int(np.isinf(array).sum())
    assert ours.distinct == len(np.unique(there))
    assert spread(ours.points) == np.sort(there).tolist()
    assert ours.top == max((np.unique(there, return_counts=True)[1]).tolist(), default=0)
    assert ours.top_at_most >= ours.top


@often
@given(finite)
def test_moments_are_numpy_s(values):
    moments = profile(values).moments
    assert moments.mean == pytest.approx(np.mean(values), rel=1e-12, abs=1e-9)
    assert moments.std(ddof=0) == pytest.approx(np.std(values), rel=1e-9, abs=1e-9)
    assert (moments.least, moments.most) == (min(values), max(values))
    assert moments.least <= moments.mean <= moments.most


@often
@given(finite, st.floats(0, 1))
def test_quantiles_are_numpy_s(values, q):
    value, low, high = profile(values).points.quantile(q)
    assert value == pytest.approx(np.quantile(values, q), rel=1e-12, abs=1e-9)
    assert low == value == high


@often
@given(st.lists(samples, min_size=1, max_size=5))
def test_merged_parts_equal_the_whole(parts):
    merged = merge_columns([profile(part) for part in parts])
    whole = profile([x for part in parts for x in part])
    assert_same(merged, whole)
    if whole.count and abs(whole.moments.most) < 1e9 and abs(whole.moments.least) < 1e9:
        assert merged.moments.mean == pytest.approx(whole.moments.mean, rel=1e-9, abs=1e-6)
        assert merged.moments.squares == pytest.approx(whole.moments.squares, rel=1e-9, abs=1e-6)


@often
@given(samples, samples, samples)
def test_merging_takes_any_order_and_grouping(a, b, c):
    x, y, z = profile(a), profile(b), profile(c)
    grouped = merge_columns([merge_columns([x, y]), z])
    assert_same(grouped, merge_columns([z, y, x]))
    assert_same(grouped, merge_columns([x, merge_columns([y, z])]))


@often
@given(samples)
def test_an_empty_part_adds_nothing(values):
    assert_same(merge_columns([profile(values), profile([])]), profile(values))


@often
@given(st.lists(words, min_size=1, max_size=5))
def test_merged_categories_equal_the_whole(parts):
    merged = merge_columns([categories(part) for part in parts])
    whole = categories([x for part in parts for x in part])
    assert (merged.rows, merged.missing, merged.labels) == (whole.rows, whole.missing, whole.labels)
    assert merged.counts.tolist() == whole.counts.tolist()


@often
@given(words, st.integers(0, 99))
def test_the_order_of_rows_does_not_change_the_order_of_labels(values, seed):
    shuffled = [values[i] for i in np.random.default_rng(seed).permutation(len(values))]
    assert categories(values).labels == categories(shuffled).labels


@pytest.mark.parametrize("in_python", [True, False])
def test_labels_are_ordered_by_frequency_then_by_name(monkeypatch, in_python):
    monkeypatch.setattr(columns, "SORTED_IN_PYTHON", 100 if in_python else 0)
    order = frequency_order(["b", "ü", "a", "gone", "c"], np.array([2, 1, 2, 0, 5]))
    assert order.tolist() == [4, 2, 0, 1]


@often
@given(st.lists(st.lists(st.integers(0, 5), max_size=20), min_size=1, max_size=4))
def test_merged_opaque_columns_equal_the_whole(parts):
    def opaque(values):
        hashes = np.array(values, np.uint64)
        return opaque_profile("t", len(values) + 1, 1, hashes, mergeable=True)

    merged = merge_columns([opaque(part) for part in parts])
    whole = opaque([x for part in parts for x in part])
    assert (merged.distinct, merged.top) == (whole.distinct, whole.top)
    assert merged.values.tolist() == whole.values.tolist()
    assert merged.counts.tolist() == whole.counts.tolist()
    assert merged.missing == len(parts)


def test_opaque_columns_that_kept_no_values_merge_by_what_is_known():
    hashes = np.array([1, 1, 2], np.uint64)
    parts = [opaque_profile("t", 3, 0, hashes, mergeable=kept) for kept in (True, False)]
    merged = merge_columns(parts)
    assert (merged.rows, merged.distinct, merged.top, merged.values) == (6, 2, 2, None)


def test_moments_without_values_are_the_identity():
    told = Moments(2, 1.5, 0.5, 1.0, 2.0)
    assert told + Moments() == told == Moments() + told


# ---- in bins


def in_both_modes(current, reference):
    grid = bin_edges(profile(reference).points, 16)
    pair = profile(current), profile(reference)
    return pair, tuple(in_bins(x, grid) for x in pair)


large = st.lists(st.one_of(st.floats(-100, 100), st.just(0.0)), min_size=30, max_size=300)


@settings(max_examples=40, deadline=None)
@given(large, large, st.floats(0, 1))
def test_a_quantile_in_bins_brackets_the_exact_one(current, reference, q):
    (exact, _), (binned, _) = in_both_modes(current, reference)
    _, low, high = binned.points.quantile(q)
    assert low - 1e-9 <= exact.points.quantile(q).value <= high + 1e-9


@settings(max_examples=40, deadline=None)
@given(large, large)
@pytest.mark.parametrize("method", [ks_distance, wasserstein_distance])
def test_a_gap_in_bins_brackets_the_exact_one(method, current, reference):
    exact, binned = in_both_modes(current, reference)
    value, (_, low, high) = method(*exact).value, method(*binned)
    assert low - 1e-9 <= value <= high + 1e-9 + 1e-9 * abs(value)


@settings(max_examples=40, deadline=None)
@given(large, large)
def test_a_bin_s_count_lies_between_what_it_surely_and_what_it_may_hold(current, reference):
    exact, binned = in_both_modes(current, reference)
    assume(exact[1].distinct > FEW_VALUES)  # the others are compared value by value
    counts, (told, _) = shares(*exact)[0].counts, shares(*binned)
    low, high = told.bounds or (told.counts, told.counts)
    assert (low <= counts).all()
    assert (counts <= high).all()


@often
@given(large, large)
def test_parts_in_bins_stay_in_bins(one, other):
    grid = bin_edges(profile(one).points, 16)
    parts = [in_bins(profile(x), grid).points for x in (one, other)]
    merged, _ = merged_points(parts)
    assert merged.total == len(one) + len(other)
    assert merged.bounds is not None
    assert (merged.bounds[0] <= merged.values).all()
    assert (merged.values <= merged.bounds[1]).all()


def test_repeated_values_are_kept_once_with_their_count():
    points = points_of(np.repeat([1.0, 2.0], [5, 3]), 2)
    assert points.values.tolist() == [1.0, 2.0]
    assert points.counts.tolist() == [5, 3]
