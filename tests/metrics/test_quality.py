"""Rows, missing values and repeats beside pandas."""

from __future__ import annotations

from math import inf, isinf, isnan, nan

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from golden.evaluations import Figures, evaluated, schema_of
from hypothesis import given
from hypothesis import strategies as st
from metrics.everything import FEATURES, KINDS, TASKS, by_figure, some_rows, table
from metrics.everything import evaluated as everything_of
from metrics.profiles import categories, figure, finite, labels, numbers, samples


@given(samples)
def test_numbers_are_counted_as_pandas_counts_them(told):
    series, there = pd.Series(told, dtype=float), pd.Series(finite(told))
    column = numbers(told)
    assert figure("missing_count", column) == series.isna().sum()
    assert figure("infinite_count", column) == np.isinf(series).sum()
    assert figure("unique_count", column) == there.nunique()
    if len(series):
        assert figure("missing_ratio", column) == pytest.approx(series.isna().mean())
        most = there.value_counts().max() if len(there) else 0
        assert figure("most_common_ratio", column) == pytest.approx(most / len(series))
    if len(there):
        assert figure("unique_ratio", column) == pytest.approx(there.nunique() / len(there))


@given(labels)
def test_labels_are_counted_as_pandas_counts_them(told):
    series = pd.Series(told, dtype=object)
    column = categories(told)
    assert figure("missing_count", column) == series.isna().sum()
    assert figure("unique_count", column) == series.nunique()
    if len(series):
        most = series.value_counts().max() if series.notna().any() else 0
        assert figure("most_common_ratio", column) == pytest.approx(most / len(series))


@pytest.mark.parametrize("metric", ["missing_ratio", "most_common_ratio", "unique_ratio"])
@pytest.mark.parametrize("column", [numbers([]), categories([])], ids=["numbers", "labels"])
def test_a_share_of_nothing_is_no_number(metric, column):
    assert isnan(figure(metric, column))


def test_a_column_of_gaps_is_all_missing():
    column = numbers([nan, nan])
    assert figure("missing_ratio", column) == 1
    assert figure("unique_count", column) == 0
    assert figure("most_common_ratio", column) == 0


def test_infinity_is_there_but_no_value_of_its_own():
    column = numbers([inf, -inf, 1.0])
    assert figure("missing_count", column) == 0
    assert figure("unique_count", column) == 1


def test_a_column_that_is_gone_is_not_counted_among_the_columns():
    schema = schema_of({"a": "numerical", "b": "categorical"})
    both, one = pa.table({"a": [1.0, 2.0], "b": ["x", "y"]}), pa.table({"a": [1.0, 2.0]})
    found = evaluated(one, both, schema, "column_count", tests=["column_count"])
    told = {row.label: (row.value, row.reference) for row in found.metrics}
    assert told[""] == (1, 2)
    assert told["numerical"] == (1, 1)
    assert told["categorical"] == (0, 1)
    assert [test.status for test in found.tests] == ["fail"]


@given(some_rows)
def test_the_table_is_counted_as_pandas_counts_it(told):
    rows = table(told)
    ours = by_figure(everything_of(rows, None, "binary"))
    gaps = pd.DataFrame({name: pd.isna(rows[name].to_pylist()) for name in rows.column_names})
    assert ours["row_count", "", ""].value == len(gaps)
    assert ours["column_count", "", ""].value == gaps.shape[1]
    assert ours["column_count", "", "categorical"].value == list(KINDS.values()).count(
        "categorical"
    )
    assert ours["missing_cells", "", ""].value == gaps.sum().sum()
    assert ours["missing_cells_ratio", "", ""].value == pytest.approx(gaps.to_numpy().mean())
    assert ours["rows_with_missing", "", ""].value == gaps.any(axis=1).sum()
    assert ours["columns_with_missing", "", ""].value == gaps.any().sum()
    assert ours["empty_rows", "", ""].value == gaps.all(axis=1).sum()
    assert ours["empty_columns", "", ""].value == gaps.all().sum()


@given(some_rows)
def test_rows_repeat_where_all_their_values_do(told):
    names = [*FEATURES, "t", "w"]
    seen = [tuple(_told(row[name]) for name in names) for row in told]
    kinds = dict.fromkeys("xkdz", "numerical") | dict.fromkeys("cbn", "categorical")
    schema = schema_of(kinds | {"t": "datetime", "w": "text"})
    figures = Figures(evaluated(table(told), None, schema, "duplicated_rows"))
    assert figures.value("duplicated_rows") == len(seen) - len(set(seen))


def _told(value: object) -> object:
    """NaN is missing, and zero has no sign: as hashing sees it."""
    if isinstance(value, float):
        return None if isnan(value) else value + 0.0
    return value


def test_figures_of_a_small_table_by_hand():
    rows = pa.table({
        "a": [1.0, 1.0, 1.0, 1.0], "b": [1.0, 1.0, 1.0, 1.0], "c": ["x", "x", "x", "y"],
        "d": [None, None, 3.0, 3.0],
    })  # fmt: skip
    kinds = dict.fromkeys("abd", "numerical") | {"c": "categorical"}
    wanted = ("constant_columns", "almost_constant_columns", "duplicated_rows",
              "duplicated_columns", "almost_duplicated_columns", "rows_with_missing")  # fmt: skip
    figures = Figures(evaluated(rows, None, schema_of(kinds), *wanted))
    assert [figures.value(name) for name in wanted] == [3, 2, 1, 1, 1, 2]


def test_a_type_is_another_one_only_where_a_user_would_say_so():
    kinds = {"a": "numerical", "b": "categorical", "c": "categorical", "d": "categorical"}
    before = pa.table({"a": [1, 2], "b": ["x", "y"], "c": ["1", "2"], "d": [True, False]})
    now = pa.table({"a": [1.5, 2.5], "b": pa.nulls(2), "c": [1, 2], "d": ["true", "false"]})
    figures = Figures(evaluated(now, before, schema_of(kinds), "type_mismatches"))
    assert figures.value("type_mismatches") == 2


@given(samples)
def test_kinds_of_missing_numbers_are_counted(told):
    column = numbers(told)
    kinds = sum(any(map(kind, told)) for kind in (isnan, lambda x: x == inf, lambda x: x == -inf))
    assert figure("missing_kinds", column) == kinds
    assert figure("missing_kinds", column, values=[inf, "-inf"]) == kinds
    if told:
        infinite = sum(map(isinf, told)) / len(told)
        assert figure("infinite_ratio", column) == pytest.approx(infinite)


@given(samples, st.lists(st.sampled_from([0, 0.0, 1, 2.5, -7, "n/a", True, inf]), max_size=4))
def test_what_counts_as_missing_beside_null_may_be_said(told, listed):
    wanted = {x for x in listed if not isinstance(x, bool | str)}
    there = {x + 0.0 for x in wanted if x in told}
    ours = figure("missing_kinds", numbers(told), values=listed)
    assert ours == len(there) + any(map(isnan, told))


@given(labels, st.lists(st.sampled_from(["", "a", "0", 0, "z"]), max_size=3))
def test_kinds_of_missing_labels_are_counted(told, listed):
    column = categories(told)
    assert figure("missing_kinds", column) == len({x for x in told if not x})
    assert figure("empty_text_count", column) == told.count("")
    wanted = {str(x) for x in listed}
    ours = figure("missing_kinds", column, values=listed)
    assert ours == len(wanted & {*told}) + (None in told)


@given(some_rows)
def test_kinds_of_missing_values_of_the_whole_table_are_counted(told):
    ours = by_figure(everything_of(table(told), None, "binary"))
    cells = [x for row in told for name, x in row.items() if name in TASKS["binary"].kinds]
    floats = [x for x in cells if isinstance(x, float)]
    null = None in cells or any(map(isnan, floats))
    kinds = [null, "" in cells, inf in floats, -inf in floats]
    assert ours["missing_cell_kinds", "", ""].value == sum(kinds)
    assert ours["empty_text_count", "w", ""].value == [row["w"] for row in told].count("")
    assert ours["missing_kinds", "w", ""].value == len({row["w"] for row in told if not row["w"]})
    rows = sum(any(_is_missing(row[name]) for name in TASKS["binary"].kinds) for row in told)
    assert ours["rows_with_missing_ratio", "", ""].value == pytest.approx(rows / len(told))
    columns = [any(_is_missing(row[name]) for row in told) for name in TASKS["binary"].kinds]
    share = sum(columns) / len(columns)
    assert ours["columns_with_missing_ratio", "", ""].value == pytest.approx(share)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and isnan(value))


def test_of_text_only_empty_text_can_be_told_apart():
    schema = schema_of({"w": "text", "t": "datetime"})
    rows = pa.table({"w": ["", "a", None], "t": pa.array([None, 0, 1], pa.timestamp("s"))})
    for values, w in (([""], 2), ([], 1), (["a"], None)):
        wanted = {"missing_kinds": {"values": values}}
        ours = {r.column: r for r in evaluated(rows, None, schema, wanted).metrics}
        assert ours["w"].value == w
        assert ours["t"].value == 1
    assert ours["w"].error.startswith("of a text column only empty text can be told apart")


def test_times_repeat_as_other_values_do_and_texts_are_not_asked():
    schema = schema_of({"w": "text", "t": "datetime"})
    rows = pa.table({"w": list("aabc"), "t": pa.array([None, 5, 5, 6], pa.timestamp("s"))})
    figures = Figures(
        evaluated(rows, None, schema, "unique_count", "unique_ratio", "most_common_ratio")
    )
    assert figures.value("unique_count", "t") == 2
    assert figures.value("unique_ratio", "t") == pytest.approx(2 / 3)
    assert figures.value("most_common_ratio", "t") == 0.5
    assert {row.column for row in figures.snapshot.metrics} == {"t"}


def test_another_kind_of_missing_value_fails_and_one_less_does_not():
    kinds = {"x": "numerical", "c": "categorical"}
    clean = pa.table({"x": [1.0, None, 2.0], "c": ["a", "b", "a"]})
    worse = pa.table({"x": [1.0, inf, None], "c": ["", "b", "a"]})
    tests = ("missing_cell_kinds", "missing_kinds")
    for now, then, statuses in ((worse, clean, {"fail"}), (clean, worse, {"success"})):
        snapshot = evaluated(now, then, schema_of(kinds), tests=tests, min_rows=0)
        assert {t.status for t in snapshot.tests} == statuses
