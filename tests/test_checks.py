"""What becomes of a test."""

from __future__ import annotations

from math import nextafter

import pytest

from exporter.checks import (
    Check,
    Condition,
    Relative,
    Situation,
    check_all,
    read_conditions,
)
from exporter.metrics import CATALOGUE
from exporter.snapshot import INFINITE, NO_VALUE, CheckResult, DriftRow, MetricRow, Snapshot


def read(**options):
    """The conditions, and what is wrong with them."""
    told = []
    conditions = read_conditions(options, ("tests", 0), lambda at, text: told.append((at, text)))
    return conditions, told


SITUATION = Situation("directional", 900, 27_000, None, 30, reference_expected=True)
ALONE = Situation("directional", 900, min_rows=30)
WAITING = Situation("directional", 900, min_rows=30, reference_expected=True)


def check(metric: str, *, params=None, columns=None, conditions=None, **options) -> Check:
    spec = CATALOGUE[metric]
    given_params = {**dict(spec.options), **(params or {})}
    said, told = read(**(conditions or {}))
    assert told == []
    return Check(options.pop("name", metric), spec, given_params, columns, said, **options)


def row(metric: str, value: float | None, column: str = "", **parts) -> MetricRow:
    params = {**dict(CATALOGUE[metric].options), **parts.pop("params", {})}
    return MetricRow(metric, column, value=value, params=params, n=parts.pop("n", 900), **parts)


def only(check_: Check, rows=(), drift=(), situation: Situation = SITUATION) -> CheckResult:
    (result,) = check_all([check_], rows, drift, situation)
    return result


def test_a_result_keeps_value_and_limits_as_numbers_and_says_them():
    limited = check("missing_ratio", columns=("age",), conditions={"lte": 0.1})
    result = only(limited, [row("missing_ratio", 0.173, "age")])
    assert (result.value, result.lower, result.upper) == (0.173, None, 0.1)
    assert (result.status, result.message) == ("fail", "0.173, at most 0.1")


def test_a_message_shows_the_digits_in_which_figure_and_limit_differ():
    limited = check("missing_ratio", conditions={"lte": 0.1})
    result = only(limited, [row("missing_ratio", nextafter(0.1, 1) + 1e-9, "age")])
    assert result.message == "0.100000001, at most 0.1"


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"eq": 3}, "2, exactly 3"),
        ({"gt": 2, "lt": 9}, "2, above 2 and below 9"),
        ({"between": [3, 5]}, "2, at least 3 and at most 5"),
        ({"not_eq": 2}, "2, anything but 2"),
        ({"in": [1, 3]}, "2, one of 1, 3"),
        ({"not_in": [1, 2]}, "2, anything but 1 and anything but 2"),
        ({"gte": 1, "not_in": [2]}, "2, at least 1 and anything but 2"),
    ],
)
def test_every_operator_is_readable_and_keeps_the_value(conditions, message):
    result = only(check("row_count", conditions=conditions), [row("row_count", 2.0)])
    assert (result.status, result.message, result.value) == ("fail", message, 2.0)


def test_not_eq_around_a_reference_says_what_it_bans():
    conditions = {"not_eq": {"reference": True, "absolute": 1}}
    result = only(check("row_count", conditions=conditions), [row("row_count", 2.0, reference=2.0)])
    assert result.message == "2, not between 1 and 3"


def test_large_numbers_are_said_without_exponent():
    result = only(
        check("row_count", conditions={"gt": 30_000_000}), [row("row_count", 27_004_123.0)]
    )
    assert result.message == "27004123, above 30000000"


def test_a_test_that_is_not_critical_warns():
    warned = check("row_count", conditions={"gt": 1000}, critical=False)
    assert only(warned, [row("row_count", 900.0)]).status == "warning"


def test_statuses_of_a_snapshot_are_ordered_and_errors_that_are_not_critical_warn():
    def status(*found: tuple[str, bool]) -> str:
        tests = [CheckResult("t", "m", status=s, critical=c) for s, c in found]
        return Snapshot(1, tests=tests).status

    assert status(("error", True), ("fail", True), ("warning", False)) == "error"
    assert status(("fail", True), ("warning", False), ("success", True)) == "fail"
    assert status(("error", False), ("success", True)) == "warning"
    assert status(("success", True), ("skipped", True)) == "success"
    assert status(("skipped", True)) == "skipped"
    assert status() == "skipped"


def test_a_test_without_a_figure_is_an_error():
    result = only(check("missing_ratio", columns=("age",), conditions={"lte": 0}))
    assert (result.status, result.column) == ("error", "age")
    assert result.message == "there is no such figure"


def test_a_label_that_is_not_there_is_an_error_that_names_it():
    labelled = check("precision_by_label", label="7", conditions={"gt": 0})
    result = only(labelled, [row("precision_by_label", 0.9, label="1")])
    assert (result.status, result.label) == ("error", "7")
    assert result.message == "there is no figure with label '7'"


def test_a_labelled_metric_is_tested_by_its_total_or_by_every_label():
    rows = [row("column_count", 5.0), row("column_count", 3.0, label="numerical")]
    assert only(check("column_count", conditions={"eq": 5}), rows).label == ""
    classes = [row("recall_by_label", x, label=c) for c, x in (("0", 0.9), ("1", 0.2))]
    results = check_all([check("recall_by_label", conditions={"gt": 0.5})], classes, (), SITUATION)
    assert [(r.label, r.status) for r in results] == [("0", "success"), ("1", "fail")]
    one = check("recall_by_label", conditions={"gt": 0.5}, label="1")
    assert only(one, classes).status == "fail"


def test_an_error_in_the_figure_is_the_test_s():
    result = only(
        check("mean", conditions={"gt": 0}), [row("mean", None, "age", error="column is gone")]
    )
    assert (result.status, result.message) == ("error", "column is gone")


def test_an_infinite_figure_fails():
    result = only(
        check("mean_shift_sigmas"), [row("mean_shift_sigmas", None, "age", error=INFINITE)]
    )
    assert (result.status, result.value) == ("fail", None)


def test_columns_that_other_tests_look_at_are_left_out():
    rest = check("missing_ratio", conditions={"lte": 0}, without=frozenset({"age"}))
    rows = [row("missing_ratio", 1.0, c) for c in ("age", "plan")]
    assert [r.column for r in check_all([rest], rows, (), SITUATION)] == ["plan"]


def test_a_figure_with_other_options_is_not_this_test_s():
    rows = [row("quantile", x, "age", params={"q": q}) for q, x in ((0.5, 40.0), (0.9, 70.0))]
    result = only(check("quantile", params={"q": 0.9}, conditions={"lt": 60}), rows)
    assert (result.value, result.status) == (70.0, "fail")


# ---- without a reference, and with one that is still empty


@pytest.mark.parametrize(
    ("situation", "status", "message"),
    [
        (ALONE, "skipped", "needs a reference"),
        (WAITING, "skipped", "the reference is still empty"),
        (Situation("evidently", 900), "error", "needs a reference"),
        (
            Situation("evidently", 900, reference_expected=True),
            "skipped",
            "the reference is still empty",
        ),
    ],
)
@pytest.mark.parametrize(
    "metric",
    ["column_drift", "new_categories", "mean_shift_sigmas", "out_of_range_ratio",
     "drifted_columns_ratio", "type_mismatches"],
)  # fmt: skip
def test_what_compares_waits_for_a_reference(metric, situation, status, message):
    columns = ("age",) if CATALOGUE[metric].per == "column" else None
    result = only(check(metric, columns=columns), situation=situation)
    assert (result.status, result.message) == (status, message)


def test_options_stand_in_for_a_reference():
    bounded = check("out_of_range_ratio", params={"left": 0.0, "right": 9.0})
    figure = row("out_of_range_ratio", 0.5, "age", params={"left": 0.0, "right": 9.0})
    assert only(bounded, [figure], situation=ALONE).status == "fail"
    assert only(bounded, [figure], situation=WAITING).status == "fail"


def test_a_condition_on_the_reference_s_figure_waits_for_it():
    relative = check("mean", conditions={"lte": {"reference": True}})
    figure = row("mean", 5.0, "age")
    assert only(relative, [figure], situation=ALONE).message == "needs a reference"
    assert only(relative, [figure], situation=WAITING).status == "skipped"
    missing = only(relative, [figure])
    assert (missing.status, missing.message) == ("error", "the reference has no such figure")


def test_conditions_for_those_without_a_reference_apply_only_where_none_is_configured():
    limited, figure = check("missing_ratio"), row("missing_ratio", 0.2, "age")
    assert only(limited, [figure], situation=ALONE).status == "fail"
    waiting = only(limited, [figure], situation=WAITING)
    assert (waiting.status, waiting.message) == ("skipped", "the reference is still empty")


def test_a_metric_that_needs_a_reference_or_a_condition_says_so():
    result = only(check("mean"), [row("mean", 5.0, "age")], situation=ALONE)
    assert (result.status, result.message) == ("skipped", "needs a reference, or a condition")
    strict = only(check("mean"), [row("mean", 5.0, "age")], situation=Situation("evidently", 900))
    assert strict.status == "error"


def test_a_model_without_reference_has_to_beat_a_guess():
    rows = [row("mae", 5.0), row("baseline_mae", 4.0)]
    result = only(check("mae"), rows, situation=ALONE)
    assert (result.status, result.message) == ("fail", "5, below 4")
    lost = only(check("mae"), rows[:1], situation=ALONE)
    assert (lost.status, lost.message) == ("error", "baseline_mae has no figure")


# ---- few rows

FEW = Situation("directional", 12, 27_000, None, 30, reference_expected=True)
DRIFT = DriftRow("age", "numerical", "wasserstein", 0.3, 0.1, True, 3.0, n=900, reference_n=27_000)
DRIFT_OF_FEW = DriftRow(
    "age", "numerical", "wasserstein", 0.3, 0.1, True, 3.0, n=12, reference_n=9000
)


@pytest.mark.parametrize(
    "metric",
    ["mean_shift_sigmas", "out_of_range_ratio", "new_categories", "rmse", "accuracy",
     "drifted_columns_ratio", "mean", "unique_ratio"],
)  # fmt: skip
def test_below_min_rows_nothing_is_compared_or_judged(metric):
    result = only(check(metric), [row(metric, 99.0, n=12, reference=1.0)], situation=FEW)
    assert (result.status, result.message) == ("skipped", "12 rows, fewer than min_rows (30)")
    drifted = only(check("column_drift"), drift=[DRIFT_OF_FEW], situation=FEW)
    assert (drifted.status, drifted.message) == ("skipped", "12 rows, fewer than min_rows (30)")


@pytest.mark.parametrize(
    "metric",
    ["missing_ratio", "type_mismatches", "constant_columns", "column_count", "duplicated_rows",
     "missing_count", "row_count"],
)  # fmt: skip
def test_integrity_is_tested_in_any_number_of_rows(metric):
    result = only(
        check(metric, conditions={"lt": 50}),
        [row(metric, 99.0, n=12, reference=1.0)],
        situation=FEW,
    )
    assert result.status == "fail"


def test_a_fixed_limit_on_a_statistic_holds_in_any_number_of_rows():
    limited = check("mean", conditions={"lt": 50})
    assert only(limited, [row("mean", 99.0, "age", n=12)], situation=FEW).status == "fail"


def test_few_values_in_a_large_batch_are_skipped_and_none_are_an_error():
    shift = check("mean_shift_sigmas")
    few = only(shift, [row("mean_shift_sigmas", 5.0, "age", n=7)])
    assert (few.status, few.message) == ("skipped", "7 values, fewer than min_rows (30)")
    none = only(shift, [row("mean_shift_sigmas", None, "age", n=0, error=NO_VALUE)])
    assert (none.status, none.message) == ("error", "no values in the batch")


def test_a_column_without_values_cannot_have_drifted_or_not():
    empty = DriftRow("age", "numerical", "ks", n=0, reference_n=900, error="no values in the batch")
    result = only(check("column_drift"), drift=[empty])
    assert (result.status, result.message) == ("error", "no values in the batch")


def test_a_reference_of_few_values_is_no_reference():
    small = DriftRow("age", "numerical", "ks", 0.01, 0.05, True, 1.5, n=900, reference_n=9)
    result = only(check("column_drift"), drift=[small])
    assert result.message == "9 reference values, fewer than min_rows (30)"
    situation = Situation("directional", 900, 9, None, 30, reference_expected=True)
    shifted = only(
        check("mean_shift_sigmas"), [row("mean_shift_sigmas", 5.0, "age")], situation=situation
    )
    assert (shifted.status, shifted.message) == (
        "skipped", "9 reference values, fewer than min_rows (30)",
    )  # fmt: skip


def test_a_batch_without_rows_fails_by_its_rows_only():
    nothing = Situation("directional", 0, 27_000, None, 30, reference_expected=True)
    rows = [row("row_count", 0.0, n=0, reference=9.0)]
    rows.append(row("missing_ratio", None, "age", n=0, error=NO_VALUE))
    results = check_all([check("row_count"), check("missing_ratio")], rows, (), nothing)
    assert [r.status for r in results] == ["fail", "skipped"]
    assert results[1].message == "the batch has no rows"


# ---- drift


def test_drift_is_judged_by_the_method_and_its_threshold():
    result = only(check("column_drift"), drift=[DRIFT])
    assert (result.status, result.value, result.lower, result.upper) == ("fail", 0.3, None, 0.1)
    assert result.message == "wasserstein 0.3, threshold 0.1"


def test_a_p_value_must_not_be_low():
    p = DriftRow("age", "numerical", "ks", 2e-6, 0.05, True, 4.4, n=900, reference_n=900)
    result = only(check("column_drift"), drift=[p])
    assert (result.status, result.lower, result.upper) == ("fail", 0.05, None)
    assert result.message == "ks p-value 2e-06, threshold 0.05"


def test_a_condition_on_the_score_takes_the_place_of_the_threshold():
    params = {"method": "psi", "threshold": None}
    laxer = check("column_drift", params=params, conditions={"lt": 0.5})
    assert only(laxer, drift=[DRIFT]).status == "success"
    stricter = check("column_drift", params=params, conditions={"lt": 0.2})
    result = only(stricter, drift=[DRIFT])
    assert (result.status, result.message) == ("fail", "0.3, below 0.2")


def test_a_drift_test_of_a_gone_column_is_an_error():
    gone = DriftRow("age", "numerical", "auto", n=0, error="the batch has no such column")
    result = only(check("column_drift", columns=("age",)), drift=[gone])
    assert (result.status, result.message) == ("error", "the batch has no such column")


def test_relative_and_condition_are_plain_values():
    assert Condition("lte", (Relative(0.1, 0.0),)).follows
    assert not Condition("lte", (1.0,)).follows
