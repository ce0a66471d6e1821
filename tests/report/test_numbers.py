"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf, nan
from zoneinfo import ZoneInfo

import pytest

from exporter.report.numbers import measure, number, plural, told_apart, unit_of
from exporter.report.times import length_said, moment_said, window_said, window_short

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0"),
        (27004.0, "27,004"),
        (-1234567.0, "\u22121,234,567"),
        (0.17345678, "0.1735"),
        (12.0, "12"),
        (1234567.8, "1,234,568"),
        (0.00012, "0.00012"),
        (1.1025e-15, "1.103 × 10⁻¹⁵"),
        (-2e20, "\u22122 × 10²⁰"),
        (100.0, "100"),
        (None, "–"),
        (nan, "–"),
        (inf, "–"),
    ],
)
def test_numbers_have_four_digits_and_thousands_apart(x, text):
    assert number(x).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("x", "unit", "text"),
    [
        (0.5075268, "ratio", "50.75 %"),
        (1.0, "ratio", "100 %"),
        (0.999996, "ratio", "99.9996 %"),
        (0.0, "ratio", "0 %"),
        (128.8586, "percent", "128.9 %"),
        (1.0, "rows", "1 row"),
        (2032.0, "rows", "2,032 rows"),
        (3.0, "columns", "3 columns"),
        (22.757174, "value", "22.76"),
        (None, "ratio", "–"),
        (1359712800.0, "time", "2013-02-01 10:00 UTC"),
        (1e20, "time", "1e+20 UTC"),
    ],
)
def test_a_figure_says_its_unit(x, unit, text):
    assert measure(x, unit).replace("\u00a0", " ") == text


def test_figures_that_differ_are_told_with_the_digits_that_show_it():
    assert told_apart(0.100004, "", 0.1) == ["0.100004", "0.1"]
    assert told_apart(0.3, "", 0.1, None) == ["0.3", "0.1", "–"]
    assert told_apart(0.1, "", 0.1) == ["0.1", "0.1"]


def test_a_metric_that_is_not_known_has_no_unit():
    assert unit_of("missing_ratio") == "ratio"
    assert unit_of("first") == unit_of("last") == "time"
    assert unit_of("metric_of_some_plugin") == ""


def test_plurals_are_told_from_one():
    assert [plural(n, "test").replace("\u00a0", " ") for n in (0, 1, 1200)] == [
        "0 tests",
        "1 test",
        "1,200 tests",
    ]


def at(month: int, day: int, hour: int = 0, year: int = 2013) -> datetime:
    return datetime(year, month, day, hour, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (at(2, 8), at(2, 9), "Friday 8 February 2013, EST"),
        (at(3, 10), at(3, 11), "Sunday 10 March 2013, EST"),  # of 23 hours
        (at(2, 1), at(3, 1), "February 2013, EST"),
        (at(1, 1), at(1, 1, year=2014), "the year 2013, EST"),
        (at(2, 4), at(2, 11), "4 February to 10 February 2013 (7 days), EST"),
        (at(2, 8, 5), at(2, 8, 6), "Friday 8 February 2013, 05:00 to 06:00 EST (1 hour)"),
        (at(2, 8, 23), at(2, 9), "Friday 8 February 2013, 23:00 to 9 February 2013, 00:00 EST (1 hour)"),
        (None, at(2, 9), "until 9 February 2013, 00:00 EST"),
        (None, None, ""),
    ],
)  # fmt: skip
def test_a_window_is_told_in_words(start, end, text):
    assert window_said(start, end) == text


def test_a_window_is_told_in_the_timezone_asked_for():
    start, end = (moment.astimezone(UTC) for moment in (at(2, 8), at(2, 9)))
    assert window_said(start, end, NEW_YORK) == "Friday 8 February 2013, EST"
    assert window_short(start, end) == "8 Feb 2013 05:00"
    assert window_short(start, end, NEW_YORK) == "8 Feb 2013"
    assert moment_said(start, NEW_YORK) == "8 February 2013, 00:00 EST"


def test_a_moment_without_a_timezone_says_so():
    assert moment_said(datetime(2013, 2, 8)) == "8 February 2013, 00:00 no timezone"


def test_lengths_are_told_in_the_largest_unit_that_divides_them():
    lengths = [timedelta(days=2), timedelta(hours=25), timedelta(minutes=90), timedelta(seconds=5)]
    assert [length_said(x) for x in lengths] == ["2 days", "25 hours", "90 minutes", "5 seconds"]
