"""Days of flights against January: storms, holidays, a dead weather feed, a corrupt record, ordinary days."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest
from golden import flights
from golden.evaluations import (
    CLASSIFICATION,
    DRIFT,
    HERE,
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
    near,
    reference_of,
    regression_pairs,
    regression_schema,
    schema_of,
    wrong,
)

from exporter.evaluation import ReferenceProfile
from exporter.plan import make_plan

DEAD_FEED = "2013-12-31"
DAYS = (
    "2013-01-15", "2013-02-08", "2013-02-09", "2013-03-08", "2013-03-10", "2013-05-08",
    "2013-05-23", "2013-06-13", "2013-07-27", "2013-08-22", "2013-10-12", "2013-11-03",
    "2013-11-28", "2013-12-30", DEAD_FEED,
)  # fmt: skip
SCHEMA = schema_of(SUMMARY_KINDS, (*flights.NUMERICAL, *flights.CATEGORICAL))


@cache
def figures_of_days() -> dict[tuple[str, str, str], pd.DataFrame]:
    told = pd.read_parquet(HERE / "nyc_daily.parquet")
    told = told[told["batch"].isin(DAYS)]
    told = told.astype(dict.fromkeys(("batch", "kind", "model", "column", "metric"), str))
    return dict(list(told.groupby(["batch", "kind", "model"])))


def values(day: str, kind: str, model: str = "", column: str = "") -> dict[str, float]:
    rows = figures_of_days()[day, kind, model]
    rows = rows[rows["column"] == column]
    told = [None if pd.isna(v) else float(v) for v in rows["value"]]
    return dict(zip(rows["metric"], told, strict=True))


@cache
def january() -> ReferenceProfile:
    return reference_of(flights.month(1), make_plan([*SUMMARY, *DRIFT], SCHEMA))


@cache
def inputs(day: str) -> Figures:
    return Figures(evaluated(flights.day(day), january(), SCHEMA, *SUMMARY, *DRIFT))


@pytest.mark.parametrize("day", DAYS)
def test_a_day_drifts_as_far_as_evidently_says(day):
    theirs = figures_of_days()[day, "drift", ""].set_index("column")
    for column in (*flights.NUMERICAL, *flights.CATEGORICAL):
        ours, golden_row = inputs(day).drift[column], theirs.loc[column]
        if pd.isna(golden_row["value"]):  # they have no figure for a column without values
            assert (ours.score, ours.error) == (None, "no values in the batch")
            continue
        assert near(ours.score, golden_row["value"]), column
        assert ours.method == METHODS[golden_row["method"]]
        assert ours.drifted == golden_row["drifted"]


def test_columns_that_cannot_be_tested_are_counted_apart():
    figures = inputs(DEAD_FEED)
    weather = [c for c in flights.WEATHER if figures.drift[c].error]
    assert len(weather) == len(flights.WEATHER)
    assert figures.value("untested_columns") == len(weather)
    told = values(DEAD_FEED, "drift")["drifted_count"]
    assert figures.value("drifted_columns") == told
    # theirs divides by all 13, so that a dead feed looks healthy
    assert near(figures.value("drifted_columns_ratio"), told / (13 - len(weather)))


@pytest.mark.parametrize("day", DAYS)
def test_a_day_s_summary_is_evidently_s(day):
    assert wrong(dataset_pairs(inputs(day), values(day, "summary").get)) == []
    for column in SUMMARY_KINDS:
        if column != "sched_dep":
            pairs = column_pairs(inputs(day), column, values(day, "summary", "", column).get)
            assert wrong(pairs) == [], column


@pytest.mark.parametrize("model", flights.MODELS)
@pytest.mark.parametrize("day", DAYS)
def test_a_day_s_errors_are_evidently_s(day, model):
    figures = Figures(evaluated(flights.day(day), None, regression_schema(model), *REGRESSION))
    theirs = values(day, "regression", model)
    assert wrong(regression_pairs(figures, theirs.get)) == []
    assert figures.snapshot.labelled_rows == values(day, "batch")["labelled"]


@pytest.mark.parametrize("model", flights.MODELS)
@pytest.mark.parametrize("day", DAYS)
def test_a_day_s_classification_is_evidently_s(day, model):
    schema = classification_schema(model)
    figures = Figures(evaluated(flights.day(day), None, schema, *CLASSIFICATION))
    assert wrong(classification_pairs(figures, values(day, "classification", model).get)) == []
