"""Evidently 0.4's correlations, conflicts and kinds of missing values of a table with gaps, infinities and empty texts."""

from __future__ import annotations

from functools import cache
from math import inf
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from golden.evaluations import HERE, Figures, evaluated, golden, near, schema_of

from exporter.snapshot import Snapshot

NUMBERS = ("a", "b", "c", "y", "said")
CATEGORIES = ("plan", "region", "note")
SCHEMA = schema_of(
    dict.fromkeys(NUMBERS, "numerical") | dict.fromkeys(CATEGORIES, "categorical"),
    ("a", "b", "c", *CATEGORIES), target="y", prediction="said", task="regression",
)  # fmt: skip
DOUBLED = schema_of(
    {"five": "numerical", "plan": "categorical", "grade": "numerical", "guess": "numerical"},
    ("five", "plan"), target="grade", prediction="guess", task="regression",
)  # fmt: skip
METHODS = ("pearson", "spearman", "kendall", "cramer_v")


@cache
def table(part: str) -> pa.Table:
    frame = pd.read_csv(
        HERE / "presets" / f"tables_{part}.csv", na_values="NA", keep_default_na=False
    )
    return pa.Table.from_pandas(frame, preserve_index=False)


def figures_of(*metrics: Any, **options: Any) -> Figures:
    return Figures(evaluated(table("cur"), table("ref"), SCHEMA, *metrics, **options))


def theirs() -> Any:
    return golden("presets/tables.json")


@pytest.mark.parametrize("method", METHODS)
def test_every_pair_s_correlation_is_theirs_in_batch_and_reference(method):
    told = theirs()["correlations"]
    rows = figures_of({"correlation": {"method": method}}).snapshot.metrics
    for side, ours in (("current", "value"), ("reference", "reference")):
        found = {f"{r.column}|{r.label}": getattr(r, ours) for r in rows}
        assert found == pytest.approx(told[side][method], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_strongest_correlations_are_theirs(method):
    told = theirs()["stats"]["current"][method]
    found = figures_of(
        *({name: {"method": method}} for name in (
            "strongest_correlation", "strongest_feature_correlation",
            "target_prediction_correlation",
        ))
    )  # fmt: skip
    assert near(found.value("strongest_correlation", method=method), told["abs_max_correlation"])
    features = told["abs_max_features_correlation"]
    assert near(found.value("strongest_feature_correlation", method=method), features)
    if method != "cramer_v":  # of numbers they have none, we have that of the values as labels
        both = told["target_prediction_correlation"]
        assert near(found.value("target_prediction_correlation", method=method), both)


CORRELATION_TESTS = (
    "strongest_feature_correlation",
    "target_prediction_correlation",
    {"changed_correlations": {"method": "pearson"}},
    {"changed_correlations": {"method": "spearman", "by": 0.05, "name": "ranks"}},
    {"changed_correlations": {"of": "b", "by": 0.1, "name": "of b"}},
)


def judged(*tests: Any, schema: Any = SCHEMA, reference: bool = True) -> Snapshot:
    beside = table("ref") if reference else None
    return evaluated(table("cur"), beside, schema, tests=tests, automatic_tests="evidently")


def test_tests_of_correlations_have_their_values_and_statuses():
    found = judged(*CORRELATION_TESTS).tests
    assert [t.status for t in found] == [t["status"].lower() for t in theirs()["tests"]]
    for ours, them in zip(found, theirs()["tests"], strict=True):
        assert near(ours.value, them["value"])
    alone = judged(*CORRELATION_TESTS[:2], reference=False).tests
    assert [t.status for t in alone] == [t["status"].lower() for t in theirs()["tests_alone"]]


def test_tests_of_correlations_have_their_limits():
    strongest, both, *_ = judged(*CORRELATION_TESTS).tests
    assert (strongest.lower, strongest.upper) == pytest.approx(
        (0.9 * 0.5997722143097043, 1.1 * 0.5997722143097043)
    )
    assert (both.lower, both.upper) == pytest.approx((0.5277976299053785, 1.0277976299053785))


@pytest.mark.parametrize(("side", "part"), [("current", "cur"), ("reference", "ref")])
def test_kinds_of_missing_values_are_theirs_by_column_and_in_all(side, part):
    told = theirs()["quality"][0]["result"][side]
    columns = told["number_of_different_missing_values_by_column"]
    schema = schema_of(dict(SCHEMA.kinds) | dict.fromkeys(("five", "grade", "guess"), "numerical"))
    found = Figures(evaluated(table(part), None, schema, "missing_cell_kinds", "missing_kinds"))
    assert found.value("missing_cell_kinds") == told["number_of_different_missing_values"]
    ours = {name: found.value("missing_kinds", name, values=None) for name in columns}
    assert ours == columns


def test_shares_of_rows_and_columns_with_missing_values_are_theirs():
    told = theirs()["quality"][0]["result"]["current"]
    rows = table("cur").to_pandas().replace({"": None, inf: np.nan, -inf: np.nan})
    schema = schema_of(dict(SCHEMA.kinds) | dict.fromkeys(("five", "grade", "guess"), "numerical"))
    names = ("rows_with_missing_ratio", "columns_with_missing_ratio")
    found = Figures(evaluated(pa.Table.from_pandas(rows), None, schema, *names))
    assert near(found.value(names[0]), told["share_of_rows_with_missing_values"])
    assert near(found.value(names[1]), told["share_of_columns_with_missing_values"])


def test_tests_of_kinds_of_missing_values_have_their_statuses():
    told = theirs()
    tests = ("missing_cell_kinds", {"missing_kinds": {"columns": ["c", "note"]}})
    for reference, name in ((True, "gap_tests"), (False, "gap_tests_alone")):
        ours = judged(*tests, reference=reference).tests
        assert [(t.value, t.status) for t in ours] == [
            (t["value"], t["status"].lower()) for t in told[name][:3]
        ]


def test_conflicts_are_theirs_with_compat_and_never_fewer_without():
    target, prediction = theirs()["conflicts"]
    metrics = [
        {name: {"compat": compat}}
        for name in ("conflicting_targets", "conflicting_predictions")
        for compat in (True, False)
    ]
    found = Figures(evaluated(table("cur"), table("ref"), DOUBLED, *metrics))
    both = [
        ("conflicting_targets", target["number_not_stable_target"],
         target["number_not_stable_target_ref"]),
        ("conflicting_predictions", prediction["current"]["number_not_stable_prediction"],
         prediction["reference"]["number_not_stable_prediction"]),
    ]  # fmt: skip
    for name, now, then in both:
        row = found.row(name, compat=True)
        assert (row.value, row.reference) == (now, then)
        assert found.value(name, compat=False) >= now


def test_their_tests_of_constant_and_unique_values_are_conditions_on_counts():
    conditions = (
        {"unique_count": {"columns": ["plan"], "gt": 1}},
        {"unique_ratio": {"columns": ["plan"], "eq": 1}},
        {"regexp_mismatch_count": {"columns": ["region"], "pattern": "n.*"}},
        {"out_of_list_count": {"columns": ["region"]}},
    )
    ours = {t.metric: t for t in judged(*conditions).tests}
    told = {t["name"]: t["status"].lower() for t in theirs()["gap_tests"]}
    assert ours["unique_count"].status == told["All Constant Values in a Column"]
    assert ours["unique_ratio"].status == told["All Unique Values in a Column"]
    assert ours["regexp_mismatch_count"].status == told["RegExp Match"]
    assert ours["regexp_mismatch_count"].value == 85
    assert ours["out_of_list_count"].status == told["Number Out-of-List Values"]
