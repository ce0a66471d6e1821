"""Evidently on three classes, thresholds, top k, and where a regression errs: every figure and test of it.

`benchmarks/peers/classes_with_evidently.py` made the golden figures, and drew the two tables.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from golden.evaluations import HERE, Figures, evaluated, golden, near, near_p, schema_of

OVERALL = (
    "accuracy",
    "precision",
    "recall",
    "f1",
    "tpr",
    "tnr",
    "fpr",
    "fnr",
    "roc_auc",
    "log_loss",
)
BY_LABEL = ("precision", "recall", "f1", "roc_auc")
CLASSES = ("ant", "bee", "cat")
FEATURES = {"size": "numerical", "legs": "numerical"}
MULTICLASS = schema_of(
    FEATURES | {"kind": "categorical"} | dict.fromkeys(CLASSES, "numerical"), ("size", "legs"),
    target="kind", task="multiclass", probabilities={label: label for label in CLASSES},
)  # fmt: skip
LABELS = schema_of(
    FEATURES | {"kind": "categorical", "said": "categorical"}, ("size", "legs"),
    target="kind", prediction="said", task="multiclass",
)  # fmt: skip
BINARY = schema_of(
    FEATURES | {"late": "categorical", "score": "numerical"}, ("size", "legs"),
    target="late", probability="score", task="binary",
)  # fmt: skip
REGRESSION = schema_of(
    FEATURES | {"kind": "categorical", "weight": "numerical", "guess": "numerical"},
    ("size", "legs", "kind"), target="weight", prediction="guess", task="regression",
)  # fmt: skip
CASES = {
    "multiclass": (MULTICLASS, {}),
    "labels": (LABELS, {}),
    "binary": (BINARY, {}),
    "threshold": (BINARY, {"threshold": 0.7}),
    "top_k": (BINARY, {"top_k": 50, "compat": True}),
}
TESTS = {
    "Accuracy Score": "accuracy", "Precision Score": "precision", "Recall Score": "recall",
    "F1 Score": "f1", "ROC AUC Score": "roc_auc", "Logarithmic Loss": "log_loss",
    "Precision Score by Class": "precision_by_label", "Recall Score by Class": "recall_by_label",
    "Number of Rows": "row_count", "Drift per Column": "column_drift",
}  # fmt: skip
SUITES = {
    "multiclass": (MULTICLASS, "multiclass_classification"),
    "labels": (LABELS, "multiclass_classification"),
    "top_k": (BINARY, {"binary_classification_top_k": {"top_k": 50, "compat": True}}),
    "threshold": (BINARY, {"binary_classification": {"threshold": 0.7}}),
}
FAULTS = {("top_k_noref", "log_loss")}  # its dummy's log loss is 0 where classes are numbers


@cache
def told() -> dict[str, Any]:
    """What Evidently says."""
    return golden("presets/classes.json")


@cache
def table(part: str) -> pa.Table:
    frame = pd.read_csv(HERE / "presets" / f"classes_{part}.csv")
    return pa.Table.from_pandas(frame, preserve_index=False)


def asked(names: list[str], options: dict[str, Any]) -> list[dict[str, Any]]:
    """These metrics, with options where they have them."""
    return [{x: options if not x.startswith(("roc_auc", "log_loss")) else {}} for x in names]


@pytest.mark.parametrize("case", CASES)
def test_a_classifier_s_overall_figures_are_theirs(case):
    schema, options = CASES[case]
    theirs, before = told()[case]["current"], told()[case]["reference"]
    names = [name for name in OVERALL if theirs[name] is not None]
    figures = Figures(evaluated(table("cur"), table("ref"), schema, *asked(names, options)))
    rows = {row.metric: row for row in figures.snapshot.metrics}
    assert len(names) == {"multiclass": 6, "labels": 4}.get(case, 10)
    for name in names:
        assert near(rows[name].value, theirs[name]), name
        assert near(rows[name].reference, before[name]), name


@pytest.mark.parametrize("case", CASES)
def test_a_class_s_figures_are_theirs(case):
    schema, options = CASES[case]
    names = [f"{name}_by_label" for name in BY_LABEL if case != "labels" or name != "roc_auc"]
    figures = Figures(evaluated(table("cur"), table("ref"), schema, *asked(names, options)))
    rows = {(row.metric, row.label): row for row in figures.snapshot.metrics}
    assert len(rows) == len(names) * len(told()[case]["by_label"])
    for (metric, label), row in rows.items():
        name = metric.removesuffix("_by_label")
        assert near(row.value, told()[case]["by_label"][label][name]), (metric, label)
        assert near(row.reference, told()[case]["by_label_reference"][label][name]), metric


@pytest.mark.parametrize("case", CASES)
def test_the_confusion_matrix_is_theirs(case):
    schema, options = CASES[case]
    snapshot = evaluated(table("cur"), None, schema, {"confusion": options})
    labels, cells = told()[case]["labels"], told()[case]["confusion"]
    theirs = {
        f"{actual}→{said}": cells[i][j]
        for i, actual in enumerate(labels)
        for j, said in enumerate(labels)
    }
    assert {row.label: row.value for row in snapshot.metrics if row.label} == theirs


@pytest.mark.parametrize("case", ["multiclass", "labels", "binary"])
def test_the_baseline_is_what_their_dummy_draws_at_random(case):
    schema, _ = CASES[case]
    names = ("accuracy", "precision", "recall", "f1")
    figures = Figures(evaluated(table("cur"), None, schema, *[f"baseline_{x}" for x in names]))
    for name in names:  # theirs is one draw of 250 rows
        assert figures.value(f"baseline_{name}") == pytest.approx(
            told()[case]["dummy"][name], abs=0.03
        )


@pytest.mark.parametrize("case", ["threshold", "top_k"])
def test_a_threshold_scales_the_baseline_as_it_scales_their_dummy(case):
    options = CASES[case][1]
    figures = Figures(
        evaluated(table("cur"), None, BINARY, "baseline_recall", {"baseline_recall": options})
    )
    ours = figures.value("baseline_recall", **options) / figures.value("baseline_recall")
    theirs = told()[case]["dummy"]["recall"] / told()["binary"]["dummy"]["recall"]
    assert ours == pytest.approx(theirs)


def test_the_baseline_of_log_loss_is_theirs():
    figures = Figures(evaluated(table("cur"), None, MULTICLASS, "baseline_log_loss"))
    assert near(figures.value("baseline_log_loss"), told()["multiclass"]["dummy"]["log_loss"])


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("suite", SUITES)
def test_a_preset_of_tests_decides_as_theirs(suite, beside):
    schema, preset = SUITES[suite]
    name = suite if beside else f"{suite}_noref"
    snapshot = evaluated(
        table("cur"), table("ref") if beside else None, schema, tests=[preset],
        automatic_tests="evidently",
    )  # fmt: skip
    ours = {(row.metric, row.label): row for row in snapshot.tests}
    assert len(ours) == len(told()["suites"][name])
    for test in told()["suites"][name]:
        metric = TESTS[test["name"]]
        row = ours[metric, test["parameters"].get("label", "")]
        if (name, metric) not in FAULTS:
            assert row.status == test["status"].lower(), (metric, row)
        if "value" in test["parameters"]:
            assert near(row.value, test["parameters"]["value"]), metric
        elif "score" in test["parameters"]:
            assert near_p(round(row.value, 3), test["parameters"]["score"])


def test_their_fault_is_not_ours():
    preset = SUITES["top_k"][1]
    snapshot = evaluated(table("cur"), None, BINARY, tests=[preset], automatic_tests="evidently")
    (loss,) = [row for row in snapshot.tests if row.metric == "log_loss"]
    (theirs,) = [t for t in told()["suites"]["top_k_noref"] if t["name"] == "Logarithmic Loss"]
    assert (theirs["status"], theirs["parameters"]["condition"]) == ("FAIL", {"lt": 0.0})
    assert loss.status == "success"
    assert loss.upper == pytest.approx(0.6931471805599453)


def test_their_k_rows_are_k_and_one_more():
    plain, compatible = (
        evaluated(table("cur"), None, BINARY, {"confusion": {"top_k": 50, "compat": compat}})
        for compat in (False, True)
    )
    positives = [
        sum(row.value for row in snapshot.metrics if row.label.endswith("→1"))
        for snapshot in (plain, compatible)
    ]
    assert positives == [50, 51]


def test_lift_is_that_of_their_table():
    figures = Figures(evaluated(table("cur"), None, BINARY, "lift"))
    n = table("cur").num_rows
    seen = 0
    for top, count, _, found, *_rest in told()["tables"]["lift"]:
        share = count / n
        if abs(share * 20 - round(share * 20)) < 1e-9:
            ours = figures.value("lift", "", f"{share:g}")
            base = sum(table("cur")["late"].to_pylist()) / n
            assert near(ours, found / count / base), top
            seen += 1
    assert seen == 5


def test_precision_and_recall_are_those_of_their_table():
    rows = told()["tables"]["pr"]
    asked_of = [
        {name: {"top_k": int(count)}} for _, count, *_ in rows for name in ("precision", "recall")
    ]
    figures = Figures(evaluated(table("cur"), None, BINARY, *asked_of))
    for _, count, _, _, _, precision, recall in rows:
        ours = [100 * figures.value(x, top_k=int(count)) for x in ("precision", "recall")]
        assert ours == pytest.approx([precision, recall], abs=0.051)  # theirs are rounded


def test_groups_of_errors_and_their_normality_are_theirs():
    figures = Figures(
        evaluated(table("cur"), None, REGRESSION, "mean_error_by_group", "error_std_by_group",
                  "error_normality")
    )  # fmt: skip
    theirs = told()["regression"]
    for group, told_of in theirs["groups"].items():
        assert near(
            figures.value("mean_error_by_group", "", group, share=0.05), told_of["mean_error"]
        )
        assert near(
            figures.value("error_std_by_group", "", group, share=0.05), told_of["std_error"]
        )
    for label, name in (("", "r"), ("slope", "slope"), ("intercept", "intercept")):
        assert near(figures.value("error_normality", "", label), theirs["normality"][name])


@pytest.mark.parametrize(("part", "prefix"), [("cur", "current"), ("ref", "ref")])
def test_the_bias_of_each_feature_is_theirs(part, prefix):
    figures = Figures(evaluated(table(part), None, REGRESSION, "error_bias", "error_bias_range"))
    for name, told_of in told()["regression"]["bias"].items():
        spread = figures.value("error_bias_range", name, share=0.05)
        theirs = told_of[f"{prefix}_range"]
        assert near(spread, theirs / 100 if told_of["feature_type"] == "num" else theirs)
        if told_of["feature_type"] == "num":
            groups = {"": "majority", "underestimation": "under", "overestimation": "over"}
            for group, field in groups.items():  # what they call majority is all rows
                ours = figures.value("error_bias", name, group, share=0.05)
                assert near(ours, told_of[f"{prefix}_{field}"])
