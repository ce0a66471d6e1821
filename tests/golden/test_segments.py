"""Segments of months by origin and carrier, and two arms side by side."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from golden import flights
from golden.evaluations import (
    DRIFT,
    Figures,
    classification_schema,
    evaluated,
    golden,
    near,
    regression_schema,
    schema_of,
)

MONTHS = (1, 4, 7, 9, 11, 12)
NAMES = {"rmse": "rmse", "mae": "mae", "me": "mean_error", "r2": "r2"}
CLASS_NAMES = {
    "accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "f1",
    "auc": "roc_auc",
}  # fmt: skip
KINDS = dict.fromkeys(flights.NUMERICAL, "numerical") | dict.fromkeys(
    flights.CATEGORICAL, "categorical"
)


def segment(month: int, column: str, value: str) -> pa.Table:
    rows = flights.month(month)
    return rows.filter(pc.equal(rows[column], value))


def assert_quality(rows: pa.Table, model: str, theirs: dict) -> None:
    """Every figure that the golden file has of a model on these rows."""
    errors = Figures(evaluated(rows, None, regression_schema(model), *NAMES.values()))
    classes = Figures(evaluated(rows, None, classification_schema(model), *CLASS_NAMES.values()))
    for name, metric in NAMES.items():
        assert near(errors.value(metric), theirs[name]), name
    for name, metric in CLASS_NAMES.items():
        undecided = name == "precision" and theirs[name] is None  # none called positive: 0/0 is 0
        assert near(classes.value(metric), 0.0 if undecided else theirs[name]), name


@pytest.mark.parametrize("model", flights.MODELS)
@pytest.mark.parametrize("month", MONTHS)
def test_each_origin_is_judged_on_its_own(month, model):
    for origin, theirs in golden("nyc_segments_ab.json")["segments"]["origin"][
        f"2013-{month:02d}"
    ].items():
        rows = segment(month, "origin", origin)
        assert_quality(rows, model, theirs[model])
        assert rows.num_rows == theirs["rows"]


@pytest.mark.parametrize("month", MONTHS)
def test_each_carrier_is_judged_on_its_own_however_small(month):
    for carrier, theirs in golden("nyc_segments_ab.json")["segments"]["carrier"][
        f"2013-{month:02d}"
    ].items():
        if theirs["n"] > 1 and 0 < theirs["late_share"] < 1:
            assert_quality(segment(month, "carrier", carrier), "champion", theirs["champion"])


@pytest.mark.parametrize("month", MONTHS[1:])
def test_a_segment_drifts_from_the_same_segment_of_the_reference(month):
    for origin, theirs in golden("nyc_segments_ab.json")["segments"]["origin"][
        f"2013-{month:02d}"
    ].items():
        told = theirs["drift_vs_same_segment_of_reference"]
        figures = Figures(
            evaluated(segment(month, "origin", origin), segment(1, "origin", origin),
                      schema_of(KINDS), *DRIFT)
        )  # fmt: skip
        for column, golden_row in told.items():
            assert near(figures.drift[column].score, golden_row["score"]), column
            assert figures.drift[column].drifted == golden_row["drifted"]


@pytest.mark.parametrize("model", flights.MODELS)
@pytest.mark.parametrize("month", MONTHS)
def test_both_models_are_judged_on_the_same_rows(month, model):
    theirs = golden("nyc_segments_ab.json")["ab"]["paired"][f"2013-{month:02d}"]
    assert_quality(flights.month(month), model, theirs[model])


@pytest.mark.parametrize("month", MONTHS)
def test_each_arm_is_judged_on_its_half_of_the_rows(month):
    theirs = golden("nyc_segments_ab.json")["ab"]["split"][f"2013-{month:02d}"]
    rows = flights.month(month)
    arm_a = np.array([crc32(x.encode()) % 100 < 50 for x in rows["flight_id"].to_pylist()])
    assert_quality(rows.filter(pa.array(arm_a)), "champion", theirs["A_champion"])
    assert_quality(rows.filter(pa.array(~arm_a)), "challenger", theirs["B_challenger"])
