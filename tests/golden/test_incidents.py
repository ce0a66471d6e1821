"""Eight rules on every day of the year: each fires on exactly the days on which it should."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from golden import flights
from golden.evaluations import (
    Figures,
    batch_of,
    classification_schema,
    evaluated,
    golden,
    near,
    reference_of,
    regression_schema,
    schema_of,
)

from exporter import evaluation
from exporter.plan import make_plan

TOLD = golden("nyc_incidents.json")
RULES = {name.split()[0]: days for name, days in TOLD["alert_rules"].items()}
FEATURES = dict.fromkeys(flights.NUMERICAL, "numerical") | dict.fromkeys(
    flights.CATEGORICAL, "categorical"
)
INPUTS = schema_of(FEATURES | {"tailnum": "categorical", "dep_time": "numerical"}, tuple(FEATURES))
ROWS_A_DAY = 27_004 / 31  # of January
INPUT_TESTS = [
    {"missing_ratio": {"name": "A1", "columns": ["dep_time"], "lte": 0.10}},
    {"missing_ratio": {"name": "A2", "columns": ["tailnum"], "lte": 0.05}},
    {"missing_ratio": {"name": "A3", "columns": ["temp"], "lte": 0.02}},
    {"drifted_columns": {"name": "A6", "lt": 6.5}},
    {"row_count": {"name": "A8", "gte": 0.75 * ROWS_A_DAY}},
]
REGRESSION_TESTS = [
    {"rmse": {"name": "A4", "lte": 1.5 * 15.4864840780443}},
    {"mean_error": {"name": "A7", "between": [-10, 10]}},
]
CLASSIFICATION_TESTS = [{"roc_auc": {"name": "A5", "gte": 0.80}}]


@cache
def days() -> list[str]:
    return sorted({str(d)[:10] for d in flights.flights()["date"].to_pylist()})


@cache
def fired() -> dict[str, dict[str, float]]:
    """Rule to the days on which its test fails, with the figure."""
    found: dict[str, dict[str, float]] = {rule: {} for rule in RULES}
    plans = [
        make_plan([], schema, tests=tests, min_rows=0)
        for schema, tests in (
            (INPUTS, INPUT_TESTS),
            (regression_schema("champion"), REGRESSION_TESTS),
            (classification_schema("champion"), CLASSIFICATION_TESTS),
        )
    ]
    january = [reference_of(flights.month(1), plans[0]), None, None]
    for day in days():
        batch = batch_of(flights.day(day))
        for plan, reference in zip(plans, january, strict=True):
            for test in evaluation.evaluate(batch, reference, plan).tests:
                assert test.status in ("success", "fail"), test
                if test.status == "fail":
                    found[test.test][day] = test.value
    return found


@pytest.mark.parametrize("rule", sorted(set(RULES) - {"A6"}))
def test_a_rule_fires_on_its_days_and_on_no_other(rule):
    assert set(fired()[rule]) == set(RULES[rule])
    assert all(near(fired()[rule][day], value) for day, value in RULES[rule].items())


def test_half_the_features_drift_on_as_many_days_of_each_month():
    assert len(days()) == sum(TOLD["monthly_days"].values()) == 365
    for month, count in RULES["A6"].items():
        assert sum(day.startswith(month) for day in fired()["A6"]) == count, month


@pytest.mark.parametrize("month", range(2, 13))
def test_new_and_gone_destinations_and_values_out_of_range_are_counted(month):
    wanted: list[Any] = ["new_categories", "gone_categories", "unique_count", "out_of_range_count"]
    figures = Figures(
        evaluated(flights.month(month), flights.month(1), schema_of(FEATURES), *wanted)
    )
    name = f"2013-{month:02d}"
    assert figures.value("new_categories", "dest") == len(TOLD["new_dest"][name])
    assert figures.value("gone_categories", "dest") == len(TOLD["gone_dest"][name])
    assert figures.value("unique_count", "carrier") == TOLD["carrier_count"][name]
    for column, count in TOLD["out_of_range_vs_reference"][name].items():
        ours = figures.value("out_of_range_count", column, left=None, right=None)
        assert ours == count, column


def test_one_bad_record_among_thirty_thousand_is_seen():
    record = TOLD["bad_record"][0]
    month = int(record["flight_id"][4:6])
    schema = schema_of({"distance": "numerical"})
    figures = Figures(
        evaluated(flights.month(month), None, schema, "min", {"out_of_range_count": {"left": 80}})
    )
    assert figures.value("min", "distance") == record["distance"]
    assert figures.value("out_of_range_count", "distance", left=80.0, right=None) == 1
