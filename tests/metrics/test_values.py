"""Ranges, lists, categories and patterns beside the same in plain Python."""

from __future__ import annotations

import re
from math import inf, isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.profiles import categories, figure, finite, labels, numbers, samples

from exporter.metrics import NeedsReferenceError
from exporter.metrics.values import label_of

ends = st.floats(-10, 10)


@given(samples, ends, ends)
def test_values_are_in_a_range_with_both_its_ends_or_outside(told, one, other):
    left, right = sorted((one, other))
    there, column = finite(told), numbers(told)
    outside = sum(x < left or x > right for x in there)
    assert figure("out_of_range_count", column, left=left, right=right) == outside
    assert figure("in_range_count", column, left=left, right=right) == len(there) - outside
    if len(there):
        share = figure("out_of_range_ratio", column, left=left, right=right)
        assert share == pytest.approx(outside / len(there))
        assert figure("in_range_ratio", column, left=left, right=right) == pytest.approx(1 - share)


@given(samples, ends)
def test_a_side_that_is_not_given_is_open(told, end):
    there, column = finite(told), numbers(told)
    assert figure("out_of_range_count", column, left=end) == sum(x < end for x in there)
    assert figure("out_of_range_count", column, right=end) == sum(x > end for x in there)


@given(samples, samples.filter(lambda told: len(finite(told))))
def test_the_range_is_by_default_the_reference_s(current, reference):
    low, high = min(finite(reference)), max(finite(reference))
    outside = figure("out_of_range_count", numbers(current), numbers(reference))
    assert outside == sum(x < low or x > high for x in finite(current))


@pytest.mark.parametrize(
    "metric", ["in_range_count", "in_range_ratio", "out_of_range_count", "out_of_range_ratio"]
)
def test_a_range_needs_ends_or_a_reference_with_values(metric):
    with pytest.raises(NeedsReferenceError, match="needs left, right or a reference"):
        figure(metric, numbers([1.0]))
    with pytest.raises(ValueError, match="the reference has no values"):
        figure(metric, numbers([1.0]), numbers([inf]))


@given(samples, st.lists(st.sampled_from([0.0, -0.0, 1.0, 2.5, 7.0, inf]), max_size=4))
def test_numbers_are_in_a_list_or_not(told, listed):
    there, column = finite(told), numbers(told)
    inside = sum(x in listed for x in there)
    assert figure("in_list_count", column, values=listed) == inside
    assert figure("out_of_list_count", column, values=listed) == len(there) - inside
    if len(there):
        share = figure("out_of_list_ratio", column, values=listed)
        assert share == pytest.approx(1 - inside / len(there))
        assert figure("in_list_ratio", column, values=listed) == pytest.approx(1 - share)


@given(labels, labels)
def test_labels_are_among_the_reference_s_or_not_and_missing_is_neither(current, reference):
    now, then = ([x for x in told if x is not None] for told in (current, reference))
    a, b = categories(current), categories(reference)
    assert figure("in_list_count", a, b) == sum(x in then for x in now)
    assert figure("out_of_list_count", a, b) == sum(x not in then for x in now)
    assert figure("new_categories", a, b) == len(set(now) - set(then))
    assert figure("gone_categories", a, b) == len(set(then) - set(now))


@pytest.mark.parametrize(
    "metric", ["in_list_count", "in_list_ratio", "out_of_list_count", "out_of_list_ratio"]
)
def test_a_list_needs_values_or_a_reference(metric):
    with pytest.raises(NeedsReferenceError, match="needs values or a reference"):
        figure(metric, categories(["a"]))


def test_a_given_list_goes_before_the_reference_s():
    assert figure("in_list_count", categories(["a", "b"]), categories(["a"]), values=["b"]) == 1


@given(labels)
def test_categories_are_counted(told):
    counts, column = figure("category_count", categories(told)), categories(told)
    assert counts == {x: told.count(x) for x in set(told) - {None}}
    shares = figure("category_ratio", column)
    assert shares == pytest.approx({x: n / len(told) for x, n in counts.items()})


def test_categories_that_are_asked_for_are_told_with_their_total():
    column = categories(["1", "1", "true", "x", None])
    assert figure("category_count", column, categories=[1, True, "gone"]) == {
        "": 3, "1": 2, "true": 1, "gone": 0,
    }  # fmt: skip
    assert figure("category_ratio", column, categories=[1.0]) == {"": 0.4, "1": 0.4}


def test_the_hundred_most_frequent_categories_are_told():
    column = categories([f"{i}" for i in range(150) for _ in range(1 + (i >= 50))])
    told = figure("category_count", column)
    assert set(told) == {f"{i}" for i in range(50, 150)}


PATTERNS = ["a", "a|b", "^a", "b$", "", "[ab]+", "(?i)A", "\\w", ".", "ü"]


@pytest.mark.parametrize("pattern", PATTERNS)
@given(told=labels)
def test_values_match_a_pattern_from_their_beginning_as_in_python(pattern, told):
    ascii_only = re.compile(pattern, 0 if pattern == "ü" else re.ASCII)
    theirs = sum(x is not None and ascii_only.match(x) is None for x in told)
    column = categories(told)
    assert figure("regexp_mismatch_count", column, pattern=pattern) == theirs
    assert figure("regexp_match_count", column, pattern=pattern) == column.count - theirs
    if column.count:
        share = figure("regexp_mismatch_ratio", column, pattern=pattern)
        assert share == pytest.approx(theirs / column.count)
        assert figure("regexp_match_ratio", column, pattern=pattern) == pytest.approx(1 - share)


def test_a_hostile_pattern_ends_at_once():
    hostile = categories(["a" * 50_000 + "!"])
    assert figure("regexp_mismatch_count", hostile, pattern="(a+)+$") == 1


@pytest.mark.parametrize(
    ("value", "label"),
    [(1, "1"), (1.0, "1"), (-0.0, "0"), (1.5, "1.5"), (True, "true"), ("1.0", "1.0"),
     (1e300, "1e+300"), (2**60, str(2**60)), (float(2**60), str(2**60)), (inf, "inf")],
)  # fmt: skip
def test_a_value_of_the_config_is_written_as_the_data_s_labels_are(value, label):
    assert label_of(value) == label


def test_shares_of_nothing_are_no_numbers():
    assert isnan(figure("out_of_range_ratio", numbers([]), left=0))
    assert isnan(figure("in_range_ratio", numbers([]), left=0))
    for name in ("in_list_ratio", "out_of_list_ratio"):
        assert isnan(figure(name, categories([None]), values=["a"]))
    for name in ("regexp_match_ratio", "regexp_mismatch_ratio"):
        assert isnan(figure(name, categories([None]), pattern="a"))
