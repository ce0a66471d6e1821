"""Distributions as drawings."""

from __future__ import annotations

import re

from exporter.report.histograms import HEIGHT, MOST_CATEGORIES, WIDTH, Bars, Bins, drawing_of
from exporter.snapshot import Distribution


def test_a_numeric_column_has_a_bar_a_bin_that_holds_values():
    found = drawing_of(Distribution("x", (0.0, 1.0, 2.0), None, (0, 3, 6, 1), (1, 1, 1, 1)))
    assert isinstance(found, Bins)
    assert found.bars.count("M") == 3
    assert f"V{0}" in found.bars
    assert found.said == (
        "Batch: 60\u00a0% from 1 to 2. Reference: 25\u00a0% below 0."
    )  # the fullest bin of each
    assert [t.text for t in found.ticks] == ["<", "0", "2", "≥"]


def test_a_drawing_stays_inside_its_frame():
    edges = tuple(float(i) for i in range(21))
    found = drawing_of(Distribution("x", edges, None, (5,) * 22, tuple(range(22))))
    assert isinstance(found, Bins)
    xs = [int(x) for x, _ in re.findall(r"M(\d+) (\d+)", found.bars + found.line)]
    ys = [int(y) for y in re.findall(r"V(\d+)", found.bars + found.line)]
    assert 0 <= min(xs) <= max(xs) <= WIDTH
    assert 0 <= min(ys) <= max(ys) <= HEIGHT


def test_a_column_of_one_value_is_drawn_as_two_bins():
    found = drawing_of(Distribution("x", (3.0,), None, (0, 9), None))
    assert isinstance(found, Bins)
    assert [t.text for t in found.ticks] == ["below 3", "3 and above"]
    assert found.line == ""


def test_a_batch_without_values_shows_the_reference_alone():
    found = drawing_of(Distribution("x", (0.0, 1.0), None, (0, 0, 0), (1, 2, 3)))
    assert isinstance(found, Bins)
    assert found.bars == ""
    assert found.said.startswith("Batch: no values.")


def test_without_any_value_there_is_no_drawing():
    assert drawing_of(None) is None
    assert drawing_of(Distribution("x", (0.0, 1.0), None, (0, 0, 0), (0, 0, 0))) is None
    assert drawing_of(Distribution("x", (0.0, 1.0), None, (1, 0), None)) is None  # not its edges


def test_small_categories_are_summed():
    names = [*(f"c{i}" for i in range(12)), "other"]
    found = drawing_of(Distribution("x", None, names, (*range(12, 0, -1), 5), (1,) * 13))
    assert isinstance(found, Bars)
    assert [row.name for row in found.rows] == [
        "c0",
        "c1",
        "c2",
        "c3",
        "c4",
        "c5",
        "c6",
        "5 others",
    ]
    assert len(found.rows) == MOST_CATEGORIES + 1
    assert found.rows[-1].share == "24.1\u00a0%"  # 5 + 4 + 3 + 2 + 1, and 5 of `other`, of 83


def test_without_a_reference_categories_have_no_mark():
    found = drawing_of(Distribution("x", None, ["a", "b", "other"], (3, 1, 0), None))
    assert isinstance(found, Bars)
    assert [row.name for row in found.rows] == ["a", "b"]
    assert found.bars.count("M") == 2
    assert found.marks == ""
