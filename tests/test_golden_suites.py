"""Evidently's test suites under `automatic_tests: evidently`: every status, on months, days and a toy table.

Where a status differs, Evidently is wrong, and the tests say what is right instead:

- A missing value counts as the most common one there; here only values do (`pressure`, one month of
  `humid`), and shares are not rounded to four digits before they are compared (`dewp`).
- Its MAPE divides by max(target, tiny), which is 1e18 % on delays below zero.
- Mean and spread are rounded to two digits before the mean is compared (`precip`).
- A column without a single value passes its range test there; here it is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from golden import flights
from golden.evaluations import HERE, evaluated, golden, near, reference_of, schema_of

from exporter.batch import Kind, Schema
from exporter.evaluation import ReferenceProfile
from exporter.plan import make_plan
from exporter.snapshot import CheckResult, Snapshot

IDS = {
    "Number of Rows": "row_count",
    "Number of Columns": "column_count",
    "Column Types": "type_mismatches",
    "The Share of Missing Values in a Column": "missing_ratio",
    "Share of Out-of-Range Values": "out_of_range_ratio",
    "Share of Out-of-List Values": "out_of_list_ratio",
    "Mean Value Stability": "mean_shift_sigmas",
    "Share of Drifted Columns": "drifted_columns_ratio",
    "Drift per Column": "column_drift",
    "Share of the Most Common Value": "most_common_ratio",
    "Number of Constant Columns": "constant_columns",
    "Number of Duplicate Columns": "duplicated_columns",
    "Number of Duplicate Rows": "duplicated_rows",
    "Accuracy Score": "accuracy",
    "Precision Score": "precision",
    "Recall Score": "recall",
    "F1 Score": "f1",
    "ROC AUC Score": "roc_auc",
    "Mean Error (ME)": "mean_error",
    "Mean Absolute Error (MAE)": "mae",
    "Root Mean Square Error (RMSE)": "rmse",
    "Mean Absolute Percentage Error (MAPE)": "mape",
}
PRESETS = {
    "DataStabilityTestPreset": "data_stability",
    "DataDriftTestPreset": "data_drift",
    "BinaryClassificationTestPreset": "binary_classification",
    "DataQualityTestPreset": "data_quality",
    "RegressionTestPreset": "regression",
    "NoTargetPerformanceTestPreset": "no_target_performance",
}
ROUNDED = {"column_drift": 3, "most_common_ratio": 4}  # digits of the figures in the files
WEATHER = flights.WEATHER
FEATURES: Mapping[str, Kind] = {
    **dict.fromkeys(flights.NUMERICAL, "numerical"),
    **dict.fromkeys(flights.CATEGORICAL, "categorical"),
}
SUITES = golden("nyc_testsuites.json")
MONTHLY, DAILY, ALONE = (
    SUITES[name] for name in ("monthly_ref_2013-01", "daily_ref_2013-01", "monthly_no_reference")
)
# (preset, metric, column) -> batches where the status differs: what is right
MOST_COMMON = {
    "2013-02": ("pressure", "success"), "2013-04": ("pressure", "success"),
    "2013-07": ("pressure", "fail"), "2013-09": ("dewp", "success"),
    "2013-10": ("pressure", "success"), "2013-11": ("pressure", "success"),
    "2013-12": ("pressure", "success"),
}  # fmt: skip


class Cell(NamedTuple):
    """One test in Evidently's hand and in ours."""

    metric: str
    column: str
    theirs: Mapping[str, Any]
    ours: CheckResult

    @property
    def differs(self) -> bool:
        return self.theirs["status"].lower() != self.ours.status

    @property
    def value_differs(self) -> bool:
        value = self.theirs.get("value", self.theirs.get("score"))
        if value is None or self.ours.value is None:
            return False
        digits = ROUNDED.get(self.metric)
        if digits is None:
            return not near(self.ours.value, value)
        return abs(self.ours.value - value) > 0.51 * 10**-digits

    @property
    def limit_differs(self) -> bool:
        """Whether the condition is another one; `eq` and `lte` with a tolerance are told by their ends."""
        if self.metric in ROUNDED or self.ours.value is None:
            return False
        lower, upper = limits(self.theirs.get("condition") or {})
        ours = self.ours.lower, self.ours.upper
        told = [(a, b) for a, b in zip(ours, (lower, upper), strict=True) if b is not None]
        return not all(near(a, b) for a, b in told)


def limits(condition: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """The least and the most that a condition of the files allows."""
    for op, said in condition.items():
        value, tolerance = said, 0.0
        if isinstance(said, Mapping):
            value = said["value"]
            tolerance = max(abs(value) * said["relative"], said["absolute"])
        lower = value - tolerance if op in ("eq", "gte", "gt") else None
        upper = value + tolerance if op in ("eq", "lte", "lt") else None
        return lower, upper
    return None, None


def cells(suite: Mapping[str, Any], snapshot: Snapshot) -> Iterator[Cell]:
    """Every test of a suite beside ours; the files do not name the columns of drift tests that raised."""
    ours = {(told.metric, told.column): told for told in snapshot.tests}
    for test in suite["tests"]:
        parameters = {**test, **(test.get("parameters") or {})}
        column = test.get("column") or parameters.get("column_name") or ""
        metric = IDS[test["name"]]
        if column or (metric, "") in ours:
            yield Cell(metric, column, parameters, ours[metric, column])


def schema_for(preset: str) -> Schema:
    """The columns that a suite was run on."""
    features = tuple(FEATURES)
    if preset == "BinaryClassificationTestPreset":
        kinds = {**FEATURES, "late": "categorical", "proba_champion": "numerical"}
        return schema_of(
            kinds, features, target="late", probability="proba_champion", task="binary"
        )
    if preset == "RegressionTestPreset":
        kinds = {**FEATURES, "arr_delay": "numerical", "pred_champion": "numerical"}
        parts = {"target": "arr_delay", "prediction": "pred_champion", "task": "regression"}
        return schema_of(kinds, features, **parts)
    if preset == "NoTargetPerformanceTestPreset":
        return schema_of(
            {**FEATURES, "proba_champion": "numerical"}, features, probability="proba_champion"
        )
    return schema_of(FEATURES, features)


def rows_for(preset: str, batch: str) -> pa.Table:
    """A month's or day's flights; suites about predictions saw those that have landed."""
    rows = flights.month(int(batch[5:])) if len(batch) == 7 else flights.day(batch)
    if preset in ("DataStabilityTestPreset", "DataDriftTestPreset", "DataQualityTestPreset"):
        return rows
    return rows.filter(pc.is_finite(rows["arr_delay"]))


@cache
def january(preset: str) -> ReferenceProfile:
    tests = [PRESETS[preset]]
    plan = make_plan((), schema_for(preset), tests=tests, automatic_tests="evidently")
    return reference_of(rows_for(preset, "2013-01"), plan)


@cache
def judged(preset: str, batch: str, *, reference: bool = True) -> Snapshot:
    """Our snapshot of a suite."""
    beside = january(preset) if reference else None
    return evaluated(
        rows_for(preset, batch), beside, schema_for(preset),
        tests=[PRESETS[preset]], automatic_tests="evidently",
    )  # fmt: skip


def compared(section: Mapping[str, Any], preset: str, batch: str) -> list[Cell]:
    found = list(
        cells(section[batch][preset], judged(preset, batch, reference=section is not ALONE))
    )
    assert len(found) > 3
    return found


@pytest.mark.parametrize("batch", MONTHLY)
@pytest.mark.parametrize(
    "preset",
    [p for p in PRESETS if p not in ("DataQualityTestPreset", "RegressionTestPreset")],
)
def test_every_status_value_and_limit_of_a_month_is_theirs(preset, batch):
    found = compared(MONTHLY, preset, batch)
    assert not [c for c in found if c.differs or c.value_differs or c.limit_differs]


def test_no_test_of_a_month_is_left_out():
    suites = [(p, b) for b in MONTHLY for p in PRESETS]
    assert len(suites) == 66
    assert sum(len(compared(MONTHLY, p, b)) for p, b in suites) == 1441
    assert sum(len(MONTHLY[b][p]["tests"]) for p, b in suites) == 1441


@pytest.mark.parametrize("batch", MONTHLY)
def test_the_data_quality_of_a_month_is_theirs_but_for_missing_values_as_most_common(batch):
    found = compared(MONTHLY, "DataQualityTestPreset", batch)
    right = {place: status for b, place, status in _right() if b == batch}
    assert {(c.metric, c.column): c.ours.status for c in found if c.differs} == right
    other = {c.column for c in found if c.value_differs}
    assert other <= {"pressure", "humid"}
    assert not [c for c in found if c.limit_differs]


def _right() -> Iterator[tuple[str, tuple[str, str], str]]:
    for batch, (column, status) in MOST_COMMON.items():
        yield batch, ("most_common_ratio", column), status


@pytest.mark.parametrize("column", ["pressure", "humid", "dewp"])
@pytest.mark.parametrize("batch", MONTHLY)
def test_the_most_common_value_is_a_value_and_its_share_is_not_rounded(batch, column):
    told = next(
        t
        for t in judged("DataQualityTestPreset", batch).tests
        if (t.metric, t.column) == ("most_common_ratio", column)
    )
    now, then = (share_of_the_most_common(column, b) for b in (batch, "2013-01"))
    assert near(told.value, now)
    assert (told.status == "success") == (abs(now - then) <= 0.1 * then)


def share_of_the_most_common(column: str, batch: str) -> float:
    values = rows_for("DataQualityTestPreset", batch)[column].to_pandas()
    return values.value_counts().iloc[0] / len(values)


@pytest.mark.parametrize("batch", MONTHLY)
def test_the_regression_of_a_month_is_theirs_but_for_mape(batch):
    found = compared(MONTHLY, "RegressionTestPreset", batch)
    others = [c for c in found if c.metric != "mape"]
    assert len(others) == 3
    assert not [c for c in others if c.differs or c.value_differs or c.limit_differs]


@pytest.mark.parametrize("batch", MONTHLY)
def test_mape_is_judged_by_the_right_figures(batch):
    told = next(t for t in judged("RegressionTestPreset", batch).tests if t.metric == "mape")
    now, then = right_mape(batch), right_mape("2013-01")
    assert near(told.value, now)
    assert (told.lower, told.upper) == pytest.approx((0.9 * then, 1.1 * then))
    assert (told.status == "success") == (abs(now - then) <= 0.1 * then)


def right_mape(batch: str) -> float:
    rows = rows_for("RegressionTestPreset", batch)
    target, said = rows["arr_delay"].to_numpy(), rows["pred_champion"].to_numpy()
    there = target != 0
    return 100 * float(np.abs((said - target)[there] / target[there]).mean())


@pytest.mark.parametrize("batch", ALONE)
@pytest.mark.parametrize("preset", ["DataQualityTestPreset", "RegressionTestPreset"])
def test_without_a_reference_every_status_and_limit_is_theirs_but_for_mape(preset, batch):
    found = [c for c in compared(ALONE, preset, batch) if c.metric != "mape"]
    assert not [c for c in found if c.differs or c.limit_differs]
    assert {c.column for c in found if c.value_differs} <= {"pressure"}


@pytest.mark.parametrize("batch", ALONE)
def test_without_a_reference_mape_is_judged_by_the_best_constant_guess(batch):
    told = next(
        t
        for t in judged("RegressionTestPreset", batch, reference=False).tests
        if t.metric == "mape"
    )
    target = rows_for("RegressionTestPreset", batch)["arr_delay"].to_numpy()
    target = target[target != 0]
    guesses = np.linspace(-30, 30, 6001)
    best = min(100 * np.abs((g - target) / target).mean() for g in guesses)
    assert told.upper == pytest.approx(best, rel=1e-3)
    assert told.status == ("success" if told.value < best else "fail")


@pytest.mark.parametrize("batch", [b for b in DAILY if b != "2013-12-31"])
@pytest.mark.parametrize("preset", ["DataDriftTestPreset", "BinaryClassificationTestPreset"])
def test_every_status_of_a_day_is_theirs(preset, batch):
    found = compared(DAILY, preset, batch)
    assert not [c for c in found if c.differs or c.value_differs or c.limit_differs]


@pytest.mark.parametrize("batch", [b for b in DAILY if b != "2013-12-31"])
def test_the_stability_of_a_day_is_theirs_but_for_rounded_spreads(batch):
    found = compared(DAILY, "DataStabilityTestPreset", batch)
    right = {("mean_shift_sigmas", "precip")} if batch in ("2013-03-08", "2013-08-22") else set()
    assert {(c.metric, c.column) for c in found if c.differs} == right
    assert not [c for c in found if c.value_differs or c.limit_differs]


@pytest.mark.parametrize("batch", ["2013-03-08", "2013-08-22"])
def test_a_mean_is_compared_with_the_spread_as_it_is(batch):
    told = {(t.metric, t.column): t for t in judged("DataStabilityTestPreset", batch).tests}
    now, then = (
        rows_for("DataStabilityTestPreset", b)["precip"].to_pandas() for b in (batch, "2013-01")
    )
    shift = (now.mean() - then.mean()) / then.std()
    ours = told["mean_shift_sigmas", "precip"]
    assert near(ours.value, shift)
    assert ours.status == "success"
    assert abs(shift) < 2


def test_a_dead_feed_is_an_error_of_each_of_its_columns_and_the_rest_is_judged():
    batch = "2013-12-31"
    stability = compared(DAILY, "DataStabilityTestPreset", batch)
    wrong = {(c.metric, c.column): c.ours.status for c in stability if c.differs}
    places = [(m, c) for m in ("out_of_range_ratio", "mean_shift_sigmas") for c in WEATHER]
    assert wrong == dict.fromkeys(places, "error")
    assert not [c for c in stability if c.value_differs or c.limit_differs]
    drift = judged("DataDriftTestPreset", batch).tests
    assert {t.column for t in drift if t.status == "error"} == set(WEATHER)
    others = list(cells(DAILY[batch]["DataDriftTestPreset"], judged("DataDriftTestPreset", batch)))
    assert {c.metric for c in others if c.differs} == {"drifted_columns_ratio"}
    ratio = next(t for t in drift if t.metric == "drifted_columns_ratio")
    assert (ratio.value, ratio.status) == (0.5, "fail")  # three of the six that could be compared


# ---- the toy table

TOY = schema_of(
    {"age": "numerical", "income": "numerical", "plan": "categorical", "active": "categorical"}
)
WITH_CLASSES = schema_of(
    dict(TOY.kinds) | {"target": "categorical", "prediction": "categorical"},
    TOY.features, target="target", prediction="prediction", task="binary",
)  # fmt: skip
WITHOUT_TARGET = schema_of(
    dict(TOY.kinds) | {"prediction": "categorical"}, TOY.features, prediction="prediction"
)
WITH_NUMBERS = schema_of(
    {"age": "numerical", "plan": "categorical", "y": "numerical", "y_pred": "numerical"},
    ("age", "plan"), target="y", prediction="y_pred", task="regression",
)  # fmt: skip


@cache
def toy(part: str) -> pa.Table:
    frame = pd.read_csv(HERE / "presets" / "suites" / f"toy_{part}.csv")
    return pa.Table.from_pandas(frame, preserve_index=False)


def toy_suite(name: str) -> dict[str, Any]:
    return golden(f"presets/suites/{name}.json")


def toy_snapshot(schema: Schema, *tests: Any, reference: bool = True) -> Snapshot:
    beside = toy("ref") if reference else None
    return evaluated(toy("cur"), beside, schema, tests=tests, automatic_tests="evidently")


@pytest.mark.parametrize(
    ("name", "schema", "preset"),
    [
        ("legt_drift", TOY, "data_drift"),
        ("legt_stability", TOY, "data_stability"),
        ("legt_binary", WITH_CLASSES, "binary_classification"),
        ("legt_reg", WITH_NUMBERS, "regression"),
        ("legt_notarget", WITHOUT_TARGET, "no_target_performance"),
    ],
)
def test_every_status_of_a_toy_suite_is_theirs(name, schema, preset):
    snapshot = toy_snapshot(schema, preset)
    assert statuses(snapshot) == their_statuses(name)
    found = list(cells(toy_suite(name), snapshot))
    assert not [c for c in found if c.differs or c.value_differs or c.limit_differs]


def statuses(snapshot: Snapshot) -> list[tuple[str, str]]:
    return sorted((t.metric, t.status) for t in snapshot.tests)


def their_statuses(name: str) -> list[tuple[str, str]]:
    return sorted((IDS[t["name"]], t["status"].lower()) for t in toy_suite(name)["tests"])


def test_the_toy_s_data_quality_is_theirs_but_for_missing_values_as_most_common():
    found = list(cells(toy_suite("legt_quality"), toy_snapshot(TOY, "data_quality")))
    assert len(found) == 11
    assert not [c for c in found if c.differs]
    income = next(c for c in found if (c.metric, c.column) == ("most_common_ratio", "income"))
    assert income.ours.value == 1 / 120
    assert {c.column for c in found if c.value_differs} == {"income"}


@pytest.mark.parametrize(
    ("name", "schema", "preset"),
    [
        ("legt_stability_noref", TOY, "data_stability"),
        ("legt_quality_noref", TOY, "data_quality"),
        ("legt_reg_noref", WITH_NUMBERS, "regression"),
    ],
)
def test_every_status_of_a_toy_suite_without_reference_is_theirs(name, schema, preset):
    assert statuses(toy_snapshot(schema, preset, reference=False)) == their_statuses(name)


def test_what_a_regression_must_beat_without_a_reference_is_theirs():
    snapshot = toy_snapshot(WITH_NUMBERS, "regression", reference=False)
    found = list(cells(toy_suite("legt_reg_noref"), snapshot))
    assert not [c for c in found if c.value_differs or c.limit_differs]


def test_the_toy_s_classes_without_reference_have_their_statuses():
    tests = ("accuracy", {"precision": {"gt": 0.9, "critical": False}}, "recall")
    snapshot = toy_snapshot(WITH_CLASSES, *tests, reference=False)
    assert statuses(snapshot) == their_statuses("legt_binary_noref")
    assert snapshot.status == "warning"
    for cell in cells(toy_suite("legt_binary_noref"), snapshot):
        assert not cell.value_differs
        # theirs is one draw of a random guess, ours what such guesses reach on average
        assert limits(cell.theirs["condition"])[0] == pytest.approx(cell.ours.lower, abs=0.12)


# ---- the newer reports' default tests

NEWER = {
    "RowCount": "row_count", "ColumnCount": "column_count", "DuplicatedRowCount": "duplicated_rows",
    "DuplicatedColumnsCount": "duplicated_columns", "EmptyRowsCount": "empty_rows",
    "AlmostConstantColumnsCount": "almost_constant_columns", "EmptyColumnsCount": "empty_columns",
    "ConstantColumnsCount": "constant_columns", "MissingValueCount": "missing_ratio",
    "DatasetMissingValueCount": "missing_cells", "MinValue": "min", "MaxValue": "max",
    "MeanValue": "mean", "StdValue": "std", "QuantileValue": "quantile", "Accuracy": "accuracy",
    "Precision": "precision", "Recall": "recall", "F1Score": "f1", "TPR": "tpr", "TNR": "tnr",
    "FPR": "fpr", "FNR": "fnr", "RocAuc": "roc_auc", "LogLoss": "log_loss",
    "MeanError": "mean_error", "MAPE": "mape", "RMSE": "rmse", "MAE": "mae", "R2Score": "r2",
    "AbsMaxError": "max_absolute_error", "ValueDrift": "column_drift",
}  # fmt: skip
QUANTILES = [{"quantile": {"q": q}} for q in (0.25, 0.5, 0.75)]
RATES = ("accuracy", "precision", "recall", "f1", "tpr", "tnr", "fpr", "fnr")


def newer(name: str, snapshot: Snapshot) -> Iterator[tuple[str, str, str, str]]:
    """Metric, column, their status and ours; the older suites' condition holds where the two differ."""
    for test in toy_suite(name)["tests"]:
        params = test["metric_config"]["params"]
        metric = NEWER.get(params["type"].split(":")[-1])
        if metric is None:
            continue
        column, q = params.get("column") or "", params.get("quantile")
        ours = next(
            t
            for t in snapshot.tests
            if (t.metric, t.column) == (metric, column) and q in (None, t.params.get("q"))
        )
        yield metric, column, test["status"].lower(), ours.status


@pytest.mark.parametrize(
    ("name", "schema", "tests"),
    [
        ("class07", WITH_CLASSES, RATES),
        ("class07_noref", WITH_CLASSES, RATES),
        ("class07_proba", schema_of(
            dict(WITH_CLASSES.kinds) | {"proba": "numerical"}, TOY.features, target="target",
            prediction="prediction", probability="proba", task="binary",
        ), (*RATES, "roc_auc", "log_loss")),
        ("drift07", TOY, ("column_drift",)),
        ("reg07", WITH_NUMBERS, ("mean_error", "mape", "rmse", "mae", "r2", "max_absolute_error")),
    ],
)  # fmt: skip
def test_default_tests_of_newer_reports_have_their_statuses(name, schema, tests):
    snapshot = toy_snapshot(schema, *tests, reference="noref" not in name)
    found = list(newer(name, snapshot))
    assert len(found) >= len(tests)
    assert not [place for place in found if place[2] != place[3]]


def test_default_tests_of_a_newer_summary_have_their_statuses_where_the_older_have_no_own():
    tests = (
        "row_count", "column_count", "duplicated_rows", "duplicated_columns", "empty_rows",
        "almost_constant_columns", "empty_columns", "constant_columns", "missing_ratio",
        "missing_cells", "min", "max", "mean", "std", *QUANTILES,
    )  # fmt: skip
    found = list(newer("summary07", toy_snapshot(TOY, *tests)))
    assert len(found) == 31
    # one-sided in the older suites: fewer missing values and a larger minimum are fine there
    ours = {("missing_ratio", "income"), ("missing_cells", ""), ("min", "age"), ("min", "income")}
    assert {(m, c) for m, c, theirs, here in found if theirs != here} == ours


def test_a_regression_is_not_asked_to_beat_itself():
    """The newer reports compare a model without reference with its own error, which always fails."""
    tests = ("mape", "rmse", "mae", "r2")
    found = list(newer("reg07_noref", toy_snapshot(WITH_NUMBERS, *tests, reference=False)))
    assert {(metric, ours) for metric, _, _, ours in found} == {(m, "success") for m in tests}
    assert {metric for metric, _, theirs, _ in found if theirs == "fail"} == {"mape", "rmse", "mae"}
