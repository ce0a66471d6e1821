"""Kinds of missing values: told apart where they were made null, and as Evidently counts them."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite, isnan, nan
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from golden.evaluations import Figures, evaluated, schema_of
from hypothesis import given
from hypothesis import strategies as st
from metrics.everything import TASKS, by_figure, some_rows, table
from metrics.everything import evaluated as everything_of
from metrics.profiles import numbers, samples

from exporter.batch import Batch, Schema
from exporter.evaluation import evaluate, merge_references
from exporter.metrics import CATALOGUE
from exporter.plan import make_plan
from exporter.sources.frames import open_batch
from exporter.sources.references import profile_of


def replacing(told: dict[str, Any], *missing: str | float) -> tuple[Batch, Schema]:
    """Columns of numbers `x` and labels `c`, with what counts as missing beside null."""
    schema = replace(schema_of({"x": "numerical", "c": "categorical"}), missing_values=missing)
    return open_batch(pa.table(told), schema), schema


HOLES = {"x": [-999.0, None, inf, 1.0, -999.0, -1.0], "c": ["n/a", "", None, "a", "-", "null"]}


def test_what_the_source_made_null_is_told_by_what_it_was():
    batch, schema = replacing(HOLES, "n/a", "-", "null", -999, -1)
    wanted = ("missing_kinds", "missing_cell_kinds", "missing_count_by_kind",
              "missing_cells_by_kind", "missing_count")  # fmt: skip
    figures = Figures(evaluate(batch, None, make_plan(wanted, schema)))
    assert figures.value("missing_count", "x") == 4
    assert figures.value("missing_kinds", "x", values=None) == 4
    assert figures.value("missing_kinds", "c", values=None) == 5
    assert figures.value("missing_cell_kinds") == 8
    by_kind = {
        row.label: row.value
        for row in figures.snapshot.metrics
        if (row.metric, row.column) == ("missing_count_by_kind", "c")
    }
    assert by_kind == {"null": 1, '""': 1, "n/a": 1, "-": 1, '"null"': 1}
    whole = {
        r.label: r.value for r in figures.snapshot.metrics if r.metric.endswith("cells_by_kind")
    }
    assert whole == by_kind | {"null": 2, "-999": 2, "-1": 1, "inf": 1, "-inf": 0}


def test_a_kind_that_is_asked_for_has_a_figure_also_where_it_does_not_occur():
    batch, schema = replacing(HOLES, -999)
    kinds = [None, "", -999, float("-inf")]
    wanted = [{"missing_count_by_kind": {"kinds": kinds}}, {"missing_kinds": {"values": [-999, 5]}}]
    tests = [
        {"missing_count_by_kind": {"columns": ["x"], "kinds": kinds, "label": "-inf", "eq": 0}},
        {"missing_count_by_kind": {"columns": ["x"], "kinds": kinds, "label": -999, "lte": 1}},
    ]
    for test, name in zip(tests, ("none", "few"), strict=True):
        test["missing_count_by_kind"]["name"] = name
    snapshot = evaluate(batch, None, make_plan(wanted, schema, tests=tests, min_rows=0))
    ours = {
        r.label: r.value
        for r in snapshot.metrics
        if (r.metric, r.column) == ("missing_count_by_kind", "x")
    }
    assert ours == {"": 3, "null": 1, '""': 0, "-999": 2, "-inf": 0}
    assert {t.test: t.status for t in snapshot.tests} == {"none": "success", "few": "fail"}
    assert by_figure(snapshot)["missing_kinds", "x", ""].value == 2


def test_kinds_of_parts_add_up_to_those_of_the_whole():
    batch, schema = replacing(HOLES, "n/a", -999)
    plan = make_plan(
        ["missing_count_by_kind", "missing_cells_by_kind", "rows_with_missing"], schema
    )
    parts = [
        profile_of(replacing({k: v[at : at + 2] for k, v in HOLES.items()}, "n/a", -999)[0],
                   schema, ("x", "c"), mergeable=True)
        for at in (0, 2, 4)
    ]  # fmt: skip
    snapshot = evaluate(batch, merge_references(parts), plan)
    assert {row.value for row in snapshot.metrics} > {1, 2}
    assert all(row.value == row.reference for row in snapshot.metrics)


WIDE = ("missing_cells", "missing_count", "rows_with_missing", "columns_with_missing",
        "missing_cells_ratio", "rows_with_missing_ratio", "columns_with_missing_ratio",
        "missing_ratio")  # fmt: skip


def test_as_evidently_counts_empty_text_and_infinity_are_missing_to_such_figures_only():
    rows = pa.table(
        {"x": [inf, None, 1.0, 2.0], "c": ["", "", "a", "b"], "d": ["a", "b", "a", "b"]}
    )
    schema = schema_of({"x": "numerical", "c": "categorical", "d": "text"})
    rest = ("unique_count", "most_common_ratio", "max")
    told = {
        mode: Figures(evaluated(rows, rows, schema, *WIDE, *rest, automatic_tests=mode))
        for mode in ("directional", "evidently")
    }
    ours = told["evidently"]
    assert [ours.value(name) for name in WIDE[:1] + WIDE[2:7]] == pytest.approx(
        [4, 2, 2, 4 / 12, 0.5, 2 / 3]
    )
    assert [ours.value("missing_count", name) for name in "xcd"] == [2, 2, 0]
    assert ours.row("missing_ratio", "c").reference == 0.5
    assert told["directional"].value("missing_cells") == 1
    for name, column in (("most_common_ratio", "c"), ("max", "x")):
        assert ours.value(name, column) == told["directional"].value(name, column)
    assert ours.value("unique_count", "c") == 3


@given(some_rows)
def test_as_evidently_counts_missing_cells_are_the_sum_of_their_kinds(told):
    found = by_figure(everything_of(table(told), None, "binary", automatic_tests="evidently"))
    kinds = [row.value for key, row in found.items() if key[0] == "missing_cells_by_kind"]
    assert found["missing_cells", "", ""].value == sum(kinds)
    wide = sum(any(_is_wide(row[name]) for name in TASKS["binary"].kinds) for row in told)
    assert found["rows_with_missing", "", ""].value == wide


def _is_wide(value: object) -> bool:
    if isinstance(value, float):
        return isnan(value) or value in (inf, -inf)
    return value is None or value == ""


@given(samples, samples, st.sampled_from([0.0, 0.1, 0.5, 0.8, 1.0]))
def test_as_evidently_counts_infinities_are_ordinary_values(told, before, q):
    there = pd.Series(told, dtype=float).dropna()
    column, beside = numbers(told), numbers(before)
    figure = {name: spec.evidently for name, spec in CATALOGUE.items() if spec.evidently}
    assert figure["unique_count"](column) == there.nunique()
    with np.errstate(invalid="ignore"):
        theirs = there.quantile(q) if len(there) else nan
    ours = figure["quantile"](column, q=q).value
    if isfinite(theirs):
        assert ours == pytest.approx(theirs, rel=1e-12)
    else:
        assert not isfinite(ours)
    known = pd.Series(before, dtype=float).dropna()
    for left, right in ((None, 1.0), (-1.0, None), (0.0, 2.5), (None, None)):
        if left is right is None and not beside.count:
            continue
        low, high = known.min() if left is None else left, known.max() if right is None else right
        if (left is None) != (right is None):
            low, high = -inf if left is None else left, inf if right is None else right
        outside = (~there.between(low, high)).sum()
        ends = {"left": left, "right": right}
        assert figure["out_of_range_count"](column, beside, **ends) == outside
        assert figure["in_range_count"](column, beside, **ends) == len(there) - outside
