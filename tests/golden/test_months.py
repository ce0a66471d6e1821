"""Twelve months of flights: drift, summary, regression and classification as Evidently has them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from golden import flights
from golden.evaluations import (
    CLASSIFICATION,
    DRIFT,
    METHODS,
    REGRESSION,
    SUMMARY,
    SUMMARY_KINDS,
    Figures,
    classification_pairs,
    classification_schema,
    column_pairs,
    dataset_pairs,
    evaluated,
    flat,
    golden,
    near,
    reference_of,
    regression_pairs,
    regression_schema,
    schema_of,
    wrong,
)

from exporter.evaluation import ReferenceProfile
from exporter.plan import make_plan

MONTHS = range(1, 13)
SCHEMA = schema_of(SUMMARY_KINDS, (*flights.NUMERICAL, *flights.CATEGORICAL))
OUTCOMES = {
    "pred_champion": "numerical", "proba_champion": "numerical", "arr_delay": "numerical",
    "late": "categorical", "latepred_champion": "categorical",
}  # fmt: skip


def batch(month: int) -> dict:
    return golden("nyc_monthly.json")["batches"][f"2013-{month:02d}"]


@cache
def january() -> ReferenceProfile:
    return reference_of(flights.month(1), make_plan([*SUMMARY, *DRIFT], SCHEMA))


@cache
def inputs(month: int) -> Figures:
    return Figures(evaluated(flights.month(month), january(), SCHEMA, *SUMMARY, *DRIFT))


def right_mape(month: int, model: str) -> float:
    """|error / target| in percent, over targets that are not zero."""
    rows = flights.month(month)
    target, said = (rows[n].to_numpy() for n in ("arr_delay", f"pred_{model}"))
    told = np.isfinite(target) & np.isfinite(said) & (target != 0)
    return 100 * float(np.abs((said - target)[told] / target[told]).mean())


@pytest.mark.parametrize("month", MONTHS)
def test_every_feature_drifts_as_far_as_evidently_says(month):
    figures = inputs(month)
    theirs = batch(month)["drift"]
    for column, golden_row in theirs["columns"].items():
        ours = figures.drift[column]
        assert near(ours.score, golden_row["score"]), column
        assert ours.method == METHODS[golden_row["method"]]
        assert (ours.threshold, ours.drifted) == (golden_row["threshold"], golden_row["drifted"])
        assert (ours.severity >= 1) == ours.drifted
    assert figures.value("drifted_columns") == theirs["drifted_count"]
    assert near(figures.value("drifted_columns_ratio"), theirs["drifted_share"])
    assert figures.value("untested_columns") == 0


@pytest.mark.parametrize("month", MONTHS)
def test_the_summary_is_evidently_s_but_for_its_share_of_missing_cells(month):
    figures = inputs(month)
    summary = batch(month)["summary"]
    assert wrong(dataset_pairs(figures, flat(summary["dataset"]).get)) == []
    for column, theirs in summary["columns"].items():
        assert wrong(column_pairs(figures, column, flat(theirs).get)) == [], column
    # theirs divides by the rows and exceeds 1; a share is one of all cells
    theirs = summary["dataset"]["DatasetMissingValueCount"]["count"]
    cells = figures.snapshot.rows * len(SUMMARY_KINDS)
    assert near(figures.value("missing_cells_ratio"), theirs / cells)


@pytest.mark.parametrize("month", MONTHS)
def test_categories_are_counted_as_evidently_counts_them(month):
    snapshot = inputs(month).snapshot
    for column in flights.CATEGORICAL:
        theirs = batch(month)["summary"]["columns"][column].get("counts")
        ours = {r.label: r.value for r in snapshot.metrics
                if (r.metric, r.column) == ("category_count", column) and r.value}  # fmt: skip
        most = sorted(theirs.values())[-100:]
        assert sorted(ours.values()) == most
        assert all(theirs[label] == count for label, count in ours.items())


@pytest.mark.parametrize("model", flights.MODELS)
@pytest.mark.parametrize("month", MONTHS)
def test_regression_figures_are_evidently_s(month, model):
    figures = Figures(evaluated(flights.month(month), flights.month(1), regression_schema(model),
                                *REGRESSION))  # fmt: skip
    theirs = batch(month)["regression"][model]
    assert wrong(regression_pairs(figures, flat(theirs).get)) == []
    assert figures.snapshot.labelled_rows == batch(month)["labelled"]
    before = golden("nyc_monthly.json")["batches"]["2013-01"]["regression"][model]
    assert near(figures.row("rmse").reference, before["RMSE"])
    # theirs divides by max(target, tiny) and is 1e18 %
    assert near(figures.value("mape"), right_mape(month, model))


@pytest.mark.parametrize("model", flights.MODELS)
@pytest.mark.parametrize("month", MONTHS)
def test_classification_figures_are_evidently_s(month, model):
    figures = Figures(evaluated(flights.month(month), None, classification_schema(model),
                                *CLASSIFICATION))  # fmt: skip
    theirs = batch(month)["classification"][model]
    assert wrong(classification_pairs(figures, flat(theirs).get)) == []


@pytest.mark.parametrize("month", MONTHS)
def test_predictions_and_targets_drift_as_far_as_evidently_says(month):
    schema = schema_of(OUTCOMES)
    figures = Figures(evaluated(flights.month(month), flights.month(1), schema, *DRIFT))
    for column, theirs in batch(month)["drift_pred_target"].items():
        ours = figures.drift[column]
        assert near(ours.score, theirs["score"]), column
        assert (ours.method, ours.drifted) == (theirs["name"], theirs["drifted"])


@pytest.mark.parametrize("month", MONTHS[1:])
def test_a_month_drifts_from_the_one_before_as_far_as_evidently_says(month):
    figures = Figures(evaluated(flights.month(month), flights.month(month - 1), SCHEMA, *DRIFT))
    for column, theirs in batch(month)["drift_vs_previous_month"]["columns"].items():
        assert near(figures.drift[column].score, theirs["score"]), column
