"""What comes new in a reference's windows: ranges and categories, each window by those before it."""

from __future__ import annotations

import numpy as np

from exporter.checks.records import Records
from exporter.profile.column import CategoryProfile, NumericProfile, numeric_profile
from exporter.profile.merge import merge_columns


def numbers(*values: float) -> NumericProfile:
    return numeric_profile("x", len(values), np.array(values, float))


def labels(text: str) -> CategoryProfile:
    return CategoryProfile(
        "k", len(text), 0, tuple(sorted(set(text))), np.ones(len(set(text)), int)
    )


def records(*windows: NumericProfile | CategoryProfile) -> Records:
    return Records(merge_columns(windows), windows)


def ranges(found: Records) -> list[tuple[float, float, float]]:
    """The most of a window that broke a record, and the range before it."""
    return [
        (window.moments.most, beside.moments.least, beside.moments.most)
        for window, beside in found.broken()
        if isinstance(window, NumericProfile) and isinstance(beside, NumericProfile)
    ]


def test_a_window_has_a_record_where_it_is_beyond_those_before_it():
    windows = [numbers(0, 1)] * 4 + [numbers(0, 5)] + [numbers(0, 1)] * 4
    assert ranges(records(*windows)) == [(5, 0, 1), (5, 0, 1)]


def test_records_are_told_in_both_orders():
    windows = [numbers(0, 5)] * 2 + [numbers(0, 1)] * 6
    assert ranges(records(*windows)) == [(5, 0, 1)]


def test_the_first_seventh_only_begins():
    rising = [numbers(0, 1), numbers(0, 2), numbers(0, 3)] + [numbers(0, 3)] * 11
    assert ranges(records(*rising)) == [(3, 0, 2)]


def test_in_a_trend_every_window_has_a_record():
    assert ranges(records(*[numbers(0, i) for i in range(4)])) == [(1, 0, 0), (2, 0, 1), (3, 0, 2)]


def test_categories_that_come_new_in_most_windows_are_the_rule_and_no_record():
    assert list(records(*[labels("a" + chr(98 + i)) for i in range(10)]).broken()) == []


def test_a_category_is_new_once():
    windows = [labels("ab")] * 4 + [labels("abz")] * 3 + [labels("ab")] * 3
    found = [(w.labels, b.labels) for w, b in records(*windows).broken()]
    assert found == [(("a", "b", "z"), ("a", "b"))] * 2


def test_the_others_lack_what_only_this_window_has():
    found = records(labels("ab"), labels("abz"), labels("ab"))
    assert [found.others(i).labels for i in range(3)] == [("a", "b")] * 3
    near = records(numbers(0, 1), numbers(0, 9), numbers(-2, 1))
    assert [(near.others(i).moments.least, near.others(i).moments.most) for i in range(3)] == [
        (-2, 9), (-2, 1), (0, 9),
    ]  # fmt: skip


def test_windows_without_values_are_passed_over():
    found = records(numbers(), numbers(0, 1), numbers(0, 1), numbers(0, 4))
    assert ranges(found) == [(4, 0, 1)]
