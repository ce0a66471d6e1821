"""Hours of two stormy days: tiny batches, empty columns, a single class, no prediction at all."""

from __future__ import annotations

from functools import cache

import pytest
from golden import flights
from golden.evaluations import (
    CLASSIFICATION,
    DRIFT,
    REGRESSION,
    SUMMARY_KINDS,
    Figures,
    classification_pairs,
    classification_schema,
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

HOURS = sorted(golden("nyc_hourly.json"))
SCHEMA = schema_of(SUMMARY_KINDS, (*flights.NUMERICAL, *flights.CATEGORICAL))


def theirs(hour: str) -> dict:
    return golden("nyc_hourly.json")[hour]


@cache
def january() -> ReferenceProfile:
    return reference_of(flights.month(1), make_plan(DRIFT, SCHEMA))


@pytest.mark.parametrize("hour", HOURS)
def test_an_hour_drifts_as_far_as_evidently_says(hour):
    rows = flights.hour(hour[:13])
    figures = Figures(evaluated(rows, january(), SCHEMA, *DRIFT, "missing_count"))
    for column, golden_row in theirs(hour)["drift"].items():
        ours = figures.drift[column]
        if "error" in golden_row:
            assert ours.error == "no values in the batch"
        else:
            assert near(ours.score, golden_row["score"]), column
            assert ours.drifted == golden_row["drifted"]
    for column, count in theirs(hour)["missing"].items():
        assert figures.value("missing_count", column) == count


@pytest.mark.parametrize("model", flights.MODELS)
@pytest.mark.parametrize("hour", HOURS)
def test_an_hour_s_errors_are_evidently_s(hour, model):
    rows = flights.hour(hour[:13])
    figures = Figures(evaluated(rows, None, regression_schema(model), *REGRESSION))
    golden_figures = theirs(hour)["regression"][model]
    if "error" in golden_figures:  # they need two rows: what one row can tell is told all the same
        assert theirs(hour)["labelled"] < 2
        assert figures.row("error_std").error == "no value"
        assert (figures.value("mae") is None) == (theirs(hour)["labelled"] == 0)
    else:
        assert wrong(regression_pairs(figures, flat(golden_figures).get)) == []


@pytest.mark.parametrize("hour", HOURS)
def test_an_hour_s_classification_is_evidently_s_where_it_does_not_crash(hour):
    schema = classification_schema("champion")
    figures = Figures(evaluated(flights.hour(hour[:13]), None, schema, *CLASSIFICATION))
    golden_figures = theirs(hour)["classification"]["champion"]
    if "error" not in golden_figures:
        assert wrong(classification_pairs(figures, flat(golden_figures).get)) == []
    elif theirs(hour)["labelled"]:  # a single class
        assert figures.row("roc_auc").error == "only one class is there"
        assert 0 <= figures.value("accuracy") <= 1
        assert {r.label for r in figures.snapshot.metrics if r.metric == "f1_by_label"} == {
            "0",
            "1",
        }
    else:
        assert figures.value("accuracy") is None
        assert figures.row("accuracy").n == 0
