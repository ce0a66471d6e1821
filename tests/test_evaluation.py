"""Whatever the data is like: a figure that cannot be had says why, and the rest is evaluated."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import inf, isnan, nan

import numpy as np
import pyarrow as pa
import pytest
from golden.evaluations import Figures, batch_of, evaluated, reference_of, schema_of

from exporter import evaluation
from exporter.evaluation import Grid, grids_of, merge_references
from exporter.metrics import CATALOGUE
from exporter.plan import make_plan
from exporter.profile.merge import merge_columns
from exporter.snapshot import Snapshot, content_hash, from_dict

INPUTS = schema_of({"age": "numerical", "plan": "categorical", "when": "datetime", "note": "text"})
ALL = ("data_summary", "data_drift", "infinite_count", "new_categories", "mean_shift_sigmas")


def table(rows: int = 60, **columns) -> pa.Table:
    """A sound table, or one with these columns instead."""
    start = datetime(2024, 1, 1)
    sound = {
        "age": pa.array(np.linspace(18, 80, rows)),
        "plan": pa.array([("basic", "pro", "team")[i % 3] for i in range(rows)]),
        "when": pa.array([start + timedelta(hours=i) for i in range(rows)]),
        "note": pa.array([f"note {i}" for i in range(rows)]),
    }
    return pa.table({name: columns.get(name, sound[name]) for name in sound})


def without(name: str) -> pa.Table:
    return table().drop_columns([name])


def run(current: pa.Table, reference: pa.Table | None = None, *metrics, **options) -> Figures:
    beside = table() if reference is None else reference
    return Figures(evaluated(current, beside, INPUTS, *(metrics or ALL), **options))


def errors_of(figures: Figures, column: str) -> set[str | None]:
    return {r.error for r in figures.snapshot.metrics if r.column == column}


# ---- columns that are not what they should be


def test_a_gone_column_is_an_error_in_each_of_its_figures_and_in_those_that_needed_it():
    figures = run(without("age"))
    assert errors_of(figures, "age") == {"the batch has no such column"}
    assert figures.drift["age"].error == "the batch has no such column"
    assert figures.value("untested_columns") == 1
    assert figures.row("missing_cells").error == "column 'age': the batch has no such column"
    assert figures.value("row_count") == 60
    assert figures.value("column_count") == 3


def test_the_rest_of_a_batch_with_a_gone_column_is_evaluated():
    figures = run(without("age"))
    assert errors_of(figures, "plan") == {None}
    assert figures.drift["plan"].drifted is False
    assert figures.value("drifted_columns_ratio") == 0


def test_a_numerical_column_that_holds_text_is_told_by_every_figure():
    figures = run(table(age=pa.array(["1.5"] * 60)))
    assert errors_of(figures, "age") == {"holds text (string), not numbers"}
    assert figures.value("untested_columns") == 1


def test_a_column_without_values_has_no_figures_but_is_counted():
    figures = run(table(age=pa.nulls(60)))
    assert figures.value("missing_ratio", "age") == 1
    assert figures.row("mean", "age").error == "no value"
    assert figures.row("mean", "age").n == 0
    assert figures.drift["age"].error == "no values in the batch"
    assert figures.value("empty_columns") == 1


def test_an_extra_column_changes_nothing():
    more = table().append_column("extra", pa.array(range(60)))
    assert run(more).snapshot == run(table()).snapshot


def test_two_columns_of_one_name_are_an_error_of_that_name_only():
    names = ["age", "age", "plan", "when", "note"]
    columns = [table()[n] for n in names]
    figures = run(pa.Table.from_arrays(columns, names=names))
    (reason,) = errors_of(figures, "age")
    assert "age" in reason
    assert errors_of(figures, "plan") == {None}


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1, 2]] * 60),
        pa.array([{"a": 1}] * 60),
        pa.array([[("k", 1)]] * 60, pa.map_(pa.string(), pa.int64())),
    ],
    ids=["list", "struct", "pairs"],
)
@pytest.mark.parametrize("name", ["age", "plan", "note", "when"])
def test_a_nested_column_is_refused_by_its_own_figures_only(name, column):
    figures = run(table(**{name: column}))
    assert all("holds" in reason for reason in errors_of(figures, name))
    other = "plan" if name == "age" else "age"
    assert errors_of(figures, other) == {None}


def test_a_column_that_the_reference_lacks_says_so():
    figures = Figures(
        evaluation.evaluate(
            batch_of(table()),
            reference_of(without("age"), make_plan(ALL, schema_of({"plan": "categorical"}))),
            make_plan(ALL, INPUTS),
        )
    )
    assert figures.drift["age"].error == "the reference has no such column"
    assert figures.row("mean_shift_sigmas", "age").error == "the reference has no such column"
    assert figures.value("mean", "age") == pytest.approx(49)


def test_dataset_figures_stand_where_only_an_untold_column_is_gone():
    schema = schema_of({"age": "numerical"})
    figures = Figures(evaluated(without("plan"), None, schema, "missing_cells"))
    assert figures.value("missing_cells") == 0


# ---- batches that are not what they should be


def test_an_empty_batch_has_counts_and_no_figures():
    figures = run(table().slice(0, 0))
    assert figures.value("row_count") == 0
    assert figures.value("missing_count", "age") == 0
    assert figures.row("missing_ratio", "age").error == "no value"
    assert figures.value("untested_columns") == 2
    assert [d.current for d in figures.snapshot.distributions if d.column == "plan"] == [[0] * 4]


def test_a_batch_of_one_row_is_evaluated():
    figures = run(table(1))
    assert figures.value("mean", "age") == 18
    assert figures.row("std", "age").error == "no value"


def test_an_empty_reference_leaves_the_batch_s_own_figures():
    figures = run(table(), table().slice(0, 0))
    assert figures.value("mean", "age") == pytest.approx(49)
    assert figures.row("mean", "age").reference is None
    assert figures.drift["age"].error == "no values in the reference"


def test_without_a_reference_nothing_is_compared():
    figures = Figures(evaluated(table(), None, INPUTS, *ALL))
    assert figures.snapshot.drift == ()
    told = {row.metric for row in figures.snapshot.metrics}
    assert not told & {"new_categories", "mean_shift_sigmas", "drifted_columns"}
    assert "mean" in told


def test_a_batch_whose_columns_differ_in_length_is_told():
    sound = batch_of(table(60))
    torn = evaluation.Batch(60, sound.types, lambda name: sound.read(name).slice(1))
    plan = make_plan(["mean"], INPUTS)
    assert errors_of(Figures(evaluation.evaluate(torn, None, plan)), "age") == {
        "has 59 rows, the batch 60"
    }


def test_a_metric_that_fails_costs_only_its_own_row():
    figures = run(table(), None, {"in_list_count": {"columns": ["age"], "values": ["old"]}}, "mean")
    (failed,) = [r for r in figures.snapshot.metrics if r.metric == "in_list_count"]
    assert failed.error == "could not convert string to float: 'old'"
    assert figures.value("mean", "age") == pytest.approx(49)


# ---- values that are not what they should be


def test_infinite_values_are_counted_and_left_out():
    told = np.linspace(18, 80, 60)
    told[[3, 5, 7]] = inf, -inf, inf
    figures = run(
        table(age=pa.array(told)), None, *ALL, {"in_range_count": {"left": 0, "right": 99}}
    )
    assert figures.value("infinite_count", "age") == 3
    assert figures.value("missing_count", "age") == 0
    assert figures.value("max", "age") == 80
    assert figures.value("mean", "age") == pytest.approx(np.delete(told, [3, 5, 7]).mean())
    assert figures.drift["age"].n == 57
    json.loads(figures.snapshot.to_json())


@pytest.mark.parametrize("value", [inf, -inf, nan])
def test_a_column_of_nothing_finite_has_no_moments(value):
    figures = run(table(age=pa.array([value] * 60)))
    assert figures.row("mean", "age").error == "no value"
    assert figures.drift["age"].error == "no values in the batch"
    assert figures.value("infinite_count", "age") == (0 if isnan(value) else 60)


def test_numbers_too_large_to_square_are_no_crash():
    figures = run(table(age=pa.array([1.7e308, -1.7e308] * 30)))
    assert figures.value("max", "age") == 1.7e308
    assert figures.row("std", "age").error == "infinite"
    json.loads(figures.snapshot.to_json())


def test_numbers_whose_sums_are_too_large_raise_no_warning():
    huge = pa.array(np.repeat([1.7e308, -1.7e308, 1.6e308], 20))
    figures = run(table(age=huge), table(age=huge))
    assert figures.drift["age"].error is None
    assert figures.drift["age"].score == 1
    assert figures.value("mean", "age") == pytest.approx(1.6e308 / 3)


def test_large_integers_are_told_apart_by_their_bits():
    schema = schema_of({"key": "numerical"})
    keys = pa.array([2**60, 2**60 + 1, 2**60 + 2, 2**60 + 1], pa.int64())
    figures = Figures(evaluated(pa.table({"key": keys}), None, schema, "duplicated_rows"))
    assert figures.value("duplicated_rows") == 1


def test_figures_of_large_integers_are_those_of_the_nearest_floats_and_of_labels_exact():
    keys = pa.table({"key": pa.array([2**60, 2**60 + 1, 2**60 + 2], pa.int64())})
    for kind, distinct in (("numerical", 1), ("categorical", 3)):
        figures = Figures(evaluated(keys, None, schema_of({"key": kind}), "unique_count"))
        assert figures.value("unique_count", "key") == distinct


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2, 3, 2], pa.int8()),
        pa.array([1, 2, 3, 2], pa.uint64()),
        pa.array([1.0, 2.0, 3.0, 2.0], pa.float32()),
        pa.array([1.0, 2.0, 3.0, 2.0], pa.float16()),
        pa.array([Decimal("1.00"), Decimal("2.00"), Decimal("3.00"), Decimal("2.00")]),
        pa.array([1, 2, 3, 2]).dictionary_encode(),
        pa.chunked_array([[1, 2], [], [3, 2]]),
    ],
    ids=["int8", "uint64", "float32", "float16", "decimal", "dictionary", "chunks"],
)
@pytest.mark.parametrize("kind", ["numerical", "categorical"])
def test_equal_values_of_any_type_give_equal_figures(column, kind):
    wanted = ("unique_count", "most_common_ratio", "duplicated_rows", "missing_count")
    schema = schema_of({"x": kind})
    plain = evaluated(pa.table({"x": [1, 2, 3, 2]}), None, schema, *wanted)
    assert evaluated(pa.table({"x": column}), None, schema, *wanted).metrics == plain.metrics


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([1.0, 2.5, 1.0, None], {"1": 2, "2.5": 1}),
        ([1, 2, 1, None], {"1": 2, "2": 1}),
        ([True, False, True, None], {"true": 2, "false": 1}),
        ([Decimal("1.50"), Decimal("2.00"), Decimal("1.50"), None], {"1.5": 2, "2": 1}),
        ([-0.0, 0.0, nan, None], {"0": 2}),
        ([date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 1), None],
         {"2024-01-01": 2, "2024-01-02": 1}),
        (["a", "", "a", None], {"a": 2, "": 1}),
        ([2**60, 2**60 + 1, 2**60, None], {str(2**60): 2, str(2**60 + 1): 1}),
        ([1e300, -1e300, 1e300, None], {"1e+300": 2, "-1e+300": 1}),
        ([inf, -inf, inf, None], {"inf": 2, "-inf": 1}),
    ],
    ids=["float", "int", "bool", "decimal", "zeros", "date", "text", "large", "huge", "infinite"],
)  # fmt: skip
@pytest.mark.parametrize("encoded", [False, True])
def test_labels_are_canonical_text(values, labels, encoded):
    column = pa.array(values)
    column = (
        column.dictionary_encode() if encoded and not pa.types.is_decimal(column.type) else column
    )
    snapshot = evaluated(
        pa.table({"x": column}), None, schema_of({"x": "categorical"}), "category_count"
    )
    assert {r.label: r.value for r in snapshot.metrics} == labels


def test_booleans_are_numbers_where_numbers_are_declared():
    schema = schema_of({"x": "numerical"})
    figures = Figures(evaluated(pa.table({"x": [True, False, True, True]}), None, schema, "mean"))
    assert figures.value("mean", "x") == 0.75


def test_zero_has_no_sign():
    figures = Figures(
        evaluated(pa.table({"x": [-0.0, -0.0]}), None, schema_of({"x": "numerical"}), "max", "sum")
    )
    assert repr(figures.value("max", "x")) == "0.0"
    assert '"value": -0.0' not in figures.snapshot.to_json()


def test_equal_columns_are_found_across_types_and_missing_values():
    told = pa.table({
        "a": pa.array([1, 2, None, 4]), "b": pa.array([1.0, 2.0, nan, 4.0]),
        "c": pa.array([1.0, 2.0, 3.0, 4.0]), "d": pa.array(["x", "y", "z", "z"]),
        "e": pa.array(["x", "y", "z", "z"]).dictionary_encode(),
    })  # fmt: skip
    kinds = dict.fromkeys("abc", "numerical") | dict.fromkeys("de", "categorical")
    figures = Figures(evaluated(told, None, schema_of(kinds), "duplicated_columns"))
    assert figures.value("duplicated_columns") == 2


def test_a_column_of_another_type_is_a_mismatch_and_a_gone_one_too():
    current = table(plan=pa.array(range(60))).drop_columns(["age"])
    figures = run(current, None, "type_mismatches")
    assert figures.value("type_mismatches") == 2


# ---- references


def test_the_reference_s_own_figure_stands_beside_the_batch_s():
    figures = run(table(30))
    assert figures.row("row_count").reference == 60
    assert figures.row("max", "age").reference == 80


def test_a_category_that_only_the_reference_has_is_told_as_none():
    figures = run(table(plan=pa.array(["pro"] * 60)), None, {"category_ratio": {}})
    told = {r.label: (r.value, r.reference) for r in figures.snapshot.metrics}
    assert told == {"pro": (1, 1 / 3), "basic": (0, 1 / 3), "team": (0, 1 / 3)}


def test_the_drift_method_is_chosen_by_the_reference_and_under_evidently_by_both():
    schema = schema_of({"x": "numerical"})
    reference, current = pa.table({"x": [1, 2, 3] * 20}), pa.table({"x": list(range(1, 61))})
    methods = {
        mode: evaluated(current, reference, schema, "data_drift", automatic_tests=mode)
        .drift[0]
        .method
        for mode in ("directional", "evidently")
    }
    assert methods == {"directional": "chisquare", "evidently": "ks"}


def test_a_threshold_without_a_method_fixes_a_distance():
    figures = run(table(), None, {"column_drift": {"threshold": 0.2}})
    assert {d.method for d in figures.drift.values()} == {"wasserstein", "jensenshannon"}
    assert {d.threshold for d in figures.drift.values()} == {0.2}


def test_drift_rows_carry_only_the_options_that_a_user_can_give():
    options = set(CATALOGUE["column_drift"].options)
    assert {"method", "threshold"} <= options
    assert "per_batch" not in options  # it follows from `automatic_tests`


def test_a_method_that_does_not_compare_such_columns_says_so():
    figures = run(table(), None, {"column_drift": {"method": "ks"}})
    assert figures.drift["plan"].error == "ks does not compare categorical columns"
    assert figures.drift["age"].error is None


def test_a_merged_reference_gives_the_figures_of_the_whole():
    plan = make_plan([*ALL, "duplicated_rows"], INPUTS)
    whole = table(90)
    whole = pa.concat_tables([whole, whole.slice(0, 5)])
    parts = [reference_of(whole.slice(at, 20), plan, mergeable=True) for at in range(0, 95, 20)]
    merged = evaluation.evaluate(batch_of(table(40)), merge_references(parts), plan)
    direct = evaluation.evaluate(batch_of(table(40)), reference_of(whole, plan), plan)
    assert content_hash(merged) == content_hash(direct)
    assert Figures(merged).row("duplicated_rows").reference == 5


def test_a_merged_reference_knows_its_windows():
    plan = make_plan(ALL, INPUTS)
    parts = [reference_of(table(n), plan, mergeable=True) for n in (10, 20)]
    merged = merge_references(parts)
    assert merged.windows == tuple(parts)
    assert merged.table.rows == 30


def test_a_column_that_one_window_lacks_is_merged_from_the_others():
    plan = make_plan(["mean"], INPUTS)
    lacking = reference_of(without("age"), make_plan(["mean"], schema_of({"plan": "categorical"})))
    merged = merge_references([lacking, reference_of(table(20), plan)])
    assert merged.columns["age"].rows == 20


def test_windows_of_different_kinds_of_a_column_are_refused():
    numbers, labels = (
        reference_of(pa.table({"x": [1, 2]}), make_plan(["missing_count"], schema_of({"x": kind})))
        for kind in ("numerical", "categorical")
    )
    with pytest.raises(evaluation.BatchError, match="'x' is of another kind"):
        merge_columns([numbers.columns["x"], labels.columns["x"]])


# ---- distributions


def test_every_column_that_column_metrics_read_has_a_distribution():
    told = {d.column: d for d in run(table()).snapshot.distributions}
    assert set(told) == {"age", "plan"}
    assert len(told["age"].edges) == 21
    assert len(told["age"].current) == 22
    assert sum(told["age"].current) == 60
    assert told["plan"].categories == ["basic", "pro", "team", "other"]
    assert told["plan"].reference == [20, 20, 20, 0]


def test_columns_that_only_the_table_s_metrics_read_have_none():
    assert run(table(), None, "row_count", "duplicated_rows").snapshot.distributions == ()


def test_the_plan_s_grids_are_kept_whatever_the_reference():
    grids = {"age": Grid(edges=(0.0, 50.0)), "plan": Grid(categories=("pro",))}
    plan = make_plan(["missing_count"], INPUTS)
    fixed = evaluation.evaluate(
        batch_of(table()), reference_of(table(30), plan), replace(plan, grids=grids)
    )
    told = {d.column: d for d in fixed.distributions}
    assert told["age"].edges == (0.0, 50.0)
    assert told["age"].current == [0, 31, 29]
    assert told["plan"].current == [20, 40]


def test_the_grids_of_a_reference_are_its_quantiles_and_its_frequent_categories():
    plan = make_plan(["missing_count"], INPUTS)
    grids = grids_of(reference_of(table(), plan))
    assert grids["age"].edges[0] == pytest.approx(np.quantile(np.linspace(18, 80, 60), 0.01))
    assert grids["plan"] == Grid(categories=("basic", "pro", "team"))
    assert set(grids) == {"age", "plan"}


def test_ids_and_rare_values_are_told_as_other():
    schema = schema_of({"id": "categorical", "city": "categorical"})
    rows = 5000
    told = pa.table({
        "id": [f"user {i}" for i in range(rows)],
        "city": ["Nowhere"] + ["Rome" if i % 2 else "Oslo" for i in range(rows - 1)],
    })  # fmt: skip
    found = {d.column: d for d in evaluated(told, None, schema, "missing_count").distributions}
    assert found["id"].categories == ["other"]
    assert found["id"].current == [rows]
    assert found["city"].categories == ["Oslo", "Rome", "other"]
    assert found["city"].current[-1] == 1


def test_a_constant_column_has_one_edge_and_two_bins():
    schema = schema_of({"x": "numerical"})
    (told,) = evaluated(pa.table({"x": [7.0] * 9}), None, schema, "mean").distributions
    assert (told.edges, told.current) == ((7.0,), [0, 9])


# ---- the snapshot


def hostile() -> Snapshot:
    told = np.linspace(18, 80, 60)
    told[[3, 5]] = inf, nan
    return run(table(age=pa.array(told), plan=pa.array(['"\n\U0001f600\\'] * 60))).snapshot


def test_no_figure_is_ever_not_finite():
    rows = [*hostile().metrics, *run(table().slice(0, 0)).snapshot.metrics]
    numbers = [x for r in rows for x in (r.value, r.reference, r.low, r.high) if x is not None]
    assert np.isfinite(numbers).all()
    assert all(type(x) is float for x in numbers)
    assert all((r.value is None) == (r.error is not None) for r in rows)


def test_exact_figures_have_no_bounds():
    snapshot = hostile()
    assert {(r.low, r.high) for r in (*snapshot.metrics, *snapshot.drift)} == {(None, None)}


def test_a_snapshot_comes_back_from_its_json_with_the_same_content():
    snapshot = hostile()
    again = from_dict(json.loads(snapshot.to_json()))
    assert content_hash(again) == content_hash(snapshot)
    assert again.to_json() == snapshot.to_json()


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(1)
    rows = table(500)
    shuffled = rows.take(rng.permutation(500))
    a, b = (
        run(x, None, *ALL, "duplicated_rows", "category_ratio").snapshot for x in (rows, shuffled)
    )
    assert content_hash(a) == content_hash(b)


def test_the_hot_path_imports_neither_pandas_nor_scipy():
    program = """
import io, sys
from pyarrow import csv
from exporter import evaluation
from exporter.batch import Batch, Schema
from exporter.plan import make_plan
from exporter.profile.build import profile_table
kinds = {"x": "numerical", "c": "categorical", "t": "datetime", "y": "numerical", "p": "numerical"}
schema = Schema(kinds, ("x", "c"), "y", "p", task="regression")
line = b"1.0,a,2024-01-01 00:00:00,1,1.5\\n,,,2,2\\n2.5,b,2024-01-02 00:00:00,3,3\\n"
rows = csv.read_csv(io.BytesIO(b"x,c,t,y,p\\n" + line * 12))
batch = Batch(36, {f.name: f.type for f in rows.schema}, rows.column)
plan = make_plan(["data_summary", "data_drift", "regression", "category_ratio",
                  {"regexp_mismatch_count": {"pattern": "a"}}], schema)
found = {}
_, table = profile_table(batch, kinds, lambda c: found.update({c.name: c}), print, gridded=True)
outcome = evaluation.outcome_of(batch, plan)
reference = evaluation.ReferenceProfile(schema, found, table, outcome)
snapshot = evaluation.evaluate(batch, evaluation.merge_references([reference] * 2), plan)
snapshot.to_json()
assert not [r.error for r in snapshot.metrics if r.error], snapshot.metrics
print(sorted({"pandas", "scipy"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_a_plan_is_made_without_arrow():
    program = "import sys, exporter.plan; print('pyarrow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "False"
